package binder

import (
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// maxNodes bounds a plan with its views and CTEs expanded.
const maxNodes = 4096

// fromItem is a bound item of FROM.
type fromItem struct {
	plan  plan.Logical
	scope *Scope
}

// surroundings are the names that an item of FROM can use: those of the queries around,
// and for LATERAL also those of the items to its left. Both are equally deep.
type surroundings struct{ plain, lateral *Scope }

// beside is the surroundings of an item whose left neighbours have the names of left.
func (a surroundings) beside(left *Scope) surroundings {
	out := surroundings{lateral: &Scope{cols: left.cols, tables: left.tables, parent: a.lateral}}
	if a.plain != nil {
		out.plain = &Scope{parent: a.plain}
	}
	return out
}

// from binds a comma list: a cross join from left to right.
func (b *Binder) from(refs []ast.TableRef, parent *Scope) (*fromItem, error) {
	var out *fromItem
	for _, r := range refs {
		around := surroundings{plain: parent, lateral: parent}
		if out != nil {
			around = around.beside(out.scope)
		}
		f, err := b.tableRef(r, around)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = f
			continue
		}
		if err := b.distinctNames(out.scope, f.scope, r); err != nil {
			return nil, err
		}
		p, err := b.dependentJoin(newJoin(plan.CrossJoin, out.plan, f.plan))
		if err != nil {
			return nil, err
		}
		out = &fromItem{plan: p, scope: joinScopes(out.scope, f.scope, len(out.plan.Schema()))}
	}
	out.scope.parent = parent
	return out, nil
}

func (b *Binder) distinctNames(l, r *Scope, n ast.Node) error {
	for _, t := range r.tables {
		if t.alias != "" && l.hasTable(t.alias) {
			return pgerror.New(pgerror.DuplicateAlias, "table name %q specified more than once", t.alias).At(b.pos(n.Pos()))
		}
	}
	return nil
}

// newJoin makes a join without conditions.
func newJoin(kind plan.JoinKind, l, r plan.Logical) *plan.Join {
	j := &plan.Join{Kind: kind, Left: l, Right: r}
	j.Out = append(j.Out, l.Schema()...)
	if kind != plan.SemiJoin && kind != plan.AntiJoin {
		j.Out = append(j.Out, r.Schema()...)
	}
	return j
}

func (b *Binder) tableRef(r ast.TableRef, around surroundings) (*fromItem, error) {
	f, err := b.untracedRef(r, around)
	if b.Trace != nil && err == nil {
		b.Trace.item(r, f)
	}
	return f, err
}

func (b *Binder) untracedRef(r ast.TableRef, around surroundings) (*fromItem, error) {
	if b.nodes++; b.nodes > maxNodes {
		return nil, pgerror.New(pgerror.StatementTooComplex, "the query reads too many relations").
			WithDetail("With views and common table expressions expanded there are more than %d.", maxNodes).At(b.pos(r.Pos()))
	}
	switch r := r.(type) {
	case *ast.TableName:
		return b.tableName(r, around.plain)
	case *ast.SubqueryRef:
		if r.Lateral {
			return b.subqueryRef(r, around.lateral)
		}
		return b.subqueryRef(r, around.plain)
	case *ast.Join:
		return b.join(r, around)
	case *ast.WindowRef:
		return b.windowRef(r, around)
	case *ast.FuncRef:
		return b.funcRef(r, around.lateral)
	}
	return nil, b.missing(r, "this item of FROM is not supported")
}

