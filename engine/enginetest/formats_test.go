package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5/pgconn"
)

// formatSamples are values of each type, as text.
var formatSamples = map[string][]string{
	"bool":        {"true", "false"},
	"int2":        {"0", "32767", "-32768"},
	"int4":        {"0", "2147483647", "-2147483648"},
	"int8":        {"0", "9223372036854775807", "-9223372036854775808"},
	"oid":         {"0", "4294967295"},
	"float4":      {"0", "1.5", "-0", "NaN", "Infinity", "-Infinity", "3.4e38", "1e-45"},
	"float8":      {"0", "0.1", "-0", "NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324"},
	"numeric":     {"0", "0.000", "1", "-1", "10000", "0.0001", "12345678901234567890.0123456789", "-0.00012", "NaN", "Infinity", "-Infinity", "1e100", "1e-100", "99990000.1"},
	"text":        {"", "a", "naïve ☃", "tab\tnewline\n"},
	"varchar":     {"", "abc"},
	"varchar(3)":  {"abc"},
	"bpchar":      {"ab "},
	"char(5)":     {"ab"},
	"name":        {"pg_class"},
	`"char"`:      {"r", ""},
	"bytea":       {`\x`, `\x00ff10`},
	"date":        {"2024-02-29", "1969-12-31", "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01"},
	"time":        {"00:00:00", "12:34:56.789012", "24:00:00"},
	"timestamp":   {"2024-02-29 12:34:56.789012", "infinity", "-infinity", "1999-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999"},
	"timestamptz": {"2024-02-29 12:34:56.789012+00", "infinity", "-infinity", "2024-07-01 00:00:00+05:30"},
	"interval":    {"1 year 2 mons 3 days 04:05:06.7", "-1 days +02:03:00", "00:00:00", "-178000000 years"},
	"uuid":        {"01234567-89ab-cdef-0123-456789abcdef"},
	"inet":        {"10.1.2.3/8", "10.1.2.3", "::ffff:1.2.3.4", "2001:db8::/32", "0.0.0.0/0"},
	"cidr":        {"10.0.0.0/8", "::1/128", "0.0.0.0/0"},
	"macaddr":     {"08:00:2b:01:02:03"},
	"json":        {`{"a": [1, 2.5, null]}`, `"x"`},
	"jsonb":       {`{"a": [1, 2.5, null], "b": {}}`, `1.50`},
	"regclass":    {"pg_class", "-"},
	"regtype":     {"integer", "timestamp with time zone"},
}

// arraySamples are written with %s where a value of the type goes. Arrays have
// one dimension here, from 1.
var arraySamples = []string{"{}", "{%s}", "{%s,NULL,%s}"}

// TestFormats compares both formats of each type and its array, as results and
// as parameters, with PostgreSQL's.
func TestFormats(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	theirs, err := pgconn.Connect(ctx, postgresDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close(ctx)
	ours := Start(t, engine.Options{}).Connect().PgConn()
	for typ, values := range formatSamples {
		for _, v := range values {
			compareFormats(ctx, t, theirs, ours, typ, v)
		}
		if typ == "varchar(3)" || typ == "char(5)" {
			continue
		}
		v := fmt.Sprintf("%q", values[len(values)-1])
		if typ == "bytea" || typ == "json" || typ == "jsonb" {
			v = "null"
		}
		for _, a := range arraySamples {
			compareFormats(ctx, t, theirs, ours, typ+"[]", strings.ReplaceAll(a, "%s", v))
		}
	}
}

// compareFormats sends a value as text and takes it as binary, then sends that
// back as a parameter and takes the text; each answer is PostgreSQL's.
func compareFormats(ctx context.Context, t *testing.T, theirs, ours *pgconn.PgConn, typ, value string) {
	t.Helper()
	read := func(c *pgconn.PgConn, param []byte, in, out int16) ([]byte, uint32, error) {
		r := c.ExecParams(ctx, "SELECT $1::"+typ, [][]byte{param}, nil, []int16{in}, []int16{out}).Read()
		if r.Err != nil {
			return nil, 0, r.Err
		}
		return r.Rows[0][0], r.FieldDescriptions[0].DataTypeOID, nil
	}
	const text, binary = 0, 1
	sent := []byte(value)
	for _, step := range []struct{ in, out int16 }{{text, text}, {text, binary}, {binary, text}, {binary, binary}} {
		if step.in == binary {
			b, _, err := read(theirs, []byte(value), text, binary)
			if err != nil {
				return // told before
			}
			sent = b
		}
		want, oid, err1 := read(theirs, sent, step.in, step.out)
		got, ourOID, err2 := read(ours, sent, step.in, step.out)
		if err1 != nil || err2 != nil {
			if (err1 == nil) != (err2 == nil) {
				t.Errorf("%s %s, format %d in %d out: we say %v, PostgreSQL %v", typ, value, step.in, step.out, err2, err1)
			}
			return
		}
		if !bytes.Equal(got, want) || oid != ourOID {
			t.Errorf("%s %s, format %d in %d out: got %q (%d), want %q (%d)", typ, value, step.in, step.out, got, ourOID, want, oid)
		}
	}
}
