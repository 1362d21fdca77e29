package job

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/pgwire/pgerror"
)

// KeyFields are the columns of a connector's relation that a record's key fills: those that
// key.field names. Errors: 42703, a column that is not there or is not the connector's.
func KeyFields(rel *catalog.Relation) ([]int, error) {
	var out []int
	for name := range strings.SplitSeq(rel.Options["key.field"], ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		i := rel.ColumnIndex(name)
		if i < 0 || rel.Columns[i].System != "" || rel.Columns[i].Computed != "" {
			return nil, pgerror.NoSuchColumn(name).WithHint("key.field names columns that the record's key fills.")
		}
		out = append(out, i)
	}
	return out, nil
}

// recordKey says what records' keys are for: the columns of key.field, and, of a table,
// which row a record without a value deletes. nil: nothing.
func recordKey(rel *catalog.Relation, lay *inputLayout, opts option.Options) (*source.Key, error) {
	k := &source.Key{Fields: lay.keys}
	if rel.Kind == catalog.Table && len(k.Fields) == 0 {
		for _, a := range rel.Key {
			p := lay.place[a]
			k.Into = append(k.Into, p.index)
			k.Fields = append(k.Fields, lay.fields[p.index])
		}
	}
	if len(k.Fields) == 0 {
		return nil, nil
	}
	name := "key.format"
	if len(k.Fields) > 1 && !opts.Has("key.format") {
		name = "format" // several columns do not fit into a plain string
	}
	names := make([]string, len(k.Fields))
	for i, f := range k.Fields {
		names[i] = f.Name
	}
	var err error
	k.Decoder, err = formats.NewDecoder(name, opts, k.Fields, names)
	return k, err
}

// CheckKey checks that a record's key can fill what it must: key.field of a table names its
// primary key or nothing of it.
func CheckKey(rel *catalog.Relation) error {
	fields, err := KeyFields(rel)
	if err != nil || rel.Kind != catalog.Table || len(fields) == 0 {
		return err
	}
	for _, a := range rel.Key {
		if !slices.Contains(fields, a) {
			return pgerror.New(pgerror.InvalidObjectDefinition, "key.field of a table must name all columns of its primary key, %q is missing", rel.Columns[a].Name)
		}
	}
	if len(fields) != len(rel.Key) {
		return pgerror.New(pgerror.InvalidObjectDefinition, "key.field of a table must name the columns of its primary key and no other")
	}
	return nil
}
