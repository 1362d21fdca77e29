package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// startsTableConstraint reports whether a constraint, not a column, follows.
func (p *parser) startsTableConstraint() bool {
	next := p.peek(1)
	switch {
	case p.tok.kind != tWord:
		return false
	case p.is("constraint"), p.is("check"), p.is("foreign"):
		return true
	case p.is("primary"), p.is("unique"):
		return true
	case p.is("exclude"):
		return next.isOp("(") || next.isWord("using")
	}
	return false
}

// tableConstraint parses a constraint of a table.
func (p *parser) tableConstraint() ast.Constraint {
	k := ast.Constraint{At: p.at()}
	if p.accept("constraint") {
		k.Name = p.identText()
	}
	switch {
	case p.accept("check"):
		k.Kind = ast.Check
		k.X = p.parenExpr()
	case p.accept("primary"):
		p.expect("key")
		k.Kind = ast.PrimaryKey
		p.keyColumns(&k)
	case p.accept("unique"):
		k.Kind = ast.Unique
		p.nullsDistinct(&k)
		p.keyColumns(&k)
	case p.accept("foreign"):
		p.expect("key")
		k.Kind = ast.ForeignKey
		k.Columns = p.idents()
		p.expect("references")
		p.references(&k)
	case p.accept("exclude"):
		p.exclude(&k)
	default:
		p.unexpected()
		p.hintWord("check", "primary", "unique", "foreign", "exclude")
	}
	p.constraintAttrs(&k)
	return k
}

func (p *parser) parenExpr() ast.Expr {
	p.expectOp("(")
	x := p.expr()
	p.expectOp(")")
	return x
}

// keyColumns parses the columns of a key, or USING INDEX name.
func (p *parser) keyColumns(k *ast.Constraint) {
	if p.accept("using", "index") {
		k.UsingIndex = p.identText()
		return
	}
	k.Columns = p.idents()
	p.indexParams(k)
}

// indexParams parses INCLUDE, WITH and USING INDEX TABLESPACE of a key.
func (p *parser) indexParams(k *ast.Constraint) {
	if p.is("include") && p.peek(1).isOp("(") {
		p.next()
		k.Include = p.idents()
	}
	k.Options = p.withOptions()
	if p.accept("using", "index", "tablespace") {
		k.Tablespace = p.identText()
	}
}

func (p *parser) nullsDistinct(k *ast.Constraint) {
	if p.accept("nulls") {
		k.NullsNotDistinct = p.accept("not")
		p.expect("distinct")
	}
}

