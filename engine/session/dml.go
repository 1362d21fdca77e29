package session

import (
	"context"
	"errors"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/table"
)

// conflictTries bounds how often a statement that stands alone is run again
// because others changed its rows first.
const conflictTries = 100

// changeStatement is an INSERT, UPDATE, DELETE or MERGE, or a query that changes rows
// in its WITH: it is planned anew when its basis has changed since.
type changeStatement struct {
	s       *Session
	stmt    ast.Statement
	p       ast.Parsed
	params  []types.OID
	columns []pgwire.ResultColumn
	basis   basis
	change  *change
	guard   guard
	// keyed: a query that locks rows also gives their keys, for a cursor.
	keyed bool
	// current says which row WHERE CURRENT OF means, while the statement runs.
	current func(cursor string, rel *catalog.Relation) ([]types.Datum, error)
}

// change is a planned INSERT, UPDATE, DELETE, MERGE or query.
type change struct {
	binder.Change
	tag      string // INSERT 0, UPDATE, DELETE, MERGE, SELECT
	physical *plan.Physical
	conflict *binder.Conflict
	merge    *binder.Merge
	rows     *rowLocks // of a query that locks its rows
	// apply writes the rows of one batch of the plan, and returns how many
	// there were and the rows for RETURNING.
	apply func(c *changeRun, b *column.Batch) (int, *column.Batch, error)
	// out describes the rows it gives, nil: none.
	out plan.Schema
	// returning and values are the queries of RETURNING and DO UPDATE, nil: none.
	returning, values *plan.Physical

	id   int       // of the work tables that show its rows, of a part of WITH
	with []*change // the parts

	// inputs and frozen are those of the whole statement: the relations that it reads or
	// changes, and those of them that stay for its reads as they were before it.
	inputs, frozen []uint32
}

// changeRun is one execution of a change.
type changeRun struct {
	*change
	tx   *table.Tx
	env  *expr.Env
	seen map[string]bool // rows that were changed already, where the plan may repeat them
	set  []*expr.Evaluator
	when *expr.Evaluator
	// computed are the computed columns of a row that is made here, see recompute.
	computed []*expr.Evaluator
	// others are the rows that other parts of the statement have changed, nil: none.
	others *table.Written

	ctx       context.Context
	statement *statementRun
	updates   *computedUpdates // of the batch at hand
	// skip and left count down the rows of OFFSET and LIMIT of a query that locks them.
	skip, left int64

	merging *merging
	load    *table.Loader // of a plain INSERT, nil before its first rows
}

// end finishes the load, if there is one, and returns how many rows it added.
func (c *changeRun) end() (int, error) {
	if c.load == nil {
		return 0, nil
	}
	return c.load.Finish()
}

func (c *changeRun) close() {
	if c.load != nil {
		_ = c.load.Close() // what it leaves goes when the store is opened
	}
}

func (s *Session) prepareChange(p ast.Parsed, n ast.Statement, params []types.OID) (pgwire.Statement, error) {
	st := &changeStatement{s: s, stmt: n, p: p, params: params}
	return st, st.plan()
}

func (st *changeStatement) plan() error {
	o := st.s.bindOptions(st.p, st.params)
	o.Current = st.current
	b, err := binder.BindStatement(o, st.stmt)
	if err != nil {
		return err
	}
	c, err := st.s.planChange(b)
	if err != nil {
		return err
	}
	if st.keyed && c.rows != nil {
		c.out = c.Plan.Schema()
	}
	for _, part := range c.With {
		w, err := st.s.planChange(part.Statement)
		if err != nil {
			return err
		}
		w.id = part.ID
		c.with = append(c.with, w)
	}
	c.inputs, c.frozen = c.touched(), c.readAgain()
	var columns []pgwire.ResultColumn
	if c.out != nil {
		columns = resultColumns(c.out)
	}
	if st.change != nil && !sameShape(st.columns, columns) {
		return pgerror.Unsupported("cached plan must not change result type")
	}
	st.change, st.columns, st.params, st.basis = c, columns, c.Params, st.s.basis(o.Snapshot)
	st.guard.set(c.Access, c.Functions)
	return nil
}

