package formats

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"strconv"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/engine/format/csv"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// Infer makes up a schema from sample values: the names in order of first
// appearance, each with the narrowest type that took all its values (numeric,
// never a float, for what is not whole). name is the option that says which
// format. A header gives the names of CSV values; without one they are column1
// and so on.
func Infer(name string, o option.Options, header []byte, samples [][]byte) ([]format.Field, error) {
	g := &guesses{at: map[string]int{}}
	switch f := o.Enum(name); f {
	case "json", "jsonl":
		for _, v := range samples {
			if err := g.object(v); err != nil {
				return nil, pgerror.New(pgerror.InvalidTextRepresentation, "the schema can't be told from the data: %v", err).
					WithDetail("A sample is %q.", clip(v)).WithHint("Declare the columns.").WithCause(err)
			}
		}
	case "csv", "csv_no_header":
		if err := g.records(o, header, samples); err != nil {
			return nil, err
		}
	case "bytes":
		return []format.Field{{Name: "value", Whole: true, Type: types.Bytea}}, nil
	default:
		return []format.Field{{Name: "value", Whole: true, Type: types.Text}}, nil
	}
	if len(g.fields) == 0 {
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "the schema can't be told: there is no data yet").
			WithHint("Declare the columns.")
	}
	for i := range g.fields {
		if g.fields[i].Type.OID == 0 {
			g.fields[i].Type = types.Text // only NULLs were seen
		}
	}
	return g.fields, nil
}

func clip(b []byte) []byte { return b[:min(len(b), 120)] }

type guesses struct {
	fields []format.Field
	at     map[string]int
}

func (g *guesses) add(name string, t types.Type) {
	i, ok := g.at[name]
	if !ok {
		i = len(g.fields)
		g.at[name] = i
		g.fields = append(g.fields, format.Field{Name: name})
	}
	g.fields[i].Type = format.Widen(g.fields[i].Type, t)
}

// object takes the members of a JSON object, in their order.
func (g *guesses) object(v []byte) error {
	d := stdjson.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != stdjson.Delim('{') {
		return errors.New("it is no JSON object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		var raw stdjson.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		g.add(name, jsonType(raw))
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func jsonType(raw []byte) types.Type {
	switch raw[0] {
	case '{', '[':
		return types.JSONB
	case 't', 'f':
		return types.Bool
	case 'n':
		return types.Type{}
	case '"':
		var s string
		if stdjson.Unmarshal(raw, &s) != nil {
			return types.Text
		}
		return format.GuessString([]byte(s))
	}
	var n format.Number
	if !format.ParseNumber(&n, raw) {
		return types.Text
	}
	return format.GuessNumber(&n)
}

// records takes CSV records.
func (g *guesses) records(o option.Options, header []byte, samples [][]byte) error {
	c, err := CSV(o)
	if err != nil {
		return err
	}
	var names []string
	if header != nil {
		if names, err = csv.Split(header, c); err != nil {
			return err
		}
	}
	for _, n := range names {
		g.add(n, types.Type{})
	}
	for _, v := range samples {
		values, err := csv.Split(v, c)
		if err != nil {
			return err
		}
		if header != nil && len(values) > len(names) {
			return pgerror.New(pgerror.BadCopyFileFormat, "a CSV record has more than the %d values of the header", len(names)).
				WithDetail("It is %q.", clip(v)).WithHint("Declare the columns, or set on_error = 'skip' to go on past such records.")
		}
		for i, s := range values {
			name := "column" + strconv.Itoa(i+1)
			if i < len(names) {
				name = names[i]
			}
			if s == c.Null {
				g.add(name, types.Type{})
			} else {
				g.add(name, format.Guess([]byte(s)))
			}
		}
	}
	return nil
}