func (b *Binder) tableName(r *ast.TableName, around *Scope) (*fromItem, error) {
	if r.AsOf != nil {
		return nil, b.missing(r.AsOf, "FOR SYSTEM_TIME AS OF is supported on the right side of a JOIN only")
	}
	if r.Sample != nil {
		if m := r.Sample.Method.Last(); m != "system" && m != "bernoulli" {
			return nil, pgerror.New(pgerror.UndefinedObject, "tablesample method %s does not exist", m).At(b.pos(r.Sample.Method.Pos()))
		}
		return nil, b.missing(r.Sample, "TABLESAMPLE is not supported")
	}
	if len(r.Name.Parts) == 1 {
		if c := b.ctes.find(r.Name.Last()); c != nil {
			return b.cteRef(c, r, around)
		}
	}
	rel, err := b.stored(r.Name)
	if err != nil {
		return nil, err
	}
	b.traceRelation(r, rel)
	name := tableName{alias: rel.Name, schema: rel.Schema, real: rel.Name, event: rel.EventTime, rel: rel.ID, present: presentColumn(rel)}
	if rel.Kind == catalog.Sequence {
		return b.sequence(rel, r, name)
	}
	if rel.Kind == catalog.Sink {
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is a sink: it cannot be read", rel.Name).At(b.pos(r.Pos()))
	}
	if b.Continuous && rel.ID < catalog.FirstID {
		return nil, b.missing(r, "a continuous query cannot read system catalogs")
	}
	b.addInput(rel.ID)
	b.uses(rel).Select()
	if rel.Kind == catalog.View {
		v, err := b.view(rel, r)
		if err != nil {
			return nil, err
		}
		name.event = v.event
		return b.named(v, name, r.Alias)
	}
	if rel.PrimaryKey {
		name.key = rel.Key
	}
	s, err := b.scan(rel)
	if err != nil {
		return nil, err
	}
	return b.named(&relation{plan: s, event: rel.EventTime}, name, r.Alias)
}

// Relation finds a relation by name. Errors: 42P01, 3F000.
func (b *Binder) Relation(n ast.Name) (*catalog.Relation, error) {
	name, schema := n.Last(), b.schema(n)
	if b.System != nil {
		if r := b.System(schema, name); r != nil {
			return r, nil
		}
	}
	path := b.SearchPath
	if schema != "" {
		if err := b.usable(n); err != nil {
			return nil, err
		}
		path = []string{schema}
	} else if len(path) == 0 {
		path = []string{catalog.DefaultSchema}
	}
	for _, s := range path {
		if r := b.Snapshot.Relation(s, name); r != nil {
			return r, nil
		}
	}
	e := pgerror.NoSuchRelation(strings.Join(n.Parts, ".")).At(b.pos(n.Pos()))
	var names []string
	for _, r := range b.Snapshot.Relations() {
		names = append(names, r.Name)
	}
	if near := Nearest(name, names); near != "" {
		e = e.WithHint("Perhaps you meant the relation %q.", near)
	}
	return nil, e
}

// schema is the schema that n names, "": none.
func (b *Binder) schema(n ast.Name) string {
	if s := n.Schema(); s != catalog.TempAlias || b.Temp == "" {
		return s
	}
	return b.Temp
}

// scan reads all columns of rel.
func (b *Binder) scan(rel *catalog.Relation) (*plan.Scan, error) {
	indexes, err := indexKeys(rel)
	s := &plan.Scan{
		Relation: rel.ID, Name: rel.Name, Key: rel.Key, Bounded: !b.Continuous,
		AppendOnly: rel.AppendOnly, EventTime: rel.EventTime,
		Keyed:   rel.PrimaryKey || rel.Kind == catalog.MaterializedView && len(rel.Key) > 0,
		Columns: make([]int, len(rel.Columns)), Out: make(plan.Schema, len(rel.Columns)), Indexes: indexes,
	}
	if rel.EventTime >= len(rel.Columns) || rel.Kind != catalog.Stream {
		s.EventTime = -1 // a table's time says when its rows are valid, not that none older come
	}
	s.Timed = s.EventTime >= 0
	for i, c := range rel.Columns {
		s.Columns[i] = i
		s.Out[i] = plan.Column{Name: c.Name, Type: c.Type, Hidden: c.Hidden, Table: rel.ID, Attr: int16(i + 1)}
	}
	return s, err
}

