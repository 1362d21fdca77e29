package parser

import "velostream/engine/sql/ast"

// isMapWord reports the word map, which is a column's name, or begins MAP[k, v, …].
func isMapWord(x ast.Expr) bool {
	c, ok := x.(*ast.ColumnRef)
	return ok && len(c.Parts) == 1 && c.Parts[0] == "map"
}

// mapOrSubscript parses the brackets at at behind map: those of MAP[k, v, …], which is a
// call of map, where there is a comma inside, or nothing; else a subscript.
func (p *parser) mapOrSubscript(x ast.Expr, at ast.At) ast.Expr {
	c := &ast.FuncCall{At: ast.At(x.Pos()), Name: ast.Name{At: ast.At(x.Pos()), Parts: []string{"map"}}}
	p.expectOp("[")
	if p.acceptOp("]") {
		return c
	}
	s := &ast.Subscript{At: at, X: x}
	if !p.isOp(":") {
		s.Lo = p.expr()
		if p.acceptOp(",") {
			c.Args = append([]ast.Expr{s.Lo}, p.exprList()...)
			p.expectOp("]")
			return c
		}
	}
	s.Hi, s.Slice = p.subscriptEnd()
	return s
}
