package session

import (
	"context"
	"errors"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/operator"
	"velostream/engine/query"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/engine/subscribe"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// bindOptions are what statements of this session are bound against.
func (s *Session) bindOptions(p ast.Parsed, params []types.OID) binder.Options {
	path := s.path()
	if len(path) == 0 {
		path = []string{nobody} // none would be taken for the default
	}
	return binder.Options{
		Snapshot: s.reading(), SearchPath: path, SQL: p.SQL, Params: params,
		System: s.system, Usable: s.usable, Temp: s.ownTemp(),
		Format: s.settings.format(), Session: s.sessionFunction,
	}
}

// sessionFunction gives the values of functions that depend on the session.
func (s *Session) sessionFunction(name string, _ []expr.Expr) (expr.Expr, bool) {
	text := func(v string) (expr.Expr, bool) {
		return &expr.Const{Value: types.StringDatum(v), T: types.Text}, true
	}
	ident := func(v string) (expr.Expr, bool) {
		return &expr.Const{Value: types.StringDatum(v), T: types.Name}, true
	}
	switch name {
	case "current_user", "user", "current_role":
		return ident(s.who())
	case "session_user":
		return ident(s.sessionUser())
	case "current_database", "current_catalog":
		return ident(s.database)
	case "current_schema":
		name := s.currentSchema()
		if name == "" {
			return &expr.Const{Value: types.NullDatum, T: types.Name}, true
		}
		return ident(name)
	case "version":
		return text("PostgreSQL " + s.e.Version + " (Velostream)")
	case "pg_backend_pid":
		return &expr.Const{Value: types.IntDatum(int64(s.pid)), T: types.Int4}, true
	}
	return nil, false
}

// basis is what names in a statement, and what is folded into its plan, depend on. A
// plan that was made on another one is made again before it runs.
type basis struct {
	version             uint64 // of the catalog
	path, role, session string // search_path, role, session_authorization
}

// basis is what is planned now against snap.
func (s *Session) basis(snap *catalog.Snapshot) basis {
	v := s.settings.values
	return basis{snap.Version, v["search_path"], v["role"], v["session_authorization"]}
}

// selectStatement is a query, bounded or continuous. It is planned when it is
// prepared, and again when its basis has changed.
type selectStatement struct {
	s       *Session
	p       ast.Parsed
	q       *ast.Query
	params  []types.OID
	columns []pgwire.ResultColumn

	basis      basis
	physical   *plan.Physical
	continuous bool
	inputs     []uint32
	visible    []int
	opts       subscribe.Options
	inMemory   bool       // WITH ('spill.to.disk' = off)
	point      *pointRead // nil: the plan is more than a lookup
	guard      guard
	warned     bool // planning it said something
}

func (s *Session) prepareSelect(p ast.Parsed, q *ast.Query, params []types.OID) (pgwire.Statement, error) {
	if q.Sink != nil {
		return nil, pgerror.New(pgerror.SyntaxError, "INTO a sink needs CREATE STREAM or CREATE TABLE … AS").At(p.Position(q.Sink.Pos()))
	}
	if c := changingCTE(q); c != nil {
		if q.Emit != nil {
			return nil, pgerror.Unsupported("a continuous query must not contain data-modifying statements in WITH").At(p.Position(c.Pos()))
		}
		return s.prepareChange(p, q, params)
	}
	if len(q.Locking) > 0 {
		return s.prepareChange(p, q, params)
	}
	st := &selectStatement{s: s, p: p, q: q, params: params}
	if err := st.plan(); errors.Is(err, binder.ErrLocks) {
		return s.prepareChange(p, q, params)
	} else if err != nil {
		return nil, err
	}
	return st, nil
}

// plan binds and plans the query as names and roles are now.
func (st *selectStatement) plan() error {
	o := st.s.bindOptions(st.p, st.params)
	o.Continuous = st.q.Emit != nil
	r, err := binder.BindQuery(o, st.q)
	if err != nil {
		return err
	}
	columns := resultColumns(r.Columns)
	if st.columns != nil && !sameShape(st.columns, columns) {
		return pgerror.Unsupported("cached plan must not change result type")
	}
	st.columns, st.params, st.inputs = columns, r.Params, r.Inputs
	st.continuous = r.Continuous
	st.guard.set(r.Access, r.Functions)
	st.basis = st.s.basis(o.Snapshot)
	if err = st.readOptions(); err != nil {
		return err
	}
	physical, warnings, err := st.s.lower(r.Plan, optimizer.LowerOptions{Continuous: st.continuous, Every: r.Every, Timeout: r.Timeout, Ends: r.Ends})
	if err != nil {
		return err
	}
	st.physical = physical
	st.visible = visibleColumns(st.physical.Out)
	st.point = newPointRead(st, physical, o.Snapshot)
	warnings = append(r.Warnings, warnings...)
	st.warned = len(warnings) > 0
	st.s.warn(warnings)
	return nil
}

func visibleColumns(out plan.Schema) []int {
	var v []int
	for i, c := range out {
		if !c.Hidden {
			v = append(v, i)
		}
	}
	return v
}

func resultColumns(cols []plan.Column) []pgwire.ResultColumn {
	out := make([]pgwire.ResultColumn, len(cols))
	for i, c := range cols {
		out[i] = pgwire.ResultColumn{Name: c.Name, Type: c.Type, Table: c.Table, Attr: c.Attr}
	}
	return out
}

func sameShape(a, b []pgwire.ResultColumn) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Type != b[i].Type {
			return false
		}
	}
	return true
}