// view binds the query of a view. Errors in it have no position: the text is
// not the statement's.
func (b *Binder) view(rel *catalog.Relation, at ast.Node) (*relation, error) {
	if b.depth >= maxDepth {
		return nil, pgerror.New(pgerror.StatementTooComplex, "views are nested too deeply").At(b.pos(at.Pos()))
	}
	q, err := parser.ParseQuery(rel.Query)
	if err != nil {
		return nil, err
	}
	o := b.Options
	o.SQL, o.Params, o.Refs, o.TypeRefs, o.FunctionRefs, o.Trace = "", nil, rel.Refs, rel.TypeRefs, rel.Functions, nil
	v := New(o)
	v.depth, v.nodes, v.inputs, v.emit, v.ids = b.depth+1, b.nodes, b.inputs, b.emit, b.ids
	v.access, v.via = b.access, rel.ID
	if rel.Invoker() {
		v.via = 0 // the reader's, even below a view with its owner's
	}
	r, err := v.query(q, nil)
	if err != nil {
		return nil, err
	}
	if err := v.textForUnknown(r); err != nil {
		return nil, err
	}
	b.inputs, b.nodes, b.access = v.inputs, v.nodes, v.access
	b.emit.windowed = v.emit.windowed
	b.useFunctions(v.functions)
	b.warnings = append(b.warnings, v.warnings...)
	names := make([]string, len(rel.Columns))
	for i, c := range rel.Columns {
		names[i] = c.Name
	}
	r.plan = renamed(r.plan, names, rel.ID)
	hideLater(r.plan.Schema(), rel)
	return r, nil
}

// presentColumn is a column of rel that is never NULL, nil: none is known.
func presentColumn(rel *catalog.Relation) *ref {
	if rel.Kind == catalog.View {
		return nil
	}
	at := -1
	if rel.PrimaryKey || rel.Native() && len(rel.Key) > 0 {
		at = rel.Key[0]
	}
	for i, c := range rel.Columns {
		if c.NotNull && !c.Dropped {
			at = i
			break
		}
	}
	if at < 0 {
		return nil
	}
	return &ref{index: at, t: rel.Columns[at].Type, table: rel.Name, name: rel.Columns[at].Name}
}

// sequence binds a sequence that is read as a table: its state, as a view of
// velo_catalog has it.
func (b *Binder) sequence(rel *catalog.Relation, r *ast.TableName, name tableName) (*fromItem, error) {
	if b.Continuous {
		return nil, b.missing(r, "a continuous query cannot read sequences")
	}
	b.uses(rel).Select()
	v := *rel
	v.Query = "SELECT last_value, log_cnt, is_called FROM velo_catalog.sequences WHERE id = " + strconv.Itoa(int(rel.ID))
	v.Columns = []catalog.Column{{Name: "last_value"}, {Name: "log_cnt"}, {Name: "is_called"}}
	in, err := b.view(&v, r)
	if err != nil {
		return nil, err
	}
	return b.named(in, name, r.Alias)
}

// renamed gives the visible columns of p the names, and table as their origin.
func renamed(p plan.Logical, names []string, table uint32) plan.Logical {
	s := p.Schema()
	out := make(plan.Schema, len(s))
	copy(out, s)
	n := 0
	for i := range out {
		if out[i].Hidden {
			continue
		}
		if n < len(names) {
			out[i].Name = names[n]
		}
		n++
		out[i].Table, out[i].Attr = table, 0
		if table != 0 {
			out[i].Attr = int16(n)
		}
	}
	return &plan.Project{Input: p, Exprs: identity(s), Out: out}
}

// named makes the scope of a relation under its name or alias.
func (b *Binder) named(r *relation, t tableName, a *ast.Alias) (*fromItem, error) {
	if a != nil {
		t.alias, t.schema = a.Name, ""
	}
	sc := schemaScope(r.plan.Schema(), t)
	n := 0
	for i := range sc.cols {
		c := &sc.cols[i]
		if c.hidden {
			continue
		}
		if n < len(r.roles) {
			c.role = r.roles[n]
		}
		if a != nil && n < len(a.Columns) {
			c.name = a.Columns[n]
		}
		n++
	}
	if a != nil && len(a.Columns) > n {
		return nil, pgerror.New(pgerror.InvalidColumnReference, "table %q has %d columns available but %d columns specified",
			t.alias, n, len(a.Columns)).At(b.pos(a.Pos()))
	}
	return &fromItem{plan: r.plan, scope: sc}, nil
}

func (b *Binder) subqueryRef(r *ast.SubqueryRef, parent *Scope) (*fromItem, error) {
	q, err := b.query(r.Query, parent)
	if err != nil {
		return nil, err
	}
	if err := b.textForUnknown(q); err != nil {
		return nil, err
	}
	return b.named(q, tableName{event: q.event}, r.Alias)
}