// planChange chooses the operators of a bound statement.
func (s *Session) planChange(b binder.Statement) (*change, error) {
	var c *change
	switch b := b.(type) {
	case *binder.Insert:
		c = &change{Change: b.Change, tag: "INSERT 0 ", conflict: b.Conflict, apply: insertRows}
	case *binder.Update:
		c = &change{Change: b.Change, tag: "UPDATE ", apply: updateRows}
	case *binder.Delete:
		c = &change{Change: b.Change, tag: "DELETE ", apply: deleteRows}
	case *binder.Merge:
		c = &change{Change: b.Change, tag: "MERGE ", merge: b, apply: mergeRows}
	case *binder.Rows:
		c = &change{Change: b.Change, tag: "SELECT ", out: b.Out, apply: showRows}
		if len(b.Locks) > 0 {
			c.apply, c.rows = lockRows, &rowLocks{b.Locks, b.Count, b.Offset}
		}
	default:
		return nil, pgerror.New(pgerror.InternalError, "unknown statement")
	}
	if c.Returning != nil {
		c.out = c.Returning.Out
	}
	var err error
	if c.physical, _, err = s.lower(c.Plan, optimizer.LowerOptions{}); err != nil {
		return nil, err
	}
	if c.Returning != nil && c.Returning.Query != nil {
		if c.returning, _, err = s.lower(c.Returning.Query.Plan, optimizer.LowerOptions{}); err != nil {
			return nil, err
		}
	}
	if c.conflict != nil && c.conflict.Query != nil {
		c.values, _, err = s.lower(c.conflict.Query.Plan, optimizer.LowerOptions{})
	}
	return c, err
}

func (st *changeStatement) Params() []types.OID            { return st.params }
func (st *changeStatement) Columns() []pgwire.ResultColumn { return st.columns }

// Query implements pgwire.Statement. A statement that is a transaction of its
// own is committed here, and run again when others were faster.
func (st *changeStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	alone := st.s.final && (st.s.tx == nil || (st.s.tx.implicit && !st.s.tx.tx.Dirty() && st.s.tx.defs == nil))
	for try := 0; ; try++ {
		rows, err := st.try(ctx, args)
		if err == nil && alone {
			t := st.s.tx
			st.s.tx = nil
			err = st.s.commit(ctx, t)
		}
		if err == nil {
			return rows, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return nil, err
		}
		// READ COMMITTED: the statement sees the row that another has changed
		// meanwhile. The rows it has locked so far stay locked, so it gets on.
		if try >= conflictTries || ctx.Err() != nil {
			return nil, serialization(err)
		}
	}
}

// try runs the statement once, as it is planned for the present catalog.
func (st *changeStatement) try(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	if atCurrent(st.stmt) {
		st.current = func(cursor string, rel *catalog.Relation) ([]types.Datum, error) {
			return st.s.currentRow(ctx, cursor, rel)
		}
		defer func() { st.current = nil }()
	}
	if st.current != nil || st.basis != st.s.basis(st.s.reading()) {
		if err := st.plan(); err != nil {
			return nil, err
		}
	}
	if err := st.guard.permit(st.s); err != nil {
		return nil, err
	}
	c := st.change
	if len(args) > 0 {
		var err error
		if c, err = c.bindParams(args); err != nil {
			return nil, err
		}
	}
	return st.s.change(ctx, c, st.basis)
}

// serialization is PostgreSQL's error about changes that cannot be put in order.
func serialization(cause error) error {
	return pgerror.New(pgerror.SerializationFailure, "could not serialize access due to concurrent update").
		WithHint("Run the transaction again.").WithCause(cause)
}