func (p *parser) exclude(k *ast.Constraint) {
	k.Kind = ast.Exclusion
	if p.accept("using") {
		k.Method = p.identText()
	}
	p.expectOp("(")
	for p.err == nil {
		e := ast.ExcludeItem{Item: p.indexItem()}
		p.expect("with")
		e.Op = p.operatorSymbol()
		k.Exclude = append(k.Exclude, e)
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	p.indexParams(k)
	if p.accept("where") {
		k.X = p.parenExpr()
	}
}

// references parses what follows REFERENCES.
func (p *parser) references(k *ast.Constraint) {
	k.RefTable = p.relation()
	if p.isOp("(") {
		k.RefColumns = p.idents()
	}
	if at := p.tok.pos; p.accept("match") {
		if p.is("partial") {
			p.failAt(int(at), pgerror.FeatureNotSupported, "MATCH PARTIAL not yet implemented")
		}
		k.Match = upper(p.expectOneOf("full", "simple"))
	}
	for p.is("on") && p.err == nil {
		at := p.tok.pos
		p.next()
		event := p.expectOneOf("delete", "update")
		action := ""
		switch p.expectOneOf("no", "restrict", "cascade", "set") {
		case "no":
			p.expect("action")
			action = "NO ACTION"
		case "restrict":
			action = "RESTRICT"
		case "cascade":
			action = "CASCADE"
		case "set":
			action = "SET " + upper(p.expectOneOf("null", "default"))
			if p.isOp("(") {
				if event == "update" {
					p.failAt(int(at), pgerror.FeatureNotSupported, "a column list with %s is only supported for ON DELETE actions", action)
				}
				k.SetColumns = p.idents()
			}
		}
		if event == "delete" {
			k.OnDelete = action
		} else {
			k.OnUpdate = action
		}
	}
}

// constraintAttrs parses DEFERRABLE and its like, and NOT ENFORCED.
func (p *parser) constraintAttrs(k *ast.Constraint) {
	at := p.tok.pos
	for p.err == nil {
		if k.Deferred && k.Deferrable == ast.No {
			p.failAt(int(at), pgerror.SyntaxError, "constraint declared INITIALLY DEFERRED must be DEFERRABLE")
			return
		}
		at = p.tok.pos
		switch {
		case p.accept("deferrable"):
			k.Deferrable = ast.Yes
		case p.accept("not", "deferrable"):
			k.Deferrable = ast.No
		case p.accept("initially", "deferred"):
			k.Deferred = true
		case p.accept("initially", "immediate"):
		case p.accept("not", "valid"):
			k.NotValid = true
		case p.accept("no", "inherit"):
			k.NoInherit = true
		case p.accept("not", "enforced"):
			k.NotEnforced = true
		case p.accept("enforced"):
		default:
			return
		}
	}
}

// columnConstraint parses a constraint of a column. Attributes that stand
// alone change the column's last constraint, and give nil.
func (p *parser) columnConstraint(c *ast.ColumnDef) (*ast.Constraint, bool) {
	if p.tok.oneOf("deferrable", "initially", "enforced") || p.is("not") && p.peek(1).oneOf("deferrable", "enforced") {
		if len(c.Constraints) == 0 {
			p.unexpected()
			return nil, false
		}
		last := &c.Constraints[len(c.Constraints)-1]
		switch last.Kind {
		case ast.NotNull, ast.Null, ast.DefaultVal, ast.Generated, ast.Identity, ast.Check:
			if word := upper(p.tok.text); !p.is("enforced") && !p.peek(1).isWord("enforced") {
				p.failAt(int(p.tok.pos), pgerror.SyntaxError, "misplaced %s clause", misplaced(word, p.is("not")))
				return nil, false
			}
		default:
		}
		p.constraintAttrs(last)
		return nil, true
	}
	k := &ast.Constraint{At: p.at()}
	named := p.accept("constraint")
	if named {
		k.Name = p.identText()
	}
	switch {
	case p.accept("not"):
		p.expect("null")
		k.Kind = ast.NotNull
	case p.accept("null"):
		k.Kind = ast.Null
	case p.accept("unique"):
		k.Kind = ast.Unique
		p.nullsDistinct(k)
		p.indexParams(k)
	case p.accept("primary"):
		p.expect("key")
		k.Kind = ast.PrimaryKey
		p.indexParams(k)
	case p.accept("check"):
		k.Kind = ast.Check
		k.X = p.parenExpr()
		k.NoInherit = p.accept("no", "inherit")
	case p.accept("default"):
		k.Kind = ast.DefaultVal
		k.X = p.restricted()
	case p.accept("generated"):
		p.generated(k)
	case p.accept("references"):
		k.Kind = ast.ForeignKey
		p.references(k)
	default:
		if named {
			p.unexpected()
		}
		return nil, false
	}
	return k, true
}

// misplaced is what PostgreSQL calls an attribute of a constraint.
func misplaced(word string, not bool) string {
	switch {
	case not:
		return "NOT DEFERRABLE"
	case word == "INITIALLY":
		return "INITIALLY DEFERRED"
	}
	return word
}

// generated parses GENERATED {ALWAYS | BY DEFAULT} AS {IDENTITY | (expr) STORED}.
func (p *parser) generated(k *ast.Constraint) {
	p.generatedWhen(k)
	p.generatedAs(k)
}

func (p *parser) generatedWhen(k *ast.Constraint) {
	if p.expectOneOf("always", "by") == "always" {
		k.Always = true
	} else {
		p.expect("default")
	}
	p.expect("as")
}

func (p *parser) generatedAs(k *ast.Constraint) {
	if p.accept("identity") {
		k.Kind = ast.Identity
		if p.acceptOp("(") {
			k.Sequence = p.seqOptions()
			p.expectOp(")")
		}
		return
	}
	k.Kind = ast.Generated
	k.X = p.parenExpr()
	p.expect("stored")
}
