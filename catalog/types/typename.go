package types

import (
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// String is the type's name as format_type gives it: "numeric(10,2)",
// "timestamp with time zone", "integer[]".
func (t Type) String() string {
	if elem, ok := t.Elem(); ok && t.OID != OIDInt2Vector && t.OID != OIDOidVector {
		return elem.String() + "[]"
	}
	if t.IsUser() {
		return userName(t.OID)
	}
	if t.IsMap() {
		return mapName(t)
	}
	i, ok := infoByOID[t.OID]
	if !ok {
		return "???"
	}
	if t.Mod < 0 {
		return i.SQLName
	}
	return withModifier(t, i.SQLName)
}

func withModifier(t Type, name string) string {
	switch t.OID {
	case OIDNumeric:
		p, s, ok := t.Numeric()
		if ok {
			return "numeric(" + strconv.Itoa(int(p)) + "," + strconv.Itoa(int(s)) + ")"
		}
	case OIDVarchar, OIDBpchar:
		if n, ok := t.Length(); ok {
			return name + "(" + strconv.Itoa(n) + ")"
		}
	case OIDBit, OIDVarbit:
		return name + "(" + strconv.Itoa(int(t.Mod)) + ")"
	case OIDTime, OIDTimestamp, OIDTimestamptz:
		head, tail, _ := strings.Cut(name, " ")
		return head + "(" + strconv.Itoa(int(t.Mod)) + ") " + tail
	case OIDInterval:
		return "interval" + intervalModifier(t.Mod)
	default:
	}
	return name
}

// intervalRanges are the restrictions that SQL can spell.
var intervalRanges = []struct {
	fields intervalFieldSet
	name   string
}{
	{IntervalYear, " year"},
	{IntervalMonth, " month"},
	{IntervalDay, " day"},
	{IntervalHour, " hour"},
	{IntervalMinute, " minute"},
	{IntervalSecond, " second"},
	{IntervalYear | IntervalMonth, " year to month"},
	{IntervalDay | IntervalHour, " day to hour"},
	{IntervalDay | IntervalHour | IntervalMinute, " day to minute"},
	{IntervalDay | IntervalHour | IntervalMinute | IntervalSecond, " day to second"},
	{IntervalHour | IntervalMinute, " hour to minute"},
	{IntervalHour | IntervalMinute | IntervalSecond, " hour to second"},
	{IntervalMinute | IntervalSecond, " minute to second"},
}

func intervalModifier(mod int32) string {
	out := ""
	for _, r := range intervalRanges {
		if r.fields == intervalFields(mod) {
			out = r.name
		}
	}
	if p := mod & 0xFFFF; p != intervalFullPrecision {
		out += "(" + strconv.Itoa(int(p)) + ")"
	}
	return out
}

// IntervalMod returns the modifier of INTERVAL fields (precision): fields is a
// set of Interval… bits, 0 for all; precision is -1 for none.
func IntervalMod(fields uint16, precision int32) int32 {
	if fields == 0 {
		if precision < 0 {
			return -1
		}
		fields = IntervalFull
	}
	if precision < 0 {
		precision = intervalFullPrecision
	}
	return int32(fields)<<16 | min(precision, intervalFullPrecision)
}

// Numeric returns precision and scale of numeric(p,s), and whether t has them.
func (t Type) Numeric() (precision, scale int32, ok bool) {
	if t.OID != OIDNumeric || t.Mod < 4 {
		return 0, 0, false
	}
	m := t.Mod - 4
	return m >> 16 & 0xFFFF, (m&0x7FF ^ 1024) - 1024, true
}

// NumericType returns numeric(precision, scale).
func NumericType(precision, scale int32) Type {
	return Type{OIDNumeric, (precision<<16 | scale&0x7FF) + 4}
}

// Length returns the n of varchar(n) and char(n), in characters.
func (t Type) Length() (int, bool) {
	if t.OID != OIDVarchar && t.OID != OIDBpchar || t.Mod < 4 {
		return 0, false
	}
	return int(t.Mod - 4), true
}

// typeAliases are names beside those of pg_type: SQL's, PostgreSQL's and the
// dialect's.
var typeAliases = map[string]OID{
	"boolean": OIDBool, "smallint": OIDInt2, "int": OIDInt4, "integer": OIDInt4, "bigint": OIDInt8,
	"serial": OIDInt4, "serial4": OIDInt4, "bigserial": OIDInt8, "serial8": OIDInt8, "smallserial": OIDInt2, "serial2": OIDInt2,
	"real": OIDFloat4, "double precision": OIDFloat8, "double": OIDFloat8, "float": OIDFloat8,
	"decimal": OIDNumeric, "dec": OIDNumeric, "decimal64": OIDNumeric, "scaled_integer": OIDNumeric,
	"string": OIDText, "character varying": OIDVarchar, "char varying": OIDVarchar, "nvarchar": OIDVarchar,
	"char": OIDBpchar, "character": OIDBpchar, "nchar": OIDBpchar, "national character": OIDBpchar,
	`"char"`: OIDChar1, "national character varying": OIDVarchar, "national char varying": OIDVarchar, "national char": OIDBpchar,
	"bit varying": OIDVarbit, "time without time zone": OIDTime, "timestamp without time zone": OIDTimestamp, "datetime": OIDTimestamp,
	"timestamp with time zone": OIDTimestamptz, "bytes": OIDBytea, "blob": OIDBytea, "varbinary": OIDBytea,
	"tinyint": OIDInt2, "long": OIDInt8, "int16": OIDInt2, "int32": OIDInt4, "int64": OIDInt8,
	"float32": OIDFloat4, "float64": OIDFloat8,
}

// Lookup returns the type of a name, as SQL, PostgreSQL or the dialect spell
// it, in any case, with its modifiers: numeric's precision and scale, a
// length, or the digits of a fraction. "x[]" is an array. Unknown names are
// 42704, bad modifiers 22023.
func Lookup(name string, mods []int32) (Type, error) {
	key := strings.Join(strings.Fields(lower(name)), " ")
	key = strings.TrimPrefix(key, "pg_catalog.")
	if base, ok := strings.CutSuffix(key, "[]"); ok {
		elem, err := Lookup(strings.TrimSuffix(base, "[]"), mods)
		if err != nil {
			return Type{}, err
		}
		if a, ok := elem.Array(); ok {
			return a, nil
		}
		return Type{}, noSuchType(name)
	}
	oid, ok := typeAliases[key]
	if !ok {
		oid, ok = oidByName[key]
	}
	if !ok && (key == "timetz" || key == "time with time zone") {
		return Type{}, pgerror.Unsupported("type time with time zone is not supported").
			WithHint("Use time, or timestamp with time zone.")
	}
	if !ok {
		return Type{}, noSuchType(name)
	}
	if len(mods) == 0 {
		if oid == OIDBpchar && key != "bpchar" {
			return Type{oid, 5}, nil // SQL's character is character(1)
		}
		return Type{oid, -1}, nil
	}
	return withMods(oid, key, mods)
}

// IsBuiltin reports that a built-in type has the name in pg_type.
func IsBuiltin(name string) bool {
	_, ok := oidByName[name]
	return ok
}

func noSuchType(name string) error {
	return pgerror.New(pgerror.UndefinedObject, "type \"%s\" does not exist", name)
}

func withMods(oid OID, key string, mods []int32) (Type, error) {
	bad := func(format string, args ...any) (Type, error) {
		return Type{}, pgerror.New(pgerror.InvalidParameterValue, format, args...)
	}
	m := mods[0]
	switch oid {
	case OIDNumeric:
		return numericMods(mods)
	case OIDVarchar, OIDBpchar:
		short := infoByOID[oid].Name
		if oid == OIDBpchar {
			short = "char"
		}
		switch {
		case len(mods) != 1:
			return bad("invalid type modifier")
		case m < 1:
			return bad("length for type %s must be at least 1", short)
		case m > 10485760:
			return bad("length for type %s cannot exceed 10485760", short)
		}
		return Type{oid, m + 4}, nil
	case OIDBit, OIDVarbit:
		short := infoByOID[oid].Name
		switch {
		case len(mods) != 1:
			return bad("invalid type modifier")
		case m < 1:
			return bad("length for type %s must be at least 1", short)
		case m > MaxBitLength:
			return bad("length for type %s cannot exceed %d", short, MaxBitLength)
		}
		return Type{oid, m}, nil
	case OIDTime, OIDTimestamp, OIDTimestamptz:
		zone := ""
		if oid == OIDTimestamptz {
			zone = " WITH TIME ZONE"
		}
		if len(mods) != 1 {
			return bad("invalid type modifier")
		}
		if m < 0 {
			return bad("%s(%d)%s precision must not be negative", strings.ToUpper(strings.TrimSuffix(infoByOID[oid].Name, "tz")), m, zone)
		}
		return Type{oid, min(m, 6)}, nil
	case OIDInterval:
		if m < 0 {
			return bad("INTERVAL(%d) precision must not be negative", m)
		}
		return Type{oid, IntervalMod(0, min(m, 6))}, nil
	case OIDFloat8:
		if key == "float" && len(mods) == 1 {
			switch {
			case m < 1:
				return bad("precision for type float must be at least 1 bit")
			case m > 53:
				return bad("precision for type float must be less than 54 bits")
			case m <= 24:
				return Float4, nil
			}
			return Float8, nil
		}
	default:
	}
	return Type{}, pgerror.New(pgerror.SyntaxError, "type modifier is not allowed for type \"%s\"", infoByOID[oid].Name)
}

func numericMods(mods []int32) (Type, error) {
	p, s := mods[0], int32(0)
	if len(mods) > 1 {
		s = mods[1]
	}
	switch {
	case len(mods) > 2:
		return Type{}, pgerror.New(pgerror.InvalidParameterValue, "invalid NUMERIC type modifier")
	case p < 1 || p > 1000:
		return Type{}, pgerror.New(pgerror.InvalidParameterValue, "NUMERIC precision %d must be between 1 and 1000", p)
	case s < -1000 || s > 1000:
		return Type{}, pgerror.New(pgerror.InvalidParameterValue, "NUMERIC scale %d must be between -1000 and 1000", s)
	}
	return NumericType(p, s), nil
}

// regtypeName is a type's text form as regtype: its name, or the number.
func regtypeName(o OID) string {
	if o == 0 {
		return "-"
	}
	if _, ok := infoByOID[o]; ok {
		return Type{o, -1}.String()
	}
	return strconv.FormatUint(uint64(o), 10)
}

func parseRegtype(s string) (int64, error) {
	if t := trimSpace(s); t != "" && isDigit(t[0]) || t == "-" {
		return parseOID(s)
	}
	head, tail, _ := strings.Cut(s, "(") // a modifier means nothing here
	_, tail, _ = strings.Cut(tail, ")")
	t, err := Lookup(head+tail, nil)
	if err != nil {
		t, err = Lookup(s, nil) // for the message
	}
	return int64(t.OID), err
}
