package binder

import (
	"strings"

	"velostream/engine/sql/ast"
)

// rowFunctions are the functions that take a whole row of FROM, with what builds
// their result of its columns.
var rowFunctions = map[string]string{
	"row_to_json": "json_build_row", "to_json": "json_build_row", "to_jsonb": "jsonb_build_object",
}

// wholeRow is f(t), with t an item of FROM, as a call with the names and values of
// t's columns; nil: the call is not of that kind.
func (b *Binder) wholeRow(name string, e *ast.FuncCall, cx *context) *ast.FuncCall {
	build, ok := rowFunctions[name]
	if !ok || len(e.Args) == 0 || cx.scope == nil {
		return nil
	}
	c, ok := e.Args[0].(*ast.ColumnRef)
	if !ok || c.Star || len(c.Parts) != 1 || !cx.scope.hasTable(c.Parts[0]) {
		return nil
	}
	if col, _ := cx.scope.find("", c.Parts[0]); col != nil {
		return nil
	}
	cols, err := b.star(cx.scope, &ast.ColumnRef{At: c.At, Parts: c.Parts, Star: true})
	if err != nil {
		return nil
	}
	call := &ast.FuncCall{At: e.At, Name: ast.Name{At: e.At, Parts: strings.Split("pg_catalog."+build, ".")}}
	for _, col := range cols {
		call.Args = append(call.Args,
			&ast.Literal{At: c.At, Kind: ast.LitString, Text: col.name},
			&ast.ColumnRef{At: c.At, Parts: []string{c.Parts[0], col.name}})
	}
	return call
}
