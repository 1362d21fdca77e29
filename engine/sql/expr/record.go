package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// recordFamily is the table of functions on rows. Rows of all types have one form and
// are converted to record by leaving them as they are.
func recordFamily() []Function {
	fs := table([]def{
		{sig: "row_record(variadic any) record", scalar: makeRecord, nullCall: true, doc: "row of the arguments"},
		{sig: "row_named(text[],variadic any) record", scalar: makeNamedRecord, nullCall: true, doc: "row of the arguments behind the first, which are their names"},
		{sig: "row_field(record,int4) record", scalar: rowField, doc: "a column of a row, in its own type"},
		{sig: "row_is_null(record) bool", scalar: rowIsNull, nullCall: true, doc: "whether a row is NULL or has nothing but NULL in it"},
		{sig: "row_is_not_null(record) bool", scalar: rowIsNotNull, nullCall: true, doc: "whether a row has no NULL in it"},
		{sig: "row_to_json(record) json", scalar: toJSON, volatility: Stable, doc: "JSON object of a row"},
		{sig: "row_to_json(record,bool) json", scalar: rowToJSON, volatility: Stable, doc: "JSON object of a row, with line feeds if asked to"},
	})
	for _, op := range []cmpOp{opEq, opNe, opLt, opLe, opGt, opGe} {
		fs = append(fs, Function{
			Name: cmpNames[op], Operator: true, Args: []types.OID{types.OIDRecord, types.OIDRecord}, Ret: types.OIDBool,
			Kernel: cmpRows(op), Doc: "row by row, column by column",
		})
	}
	return fs
}

func makeRecord(c *CallContext, a []datum) (datum, error) {
	return types.RowDatum(c.Args, a, nil), nil
}

func makeNamedRecord(c *CallContext, a []datum) (datum, error) {
	names := make([]string, len(a[0].List))
	for i, n := range a[0].List {
		names[i] = string(n.B)
	}
	return types.RowDatum(c.Args[1:], a[1:], names), nil
}

func rowField(_ *CallContext, a []datum) (datum, error) {
	d, _, err := types.RowValue(a[0].B, int(a[1].I)-1)
	return d, err
}

func rowIsNull(_ *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return types.BoolDatum(true), nil
	}
	n, nulls, err := types.RowNulls(a[0].B)
	return types.BoolDatum(n == nulls), err
}

func rowIsNotNull(_ *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return types.BoolDatum(false), nil
	}
	_, nulls, err := types.RowNulls(a[0].B)
	return types.BoolDatum(nulls == 0), err
}

func cmpRows(op cmpOp) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		return c.each(func(i int) error {
			v, err := types.CompareRows(args[0].Bytes(i), args[1].Bytes(i))
			out.Bools[i] = op.holds(v)
			return err
		})
	}
}

// ofRows reports that a call of the function name may give t, though its declared result
// is record: rows of known columns, and columns of rows.
func ofRows(name string, t types.Type) bool {
	switch name {
	case "row_record":
		return t.IsRow()
	case "row_field":
		return true
	}
	return false
}

func rowToJSON(c *CallContext, a []datum) (datum, error) {
	sep := ","
	if a[1].Bool() {
		sep = ",\n "
	}
	return raw(types.AppendJSONRow(nil, c.Args[0], a[0].B, sep, c.Env.format()))
}

// errRowField is the error of a row without a column of that name.
func errRowField(name string, t types.Type) error {
	if t.OID == types.OIDRecord {
		return pgerror.New(pgerror.UndefinedColumn, "could not identify column %q in record data type", name)
	}
	return pgerror.New(pgerror.UndefinedColumn, "column %q not found in data type %s", name, types.Type{OID: t.OID, Mod: -1})
}

// Field is column i, from 0, of the row x, whose type is t.
func Field(x Expr, i int, t types.Type, pos int) Expr {
	if c, ok := x.(*Call); ok && (c.Name == "row_record" || c.Name == "row_named") {
		if c.Name == "row_named" {
			i++
		}
		if i < len(c.Args) && c.Args[i].Type().OID == t.OID {
			return c.Args[i]
		}
	}
	n := &Const{Value: types.IntDatum(int64(i) + 1), T: types.Int4}
	return &Call{Name: "row_field", Sig: []types.OID{types.OIDRecord, types.OIDInt4}, Args: []Expr{x, n}, T: t, Pos: pos}
}

// FieldIndex is which of fields, those of t, is called name. Error 42703: none.
func FieldIndex(fields []types.RowField, name string, t types.Type) (int, error) {
	for i, f := range fields {
		if f.Name == name {
			return i, nil
		}
	}
	return 0, errRowField(name, t)
}

// Row is the row of args with the type t; names are those of its columns, nil: they have
// none of their own.
func Row(args []Expr, names []string, t types.Type, pos int) Expr {
	if names == nil {
		if len(args) == 0 {
			return &Const{Value: types.RowDatum(nil, nil, nil), T: t}
		}
		return &Call{Name: "row_record", Sig: []types.OID{OIDAny}, Args: args, T: t, Pos: pos}
	}
	list := make([]types.Datum, len(names))
	for i, n := range names {
		list[i] = types.StringDatum(n)
	}
	texts, _ := types.Text.Array()
	if len(args) == 0 {
		return &Const{Value: types.RowDatum(nil, nil, []string{}), T: t}
	}
	first := &Const{Value: types.Datum{List: list}, T: texts}
	return &Call{Name: "row_named", Sig: []types.OID{texts.OID, OIDAny}, Args: append([]Expr{first}, args...), T: t, Pos: pos}
}
