package session

import (
	"slices"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
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

// likeness is a table whose form another takes over, and which parts of it beside the
// columns: the words of INCLUDING.
type likeness struct {
	from *catalog.Relation
	take map[string]bool
}

var likeParts = []string{"COMMENTS", "COMPRESSION", "CONSTRAINTS", "DEFAULTS", "GENERATED", "IDENTITY", "INDEXES", "STATISTICS", "STORAGE"}

// like puts the columns of LIKE tables among n's own, where they are named, and their
// constraints to n's. Their other indexes and comments are for copyLike.
func (s *Session) like(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRelation) (*ast.CreateRelation, []likeness, error) {
	if len(n.Likes) == 0 {
		return n, nil, nil
	}
	out := *n
	out.Columns, out.Likes = nil, nil
	var list []likeness
	own := n.Columns
	for _, l := range n.Likes {
		k, err := s.likeness(snap, p, l)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, k)
		for len(own) > 0 && own[0].Pos() < l.Pos() {
			out.Columns, own = append(out.Columns, own[0]), own[1:]
		}
		for _, c := range k.from.Columns {
			if c.Hidden {
				continue
			}
			d, err := likeColumn(snap, c, l, k.take)
			if err != nil {
				return nil, nil, err
			}
			out.Columns = append(out.Columns, d)
		}
		keys, err := k.constraints(l)
		if err != nil {
			return nil, nil, err
		}
		out.Constraints = append(slices.Clone(out.Constraints), keys...)
	}
	out.Columns = append(out.Columns, own...)
	return &out, list, nil
}

func (s *Session) likeness(snap *catalog.Snapshot, p ast.Parsed, l ast.TableLike) (likeness, error) {
	from, err := s.relation(snap, p, l.Table)
	if err == nil && (from.Kind == catalog.Sequence || from.Kind == catalog.Sink) {
		err = pgerror.New(pgerror.WrongObjectType, "relation %q is invalid in LIKE clause", from.Name).
			WithDetail("This operation is not supported for %ss.", from.Kind).At(p.Position(l.Table.Pos()))
	}
	if err == nil {
		err = s.mayUse(snap, from, auth.Select)
	}
	k := likeness{from: from, take: map[string]bool{}}
	for _, o := range l.Options {
		in, what, _ := strings.Cut(o, " ")
		parts := []string{what}
		if what == "ALL" {
			parts = likeParts
		}
		for _, w := range parts {
			k.take[w] = in == "INCLUDING"
		}
	}
	return k, err
}

// constraints are the CHECK constraints and the keys that are taken over.
func (k *likeness) constraints(l ast.TableLike) ([]ast.Constraint, error) {
	var out []ast.Constraint
	key := func(kind ast.ConstraintKind, columns []int) ast.Constraint {
		c := ast.Constraint{At: l.At, Kind: kind}
		for _, i := range columns {
			c.Columns = append(c.Columns, ast.Ident{At: l.At, Name: k.from.Columns[i].Name})
		}
		return c
	}
	if k.take["INDEXES"] && k.from.PrimaryKey && k.from.Native() {
		out = append(out, key(ast.PrimaryKey, k.from.Key))
	}
	for _, c := range k.from.Constraints {
		switch {
		case c.Kind == catalog.Check && k.take["CONSTRAINTS"]:
			x, err := parser.ParseExpr(c.Text)
			if err != nil {
				return nil, err
			}
			out = append(out, ast.Constraint{At: l.At, Kind: ast.Check, Name: c.Name, X: x})
		case c.Kind == catalog.Unique && k.take["INDEXES"]:
			u := key(ast.Unique, c.Columns)
			u.NullsNotDistinct = k.from.Index(c.Index).NullsEqual
			out = append(out, u)
		}
	}
	return out, nil
}

// copyLike gives r, which has the columns of the tables in list, their indexes and comments.
func (s *Session) copyLike(o binder.Options, nm *namer, p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation, list []likeness) error {
	for _, k := range list {
		if k.take["COMMENTS"] {
			for _, c := range k.from.Columns {
				if i := r.ColumnIndex(c.Name); i >= 0 && !c.Hidden {
					r.Columns[i].Comment = c.Comment
				}
			}
		}
		if !k.take["INDEXES"] {
			continue
		}
		for i := range k.from.Indexes {
			x := &k.from.Indexes[i]
			if slices.ContainsFunc(k.from.Constraints, func(c catalog.Constraint) bool { return c.Kind == catalog.Unique && c.Index == x.ID }) {
				continue // it came with its constraint
			}
			if r.Kind != catalog.Table {
				return pgerror.Unsupported("indexes of a %s are not supported", kindOf(r)).At(p.Position(n.Name.Pos()))
			}
			y, err := likeIndex(o, nm, k.from, x, r)
			if err != nil {
				return err
			}
			if k.take["COMMENTS"] {
				y.Comment = x.Comment
			}
			r.Indexes = append(r.Indexes, *y)
		}
	}
	if len(list) > 0 {
		r.Definition = definition(nm.snap, r)
	}
	return nil
}

// likeIndex is index x of from, for r, which has columns of the same names.
func likeIndex(o binder.Options, nm *namer, from *catalog.Relation, x *catalog.Index, r *catalog.Relation) (*catalog.Index, error) {
	out := &catalog.Index{ID: nm.id(), Unique: x.Unique, NullsEqual: x.NullsEqual, Order: x.Order}
	for _, c := range x.Columns {
		e := x.Expr(c)
		if e == nil {
			out.Columns = append(out.Columns, r.ColumnIndex(from.Columns[c].Name))
			continue
		}
		parsed, err := parser.ParseExpr(e.Text)
		if err != nil {
			return nil, err
		}
		own, err := binder.IndexExpr(o, r, parsed)
		if err != nil {
			return nil, err
		}
		own.Name = e.Name
		out.Columns = append(out.Columns, catalog.ExprColumn(len(out.Exprs)))
		out.Exprs = append(out.Exprs, *own)
	}
	for _, c := range x.Include {
		out.Include = append(out.Include, r.ColumnIndex(from.Columns[c].Name))
	}
	if x.Where != nil {
		parsed, err := parser.ParseExpr(x.Where.Text)
		if err != nil {
			return nil, err
		}
		if out.Where, err = binder.IndexPredicate(o, r, parsed); err != nil {
			return nil, err
		}
	}
	out.Name = nm.relation(r, strings.Join(keyNames(r, out), "_"), "idx")
	return out, nil
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
	if seq := snap.ByID(c.Sequence); c.Identity != "" && take["IDENTITY"] && seq != nil {
		d.Constraints = append(d.Constraints, ast.Constraint{At: l.At, Kind: ast.Identity, Always: c.Identity == "ALWAYS", Sequence: sequenceLike(seq.Numbers, l.At)})
	}
	return d, nil
}

// sequenceLike are the options that make a sequence with the settings n.
func sequenceLike(n *catalog.Numbers, at ast.At) []ast.SeqOption {
	var out []ast.SeqOption
	number := func(name string, v int64) {
		out = append(out, ast.SeqOption{At: at, Name: name, Value: strconv.FormatInt(v, 10)})
	}
	number("INCREMENT", n.Increment)
	number("MINVALUE", n.Min)
	number("MAXVALUE", n.Max)
	number("START", n.Start)
	if n.Cycle {
		out = append(out, ast.SeqOption{At: at, Name: "CYCLE"})
	}
	return out
}