// readOptions reads WITH (snapshot = …, auto_offset_reset = …) of a continuous query, and WITH
// ('spill.to.disk' = …).
func (st *selectStatement) readOptions() error {
	p, o := st.p, subscribe.Options{Earliest: st.s.settings.get("auto_offset_reset") == "earliest"}
	for _, opt := range st.q.Options {
		v, err := checkBool(opt.Value)
		switch {
		case opt.Name == "snapshot" && err == nil:
			o.Earliest, o.NoSnapshot = v == "on", v == "off"
		case opt.Name == "auto_offset_reset" && (opt.Value == "earliest" || opt.Value == "latest"):
			o.Earliest = opt.Value == "earliest"
		case opt.Name == "spill.to.disk" && err == nil && v == "off" && st.continuous:
			return pgerror.Unsupported("option %q cannot be off for a query that does not end", opt.Name).
				WithHint("Its state is in tables on disk.").At(p.Position(opt.Pos()))
		case opt.Name == "spill.to.disk" && err == nil:
			st.inMemory = v == "off"
		case opt.Name == "snapshot" || opt.Name == "auto_offset_reset" || opt.Name == "spill.to.disk":
			return pgerror.New(pgerror.InvalidParameterValue, "invalid value for option %q: %q", opt.Name, opt.Value).At(p.Position(opt.Pos()))
		default:
			return pgerror.New(pgerror.UndefinedObject, "unrecognized option %q of a query", opt.Name).
				WithHint("The options are snapshot, auto_offset_reset and spill.to.disk.").At(p.Position(opt.Pos()))
		}
	}
	st.opts = o
	return nil
}

func (st *selectStatement) Params() []types.OID            { return st.params }
func (st *selectStatement) Columns() []pgwire.ResultColumn { return st.columns }

// Query implements pgwire.Statement.
func (st *selectStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	if st.basis != st.s.basis(st.s.reading()) {
		if err := st.plan(); err != nil {
			return nil, err
		}
	}
	if err := st.guard.permit(st.s); err != nil {
		return nil, err
	}
	if st.point != nil && !isMeasured(ctx) {
		if rows, err := st.point.open(ctx, args); rows != nil || err != nil {
			return rows, err
		}
	}
	p := st.physical
	if len(args) > 0 {
		var err error
		if p, err = p.BindParams(args); err != nil {
			return nil, err
		}
	}
	if st.continuous {
		if err := st.s.committed(st.inputs); err != nil {
			return nil, err
		}
		rows, err := subscribe.Run(ctx, st.s.e.Jobs, p, st.visible, st.opts)
		return st.guard.guarded(st.s, rows, err)
	}
	return st.run(ctx, p, args)
}

