package session

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/pgwire/pgerror"
)

// refuseTable refuses the clauses of CREATE TABLE that name what there is not.
func refuseTable(p ast.Parsed, n *ast.CreateRelation) error {
	var what string
	switch {
	case n.OfType != nil:
		what = "typed tables are"
	case len(n.Inherits) > 0:
		what = "inheritance is"
	case n.PartitionBy != nil || n.PartitionOf != nil:
		what = "partitioned tables are"
	case n.Tablespace != "":
		what = "tablespaces are"
	case n.OrReplace:
		what = "CREATE OR REPLACE of streams and tables is"
	default:
		return nil
	}
	return pgerror.Unsupported("%s not supported", what).At(p.Position(n.Pos()))
}

// like puts the columns of LIKE tables before n's own.
func (s *Session) like(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRelation) (*ast.CreateRelation, error) {
	if len(n.Likes) == 0 {
		return n, nil
	}
	var cols []ast.ColumnDef
	for _, l := range n.Likes {
		from, err := s.relation(snap, p, l.Table)
		if err == nil {
			err = s.mayUse(snap, from, auth.Select)
		}
		if err != nil {
			return nil, err
		}
		take := map[string]bool{}
		for _, o := range l.Options {
			in, what, _ := strings.Cut(o, " ")
			take[what] = in == "INCLUDING"
			if in == "INCLUDING" && what != "DEFAULTS" && what != "GENERATED" {
				return nil, pgerror.Unsupported("LIKE … INCLUDING %s is not supported", what).At(p.Position(l.Pos()))
			}
		}
		for _, c := range from.Columns {
			if c.Hidden {
				continue
			}
			d, err := likeColumn(snap, c, l, take)
			if err != nil {
				return nil, err
			}
			cols = append(cols, d)
		}
	}
	out := *n
	out.Columns, out.Likes = append(cols, n.Columns...), nil
	return &out, nil
}

func likeColumn(snap *catalog.Snapshot, c catalog.Column, l ast.TableLike, take map[string]bool) (ast.ColumnDef, error) {
	t, err := parser.ParseTypeName(typeText(snap, c.Declared()))
	if err != nil {
		return ast.ColumnDef{}, err
	}
	d := ast.ColumnDef{At: l.At, Name: c.Name, Type: t}
	if c.NotNull {
		d.Constraints = append(d.Constraints, ast.Constraint{At: l.At, Kind: ast.NotNull})
	}
	if c.Default != "" && take["DEFAULTS"] {
		x, err := parser.ParseExpr(defaultOf(snap, &c))
		if err != nil {
			return d, err
		}
		d.Constraints = append(d.Constraints, ast.Constraint{At: l.At, Kind: ast.DefaultVal, X: x})
	}
	if c.Computed != "" && take["GENERATED"] {
		if d.Computed, err = parser.ParseExpr(c.Computed); err != nil {
			return d, err
		}
	}
	return d, nil
}
