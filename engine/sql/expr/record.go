package expr

import (
	"maps"
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// A row of a set-returning function with several columns is a value of type record
// in a select list. The type's modifier says which function made it, so that
// (row).column finds its columns.

// RecordType is the type of the rows of the set-returning function name for
// arguments of the types args.
func RecordType(name string, args []types.Type) types.Type {
	fns, _ := setFunctions()
	i, _ := slices.BinarySearch(slices.Sorted(maps.Keys(fns)), name)
	mod := int32(i) << 16
	if len(args) > 0 && args[0].OID < 1<<16 {
		mod |= int32(args[0].OID)
	}
	return types.Type{OID: types.OIDRecord, Mod: mod}
}

// RecordColumns are the columns of a record type; nil: they are not known.
func RecordColumns(t types.Type) []SetColumn {
	if t.OID != types.OIDRecord || t.Mod < 0 {
		return nil
	}
	fns, _ := setFunctions()
	names := slices.Sorted(maps.Keys(fns))
	i := int(t.Mod >> 16)
	if i >= len(names) {
		return nil
	}
	var args []types.Type
	if o := types.OID(t.Mod & 0xffff); o != 0 {
		args = []types.Type{{OID: o, Mod: -1}}
	}
	_, cols, err := ResolveSet(names[i], args)
	if err != nil {
		return nil
	}
	return cols
}

// recordFamily is the table of functions on records, which are kept in their
// text form.
func recordFamily() []Function {
	return table([]def{
		{sig: "row_record(variadic any) record", scalar: makeRecord, nullCall: true, volatility: Stable, doc: "row of the arguments"},
		{sig: "record_field(record,int4) text", scalar: recordField, doc: "text form of a column of a row"},
	})
}

func makeRecord(c *CallContext, a []datum) (datum, error) {
	out := []byte{'('}
	for i, d := range a {
		if i > 0 {
			out = append(out, ',')
		}
		if d.Null {
			continue
		}
		text := types.AppendText(nil, c.Args[i], d, c.Env.format())
		if !needsQuotes(text) {
			out = append(out, text...)
			continue
		}
		out = append(out, '"')
		for _, b := range text {
			if b == '"' || b == '\\' {
				out = append(out, b)
			}
			out = append(out, b)
		}
		out = append(out, '"')
	}
	return raw(append(out, ')'))
}

// needsQuotes reports a value that is not itself between commas.
func needsQuotes(text []byte) bool {
	for _, b := range text {
		switch b {
		case '"', '\\', '(', ')', ',', ' ', '\t', '\n', '\r', '\v', '\f':
			return true
		}
	}
	return len(text) == 0
}

func recordField(_ *CallContext, a []datum) (datum, error) {
	fields, ok := types.RecordFields(a[0].B)
	if !ok {
		return fail(pgerror.New(pgerror.InvalidTextRepresentation, "malformed record literal: \"%s\"", a[0].B))
	}
	n := a[1].I
	if n < 1 || n > int64(len(fields)) || fields[n-1] == nil {
		return null()
	}
	return raw(fields[n-1])
}
