package session

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"velostream/catalog"
	"velostream/engine/query"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/storage/column"
)

// changingCTE is the first statement of q's WITH that changes rows, nil: there is none.
func changingCTE(q *ast.Query) *ast.CTE {
	if q == nil || q.With == nil {
		return nil
	}
	for i := range q.With.CTEs {
		if _, ok := q.With.CTEs[i].Stmt.(*ast.Query); !ok {
			return &q.With.CTEs[i]
		}
	}
	return nil
}

// statementRun is one execution of a statement that changes rows: its main part, and
// those of its WITH. Each runs to its end before the next: the main part first, then the
// others from the last one back, as PostgreSQL does it, but each after those whose rows it
// reads. All see the tables as they were before the statement, and what others change
// only through RETURNING.
type statementRun struct {
	s     *Session
	t     *transaction
	rd    *reader
	env   *expr.Env
	all   []*change
	parts map[int]*change
	rows  map[int]*column.Batch // of the parts that have run
}

// write runs a change and writes its rows.
func (s *Session) write(ctx context.Context, t *transaction, c *change) (pgwire.Rows, error) {
	rd, err := s.reader(ctx, c.inputs)
	if err != nil {
		return nil, err
	}
	if len(c.frozen) > 0 && rd.tx != nil {
		rd.tx.FreezeRelations(c.frozen)
	}
	rd.env = s.env()
	r := &statementRun{s: s, t: t, rd: rd, env: rd.env, all: c.all(), parts: map[int]*change{}, rows: map[int]*column.Batch{}}
	for _, w := range c.with {
		r.parts[w.id] = w
	}
	n, out, err := r.run(ctx, c)
	for _, w := range slices.Backward(c.with) {
		if err == nil && w.Target != nil {
			err = r.part(ctx, w.id)
		}
	}
	if err := rd.close(err); err != nil {
		return nil, err
	}
	tag := c.tag + itoa(n)
	if c.out == nil {
		return noRows(tag), nil
	}
	return &batchRows{batch: out, tag: tag}, nil
}

// targets are the relations that c changes, each once.
func (c *change) targets() []*catalog.Relation {
	var out []*catalog.Relation
	for _, x := range c.all() {
		same := func(r *catalog.Relation) bool { return r.ID == x.Target.ID }
		if x.Target != nil && !slices.ContainsFunc(out, same) {
			out = append(out, x.Target)
		}
	}
	return out
}

// all are the main part and those of WITH.
func (c *change) all() []*change { return append([]*change{c}, c.with...) }

// touched are the relations that c reads or changes.
func (c *change) touched() []uint32 {
	var out []uint32
	for _, r := range c.targets() {
		out = append(out, r.ID)
	}
	return append(out, c.Inputs...)
}

// readAgain are the relations that c may read when it has begun to change them: those
// that are not the first thing it reads.
func (c *change) readAgain() []uint32 {
	scans := 0
	read := map[uint32]bool{}
	var walk func(p *plan.Physical)
	seen := map[*plan.Physical]bool{}
	walk = func(p *plan.Physical) {
		if p.Shared != 0 && seen[p] {
			return
		}
		seen[p] = true
		if p.Op == plan.OpScan {
			scans++
			read[p.Relation] = true
		}
		for _, in := range p.Inputs {
			walk(in)
		}
	}
	for _, x := range c.all() {
		walk(x.physical)
		for _, p := range []*plan.Physical{x.returning, x.values} {
			if p != nil {
				scans++ // comes after the first
				walk(p)
			}
		}
	}
	if scans < 2 && len(c.with) == 0 {
		return nil
	}
	var out []uint32
	for _, r := range c.targets() {
		if read[r.ID] {
			out = append(out, r.ID)
		}
	}
	return out
}

