package binder

import (
	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// Trace collects what the parts of a syntax tree mean while it is bound, for
// who prints it again with its types and with today's names. It is about the
// tree itself: not about the queries of views and the bodies of functions in it.
type Trace struct {
	// Exprs are the expressions as they were bound, before they were brought to
	// another type.
	Exprs map[ast.Expr]expr.Expr
	// Columns are the references that mean columns of FROM; a reference that is
	// not here means a select item.
	Columns map[*ast.ColumnRef]TracedColumn
	// Stars are the columns that a * stands for.
	Stars map[*ast.ColumnRef][]TracedColumn
	// Items are the names that an item of FROM gives, and its relation.
	Items map[ast.TableRef]TracedItem
	// Outputs are the columns of a query.
	Outputs map[ast.SelectBody][]plan.Column
	// Functions are the calls of functions that users wrote.
	Functions map[*ast.FuncCall]*catalog.Function
	// Domains are the names of types that name domains.
	Domains map[*ast.TypeName]*catalog.UserType
}

// TracedColumn is a column by the names that the tree has for it; Table is ""
// for a column merged by USING.
type TracedColumn struct{ Table, Name string }

// TracedItem is an item of FROM.
type TracedItem struct {
	Relation uint32 // OID, 0: it is no relation
	Table    string // its name or alias
	Columns  []TracedItemColumn
}

// TracedItemColumn is a column of an item of FROM.
type TracedItemColumn struct {
	Table, Name string
	Hidden      bool // not part of *
}

// NewTrace makes an empty trace.
func NewTrace() *Trace {
	return &Trace{
		Exprs: map[ast.Expr]expr.Expr{}, Columns: map[*ast.ColumnRef]TracedColumn{}, Stars: map[*ast.ColumnRef][]TracedColumn{},
		Items: map[ast.TableRef]TracedItem{}, Outputs: map[ast.SelectBody][]plan.Column{}, Functions: map[*ast.FuncCall]*catalog.Function{},
		Domains: map[*ast.TypeName]*catalog.UserType{},
	}
}

// item notes f, which r was bound to.
func (t *Trace) item(r ast.TableRef, f *fromItem) {
	it := t.Items[r]
	for _, n := range f.scope.tables {
		it.Table = n.alias
		break
	}
	for _, c := range f.scope.cols {
		it.Columns = append(it.Columns, TracedItemColumn{Table: c.table, Name: c.name, Hidden: c.hidden || c.qualified})
	}
	t.Items[r] = it
}

// relation notes that r names rel.
func (b *Binder) traceRelation(r ast.TableRef, rel *catalog.Relation) {
	if b.Trace != nil {
		b.Trace.Items[r] = TracedItem{Relation: rel.ID}
	}
}

// traceColumn notes what e means.
func (b *Binder) traceColumn(e *ast.ColumnRef, r *ref) {
	if b.Trace != nil {
		b.Trace.Columns[e] = TracedColumn{Table: r.table, Name: r.name}
	}
}

// traceStar notes the columns that e stands for.
func (b *Binder) traceStar(e *ast.ColumnRef, cols []*column) {
	if b.Trace == nil {
		return
	}
	list := make([]TracedColumn, len(cols))
	for i, c := range cols {
		list[i] = TracedColumn{Table: c.table, Name: c.name}
	}
	b.Trace.Stars[e] = list
}

// TraceQuery binds q and returns what its parts mean, and its result.
func TraceQuery(o Options, q *ast.Query) (*Trace, *Result, error) {
	o.Trace = NewTrace()
	r, err := BindQuery(o, q)
	return o.Trace, r, err
}

// TraceExpr binds x, an expression over the columns of a relation, and returns what
// its parts mean.
func TraceExpr(o Options, schema, name string, columns []catalog.Column, x ast.Expr) (*Trace, error) {
	o.Trace = NewTrace()
	b := New(o)
	b.Session = nil
	_, err := b.expr(x, &context{scope: rowScope(schema, name, columns), clause: "expressions"})
	return o.Trace, err
}
