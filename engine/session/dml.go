package session

import (
	"context"
	"errors"
	"io"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/query"
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

// changeStatement is an INSERT, UPDATE or DELETE: it is planned anew when its basis
// has changed since.
type changeStatement struct {
	s       *Session
	bind    func(o binder.Options) (*change, error)
	p       ast.Parsed
	params  []types.OID
	columns []pgwire.ResultColumn
	basis   basis
	change  *change
	guard   guard
}

// change is a planned INSERT, UPDATE or DELETE.
type change struct {
	binder.Change
	tag      string // INSERT 0, UPDATE, DELETE
	physical *plan.Physical
	conflict *binder.Conflict
	merge    *binder.Merge
	// apply writes the rows of one batch of the plan, and returns how many
	// there were and the rows for RETURNING.
	apply func(c *changeRun, b *column.Batch) (int, *column.Batch, error)
}

// changeRun is one execution of a change.
type changeRun struct {
	*change
	tx   *table.Tx
	env  *expr.Env
	seen map[string]bool // rows that were changed already, where the plan may repeat them
	set  []*expr.Evaluator
	when *expr.Evaluator

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

func (s *Session) prepareInsert(p ast.Parsed, n *ast.Insert, params []types.OID) (pgwire.Statement, error) {
	return s.prepareChange(p, params, func(o binder.Options) (*change, error) {
		b, err := binder.BindInsert(o, n)
		if err != nil {
			return nil, err
		}
		return &change{Change: b.Change, tag: "INSERT 0 ", conflict: b.Conflict, apply: insertRows}, nil
	})
}

func (s *Session) prepareUpdate(p ast.Parsed, n *ast.Update, params []types.OID) (pgwire.Statement, error) {
	return s.prepareChange(p, params, func(o binder.Options) (*change, error) {
		b, err := binder.BindUpdate(o, n)
		if err != nil {
			return nil, err
		}
		if b.Target.Kind == catalog.Stream {
			return nil, appendOnly(p, b.Target, n.Table, "UPDATE")
		}
		return &change{Change: b.Change, tag: "UPDATE ", apply: updateRows}, nil
	})
}

func (s *Session) prepareDelete(p ast.Parsed, n *ast.Delete, params []types.OID) (pgwire.Statement, error) {
	return s.prepareChange(p, params, func(o binder.Options) (*change, error) {
		b, err := binder.BindDelete(o, n)
		if err != nil {
			return nil, err
		}
		if b.Target.Kind == catalog.Stream {
			return nil, appendOnly(p, b.Target, n.Table, "DELETE")
		}
		return &change{Change: b.Change, tag: "DELETE ", apply: deleteRows}, nil
	})
}

func appendOnly(p ast.Parsed, r *catalog.Relation, t *ast.TableName, verb string) error {
	return pgerror.New(pgerror.WrongObjectType, "cannot %s %q: a stream is append-only", verb, r.Name).
		WithHint("Rows that change belong into a table.").At(p.Position(t.Name.Pos()))
}

func (s *Session) prepareChange(p ast.Parsed, params []types.OID, bind func(binder.Options) (*change, error)) (pgwire.Statement, error) {
	st := &changeStatement{s: s, bind: bind, p: p, params: params}
	return st, st.plan()
}

func (st *changeStatement) plan() error {
	o := st.s.bindOptions(st.p, st.params)
	c, err := st.bind(o)
	if err != nil {
		return err
	}
	if c.physical, _, err = st.s.lower(c.Plan, optimizer.LowerOptions{}); err != nil {
		return err
	}
	var columns []pgwire.ResultColumn
	if c.Returning != nil {
		columns = resultColumns(c.Returning.Out)
	}
	if st.change != nil && !sameShape(st.columns, columns) {
		return pgerror.Unsupported("cached plan must not change result type")
	}
	st.change, st.columns, st.params, st.basis = c, columns, c.Params, st.s.basis(o.Snapshot)
	st.guard.set(c.Access, c.Functions)
	return nil
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
	if st.basis != st.s.basis(st.s.reading()) {
		if err := st.plan(); err != nil {
			return nil, err
		}
	}
	if err := st.guard.permit(st.s); err != nil {
		return nil, err
	}
	c, p := st.change, st.change.physical
	if len(args) > 0 {
		var err error
		if p, err = p.BindParams(args); err != nil {
			return nil, err
		}
		if c.Returning != nil || c.conflict != nil || c.merge != nil {
			if c, err = c.bindParams(args); err != nil {
				return nil, err
			}
		}
	}
	return st.s.change(ctx, c, p, st.basis)
}

// serialization is PostgreSQL's error about changes that cannot be put in order.
func serialization(cause error) error {
	return pgerror.New(pgerror.SerializationFailure, "could not serialize access due to concurrent update").
		WithHint("Run the transaction again.").WithCause(cause)
}

// change runs c, which was planned on a basis, in the session's transaction. What a failed statement wrote is undone.
func (s *Session) change(ctx context.Context, c *change, p *plan.Physical, on basis) (pgwire.Rows, error) {
	t, err := s.begin()
	if err != nil {
		return nil, err
	}
	if t.readOnly {
		return nil, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute %s in a read-only transaction", firstWord(c.tag))
	}
	if !s.upToDate(t, on) {
		return nil, table.ErrConflict
	}
	t.tx.Waiting(ctx, s.settings.lockTimeout())
	rows, err := s.write(ctx, t.tx, c, p)
	if err == nil {
		err = t.tx.EndStatement()
	}
	if err != nil {
		t.tx.RollbackTo(t.mark)
		return nil, s.withoutRow(err, c.Target)
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

func firstWord(tag string) string {
	for i := range len(tag) {
		if tag[i] == ' ' {
			return tag[:i]
		}
	}
	return tag
}

// write runs the plan and writes its rows.
func (s *Session) write(ctx context.Context, tx *table.Tx, c *change, p *plan.Physical) (pgwire.Rows, error) {
	rd, err := s.reader(ctx, append([]uint32{c.Target.ID}, c.Inputs...))
	if err != nil {
		return nil, err
	}
	env := s.env()
	rows, err := query.Run(p, rd.scan, s.buildContext(env, "the statement"))
	if err != nil {
		return nil, rd.close(err)
	}
	run := &changeRun{change: c, tx: tx, env: env, seen: map[string]bool{}}
	defer run.close()
	ret, err := newReturning(c.Returning, env)
	if err != nil {
		return nil, rd.close(errors.Join(err, rows.Close()))
	}
	count := 0
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		var n int
		var result *column.Batch
		if err == nil {
			n, result, err = c.apply(run, b)
		}
		if err == nil {
			count += n
			err = ret.add(result)
		}
		if err != nil {
			_ = rows.Close()
			return nil, rd.close(err)
		}
	}
	n, err := run.end()
	if e := rows.Close(); err == nil {
		err = e
	}
	if err := rd.close(err); err != nil {
		return nil, err
	}
	count += n
	tag := c.tag + itoa(count)
	if ret == nil {
		return noRows(tag), nil
	}
	return &batchRows{batch: ret.b.Batch(), tag: tag}, nil
}

// loadRowsMin is from how many rows in a batch on a statement is taken to insert
// many.
const loadRowsMin = 256

// insertRows adds the rows of b.
func insertRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	if c.conflict != nil {
		return c.insertOrUpdate(b)
	}
	if c.load == nil && b.Rows() < loadRowsMin {
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
// FROM or USING a row may match several times.
func (c *changeRun) firstTime(b *column.Batch) []int32 {
	if len(c.Inputs) == 0 && !c.Repeats {
		return b.Sel
	}
	sel := make([]int32, 0, b.Rows())
	var key []byte
	for i := range b.Each {
		key = rowenc.AppendKey(key[:0], b.Cols, c.Target.Key, i)
		if !c.seen[string(key)] {
			c.seen[string(key)] = true
			sel = append(sel, int32(i))
		}
	}
	return sel
}
