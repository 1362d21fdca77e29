package types

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

var compareInputs = map[string][]string{
	"jsonb": {
		`null`, `true`, `false`, `0`, `1`, `1.0`, `-1`, `1.50`, `1.5`, `1e2`, `100`, `""`, `"a"`, `"b"`, `"aa"`, `"é"`, `[]`, `[1]`, `[1, 2]`, `[2]`, `["a"]`, `[null]`, `[[]]`, `[{}]`, `{}`, `{"a": 1}`, `{"a": 2}`, `{"b": 1}`, `{"aa": 1}`, `{"a": 1, "b": 2}`, `{"a": 1.00, "b": 2}`, `{"a": []}`, `{"a": {}}`, `[[1], 2]`, `[true]`, `[[], []]`,
	},
	"float8":    {"0", "-0", "1", "-1", "NaN", "Infinity", "-Infinity", "1e300", "5e-324"},
	"numeric":   {"0", "0.00", "1", "1.0", "1.000000000000000000000000000", "NaN", "Infinity", "-Infinity", "-1", "1e30", "1e-30", "123456789012345678901234567890", "123456789012345678901234567890.0", "0.1", "0.10", "-0.1", "99999999999999999999", "-99999999999999999999", "9223372036854775807", "922337203685477580.7"},
	"interval":  opIntervals,
	"bpchar":    {"a", "a ", "b", "", " ", "a  b", "ab"},
	"int4[]":    {"{}", "{1}", "{1,2}", "{2}", "{NULL}", "{1,NULL}", "{NULL,1}", "{0,5}"},
	"bytea":     {`\x`, `\x00`, `\x01`, `\xff`, `\x0001`},
	"uuid":      {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
	"inet":      {"10.0.0.1", "10.0.0.1/8", "10.0.0.0/8", "10.1.0.0/16", "10.128.0.0/9", "0.0.0.0/0", "::", "::/0", "9.255.0.0/16", "2001:db8::/32"},
	"macaddr":   {"00:00:00:00:00:00", "ff:00:00:00:00:00", "00:00:00:00:00:ff"},
	"bool":      {"t", "f"},
	"timestamp": {"infinity", "-infinity", "2001-01-01", "1999-01-01"},
	"text":      {"a", "a ", "B", "b", "", "é", "z"},
}

func compareCases() []pgCase {
	var cases []pgCase
	for _, typ := range sortedKeys(compareInputs) {
		for _, a := range compareInputs[typ] {
			for _, b := range compareInputs[typ] {
				cast := "::" + typ
				if typ == "text" || typ == "bpchar" || typ == "jsonb" {
					if typ != "jsonb" {
						cast += ` COLLATE "C"`
					}
				}
				sql := "SELECT (a > b)::int - (a < b)::int FROM (SELECT (" + sqlQuote(a) + cast + ") AS a, (" + sqlQuote(b) + cast + ") AS b) x"
				cases = append(cases, pgCase{fields: []string{typ, a, b}, sql: sql})
			}
		}
	}
	return cases
}

func TestPostgresCompare(t *testing.T) {
	checkPostgres(t, "compare.txt", compareCases(), func(c pgCase) (string, error) {
		typ := parseTypeName(t, c.fields[0])
		a, err := DecodeText(typ, []byte(c.fields[1]), nil)
		if err != nil {
			return "", err
		}
		b, err := DecodeText(typ, []byte(c.fields[2]), nil)
		if err != nil {
			return "", err
		}
		cmp := Compare(typ, a, b)
		if Equal(typ, a, b) != (cmp == 0) {
			t.Errorf("%s: Equal and Compare disagree", c.key())
		}
		ka, kb := AppendHashKey(nil, typ, a), AppendHashKey(nil, typ, b)
		if bytes.Equal(ka, kb) != (cmp == 0) {
			t.Errorf("%s: hash keys %x, %x, order %d", c.key(), ka, kb, cmp)
		}
		switch typ.OID {
		case OIDNumeric:
			ka, kb = a.Dec.AppendKey(nil), b.Dec.AppendKey(nil)
			if bytes.Compare(ka, kb) != cmp {
				t.Errorf("%s: keys %x, %x, order %d", c.key(), ka, kb, cmp)
			}
		case OIDInterval:
			ka, kb = a.Iv.AppendKey(nil), b.Iv.AppendKey(nil)
			if bytes.Compare(ka, kb) != cmp {
				t.Errorf("%s: keys %x, %x, order %d", c.key(), ka, kb, cmp)
			}
		default:
		}
		return both(Int4, IntDatum(int64(cmp)), nil), nil
	})
}

// TestPostgresNames compares names of types, and which casts there are.
func TestPostgresNames(t *testing.T) {
	var cases []pgCase
	for _, n := range []string{"int", "numeric(10,2)", "numeric(5)", "numeric(3,-2)", "varchar(10)", "char(3)", "character", "bpchar", "timestamp(3)", "timestamptz(0)", "time(2)", "timestamp with time zone", "float(10)", "float(53)", "double precision", "decimal(4,1)", "int4[]", "numeric(10,2)[]", "varchar(5)[]", "timestamp(3)[]", "interval(3)", "interval year to month", "interval day to second", "interval minute", `"char"`, "name", "json", "jsonb", "uuid", "oid", "regclass", "regtype", "int2vector"} {
		cases = append(cases, pgCase{fields: []string{"name", n}, sql: "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE attrelid = 'names_x'::regclass AND attname = 'c'"})
		cases[len(cases)-1].sql = "SELECT pg_typeof(CAST(NULL AS " + n + "))::text"
	}
	checkPostgres(t, "names.txt", cases, func(c pgCase) (string, error) {
		typ := parseTypeName(t, c.fields[1])
		typ.Mod = -1
		return both(Text, StringDatum(typ.String()), nil), nil
	})
}

func TestTypeString(t *testing.T) {
	for in, want := range map[string]string{
		"numeric(10,2)": "numeric(10,2)", "numeric(5)": "numeric(5,0)", "numeric(3,-2)": "numeric(3,-2)", "varchar(10)": "character varying(10)", "char(3)": "character(3)",
		"char": "character(1)", "timestamp(3)": "timestamp(3) without time zone", "TIMESTAMPTZ(0)": "timestamp(0) with time zone", "time(2)": "time(2) without time zone",
		"interval(3)": "interval(3)", "interval day to second": "interval day to second", "int4[]": "integer[]", "numeric(10,2)[]": "numeric(10,2)[]",
		"STRING": "text", "DOUBLE": "double precision", "DECIMAL64": "numeric", "SCALED_INTEGER(12,4)": "numeric(12,4)", "Timestamp  With Time Zone": "timestamp with time zone", "bigserial": "bigint",
	} {
		if got := parseTypeName(t, in).String(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	for name, mods := range map[string][]int32{"nosuch": nil, "int4": {3}, "numeric": {0}, "varchar": {0}, "timestamp": {-1}, "float": {54}, "timetz": nil} {
		if typ, err := Lookup(name, mods); err == nil {
			t.Errorf("%s(%v) is %s", name, mods, typ)
		}
	}
}

func TestFindCast(t *testing.T) {
	for _, c := range []struct {
		from, to Type
		want     Cast
		ok       bool
	}{
		{Int4, Int8, Cast{CastImplicit, CastFunction}, true},
		{Int8, Int4, Cast{CastAssignment, CastFunction}, true},
		{Int4, Bool, Cast{CastExplicit, CastFunction}, true},
		{Int4, Text, Cast{CastAssignment, CastIO}, true},
		{Text, Int4, Cast{CastExplicit, CastIO}, true},
		{Unknown, Timestamptz, Cast{CastImplicit, CastIO}, true},
		{Type{1007, -1}, Type{1016, -1}, Cast{CastImplicit, CastFunction}, true},
		{Bool, Int8, Cast{}, false},
		{UUID, Int4, Cast{}, false},
		{Date, Timestamptz, Cast{CastImplicit, CastFunction}, true},
		{Text, Void, Cast{}, false},
	} {
		if got, ok := FindCast(c.from.OID, c.to.OID); got != c.want || ok != c.ok {
			t.Errorf("%s to %s: %v %v", c.from, c.to, got, ok)
		}
	}
}

func TestCoerceAssignment(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"varchar(3)", "abcd", "!value too long for type character varying(3)"},
		{"varchar(3)", "abc  ", "abc"},
		{"char(3)", "abcd", "!value too long for type character(3)"},
		{"char(3)", "ab", "ab "},
		{"varchar(2)[]", "{abc}", "!value too long for type character varying(2)"},
	} {
		typ := parseTypeName(t, c.typ)
		d, err := DecodeText(typ, []byte(c.in), nil)
		if err == nil {
			d, err = Coerce(typ, d, false)
		}
		var got string
		if err != nil {
			got = "!" + strings.TrimSuffix(err.Error(), " (SQLSTATE 22001)")
		} else {
			got = string(AppendText(nil, typ, d, nil))
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.typ, c.in, got, c.want)
		}
	}
}

func TestIntervalFromKey(t *testing.T) {
	most, least := Interval{math.MaxInt32, math.MaxInt32, math.MaxInt64}, Interval{math.MinInt32, math.MinInt32, math.MinInt64}
	for _, iv := range []Interval{
		{},
		{Days: -1, Micros: 5},
		most, least,
		{Months: math.MaxInt32, Days: math.MaxInt32},
		{Months: math.MinInt32, Days: math.MinInt32},
		{Months: math.MaxInt32},
		{Months: math.MaxInt32, Days: math.MinInt32},
		{Days: math.MaxInt32, Micros: math.MaxInt64},
		{Months: 3, Micros: math.MinInt64},
	} {
		key := iv.AppendKey(nil)
		back, ok := IntervalFromKey(key)
		if !ok || back.Cmp(iv) != 0 || !bytes.Equal(back.AppendKey(nil), key) {
			t.Errorf("%+v: %+v, %v", iv, back, ok)
		}
	}
}
