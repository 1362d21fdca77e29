package job

import (
	"context"
	"iter"
	"sync/atomic"

	"velostream/catalog"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/state"
	"velostream/storage/table"
)

// content is what a new job's inputs held at one moment, and where their logs
// go on from there.
type content struct {
	view   *View
	tables *table.DB
	refs   atomic.Int32 // sources that still read it, and the coordinator
}

// inputContent fixes the present content of everything the job reads.
func (c *coordinator) inputContent(ctx context.Context) (*content, error) {
	if len(c.logs) == 0 {
		return nil, nil
	}
	var ids []uint32
	for id := range c.inputs {
		ids = append(ids, id)
	}
	v, err := c.m.Read(ctx, ids)
	if err != nil {
		return nil, err
	}
	x := &content{view: v, tables: c.m.o.Tables}
	x.refs.Store(1)
	for id := range c.logs {
		c.at.Cuts[id] = v.position(id)
		if id != 0 {
			c.durableIn.Store(id, v.position(id))
		}
	}
	c.durableCut.Store(c.at.Cuts[0])
	return x, nil
}

func (v *View) position(id uint32) uint64 {
	if id == 0 {
		return v.Seq
	}
	return v.jobs[id].seq
}

func (x *content) release() {
	if x != nil && x.refs.Add(-1) == 0 {
		_ = x.view.Close()
	}
}

// rows yields the encoded rows of relation id, and frees the view at the end.
func (x *content) rows(id uint32, native bool) iter.Seq2[state.Entry, error] {
	x.refs.Add(1)
	return func(yield func(state.Entry, error) bool) {
		defer x.release()
		rows := x.tables.Rows(x.view.Tables, id)
		if !native {
			r, lo, hi := x.view.Rows(id)
			rows = r.Scan(lo, hi)
		}
		for e, err := range rows {
			if !yield(e, err) {
				return
			}
		}
	}
}

// sourceOpener opens the sources of the plan's scans.
func (c *coordinator) sourceOpener(ctx context.Context, x *content) func(*plan.Physical, int, int, func()) (dataflow.Source, error) {
	snap := c.m.o.Catalog.Snapshot()
	return func(scan *plan.Physical, index, shard int, wake func()) (dataflow.Source, error) {
		rel := snap.ByID(scan.Relation)
		if rel == nil {
			return nil, pgerror.New(pgerror.UndefinedTable, "relation %q was dropped", scan.Name)
		}
		if h := c.history(); h != nil && h.Relation == rel.ID {
			if shard != 0 {
				return nil, nil
			}
			s, err := c.openHistory(scan, index, x)
			if err != nil {
				return nil, err
			}
			return s, nil
		}
		if rel.Sourced() || rel.ID == c.id {
			return c.openConnector(ctx, rel, scan, index, shard, wake)
		}
		if shard != 0 {
			return nil, nil // one task reads a log; the exchange spreads its rows
		}
		s := &logSource{rel: rel.ID, types: rel.Types(), columns: scan.Columns, eventTime: -1, seen: dataflow.NoWatermark, mark: dataflow.NoWatermark, gates: c.gatesFor(index)}
		s.netted = x == nil && c.transient == nil && !rel.AppendOnly
		if rel.Kind == catalog.Stream {
			s.eventTime, s.delay, s.byCommit = rel.EventTime, rel.WatermarkDelay, c.timedScans() == 1
		}
		s.restore(c.at.Positions[index][shard])
		if !rel.Native() {
			s.id = rel.ID
		}
		s.reader = c.logs[s.id].NewReader(c.at.Cuts[s.id], []uint32{rel.ID}, c.poke)
		s.reader.InParts()
		if t := c.transient; t != nil && (t.NoSnapshot && !c.lookedUp(index) || (rel.Kind == catalog.Stream && !t.Earliest)) {
			c.logIn = append(c.logIn, s)
			return s, nil // only what comes
		}
		if x != nil && (rel.Native() || c.inputs[rel.ID].keepsRows()) {
			s.startContent(x.rows(rel.ID, rel.Native()))
			c.filling(index, s)
		} else if x != nil {
			// A derived stream's content is what its log still has.
			s.reader.Close()
			s.reader = c.logs[s.id].NewReader(0, []uint32{rel.ID}, c.poke)
			s.reader.InParts()
		}
		c.logIn = append(c.logIn, s)
		return s, nil
	}
}
