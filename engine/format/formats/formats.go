// Package formats makes decoders and encoders by the name that a statement
// gives: the one place that knows all formats.
package formats

import (
	"strings"

	"velostream/engine/format"
	"velostream/engine/format/csv"
	"velostream/engine/format/json"
	"velostream/engine/format/raw"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// names are the formats there are.
var names = []string{"json", "jsonl", "csv", "csv_no_header", "string", "raw", "bytes"}

// Options are the options of values' and keys' formats.
func Options() []option.Spec {
	return []option.Spec{
		{Name: "format", Aliases: []string{"value.format", "format.type", "encode"}, Default: "json", Enum: names},
		{Name: "key.format", Default: "string", Enum: names},
		{Name: "json.case_sensitive", Kind: option.Bool, Help: "names are found exactly or not at all"},
		{Name: "delimiter", Aliases: []string{"csv.delimiter"}, Default: ",", Help: "one character"},
		{Name: "quote", Aliases: []string{"csv.quote"}, Default: `"`, Help: "one character"},
		{Name: "escape", Aliases: []string{"csv.escape"}, Help: "one character; the quote unless set"},
		{Name: "csv.null", Aliases: []string{"null"}, Help: "how NULL is written, without quotes"},
		{Name: "csv.lenient", Kind: option.Bool, Help: "records may have too few or too many values"},
	}
}

// CSV returns the CSV options in o.
func CSV(o option.Options) (csv.Options, error) {
	var c csv.Options
	for _, x := range []struct {
		name string
		into *byte
	}{{"delimiter", &c.Delimiter}, {"quote", &c.Quote}, {"escape", &c.Escape}} {
		v := o.Text(x.name)
		switch v {
		case `\t`, "tab":
			v = "\t"
		case "":
			continue
		}
		if len(v) != 1 || v == "\n" || v == "\r" {
			return c, pgerror.New(pgerror.InvalidParameterValue, "option %q must be a single one-byte character", x.name).At(o.Pos(x.name))
		}
		*x.into = v[0]
	}
	if c.Delimiter != 0 && c.Delimiter == c.Quote {
		return c, pgerror.New(pgerror.InvalidParameterValue, "delimiter and quote must be different").At(o.Pos("delimiter"))
	}
	c.Null, c.Lenient = o.Text("csv.null"), o.Bool("csv.lenient")
	return c, nil
}

// NewDecoder makes a decoder of the fields. name is "format" or "key.format",
// the option that says which one. columns are the names of CSV values in
// order, from a header or the declared columns; nil: the fields'.
func NewDecoder(name string, o option.Options, fields []format.Field, columns []string) (format.Decoder, error) {
	switch f := o.Enum(name); f {
	case "json", "jsonl":
		return json.New(fields, json.Options{CaseSensitive: o.Bool("json.case_sensitive")})
	case "csv", "csv_no_header":
		c, err := CSV(o)
		if err != nil {
			return nil, err
		}
		c.Columns = columns
		return csv.New(fields, c)
	case "string", "raw", "bytes":
		return raw.New(fields), nil
	default:
		return nil, unknown(name, f, o)
	}
}

// NewEncoder makes an encoder of batches whose columns are the fields. The
// header, of CSV files that have one, goes before their first record.
func NewEncoder(name string, o option.Options, fields []format.Field) (enc format.Encoder, header []byte, err error) {
	switch f := o.Enum(name); f {
	case "json", "jsonl":
		return json.NewEncoder(fields), nil, nil
	case "csv", "csv_no_header":
		c, err := CSV(o)
		if err != nil {
			return nil, nil, err
		}
		e := csv.NewEncoder(fields, c)
		if f == "csv" {
			header = e.Header(nil)
		}
		return e, header, nil
	case "string", "raw", "bytes":
		if len(fields) != 1 {
			return nil, nil, pgerror.New(pgerror.InvalidParameterValue, "format %q writes one column, there are %d", f, len(fields)).At(o.Pos(name)).
				WithHint("Select one column, or use json or csv.")
		}
		return raw.Encoder{}, nil, nil
	default:
		return nil, nil, unknown(name, f, o)
	}
}

func unknown(name, f string, o option.Options) error {
	return pgerror.New(pgerror.UndefinedObject, "format %q does not exist", f).At(o.Pos(name)).
		WithHint("There are: %s.", strings.Join(names, ", "))
}
