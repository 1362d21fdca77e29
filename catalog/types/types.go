// Package types is the SQL type system: types with their PostgreSQL OIDs and
// modifiers, values (Datum, Decimal, Interval), and the text and binary forms
// that clients see.
//
// A type has a physical Kind, the shape its values have in memory; everything
// that touches many values (storage/column, engine/sql/expr) switches on the
// Kind, everything that speaks to people or clients on the Type.
package types

// OID is a PostgreSQL object identifier of a type.
type OID uint32

// OIDs of the built-in types (src/include/catalog/pg_type.dat of PostgreSQL 15).
const (
	OIDBool         OID = 16
	OIDBytea        OID = 17
	OIDChar1        OID = 18 // "char"
	OIDName         OID = 19
	OIDInt8         OID = 20
	OIDInt2         OID = 21
	OIDInt2Vector   OID = 22
	OIDInt4         OID = 23
	OIDRegproc      OID = 24
	OIDText         OID = 25
	OIDOid          OID = 26
	OIDOidVector    OID = 30
	OIDJSON         OID = 114
	OIDCidr         OID = 650
	OIDFloat4       OID = 700
	OIDFloat8       OID = 701
	OIDUnknown      OID = 705
	OIDMacaddr      OID = 829
	OIDInet         OID = 869
	OIDBpchar       OID = 1042
	OIDVarchar      OID = 1043
	OIDDate         OID = 1082
	OIDTime         OID = 1083
	OIDTimestamp    OID = 1114
	OIDTimestamptz  OID = 1184
	OIDInterval     OID = 1186
	OIDBit          OID = 1560
	OIDVarbit       OID = 1562
	OIDNumeric      OID = 1700
	OIDRegclass     OID = 2205
	OIDRegtype      OID = 2206
	OIDRecord       OID = 2249
	OIDAnyArray     OID = 2277
	OIDVoid         OID = 2278
	OIDAnyElement   OID = 2283
	OIDUUID         OID = 2950
	OIDJSONB        OID = 3802
	OIDRegnamespace OID = 4089
	OIDRegrole      OID = 4096
	OIDRegprocedure OID = 2202
	OIDRegoper      OID = 2203
	OIDRegoperator  OID = 2204
	OIDRegcollation OID = 4191
	OIDJSONPath     OID = 4072
)

// Type is a SQL type: its OID and PostgreSQL's type modifier (-1: none), which
// holds precision and scale of numeric, length of varchar and char, precision
// of time types. Comparable; the zero Type is no type.
type Type struct {
	OID OID   `json:"oid"`
	Mod int32 `json:"mod"`
}

// The types without modifier.
var (
	Unknown     = Type{OIDUnknown, -1}
	Bool        = Type{OIDBool, -1}
	Int2        = Type{OIDInt2, -1}
	Int4        = Type{OIDInt4, -1}
	Int8        = Type{OIDInt8, -1}
	Float4      = Type{OIDFloat4, -1}
	Float8      = Type{OIDFloat8, -1}
	Numeric     = Type{OIDNumeric, -1}
	Text        = Type{OIDText, -1}
	Varchar     = Type{OIDVarchar, -1}
	Bpchar      = Type{OIDBpchar, -1}
	Name        = Type{OIDName, -1}
	Bytea       = Type{OIDBytea, -1}
	Bit         = Type{OIDBit, -1}
	Varbit      = Type{OIDVarbit, -1}
	Date        = Type{OIDDate, -1}
	Time        = Type{OIDTime, -1}
	Timestamp   = Type{OIDTimestamp, -1}
	Timestamptz = Type{OIDTimestamptz, -1}
	IntervalT   = Type{OIDInterval, -1}
	UUID        = Type{OIDUUID, -1}
	JSON        = Type{OIDJSON, -1}
	JSONB       = Type{OIDJSONB, -1}
	JSONPath    = Type{OIDJSONPath, -1} // canonical text
	Oid         = Type{OIDOid, -1}
	Inet        = Type{OIDInet, -1}
	Cidr        = Type{OIDCidr, -1}
	Macaddr     = Type{OIDMacaddr, -1}
	Regclass    = Type{OIDRegclass, -1}
	Regtype     = Type{OIDRegtype, -1}
	Record      = Type{OIDRecord, -1}
	Void        = Type{OIDVoid, -1}
)

// Kind is the physical shape of a type's values.
type Kind uint8

// The kinds.
const (
	KindNone     Kind = iota
	KindBool          // bool
	KindInt           // int64: int2, int4, int8, oid and reg types; date (days), time, timestamp(tz) (µs from 2000-01-01 UTC, as on PostgreSQL's wire)
	KindFloat         // float64: float4 (rounded to 32 bits), float8
	KindDecimal       // Decimal: numeric
	KindInterval      // Interval
	KindBytes         // bytes: text, varchar, char, name, bytea, json, jsonb (canonical text), uuid (16 bytes), bit and varbit (digits)
	KindList          // a list of elements, and its shape where it is not one dimension from 1: arrays
)

// Kind returns the physical shape of t's values.
func (t Type) Kind() Kind {
	switch t.OID {
	case OIDBool:
		return KindBool
	case OIDInt2, OIDInt4, OIDInt8, OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation,
		OIDDate, OIDTime, OIDTimestamp, OIDTimestamptz:
		return KindInt
	case OIDFloat4, OIDFloat8:
		return KindFloat
	case OIDNumeric:
		return KindDecimal
	case OIDInterval:
		return KindInterval
	case OIDText, OIDVarchar, OIDBpchar, OIDName, OIDBytea, OIDUUID, OIDJSON, OIDJSONB, OIDJSONPath, OIDBit, OIDVarbit,
		OIDInet, OIDCidr, OIDMacaddr:
		return KindBytes // before the map is asked: this is called per value
	case 0:
		return KindNone
	default:
	}
	if _, ok := t.Elem(); ok {
		return KindList
	}
	return KindBytes
}

// Interval is PostgreSQL's interval: three parts that are not converted into
// each other.
type Interval struct {
	Months int32
	Days   int32
	Micros int64
}

// Datum is one value of any type: the scalar form, for constants, parameters
// and single cells; many values are a column.Column. Which field holds the
// value follows from the type's Kind: I (KindInt; KindBool as 0 and 1),
// F, Dec, Iv, B (KindBytes), List (KindList, elements of the element type; B is
// then the shape, nil for one dimension from 1, see NewShape).
type Datum struct {
	Null bool
	I    int64
	F    float64
	Dec  Decimal
	Iv   Interval
	B    []byte
	List []Datum
}

// NullDatum is NULL of any type.
var NullDatum = Datum{Null: true}

// IntDatum wraps a value of KindInt.
func IntDatum(v int64) Datum { return Datum{I: v} }

// FloatDatum wraps a value of KindFloat.
func FloatDatum(v float64) Datum { return Datum{F: v} }

// DecimalDatum wraps a value of KindDecimal.
func DecimalDatum(v Decimal) Datum { return Datum{Dec: v} }

// BytesDatum wraps a value of KindBytes, which is not copied.
func BytesDatum(v []byte) Datum { return Datum{B: v} }

// StringDatum wraps text.
func StringDatum(v string) Datum { return Datum{B: []byte(v)} }

// BoolDatum wraps a value of KindBool.
func BoolDatum(v bool) Datum {
	if v {
		return Datum{I: 1}
	}
	return Datum{}
}

// Bool returns the value of a KindBool datum.
func (d Datum) Bool() bool { return d.I != 0 }