// change runs c, which was planned on a basis, in the session's transaction. What a failed statement wrote is undone.
func (s *Session) change(ctx context.Context, c *change, on basis) (pgwire.Rows, error) {
	t, err := s.begin()
	if err != nil {
		return nil, err
	}
	if t.readOnly && (c.rows != nil || lasting(c.targets()...)) {
		return nil, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute %s in a read-only transaction", c.command())
	}
	if !s.upToDate(t, on) {
		return nil, table.ErrConflict
	}
	t.tx.Waiting(ctx, s.settings.lockTimeout())
	rows, err := s.write(ctx, t, c)
	if err == nil {
		err = t.tx.EndStatement()
	}
	if err != nil {
		t.tx.RollbackTo(t.mark)
		for _, r := range c.targets() {
			err = s.withoutRow(err, r)
		}
		return nil, err
	}
	return rows, nil
}

// upToDate reports that what was planned on a basis fits what t reads.
func (s *Session) upToDate(t *transaction, on basis) bool {
	if s.basis(s.reading()) == on && t.tx.Catalog() == s.baseVersion() {
		return true
	}
	s.e.Catalog.Settle() // a definition is on its way
	return false
}

// baseVersion is the version of the catalog that all see, as this session does.
func (s *Session) baseVersion() uint64 {
	if d := s.defs(); d != nil {
		return d.base.Version
	}
	return s.e.Catalog.Snapshot().Version
}

// command is what c is called in the error of a read-only transaction.
func (c *change) command() string {
	if c.rows != nil {
		return "SELECT FOR " + c.rows.locks[0].Strength
	}
	return firstWord(c.tag)
}

func firstWord(tag string) string {
	for i := range len(tag) {
		if tag[i] == ' ' {
			return tag[:i]
		}
	}
	return tag
}

// loadRowsMin is from how many rows in a batch on a statement is taken to insert
// many.
const loadRowsMin = 256

// insertRows adds the rows of b.
func insertRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	if c.conflict != nil {
		return c.insertOrUpdate(b)
	}
	if c.load == nil && (b.Rows() < loadRowsMin || c.others != nil) {
		n, err := c.tx.Insert(c.Target.ID, b, false)
		return n, b, err
	}
	if c.load == nil {
		var err error
		if c.load, err = c.tx.Load(c.Target.ID); err != nil {
			return 0, nil, err
		}
	}
	return 0, b, c.load.Add(b, nil)
}

// updateRows replaces old rows, the first half of b's columns, by new ones.
func updateRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	n := len(c.Target.Columns)
	old := &column.Batch{Cols: b.Cols[:n], N: b.N, Sel: c.firstTime(b)}
	next := &column.Batch{Cols: b.Cols[n : 2*n], N: b.N, Sel: old.Sel}
	count, err := c.tx.Update(c.Target.ID, old, next)
	return count, &column.Batch{Cols: b.Cols[n:], N: b.N, Sel: old.Sel}, err
}

// deleteRows removes the rows of b.
func deleteRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	old := &column.Batch{Cols: b.Cols[:len(c.Target.Columns)], N: b.N, Sel: c.firstTime(b)}
	count, err := c.tx.Delete(c.Target.ID, old)
	return count, &column.Batch{Cols: b.Cols, N: b.N, Sel: old.Sel}, err
}

// firstTime selects the rows of b whose key comes for the first time: with
// FROM or USING a row may match several times, and of the parts of a statement that
// change a row the first does.
func (c *changeRun) firstTime(b *column.Batch) []int32 {
	if !c.Repeats && c.others == nil {
		return b.Sel
	}
	sel := make([]int32, 0, b.Rows())
	var key []byte
	for i := range b.Each {
		key = rowenc.AppendKey(key[:0], b.Cols, c.Target.Key, i)
		if !c.seen[string(key)] && !c.others.Has(c.Target.ID, b.Cols, i) {
			c.seen[string(key)] = true
			sel = append(sel, int32(i))
		}
	}
	return sel
}
