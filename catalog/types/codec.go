package types

import (
	"strconv"

	"velostream/catalog/types/jsonpath"
	"velostream/pgwire/pgerror"
)

// AppendText adds the text form of d, a value of t, to dst: what PostgreSQL 15
// would send under the settings f (nil: defaults). d must not be NULL.
func AppendText(dst []byte, t Type, d Datum, f *Format) []byte {
	switch t.OID {
	case OIDBool:
		return AppendBool(dst, d.I != 0)
	case OIDInt2, OIDInt4, OIDInt8, OIDOid:
		return strconv.AppendInt(dst, d.I, 10)
	case OIDRegproc, OIDRegclass, OIDRegnamespace, OIDRegtype,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return appendReg(dst, t.OID, d.I, f)
	case OIDFloat4:
		return AppendFloat4(dst, d.F, f.floatDigits())
	case OIDFloat8:
		return AppendFloat8(dst, d.F, f.floatDigits())
	case OIDNumeric:
		return d.Dec.Append(dst)
	case OIDBytea:
		return AppendBytea(dst, d.B, f != nil && f.ByteaEscape)
	case OIDUUID:
		return AppendUUID(dst, d.B)
	case OIDInet, OIDCidr:
		return AppendNetwork(dst, d.Network(), t.OID == OIDCidr)
	case OIDMacaddr:
		return appendMacaddr(dst, d.B)
	case OIDDate:
		return AppendDateStyle(dst, d.I, f)
	case OIDTime:
		return AppendTime(dst, d.I)
	case OIDTimestamp:
		return AppendTimestampStyle(dst, d.I, f)
	case OIDTimestamptz:
		return AppendTimestamptzStyle(dst, d.I, f)
	case OIDInterval:
		return AppendInterval(dst, d.Iv, f.Intervals())
	case OIDChar1:
		return appendChar1(dst, d.B)
	case OIDText, OIDVarchar, OIDBpchar, OIDName, OIDJSON, OIDJSONB, OIDJSONPath, OIDUnknown, OIDBit, OIDVarbit:
		return append(dst, d.B...)
	default:
	}
	if t.IsEnum() {
		return append(dst, EnumText(d.B)...)
	}
	if t.IsRow() {
		return appendRowText(dst, d.B, f)
	}
	if elem, ok := t.Elem(); ok {
		return appendArrayText(dst, t, elem, d, f)
	}
	return append(dst, d.B...)
}

// DecodeText reads the text form of a value of t in any spelling that
// PostgreSQL 15 accepts, without applying t's modifier (see Coerce). Errors are
// *pgerror.Error with PostgreSQL's SQLSTATE and message. The Datum does not
// keep b.
func DecodeText(t Type, b []byte, f *Format) (Datum, error) {
	switch t.OID {
	case OIDBool:
		v, ok := ParseBool(string(b))
		if !ok {
			return Datum{}, pgerror.InvalidText("boolean", string(b))
		}
		return BoolDatum(v), nil
	case OIDInt2, OIDInt4, OIDInt8:
		return intResult(parseInt(t.OID, b))
	case OIDOid:
		return intResult(parseOID(string(b)))
	case OIDRegproc, OIDRegclass, OIDRegnamespace, OIDRegtype,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return intResult(parseReg(t.OID, string(b), f))
	case OIDFloat4:
		v, err := ParseFloat4(string(b))
		return FloatDatum(v), err
	case OIDFloat8:
		v, err := ParseFloat8(string(b))
		return FloatDatum(v), err
	case OIDNumeric:
		v, err := ParseDecimal(string(b))
		return DecimalDatum(v), err
	case OIDDate:
		return intResult(ParseDate(string(b), f))
	case OIDTime:
		return intResult(ParseTime(string(b), f))
	case OIDTimestamp:
		return intResult(ParseTimestamp(string(b), f))
	case OIDTimestamptz:
		return intResult(ParseTimestamptz(string(b), f))
	case OIDInterval:
		v, err := parseInterval(string(b), t.Mod, f)
		return Datum{Iv: v}, err
	default:
	}
	if t.IsEnum() {
		return decodeEnum(t, b, f)
	}
	if t.IsMap() {
		return decodeMap(t, b)
	}
	if t.IsRow() {
		return decodeRowText(t, b, f)
	}
	if t.Kind() == KindBytes {
		return decodeBytesText(t, b)
	}
	if elem, ok := t.Elem(); ok {
		return parseArray(t, elem, b, f)
	}
	return decodeBytesText(t, b)
}

func intResult(v int64, err error) (Datum, error) { return Datum{I: v}, err }

// decodeBytesText is DecodeText for types of KindBytes.
func decodeBytesText(t Type, b []byte) (Datum, error) {
	switch t.OID {
	case OIDBytea:
		v, err := ParseBytea(string(b))
		return BytesDatum(v), err
	case OIDUUID:
		v, err := ParseUUID(string(b))
		return BytesDatum(v), err
	case OIDInet, OIDCidr:
		return ParseNetwork(t, string(b))
	case OIDMacaddr:
		return parseMacaddr(string(b))
	case OIDBit, OIDVarbit:
		v, err := ParseBits(b)
		return BytesDatum(v), err
	case OIDJSON:
		if err := ValidJSON(b); err != nil {
			return Datum{}, err
		}
	case OIDJSONB:
		v, err := CanonicalJSON(nil, b)
		return BytesDatum(v), err
	case OIDJSONPath:
		p, err := jsonpath.Parse(string(b))
		if err != nil {
			return Datum{}, err
		}
		return StringDatum(p.String()), nil
	case OIDName:
		return BytesDatum(truncateName(b)), CheckText(b)
	case OIDChar1:
		return BytesDatum(parseChar1(b)), nil
	default:
	}
	return BytesDatum(append(make([]byte, 0, len(b)), b...)), CheckText(b)
}

func (f *Format) floatDigits() int {
	if f == nil {
		return 1
	}
	return f.ExtraFloatDigits
}