// run runs a part, after those whose rows it reads, and returns how many rows it
// changed and those it gives.
func (r *statementRun) run(ctx context.Context, c *change) (int, *column.Batch, error) {
	if err := r.readParts(ctx, c); err != nil {
		return 0, nil, err
	}
	run := &changeRun{change: c, tx: r.t.tx, env: r.env, seen: map[string]bool{}, ctx: ctx, statement: r}
	defer run.close()
	if r.changedBefore(c) {
		run.others = r.t.tx.Written(r.t.mark)
	}
	if err := run.limits(); err != nil {
		return 0, nil, err
	}
	memory := r.s.settings.queryMemory()
	ret, err := newReturning(c, r.env, memory)
	if err != nil {
		return 0, nil, err
	}
	rows, err := query.Run(c.physical, r.scan, r.s.buildContext(r.env, "the statement"), measured(ctx, c.physical))
	if err != nil {
		return 0, nil, err
	}
	count, err := run.drain(ctx, rows, ret)
	if err = errors.Join(err, rows.Close()); err != nil || ret == nil {
		return count, nil, err
	}
	out := ret.b.Batch()
	if c.returning != nil {
		if out, err = r.compute(ctx, c.returning, c.Returning.Query.ID, out); err == nil {
			out = &column.Batch{Cols: out.Cols[:len(c.out)], N: out.N}
		}
	}
	return count, out, err
}

// readParts runs the parts whose rows c reads.
func (r *statementRun) readParts(ctx context.Context, c *change) error {
	if len(r.parts) == 0 {
		return nil
	}
	for _, p := range []*plan.Physical{c.physical, c.returning, c.values} {
		if p == nil {
			continue
		}
		for _, id := range workTables(p, nil, map[*plan.Physical]bool{}) {
			if err := r.part(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// compute runs the query of given rows, those of the work table id, and returns all of
// its rows.
func (r *statementRun) compute(ctx context.Context, p *plan.Physical, id int, given *column.Batch) (*column.Batch, error) {
	r.rows[id] = given
	rows, err := query.Run(p, r.scan, r.s.buildContext(r.env, "the statement"), nil)
	if err != nil {
		return nil, err
	}
	all := &returning{b: column.NewBuilder(p.Out.Types(), given.N), max: r.s.settings.queryMemory()}
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all.b.Batch(), rows.Close()
		}
		if err == nil {
			err = all.add(b)
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
	}
}

// drain applies all rows of the plan.
func (c *changeRun) drain(ctx context.Context, rows *query.Rows, ret *returning) (int, error) {
	count := 0
	for !c.full() {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		var n int
		var result *column.Batch
		if err == nil {
			n, result, err = c.apply(c, b)
		}
		if err == nil {
			count += n
			err = ret.add(result)
		}
		if err != nil {
			return count, err
		}
	}
	n, err := c.end()
	return count + n, err
}

// part runs a part of WITH unless it has run.
func (r *statementRun) part(ctx context.Context, id int) error {
	c := r.parts[id]
	if _, done := r.rows[id]; done || c == nil {
		return nil
	}
	_, out, err := r.run(ctx, c)
	r.rows[id] = out
	return err
}

// changedBefore reports that another part of the statement changes c's target, and may
// have done so.
func (r *statementRun) changedBefore(c *change) bool {
	if c.Target == nil {
		return false
	}
	for _, w := range r.all {
		if w != c && w.Target != nil && w.Target.ID == c.Target.ID {
			return true
		}
	}
	return false
}

// workTables are the numbers of the work tables in p that are not of a recursion in it.
func workTables(p *plan.Physical, own []int, seen map[*plan.Physical]bool) []int {
	if p.Shared != 0 && seen[p] {
		return nil
	}
	seen[p] = true
	if p.Op == plan.OpRecursive {
		own = append(slices.Clone(own), p.Recursion)
	}
	if p.Op == plan.OpWorkTable && !slices.Contains(own, p.Recursion) {
		return []int{p.Recursion}
	}
	var out []int
	for _, in := range p.Inputs {
		out = append(out, workTables(in, own, seen)...)
	}
	return out
}

// scan implements query.Scan.
func (r *statementRun) scan(p *plan.Physical) iter.Seq2[*column.Batch, error] {
	if p.Op != plan.OpWorkTable {
		return r.rd.scan(p)
	}
	return func(yield func(*column.Batch, error) bool) {
		if b := r.rows[p.Recursion]; b != nil && b.N > 0 {
			yield(b, nil)
		}
	}
}

// showRows gives the rows of a query.
func showRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	out := *b
	out.Cols = b.Cols[:len(c.out)]
	return b.Rows(), &out, nil
}