// buildContext is what the operators of a bounded query are built with. query.Rows.Close
// frees its disk space.
func (s *Session) buildContext(env *expr.Env, name string) operator.BuildContext {
	c := operator.BuildContext{Shards: 1, Env: env, Name: name, MemoryBudget: s.settings.queryMemory(), Memory: s.e.Memory}
	if s.e.Temp != nil {
		c.Disk = s.e.Temp.NewDisk(s.settings.tempFileLimit())
	}
	return c
}

// committed demands that relations that a continuous query reads are not those of
// the open transaction: their jobs do not run yet.
func (s *Session) committed(inputs []uint32) error {
	d := s.defs()
	if d == nil {
		return nil
	}
	for _, id := range inputs {
		if r := d.snap.ByID(id); r != nil && d.base.ByID(id) == nil {
			return pgerror.New(pgerror.ActiveTransaction, "a continuous query cannot read %q inside the transaction block that made it", r.Name).
				WithHint("COMMIT first.")
		}
	}
	return nil
}

// run starts the bounded plan p on a consistent view of its inputs.
func (st *selectStatement) run(ctx context.Context, p *plan.Physical, args []types.Datum) (pgwire.Rows, error) {
	s, visible := st.s, st.visible
	rd, err := s.reader(ctx, st.inputs)
	if err != nil {
		return nil, err
	}
	if rd.snap.Version != st.basis.version { // defined anew since it was planned
		if err := rd.close(nil); err != nil {
			return nil, err
		}
		return st.Query(ctx, args)
	}
	env := s.env()
	env.Catalog = &lateCatalog{s: s, ctx: ctx, snap: rd.snap}
	rd.env = env
	bc := s.buildContext(env, "the query")
	if st.inMemory {
		bc.Disk = nil
	}
	rows, err := query.Run(p, rd.scan, bc, measured(ctx, p))
	if err != nil {
		return nil, rd.close(err)
	}
	return &queryRows{rows: rows, reader: rd, visible: visible, tag: "SELECT "}, nil
}

// queryRows is a running bounded query.
type queryRows struct {
	rows    *query.Rows
	reader  *reader
	visible []int
	tag     string
	out     column.Batch
}

// Next implements pgwire.Rows.
func (r *queryRows) Next(ctx context.Context) (*column.Batch, error) {
	b, err := r.rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	return project(&r.out, b, r.visible), nil
}

// project gives the columns of b that the client sees, in out.
func project(out, b *column.Batch, visible []int) *column.Batch {
	cols := out.Cols[:0]
	for _, j := range visible {
		cols = append(cols, b.Cols[j])
	}
	*out = column.Batch{Cols: cols, N: b.N, Sel: b.Sel}
	return out
}

func (r *queryRows) Tag() string { return r.tag }

// Close implements pgwire.Rows.
func (r *queryRows) Close() error {
	return r.reader.close(r.rows.Close())
}

// value returns a parameter's value as SHOW gives it.
func (st *settings) value(name string) (string, bool) {
	key := lower(name)
	v, ok := st.values[key]
	switch key {
	case "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout":
		if ms, err := strconv.Atoi(v); err == nil && ms > 0 {
			return durationText(ms), ok
		}
	}
	return v, ok
}

// durationText prints milliseconds in the largest unit that divides them, as
// PostgreSQL does.
func durationText(ms int) string {
	for _, u := range []struct {
		ms   int
		name string
	}{{86_400_000, "d"}, {3_600_000, "h"}, {60_000, "min"}, {1000, "s"}} {
		if ms%u.ms == 0 {
			return strconv.Itoa(ms/u.ms) + u.name
		}
	}
	return strconv.Itoa(ms) + "ms"
}

// kindOf says what a relation is, in messages.
func kindOf(r *catalog.Relation) string { return string(r.Kind) }
