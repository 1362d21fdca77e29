package session

import (
	"context"
	"iter"

	"velostream/catalog"
	"velostream/engine/job"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
	"velostream/storage/table"
)

// scanRows is the size of the batches that stored rows are read in.
const scanRows = 1024

// reader reads relations for one bounded statement: native rows through the
// session's transaction, views through a consistent view of their jobs,
// connector streams up to their present end.
type reader struct {
	s    *Session
	ctx  context.Context
	snap *catalog.Snapshot
	tx   *table.Tx
	view *job.View // nil: no job is involved
	// env is that of the operators: what a scan is narrowed by must be what their
	// conditions say, now() for one. Set before the first scan.
	env *expr.Env
}

// readTries bounds how often a statement's inputs are opened again because
// definitions changed meanwhile.
const readTries = 100

// reader opens what the statement's inputs need: definitions and rows of one
// moment.
func (s *Session) reader(ctx context.Context, inputs []uint32) (*reader, error) {
	for try := 0; ; try++ {
		r, err := s.open(ctx, inputs)
		if err != nil || r.agrees() || try == readTries {
			return r, err
		}
		if err := r.close(nil); err != nil {
			return nil, err
		}
		s.e.Catalog.Settle()
	}
}

// agrees reports that rows were opened with the definitions of the snapshot.
func (r *reader) agrees() bool {
	if r.tx == nil {
		return true
	}
	base := r.s.baseVersion()
	return r.tx.Catalog() == base && r.snap.Version == r.s.reading().Version &&
		(r.view == nil || table.CatalogOf(r.view.Tables) == base)
}

func (s *Session) open(ctx context.Context, inputs []uint32) (*reader, error) {
	r := &reader{s: s, ctx: ctx, snap: s.reading()}
	var jobs []uint32
	native := false
	for _, id := range inputs {
		rel := r.snap.ByID(id)
		switch {
		case id < catalog.FirstID: // computed from the snapshot
		case rel == nil:
			return nil, pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", id)
		case len(rel.Plan) > 0:
			jobs = append(jobs, id)
		case rel.Native():
			native = true
		}
	}
	if len(jobs) > 0 {
		var err error
		if s.settings.get("read_consistency") == "relaxed" {
			r.view, err = s.e.Jobs.ReadRelaxed(jobs)
		} else {
			r.view, err = s.e.Jobs.Read(ctx, jobs)
		}
		if err != nil {
			return nil, err
		}
	}
	if native {
		// A snapshot of its own: the statement goes on reading it while the
		// transaction moves on, as a cursor does.
		r.tx = s.e.Tables.Begin()
		if s.tx != nil {
			r.tx.Over(s.tx.tx)
			if s.frozen {
				r.tx.Freeze()
			}
		}
		if r.view != nil {
			r.tx.ReadAt(r.view.Tables) // rows and views of one moment
		}
	}
	return r, nil
}

// close frees what the reader holds and returns err, or its own error.
func (r *reader) close(err error) error {
	if r.tx != nil {
		if e := r.tx.Rollback(); err == nil {
			err = e
		}
		r.tx = nil
	}
	if r.view != nil {
		if e := r.view.Close(); err == nil {
			err = e
		}
		r.view = nil
	}
	return err
}

// scan implements query.Scan.
func (r *reader) scan(p *plan.Physical) iter.Seq2[*column.Batch, error] {
	if p.Relation < catalog.FirstID {
		return r.s.catalogs(r.ctx, r.s.catalog()).Scan(p.Relation, p.Columns)
	}
	rel := r.snap.ByID(p.Relation)
	switch {
	case rel == nil:
		return failed(pgerror.New(pgerror.UndefinedTable, "relation %q does not exist", p.Name))
	case rel.Sourced():
		return r.s.e.Jobs.ScanConnector(r.ctx, rel, p.Columns)
	case len(p.Lookup) > 0:
		return r.lookup(rel, p)
	case p.Access != nil:
		return r.access(rel, p)
	case rel.Native():
		return decode(rel, p.Columns, r.tx.Scan(rel.ID))
	case r.s.e.Jobs.KeepsRows(rel.ID):
		src, lo, hi := r.view.Rows(rel.ID)
		return decode(rel, p.Columns, src.Scan(lo, hi))
	}
	return r.s.e.Jobs.ScanLog(r.view, rel, p.Columns)
}

func failed(err error) iter.Seq2[*column.Batch, error] {
	return func(yield func(*column.Batch, error) bool) { yield(nil, err) }
}

// decode turns encoded rows into batches of the wanted columns.
func decode(rel *catalog.Relation, wanted []int, rows iter.Seq2[state.Entry, error]) iter.Seq2[*column.Batch, error] {
	return func(yield func(*column.Batch, error) bool) {
		d := rowenc.NewDecoder(rel.Types(), wanted)
		for e, err := range rows {
			if err == nil {
				err = d.Append(e.Value)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if d.Len() == scanRows {
				if !yield(d.Batch(), nil) {
					return
				}
				d.Reset()
			}
		}
		if d.Len() > 0 {
			yield(d.Batch(), nil)
		}
	}
}

// lookup reads the one row whose key is given.
func (r *reader) lookup(rel *catalog.Relation, p *plan.Physical) iter.Seq2[*column.Batch, error] {
	key := rel.Key
	x := &catalog.Index{}
	if p.Index != 0 {
		if x = rel.Index(p.Index); x == nil {
			return failed(pgerror.New(pgerror.UndefinedObject, "index %q does not exist", p.IndexName))
		}
		key = x.Columns
	}
	keys := make([]*column.Column, len(key))
	for i, k := range key {
		d, err := expr.EvalConst(p.Lookup[i], r.env)
		if err != nil {
			return failed(err)
		}
		if d.Null {
			return func(func(*column.Batch, error) bool) {}
		}
		keys[i] = column.Constant(rel.KeyType(x, k), d)
	}
	if p.Index != 0 {
		return decode(rel, p.Columns, r.tx.Lookup(rel.ID, p.Index, keys, 0))
	}
	row, err := r.get(rel, keys)
	if err != nil {
		return failed(err)
	}
	return decode(rel, p.Columns, func(yield func(state.Entry, error) bool) {
		if row != nil {
			yield(state.Entry{Value: row}, nil)
		}
	})
}

func (r *reader) get(rel *catalog.Relation, keys []*column.Column) ([]byte, error) {
	if rel.Native() {
		return r.tx.Get(rel.ID, keys, 0)
	}
	all := make([]int, len(keys))
	for i := range all {
		all[i] = i
	}
	key := rowenc.AppendKey(nil, keys, all, 0)
	src, _, _ := r.view.Rows(rel.ID)
	for shard := range r.view.Shards(rel.ID) {
		row, err := src.Get(job.ShardKey(rel.ID, shard, key))
		if row != nil || err != nil {
			return row, err
		}
	}
	return nil, nil
}
