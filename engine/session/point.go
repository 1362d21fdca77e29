package session

import (
	"context"
	"io"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// pointRead is a SELECT that is a lookup by primary key and nothing else. It
// reads its row without operators, and keeps its memory from run to run: that
// is most of what such a statement costs.
type pointRead struct {
	st   *selectStatement
	rel  *catalog.Relation
	from []expr.Expr      // the key's values: *expr.Const or *expr.Param
	cols []*column.Column // the key, one row
	all  []int
	key  []byte

	d    *rowenc.Decoder
	rows pointRows
	busy bool // rows is in use
}

// newPointRead returns nil where the plan is more than that.
func newPointRead(st *selectStatement, p *plan.Physical, snap *catalog.Snapshot) *pointRead {
	if p.Op != plan.OpScan || len(p.Lookup) == 0 || p.Index != 0 || st.continuous {
		return nil
	}
	rel := snap.ByID(p.Relation)
	if rel == nil || rel.Sourced() || len(rel.Key) != len(p.Lookup) {
		return nil
	}
	r := &pointRead{st: st, rel: rel, from: p.Lookup}
	for i, e := range p.Lookup {
		switch e.(type) {
		case *expr.Const, *expr.Param:
		default:
			return nil
		}
		r.cols = append(r.cols, column.New(rel.Columns[rel.Key[i]].Type, 1))
		r.all = append(r.all, i)
	}
	r.d = rowenc.NewDecoder(rel.Types(), p.Columns)
	return r
}

// open reads the row. It returns nil rows where the statement has to go the
// long way: an open transaction has changed the relation, or an earlier result
// is still being read.
func (r *pointRead) open(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	s := r.st.s
	if r.busy || (s.tx != nil && s.tx.tx.Changes(r.rel.ID)) {
		return nil, nil
	}
	null := false
	for i, e := range r.from {
		var d types.Datum
		switch e := e.(type) {
		case *expr.Const:
			d = e.Value
		case *expr.Param:
			d = args[e.Number-1]
		}
		null = null || d.Null
		r.cols[i].Reset()
		r.cols[i].Append(d)
	}
	var row []byte
	var err error
	if !null {
		row, err = r.get(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.d.Reset()
	if row != nil {
		if err := r.d.Append(row); err != nil {
			return nil, err
		}
	}
	r.busy = true
	r.rows = pointRows{r: r, sent: row == nil}
	return &r.rows, nil
}

// get finds the encoded row, nil: there is none.
func (r *pointRead) get(ctx context.Context) ([]byte, error) {
	s := r.st.s
	if r.rel.Native() {
		return s.e.Tables.Get(r.rel.ID, r.cols)
	}
	rd, err := s.reader(ctx, r.st.inputs)
	if err != nil {
		return nil, err
	}
	r.key = rowenc.AppendKey(r.key[:0], r.cols, r.all, 0)
	src, _, _ := rd.view.Rows(r.rel.ID)
	for shard := range rd.view.Shards(r.rel.ID) {
		row, err := src.Get(job.ShardKey(r.rel.ID, shard, r.key))
		if row != nil || err != nil {
			return row, rd.close(err)
		}
	}
	return nil, rd.close(nil)
}

// pointRows are no rows or one.
type pointRows struct {
	r    *pointRead
	sent bool
	out  column.Batch
}

// Next implements pgwire.Rows.
func (p *pointRows) Next(context.Context) (*column.Batch, error) {
	if p.sent {
		return nil, io.EOF
	}
	p.sent = true
	return project(&p.out, p.r.d.Batch(), p.r.st.visible), nil
}

// Ended implements pgwire.Ended.
func (p *pointRows) Ended() bool { return p.sent }

// Tag implements pgwire.Rows.
func (*pointRows) Tag() string { return "SELECT " }

// Close implements pgwire.Rows.
func (p *pointRows) Close() error {
	p.r.busy = false
	return nil
}
