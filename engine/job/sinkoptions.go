package job

import (
	"velostream/catalog"
	"velostream/engine/connector"
	"velostream/engine/format"
	"velostream/engine/format/formats"
	"velostream/engine/sink"
	"velostream/pgwire/pgerror"
)

// SinkOptions makes what engine/sink needs to write input's changelog to the
// sink rel.
func SinkOptions(reg *connector.Registry, rel, input *catalog.Relation) (sink.Options, error) {
	var o sink.Options
	conn, err := reg.Find(rel.Connector)
	if err != nil {
		return o, err
	}
	if conn.NewSink == nil {
		return o, pgerror.New(pgerror.WrongObjectType, "connector %q cannot be written to", conn.Name)
	}
	opts, err := ParseOptions(conn, true, given(rel, false))
	if err != nil {
		return o, err
	}
	o.Name = rel.Name
	if o.Connector, err = conn.NewSink(opts, rel.Schema+"."+rel.Name); err != nil {
		return o, err
	}
	var fields, keyFields []format.Field
	for i, c := range input.Columns {
		if !c.Hidden {
			fields, o.Columns = append(fields, format.Field{Name: c.Name, Type: c.Type}), append(o.Columns, i)
		}
	}
	var header []byte
	if o.Value, header, err = formats.NewEncoder("format", opts, fields); err != nil {
		return o, err
	}
	if t, ok := o.Connector.(connector.HeaderTaker); ok && header != nil {
		t.SetHeader(header)
	}
	o.Upsert = opts.Enum("envelope") == "upsert"
	o.KeyColumns = keyColumns(input, opts.Text("key.field"))
	if o.Upsert && len(o.KeyColumns) == 0 {
		return o, pgerror.New(pgerror.InvalidObjectDefinition, "sink %q with FORMAT UPSERT needs a key", rel.Name).
			WithHint("Name the key's column with key.field, or write out a relation with a key.")
	}
	if !o.Upsert && !input.AppendOnly {
		return o, pgerror.New(pgerror.InvalidObjectDefinition, "sink %q: %q has updates and deletes", rel.Name, input.Name).
			WithHint("FORMAT UPSERT ENCODE JSON writes the last row of each key.")
	}
	if len(o.KeyColumns) == 0 {
		return o, nil
	}
	for _, j := range o.KeyColumns {
		keyFields = append(keyFields, format.Field{Name: input.Columns[j].Name, Type: input.Columns[j].Type})
	}
	name := "key.format"
	if len(keyFields) > 1 && !opts.Has("key.format") {
		name = "format" // several columns do not fit into a plain string
	}
	o.Key, _, err = formats.NewEncoder(name, opts, keyFields)
	return o, err
}

// keyColumns are the columns of a record's key: the one named, else the
// relation's key where all of it is visible.
func keyColumns(input *catalog.Relation, field string) []int {
	if field != "" {
		if i := input.ColumnIndex(field); i >= 0 {
			return []int{i}
		}
		return nil
	}
	for _, k := range input.Key {
		if input.Columns[k].Hidden {
			return nil
		}
	}
	return input.Key
}
