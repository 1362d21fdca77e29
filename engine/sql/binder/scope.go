package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// windowRole says what a column is to a time window.
type windowRole uint8

const (
	noWindow windowRole = iota
	windowStart
	windowEnd
)

// column is a name that expressions can use, and the input column behind it.
type column struct {
	table     string // alias of its FROM item, "" for merged and nameless ones
	name      string
	index     int // in the input row
	t         types.Type
	hidden    bool // not part of *
	qualified bool // found by t.name only: a USING column's two originals
	role      windowRole
	sliding   bool // of role: windows overlap or grow, the start does not tell the end
	src       uint32
	attr      int16
}

// tableName is a FROM item as names see it.
type tableName struct {
	alias  string
	schema string // "" when renamed by an alias
	real   string // the relation's own name
	event  int    // index of its event time column, -1: none
	key    []int  // indexes of its primary key's columns, nil: none
	rel    uint32 // OID of the relation, 0: it is none
	// nullable: an outer join may leave it out, and its columns are then NULL; present is
	// a column that is NULL only then, nil: none is known.
	nullable bool
	present  *ref
}

// Scope is the names that an expression can use: those of FROM, then those of
// the queries around it.
type Scope struct {
	cols   []column
	tables []tableName
	parent *Scope
	// bare: what is bound here is kept as text, in which no column has its
	// table's name: that can change.
	bare bool
	// block is the query whose FROM this is; its aggregates may stand in subqueries.
	block *block
}

// ref is a column reference as long as its query block is being bound; it
// becomes an expr.Col when the block is complete.
type ref struct {
	index int
	level int // 0: this query, 1: the one around it
	t     types.Type
	table string
	name  string
	pos   int
}

// Type is the type of the column.
func (r *ref) Type() types.Type { return r.t }

func (r *ref) col() *expr.Col { return &expr.Col{Index: r.index, T: r.t, Name: r.name} }

func (r *ref) display() string {
	if r.table == "" {
		return r.name
	}
	return r.table + "." + r.name
}

// schemaScope makes the names of a FROM item with the columns of s.
func schemaScope(s plan.Schema, t tableName) *Scope {
	sc := &Scope{tables: []tableName{t}, cols: make([]column, len(s))}
	for i, c := range s {
		sc.cols[i] = column{
			table: t.alias, name: c.Name, index: i, t: c.Type, hidden: c.Hidden, src: c.Table, attr: c.Attr,
		}
	}
	return sc
}

// join puts the names of r after those of l; r's columns come n later.
func joinScopes(l, r *Scope, n int) *Scope {
	out := &Scope{parent: l.parent}
	out.cols = append(append(out.cols, l.cols...), r.cols...)
	for i := len(l.cols); i < len(out.cols); i++ {
		out.cols[i].index += n
	}
	out.tables = append(append(out.tables, l.tables...), r.tables...)
	for i := len(l.tables); i < len(out.tables); i++ {
		t := &out.tables[i]
		if t.event >= 0 {
			t.event += n
		}
		key := make([]int, len(t.key))
		for j, c := range t.key {
			key[j] = c + n
		}
		t.key = key
		if t.present != nil {
			p := *t.present
			p.index += n
			t.present = &p
		}
	}
	return out
}

// find looks name up among s's own columns. The second result is how many
// visible columns have the name.
func (s *Scope) find(table, name string) (*column, int) {
	var hit, hidden *column
	n := 0
	for i := range s.cols {
		c := &s.cols[i]
		switch {
		case c.name != name || table != "" && c.table != table || table == "" && c.qualified:
		case c.hidden:
			if hidden == nil {
				hidden = c
			}
		default:
			hit = c
			n++
		}
	}
	if hit == nil && hidden != nil {
		return hidden, 1
	}
	return hit, n
}

func (s *Scope) hasTable(alias string) bool {
	for _, t := range s.tables {
		if t.alias == alias {
			return true
		}
	}
	return false
}

// tableOf returns the alias that a qualifier of one or two names means.
func (s *Scope) tableOf(parts []string) (string, bool) {
	name := parts[len(parts)-1]
	for _, t := range s.tables {
		if t.alias != name {
			continue
		}
		if len(parts) == 1 || t.schema == parts[len(parts)-2] {
			return t.alias, true
		}
	}
	return "", false
}

// resolve looks a column reference up here and outwards. It returns nil
// without error when there is no such column.
func (b *Binder) resolve(s *Scope, r *ast.ColumnRef) (*ref, error) {
	name := r.Parts[len(r.Parts)-1]
	qual := r.Parts[:len(r.Parts)-1]
	level := 0
	for sc := s; sc != nil; sc, level = sc.parent, level+1 {
		table := ""
		if len(qual) > 0 {
			t, ok := sc.tableOf(qual)
			if !ok {
				continue
			}
			table = t
		}
		c, n := sc.find(table, name)
		if n > 1 {
			return nil, pgerror.New(pgerror.AmbiguousColumn, "column reference %q is ambiguous", name).At(b.pos(r.Pos()))
		}
		if c != nil {
			if !r.Own {
				b.reads(c)
			}
			if sc.bare {
				r.Parts = r.Parts[len(qual):]
			}
			return &ref{index: c.index, level: level, t: c.t, table: c.table, name: c.name, pos: b.pos(r.Pos())}, nil
		}
		if table != "" {
			return nil, nil
		}
	}
	return nil, nil
}

// star lists the columns that * or t.* stands for.
func (b *Binder) star(s *Scope, r *ast.ColumnRef) ([]*column, error) {
	out, err := b.starColumns(s, r)
	b.traceStar(r, out)
	return out, err
}

func (b *Binder) starColumns(s *Scope, r *ast.ColumnRef) ([]*column, error) {
	var out []*column
	if len(r.Parts) == 0 {
		if s == nil || len(s.tables) == 0 {
			return nil, pgerror.New(pgerror.SyntaxError, "SELECT * with no tables specified is not valid").At(b.pos(r.Pos()))
		}
		for i := range s.cols {
			if c := &s.cols[i]; !c.hidden && !c.qualified {
				b.reads(c)
				out = append(out, c)
			}
		}
		return out, nil
	}
	table, ok := s.tableOf(r.Parts)
	if !ok {
		return nil, b.noSuchTable(s, r.Parts, r.Pos())
	}
	for i := range s.cols {
		if c := &s.cols[i]; !c.hidden && c.table == table {
			b.reads(c)
			out = append(out, c)
		}
	}
	return out, nil
}

// originOf finds the scope column at index, for what a plain column's origin is.
func (s *Scope) originOf(index int) *column {
	if s == nil {
		return nil
	}
	for i := range s.cols {
		if s.cols[i].index == index {
			return &s.cols[i]
		}
	}
	return nil
}
