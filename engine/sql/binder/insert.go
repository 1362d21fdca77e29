package binder

import (
	"maps"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Insert is a bound INSERT or UPSERT. Its plan yields full rows of the target:
// all columns in the relation's order, with defaults and computed columns;
// hidden ones are NULL, for the writer to fill.
type Insert struct {
	Change
	Conflict *Conflict // nil: a duplicate key is an error
}

// Conflict says what happens to a row whose key is there already.
type Conflict struct {
	// Arbiters are the keys that count: 0 the primary key, else OIDs of unique
	// indexes; nil: all. Columns are those of the first.
	Arbiters  []uint32
	Columns   []int
	DoNothing bool
	Overwrite bool // UPSERT: the new row takes its place
	// Set are the columns that DO UPDATE assigns, Exprs their values over the
	// old row followed by the one that was to be inserted; Where, if any, over
	// the same.
	Set   []int
	Exprs []expr.Expr
	Where expr.Expr
	// Computed are the computed columns over the row with what DO UPDATE assigned; nil
	// elements for the others.
	Computed []expr.Expr
	// Query gives the values instead, of the rows for which WHERE holds, where they or it
	// hold subqueries.
	Query *RowQuery
}

func (b *Binder) insert(s *ast.Insert) (*Insert, error) {
	if err := b.with(s.With, nil); err != nil {
		return nil, err
	}
	rel, err := b.target(s.Table, "insert into")
	if err != nil {
		return nil, err
	}
	places, err := b.insertPlaces(rel, s)
	if err != nil {
		return nil, err
	}
	cols := columnsOf(places)
	b.uses(rel).Insert(cols...)
	src, err := b.insertSource(rel, places, s)
	if err != nil {
		return nil, err
	}
	if err := b.checkGenerated(rel, places[:len(src.Schema())], s); err != nil {
		return nil, err
	}
	if s.Overriding == "USER" {
		for i, p := range places {
			if rel.Columns[p.column].Identity != "" {
				places[i].column = -1 // the sequence gives it
			}
		}
	}
	p, err := b.fullRows(rel, places, src)
	if err != nil {
		return nil, err
	}
	out := &Insert{}
	if out.Conflict, err = b.conflict(rel, cols, s); err != nil {
		return nil, err
	}
	if out.Conflict != nil && len(out.Conflict.Set) > 0 {
		if out.Conflict.Computed, err = b.Computed(rel); err != nil {
			return nil, err
		}
	}
	r, err := b.returning(s.Returning, targetScope(rel, s.Table, relationSchema(rel)), relationSchema(rel))
	if err != nil {
		return nil, err
	}
	out.Change = Change{Target: rel, Plan: p, Returning: r}
	return out, nil
}

// insertPlaces are the columns, or parts of them, that INSERT fills.
func (b *Binder) insertPlaces(rel *catalog.Relation, s *ast.Insert) ([]place, error) {
	if len(s.Columns) == 0 {
		var cols []int
		for i, c := range rel.Columns {
			// In a stream's rows what is computed has no place.
			if !c.Hidden && (c.Computed == "" || rel.Kind == catalog.Table) {
				cols = append(cols, i)
			}
		}
		return wholes(rel, cols), nil
	}
	var places []place
	for _, c := range s.Columns {
		p, err := b.place(rel, c, &context{clause: "INSERT"})
		if err != nil {
			return nil, err
		}
		if p.clashes(places) {
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", c.Name).At(b.pos(c.Pos()))
		}
		places = append(places, p)
	}
	return places, nil
}

// checkGenerated refuses values for columns that take none but DEFAULT.
func (b *Binder) checkGenerated(rel *catalog.Relation, places []place, s *ast.Insert) error {
	for j, p := range places {
		c := rel.Columns[p.column]
		always := c.Identity == "ALWAYS" && s.Overriding == ""
		if c.Computed == "" && !always || s.Query == nil || !givesValue(s.Query, j) {
			continue
		}
		e := pgerror.New("428C9", "cannot insert a non-DEFAULT value into column %q", c.Name)
		if always {
			return e.WithDetail("Column %q is an identity column defined as GENERATED ALWAYS.", c.Name).
				WithHint("Use OVERRIDING SYSTEM VALUE to override.")
		}
		return e.WithDetail("Column %q is a generated column.", c.Name)
	}
	return nil
}

// givesValue reports that q gives anything but DEFAULT in its column j.
func givesValue(q *ast.Query, j int) bool {
	v, ok := q.Body.(*ast.Values)
	if !ok {
		return true
	}
	for _, row := range v.Rows {
		if j >= len(row) {
			continue
		}
		if _, ok := row[j].(*ast.Default); !ok {
			return true
		}
	}
	return false
}

// insertSource yields rows of what is put into places, in their types.
func (b *Binder) insertSource(rel *catalog.Relation, places []place, s *ast.Insert) (plan.Logical, error) {
	if s.Query == nil {
		return b.defaultRow(rel, columnsOf(places))
	}
	if v, ok := s.Query.Body.(*ast.Values); ok && s.Query.Limit == nil && len(s.Query.OrderBy) == 0 && s.Query.With == nil {
		return b.insertValues(rel, places, v, s)
	}
	r, err := b.query(s.Query, nil)
	if err != nil {
		return nil, err
	}
	out := r.plan.Schema()
	if err := b.insertCount(rel, len(out), places, s, func(i int) int { return itemAt(s.Query.Body, i) }); err != nil {
		return nil, err
	}
	want := make([]types.Type, len(out))
	for i, c := range out {
		p := &places[i]
		if want[i] = p.t; c.Type.OID != types.OIDUnknown && !castAllowed(c.Type, p.t, castAssignment) {
			return nil, p.wrongType(b, c.Type, itemAt(s.Query.Body, i))
		}
	}
	return b.castColumns(r.plan, want, func(i int) int { return itemAt(s.Query.Body, i) })
}

func (b *Binder) insertCount(rel *catalog.Relation, n int, places []place, s *ast.Insert, at func(int) int) error {
	if n > len(places) {
		if len(s.Columns) == 0 {
			for i, c := range rel.Columns {
				if !c.Hidden && c.Computed != "" && i < n && givesValue(s.Query, i) {
					return pgerror.New("428C9", "cannot insert a non-DEFAULT value into column %q", c.Name).
						WithDetail("Column %q is a generated column.", c.Name)
				}
			}
		}
		return pgerror.New(pgerror.SyntaxError, "INSERT has more expressions than target columns").At(b.pos(at(len(places))))
	}
	if n < len(places) && len(s.Columns) > 0 {
		return pgerror.New(pgerror.SyntaxError, "INSERT has more target columns than expressions").At(b.pos(s.Columns[n].Pos()))
	}
	return nil
}

func (b *Binder) defaultRow(rel *catalog.Relation, cols []int) (plan.Logical, error) {
	v := &plan.Values{Rows: [][]expr.Expr{{}}}
	for _, i := range cols {
		d, err := b.Default(rel.Columns[i])
		if err != nil {
			return nil, err
		}
		v.Rows[0] = append(v.Rows[0], d)
		v.Out = append(v.Out, plan.Column{Name: rel.Columns[i].Name, Type: rel.Columns[i].Type})
	}
	return v, nil
}

// insertValues binds VALUES, each value as one of its column.
func (b *Binder) insertValues(rel *catalog.Relation, places []place, v *ast.Values, s *ast.Insert) (plan.Logical, error) {
	n := len(v.Rows[0])
	if err := b.insertCount(rel, n, places, s, func(i int) int { return leftmost(v.Rows[0][i]) }); err != nil {
		return nil, err
	}
	k := &block{b: b, scope: &Scope{}, windowEnd: -1}
	inputs := make([]plan.Logical, len(v.Rows))
	queries := false
	p := &plan.Values{Rows: make([][]expr.Expr, len(v.Rows)), Out: make(plan.Schema, n)}
	for i, src := range v.Rows {
		if len(src) != n {
			at := v.Pos()
			if len(src) > 0 {
				at = leftmost(src[0])
			}
			return nil, pgerror.New(pgerror.SyntaxError, "VALUES lists must all be the same length").At(b.pos(at))
		}
		row := make([]expr.Expr, n)
		k.input = &plan.Values{Rows: [][]expr.Expr{{}}}
		for j, x := range src {
			e, err := b.insertValue(rel, &places[j], x, k)
			if err != nil {
				return nil, err
			}
			row[j] = e
		}
		p.Rows[i], inputs[i] = row, k.input
		queries = queries || len(k.input.Schema()) > 0
	}
	for j := range p.Out {
		p.Out[j] = plan.Column{Name: places[j].name, Type: places[j].t}
	}
	if !queries {
		return p, nil
	}
	return rowsOver(p, inputs), nil
}

// rowsOver are the rows of v, each over its own input, in their order.
func rowsOver(v *plan.Values, inputs []plan.Logical) plan.Logical {
	if len(v.Rows) == 1 {
		return &plan.Project{Input: inputs[0], Exprs: v.Rows[0], Out: v.Out}
	}
	n := len(v.Out)
	u := &plan.Union{Out: append(append(plan.Schema(nil), v.Out...), numberColumn())}
	for i, row := range v.Rows {
		number := &expr.Const{Value: types.IntDatum(int64(i)), T: types.Int8}
		u.All = append(u.All, &plan.Project{Input: inputs[i], Exprs: append(row[:n:n], number), Out: u.Out})
	}
	sorted := &plan.Sort{Input: u, Keys: []plan.SortKey{{Expr: &expr.Col{Index: n, T: types.Int8}}}}
	return &plan.Project{Input: sorted, Exprs: identity(u.Out)[:n], Out: v.Out}
}

func (b *Binder) insertValue(rel *catalog.Relation, p *place, x ast.Expr, k *block) (expr.Expr, error) {
	e, err := b.setNew(rel, p, x, k.context("VALUES", false))
	if err != nil {
		return nil, err
	}
	return k.input0(e)
}

// setNew binds x, which a new row gets at p.
func (b *Binder) setNew(rel *catalog.Relation, p *place, x ast.Expr, cx *context) (expr.Expr, error) {
	if _, ok := x.(*ast.Default); ok {
		if err := p.noDefault(b); err != nil {
			return nil, err
		}
		return b.Default(rel.Columns[p.column])
	}
	e, err := b.expr(x, cx)
	if err != nil {
		return nil, err
	}
	return p.assign(b, e, x)
}

// orNull is e, or NULL of type t where there is none: what parts are put into.
func orNull(e expr.Expr, t types.Type) expr.Expr {
	if e == nil {
		return &expr.Const{Value: types.NullDatum, T: t}
	}
	return e
}

// fullRows puts defaults and computed columns beside the source's columns.
func (b *Binder) fullRows(rel *catalog.Relation, places []place, src plan.Logical) (plan.Logical, error) {
	have := src.Schema()
	p := &plan.Project{Input: src, Out: relationSchema(rel)}
	for i, c := range rel.Columns {
		var e expr.Expr
		var err error
		for j, to := range places[:min(len(places), len(have))] {
			if to.column != i {
				continue
			}
			if e, err = to.into(b, orNull(e, c.Type), &expr.Col{Index: j, T: have[j].Type, Name: c.Name}); err != nil {
				return nil, err
			}
		}
		if e == nil {
			if e, err = b.Default(c); err != nil {
				return nil, err
			}
		}
		p.Exprs = append(p.Exprs, e)
	}
	return b.withComputedAt(rel, p, 0)
}

func (b *Binder) conflict(rel *catalog.Relation, cols []int, s *ast.Insert) (*Conflict, error) {
	overwrites := s.Upsert || s.OnConflict != nil && s.OnConflict.DoUpdate
	switch {
	case rel.AppendOnly && rel.Kind == catalog.Table && overwrites:
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is APPEND ONLY: its rows are not overwritten", rel.Name).At(b.pos(s.Table.Pos()))
	case rel.Version > 0 && (s.Upsert || s.OnConflict == nil):
		b.uses(rel).Select(append([]int{rel.Version - 1}, rel.Key...)...)
		b.uses(rel).Update(cols...)
		return b.newerVersion(rel)
	case rel.OnConflict != "" && s.OnConflict == nil && !s.Upsert:
		if b.uses(rel).Select(rel.Key...); rel.OnConflict == "OVERWRITE" {
			b.uses(rel).Update(cols...)
		}
		return &Conflict{
			DoNothing: rel.OnConflict == "IGNORE", Overwrite: rel.OnConflict == "OVERWRITE", Arbiters: []uint32{0}, Columns: rel.Key,
		}, nil
	}
	if s.Upsert {
		if !rel.PrimaryKey {
			return nil, pgerror.New(pgerror.WrongObjectType, "UPSERT needs a primary key, which %q has not", rel.Name).At(b.pos(s.Table.Pos()))
		}
		b.uses(rel).Select(rel.Key...)
		b.uses(rel).Update(cols...)
		return &Conflict{Overwrite: true, Arbiters: []uint32{0}, Columns: rel.Key}, nil
	}
	c := s.OnConflict
	if c == nil {
		return nil, nil
	}
	out := &Conflict{DoNothing: !c.DoUpdate}
	if err := b.conflictTarget(rel, c, out); err != nil {
		return nil, err
	}
	if !c.DoUpdate {
		return out, nil
	}
	if len(c.Targets) == 0 && c.Constraint == "" {
		return nil, pgerror.New(pgerror.SyntaxError, "ON CONFLICT DO UPDATE requires inference specification or constraint name").
			WithHint("For example, ON CONFLICT (column_name).").At(b.pos(c.Pos()))
	}
	return out, b.doUpdate(rel, s, out)
}

// doUpdate binds the assignments and the condition of DO UPDATE.
func (b *Binder) doUpdate(rel *catalog.Relation, s *ast.Insert, out *Conflict) error {
	c := s.OnConflict
	sc := targetScope(rel, s.Table, relationSchema(rel))
	excluded := schemaScope(relationSchema(rel), tableName{alias: "excluded", real: "excluded", event: -1})
	sc = joinScopes(sc, excluded, len(rel.Columns))
	for i := len(rel.Columns); i < len(sc.cols); i++ {
		sc.cols[i].qualified = true // excluded's columns are named in full
		sc.cols[i].src = 0          // and are no columns of the table
	}
	both := append(relationSchema(rel), relationSchema(rel)...)
	k, id := b.rowBlock(sc, both)
	rows := k.input
	cx := k.context("ON CONFLICT", false)
	var err error
	if out.Set, out.Exprs, err = b.setItems(rel, c.Set, cx, k, 0); err != nil {
		return err
	}
	b.uses(rel).Update(out.Set...)
	if c.UpdateIf != nil {
		w, err := b.boolean(c.UpdateIf, cx, "WHERE")
		if err != nil {
			return err
		}
		if out.Where, err = k.input0(w); err != nil {
			return err
		}
	}
	if k.input == rows {
		return nil
	}
	if out.Where != nil {
		k.input = &plan.Filter{Input: k.input, Cond: out.Where}
	}
	values := make(plan.Schema, len(out.Exprs))
	for i, e := range out.Exprs {
		values[i] = plan.Column{Name: rel.Columns[out.Set[i]].Name, Type: e.Type()}
	}
	out.Query, out.Exprs, out.Where = k.rowQuery(id, out.Exprs, values, len(both)), nil, nil
	return nil
}

// newerVersion overwrites a row whose version is not above the new one's.
func (b *Binder) newerVersion(rel *catalog.Relation) (*Conflict, error) {
	out := &Conflict{Arbiters: []uint32{0}, Columns: rel.Key}
	n := len(rel.Columns)
	column := func(i, from int) *expr.Col {
		return &expr.Col{Index: from + i, T: rel.Columns[i].Type, Name: rel.Columns[i].Name}
	}
	for i, c := range rel.Columns {
		if !c.Hidden && !c.Dropped && c.Computed == "" && !slices.Contains(rel.Key, i) {
			out.Set, out.Exprs = append(out.Set, i), append(out.Exprs, column(i, n))
		}
	}
	v := rel.Version - 1
	newer, err := expr.NewCall(">=", true, []expr.Expr{column(v, n), column(v, 0)}, 0, b.Format)
	if err != nil {
		return nil, err
	}
	out.Where = &expr.Or{Args: []expr.Expr{&expr.IsNull{Arg: column(v, 0)}, newer}}
	return out, nil
}

// conflictTarget finds the primary key or unique indexes that the target means.
func (b *Binder) conflictTarget(rel *catalog.Relation, c *ast.OnConflict, out *Conflict) error {
	if c.Constraint != "" {
		return b.conflictConstraint(rel, c, out)
	}
	if len(c.Targets) == 0 {
		return nil
	}
	want, err := b.conflictKeys(rel, c)
	if err != nil {
		return err
	}
	b.uses(rel).Select(want.reads()...)
	if rel.PrimaryKey && want.means(rel.Key, nil) {
		out.Arbiters, out.Columns = append(out.Arbiters, 0), rel.Key
	}
	indexes, err := indexKeys(rel)
	if err != nil {
		return err
	}
	for _, x := range indexes {
		if !x.Unique || !want.means(x.Columns, x.Exprs) || !want.implies(x.Where) {
			continue
		}
		out.Arbiters = append(out.Arbiters, x.ID)
		if out.Columns == nil {
			out.Columns, _ = rel.StoredColumns(rel.Index(x.ID))
		}
	}
	if len(out.Arbiters) == 0 {
		return pgerror.New(pgerror.InvalidColumnReference,
			"there is no unique or exclusion constraint matching the ON CONFLICT specification")
	}
	return nil
}

// conflictKeys are the columns, expressions and conditions of a conflict target, over the
// columns of the relation.
type conflictKeys struct {
	columns []int
	exprs   []expr.Expr
	where   []expr.Expr
}

// reads are the columns that the target speaks of.
func (k *conflictKeys) reads() []int {
	out := slices.Clone(k.columns)
	for _, e := range slices.Concat(k.exprs, k.where) {
		out = append(out, slices.Sorted(maps.Keys(expr.Columns(e)))...)
	}
	return out
}

func (b *Binder) conflictKeys(rel *catalog.Relation, c *ast.OnConflict) (*conflictKeys, error) {
	want := &conflictKeys{}
	for _, t := range c.Targets {
		if r, ok := t.X.(*ast.ColumnRef); ok && len(r.Parts) == 1 {
			i := rel.ColumnIndex(r.Parts[0])
			if i < 0 {
				return nil, pgerror.New(pgerror.UndefinedColumn, "column %q does not exist", r.Parts[0]).At(b.pos(t.Pos()))
			}
			if !slices.Contains(want.columns, i) {
				want.columns = append(want.columns, i)
			}
			continue
		}
		e, err := b.expr(t.X, &context{scope: rowScope(rel.Schema, rel.Name, rel.Columns), clause: "index expressions"})
		if err == nil {
			e, err = toCols(b, e)
		}
		if err != nil {
			return nil, err
		}
		want.exprs = append(want.exprs, e)
	}
	if c.Where == nil {
		return want, nil
	}
	e, err := b.boolean(c.Where, &context{scope: rowScope(rel.Schema, rel.Name, rel.Columns), clause: "index predicates"}, "WHERE")
	if err == nil {
		e, err = toCols(b, e)
	}
	want.where = plan.Conjuncts(e)
	return want, err
}

// means reports that an index with these columns, and expressions where they are negative,
// has what the target names, and nothing else.
func (k *conflictKeys) means(columns []int, exprs []expr.Expr) bool {
	var plain []int
	for _, c := range columns {
		if c >= 0 && !slices.Contains(plain, c) {
			plain = append(plain, c)
		}
	}
	in := func(list []expr.Expr) func(expr.Expr) bool {
		return func(e expr.Expr) bool {
			return !slices.ContainsFunc(list, func(o expr.Expr) bool { return expr.Equal(e, o) })
		}
	}
	slices.Sort(plain)
	return slices.Equal(plain, slices.Sorted(slices.Values(k.columns))) &&
		!slices.ContainsFunc(exprs, in(k.exprs)) && !slices.ContainsFunc(k.exprs, in(exprs))
}

// implies reports that the target's WHERE says what the index demands.
func (k *conflictKeys) implies(where []expr.Expr) bool {
	for _, w := range where {
		if !slices.ContainsFunc(k.where, func(c expr.Expr) bool { return expr.Equal(c, w) }) {
			return false
		}
	}
	return true
}

func (b *Binder) conflictConstraint(rel *catalog.Relation, c *ast.OnConflict, out *Conflict) error {
	if rel.PrimaryKey && c.Constraint == rel.KeyConstraint() {
		out.Arbiters, out.Columns = []uint32{0}, rel.Key
		b.uses(rel).Select(rel.Key...)
		return nil
	}
	switch k := rel.Constraint(c.Constraint); {
	case k == nil:
		return pgerror.New(pgerror.UndefinedObject, "constraint %q for table %q does not exist", c.Constraint, rel.Name).At(b.pos(c.Pos()))
	case k.Kind != catalog.Unique:
		return pgerror.New(pgerror.WrongObjectType, "constraint in ON CONFLICT clause has no associated index")
	default:
		out.Arbiters, out.Columns = []uint32{k.Index}, k.Columns
		b.uses(rel).Select(k.Columns...)
	}
	return nil
}
