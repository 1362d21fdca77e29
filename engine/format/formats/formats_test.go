package formats

import (
	"testing"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

func parse(t *testing.T, kv ...string) option.Options {
	t.Helper()
	var given []option.Given
	for i := 0; i < len(kv); i += 2 {
		given = append(given, option.Given{Name: kv[i], Value: kv[i+1], Pos: 7})
	}
	o, err := option.Parse(given, nil, Options())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

var fields = []format.Field{{Name: "a", Type: types.Int8}, {Name: "b", Type: types.Text}}

func TestNewDecoder(t *testing.T) {
	for _, c := range []struct {
		options []string
		value   string
	}{
		{nil, `{"a":1,"b":"x"}`},
		{[]string{"value.format", "csv"}, `1,x`},
		{[]string{"format", "csv_no_header", "delimiter", `\t`}, "1\tx"},
		{[]string{"format", "jsonl", "json.case_sensitive", "true"}, `{"A":2,"a":1,"b":"x"}`},
	} {
		d, err := NewDecoder("format", parse(t, c.options...), fields, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows := format.NewRows(fields, 1)
		if err := d.Decode([]byte(c.value), rows); err != nil || rows.Cols[0].Ints[0] != 1 || string(rows.Cols[1].Bytes(0)) != "x" {
			t.Errorf("%v: %v", c.options, err)
		}
	}
	for _, bad := range [][]string{{"format", "csv", "delimiter", "ab"}, {"format", "csv", "delimiter", `"`}} {
		if _, err := NewDecoder("format", parse(t, bad...), fields, nil); pgerror.Code(err) != pgerror.InvalidParameterValue || pgerror.From(err).Position != 7 {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := NewDecoder("format", parse(t, "format", "csv"), fields, []string{"a", "c"}); pgerror.Code(err) != pgerror.UndefinedColumn {
		t.Error(err)
	}
}

func TestNewEncoder(t *testing.T) {
	a, b := column.New(types.Int8, 1), column.New(types.Text, 1)
	a.Append(types.IntDatum(1))
	b.Append(types.StringDatum("x;y"))
	batch := &column.Batch{Cols: []*column.Column{a, b}, N: 1}
	for _, c := range []struct {
		options      []string
		header, want string
	}{
		{nil, "", `{"a":1,"b":"x;y"}`},
		{[]string{"format", "csv", "delimiter", ";"}, "a;b", `1;"x;y"`},
		{[]string{"format", "csv_no_header"}, "", `1,x;y`},
	} {
		e, header, err := NewEncoder("format", parse(t, c.options...), fields)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Encode(nil, batch, 0); err != nil || string(got) != c.want || string(header) != c.header {
			t.Errorf("%v: %s %s %v", c.options, header, got, err)
		}
	}
	if _, _, err := NewEncoder("format", parse(t, "format", "string"), fields); pgerror.Code(err) != pgerror.InvalidParameterValue {
		t.Error(err)
	}
}
