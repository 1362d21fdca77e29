package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/engine/format/formattest"
	"velostream/pgwire/pgerror"
)

func TestRoundTrip(t *testing.T) {
	for _, o := range []Options{{}, {Delimiter: ';', Escape: '\\'}, {Delimiter: '\t', Quote: '\'', Null: "\\N"}} {
		d, err := New(formattest.Fields, o)
		if err != nil {
			t.Fatal(err)
		}
		formattest.RoundTrip(t, NewEncoder(formattest.Fields, o), d)
	}
}

// TestDecode runs testdata/decode: a int4, b text, c numeric by name out of
// the columns given with columns=(…).
func TestDecode(t *testing.T) {
	fields := []format.Field{{Name: "a", Type: types.Int4}, {Name: "b", Type: types.Text}, {Name: "c", Type: types.Numeric, NotNull: true}}
	datadriven.RunTest(t, "testdata/decode", func(t *testing.T, td *datadriven.TestData) string {
		o := Options{Lenient: td.HasArg("lenient")}
		for _, a := range td.CmdArgs {
			switch a.Key {
			case "columns":
				o.Columns = a.Vals
			case "delimiter":
				o.Delimiter = a.Vals[0][0]
			case "null":
				o.Null = a.Vals[0]
			}
		}
		d, err := New(fields, o)
		if err != nil {
			return err.Error() + "\n"
		}
		rows := format.NewRows(fields, 1)
		var out strings.Builder
		for line := range strings.Lines(td.Input) {
			if err := d.Decode([]byte(strings.TrimSuffix(line, "\n")), rows); err != nil {
				e := pgerror.From(err)
				fmt.Fprintf(&out, "%s: %s\n", e.Code, e.Message)
				continue
			}
			var vs []string
			for j, c := range rows.Cols {
				if c.Null(rows.N - 1) {
					vs = append(vs, "NULL")
				} else {
					vs = append(vs, string(types.AppendText(nil, fields[j].Type, c.Datum(rows.N-1), nil)))
				}
			}
			fmt.Fprintln(&out, strings.Join(vs, " | "))
		}
		return out.String()
	})
}

func TestSplit(t *testing.T) {
	got, err := Split([]byte("\xef\xbb\xbfa,\"b \"\"x\"\"\", c\r"), Options{})
	if err != nil || !slices.Equal(got, []string{"a", `b "x"`, "c"}) {
		t.Fatalf("%q %v", got, err)
	}
}

// FuzzDecode compares with encoding/csv on records that both accept.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a,b,c", `"a","b ""x""",c`, `,"",`, "a,b", `a"b,c,d`, "é,\xff,c"} {
		f.Add([]byte(s))
	}
	fields := []format.Field{{Name: "a", Type: types.Text}, {Name: "b", Type: types.Text}, {Name: "c", Type: types.Text}}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, _ := New(fields, Options{})
		rows := format.NewRows(fields, 1)
		if err := d.Decode(b, rows); err != nil {
			for _, c := range rows.Cols {
				if c.Len() != 0 {
					t.Fatal("a row was left behind")
				}
			}
			return
		}
		if bytes.ContainsAny(b, "\r\n") {
			return
		}
		r := stdcsv.NewReader(bytes.NewReader(b))
		want, err := r.Read()
		if err != nil || len(want) != 3 {
			return
		}
		for i, w := range want {
			if got := string(rows.Cols[i].Bytes(0)); got != w {
				t.Fatalf("%q: %q, want %q", b, got, w)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	fields := []format.Field{{Name: "station", Type: types.Text}, {Name: "temperature", Type: types.Numeric}}
	d, _ := New(fields, Options{Delimiter: ';'})
	rows := format.NewRows(fields, 4096)
	v := []byte("Hamburg;12.3")
	b.ReportAllocs()
	for b.Loop() {
		if rows.N == 4096 {
			rows.Reset()
		}
		if err := d.Decode(v, rows); err != nil {
			b.Fatal(err)
		}
	}
}
