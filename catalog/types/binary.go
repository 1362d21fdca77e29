package types

import (
	"encoding/binary"
	"math"

	"velostream/pgwire/pgerror"
)

// AppendBinary adds the binary form of d, a value of t, to dst, as
// PostgreSQL's send functions do. d must not be NULL.
func AppendBinary(dst []byte, t Type, d Datum) []byte {
	switch t.OID {
	case OIDBool:
		return append(dst, byte(d.I))
	case OIDInt2:
		return binary.BigEndian.AppendUint16(dst, uint16(d.I))
	case OIDInt4, OIDDate, OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return binary.BigEndian.AppendUint32(dst, uint32(d.I))
	case OIDInt8, OIDTime, OIDTimestamp, OIDTimestamptz:
		return binary.BigEndian.AppendUint64(dst, uint64(d.I))
	case OIDFloat4:
		return binary.BigEndian.AppendUint32(dst, float32Bits(d.F))
	case OIDFloat8:
		return binary.BigEndian.AppendUint64(dst, float64Bits(d.F))
	case OIDNumeric:
		return AppendNumericBinary(dst, d.Dec)
	case OIDInterval:
		return AppendIntervalBinary(dst, d.Iv)
	case OIDText, OIDVarchar, OIDBpchar, OIDName, OIDJSON, OIDBytea, OIDUUID, OIDMacaddr, OIDUnknown:
		return append(dst, d.B...)
	case OIDJSONB, OIDJSONPath:
		return append(append(dst, 1), d.B...)
	case OIDInet, OIDCidr:
		return appendNetworkBinary(dst, t, d)
	case OIDBit, OIDVarbit:
		return appendBitsBinary(dst, d.B)
	case OIDChar1:
		if len(d.B) == 0 {
			return append(dst, 0)
		}
		return append(dst, d.B[0])
	default:
	}
	if t.IsEnum() {
		return append(dst, EnumText(d.B)...)
	}
	if t.IsMap() {
		return append(append(dst, 1), d.B...)
	}
	if t.IsRow() {
		return appendRowBinary(dst, d.B)
	}
	if elem, ok := t.Elem(); ok {
		return appendArrayBinary(dst, t, elem, d)
	}
	return append(dst, d.B...)
}

// float64Bits and float32Bits give all NaNs PostgreSQL's bits.
func float64Bits(v float64) uint64 {
	if v != v {
		return 0x7FF8 << 48
	}
	return math.Float64bits(v)
}

func float32Bits(v float64) uint32 {
	if v != v {
		return 0x7FC0 << 16
	}
	return math.Float32bits(float32(v))
}

// AppendIntervalBinary adds µs, days and months: 16 bytes.
func AppendIntervalBinary(dst []byte, iv Interval) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(iv.Micros))
	dst = binary.BigEndian.AppendUint32(dst, uint32(iv.Days))
	return binary.BigEndian.AppendUint32(dst, uint32(iv.Months))
}

// DecodeBinary reads the binary form of a value of t, without applying t's
// modifier; for user-made types see DecodeBinaryWith. Any bytes are safe to hand in: what is no value of t is 22P03 or
// 08P01. The Datum does not keep b.
func DecodeBinary(t Type, b []byte) (Datum, error) {
	if t.Kind() == KindList {
		elem, _ := t.Elem()
		return decodeArrayBinary(t, elem, b)
	}
	if t.IsMap() {
		d, err := DecodeBinary(JSONB, b)
		if err != nil {
			return d, err
		}
		return decodeMap(t, d.B)
	}
	if want := binaryLen(t.OID); want >= 0 && len(b) != want {
		if len(b) < want {
			return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
		}
		return Datum{}, incorrectBinary()
	}
	switch t.OID {
	case OIDBool:
		return BoolDatum(b[0] != 0), nil
	case OIDInt2:
		return IntDatum(int64(int16(binary.BigEndian.Uint16(b)))), nil
	case OIDInt4:
		return IntDatum(int64(int32(binary.BigEndian.Uint32(b)))), nil
	case OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return IntDatum(int64(binary.BigEndian.Uint32(b))), nil
	case OIDInt8:
		return IntDatum(int64(binary.BigEndian.Uint64(b))), nil
	case OIDDate, OIDTime, OIDTimestamp, OIDTimestamptz:
		return decodeTimeBinary(t.OID, b)
	case OIDFloat4:
		return FloatDatum(float64(math.Float32frombits(binary.BigEndian.Uint32(b)))), nil
	case OIDFloat8:
		return FloatDatum(math.Float64frombits(binary.BigEndian.Uint64(b))), nil
	case OIDNumeric:
		v, err := decodeNumericBinary(b)
		return DecimalDatum(v), err
	case OIDInterval:
		return Datum{Iv: Interval{
			Micros: int64(binary.BigEndian.Uint64(b)),
			Days:   int32(binary.BigEndian.Uint32(b[8:])),
			Months: int32(binary.BigEndian.Uint32(b[12:])),
		}}, nil
	case OIDInet, OIDCidr:
		return decodeNetworkBinary(t, b)
	case OIDBytea, OIDUUID, OIDMacaddr:
		return BytesDatum(append(make([]byte, 0, len(b)), b...)), nil
	case OIDBit, OIDVarbit:
		return decodeBitsBinary(b)
	case OIDChar1:
		if b[0] == 0 {
			return BytesDatum([]byte{}), nil
		}
		return BytesDatum([]byte{b[0]}), nil
	case OIDJSONB, OIDJSONPath:
		if len(b) == 0 {
			return Datum{}, pgerror.New(pgerror.ProtocolViolation, "no data left in message")
		}
		if b[0] != 1 {
			return Datum{}, pgerror.New(pgerror.InternalError, "unsupported %s version number %d", t, b[0])
		}
		b = b[1:]
	default:
	}
	if t.IsUser() {
		return BytesDatum(append(make([]byte, 0, len(b)), b...)), nil // see DecodeBinaryWith
	}
	return decodeBytesText(t, b)
}

func incorrectBinary() error {
	return pgerror.New(pgerror.InvalidBinaryRepresentation, "incorrect binary data format")
}

// binaryLen is the length of a type's binary form, -1 if it varies.
func binaryLen(o OID) int {
	switch o {
	case OIDBool, OIDChar1:
		return 1
	case OIDInt2:
		return 2
	case OIDInt4, OIDFloat4, OIDDate, OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return 4
	case OIDInt8, OIDFloat8, OIDTime, OIDTimestamp, OIDTimestamptz:
		return 8
	case OIDMacaddr:
		return 6
	case OIDInterval, OIDUUID:
		return 16
	default:
	}
	return -1
}

func decodeTimeBinary(o OID, b []byte) (Datum, error) {
	if o == OIDDate {
		v := int64(int32(binary.BigEndian.Uint32(b)))
		return IntDatum(v), checkDate(v)
	}
	v := int64(binary.BigEndian.Uint64(b))
	switch o {
	case OIDTime:
		if v < 0 || v > MicrosPerDay {
			return Datum{}, pgerror.New(pgerror.DatetimeFieldOverflow, "time out of range")
		}
		return IntDatum(v), nil
	default:
		return IntDatum(v), CheckTimestamp(v)
	}
}
