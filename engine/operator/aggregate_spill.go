package operator

import (
	"bytes"
	"slices"

	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/spool"
	"velostream/storage/state"
)

// An aggregate of bounded input whose groups pass the budget makes no more of them: rows of the
// groups it has are taken in as before, all others go to partitions on disk. At the barrier the groups in
// memory are emitted and forgotten, and each partition is aggregated by itself, in the same way.
// The first batch always finds room, so each level deals with some groups.

// divert sends the rows at scratch.spilled, whose groups are not in memory, to disk, and returns
// the others, with their groups in scratch.gids.
func (a *aggregate) divert(in *column.Batch, rows []int32) ([]int32, error) {
	s := &a.scratch
	s.kept, s.rest, s.restHashes = s.kept[:0], s.rest[:0], s.restHashes[:0]
	next := 0
	for k, i := range rows {
		if next < len(s.spilled) && int(s.spilled[next]) == k {
			next++
			s.rest, s.restHashes = append(s.rest, i), append(s.restHashes, s.hashes[k])
			continue
		}
		s.gids[len(s.kept)] = s.gids[k]
		s.kept = append(s.kept, i)
	}
	s.gids, s.spilled = s.gids[:len(s.kept)], s.spilled[:0]
	return s.kept, a.parts.add(in, s.rest, s.restHashes)
}

// overflow is bound without a table.
func (a *aggregate) overflow() error {
	n := a.memory()
	switch {
	case a.parts != nil:
		return nil
	case a.single || !a.ctx.spills(n):
		return a.ctx.limit(a.label, n)
	}
	a.parts = newPartitions(a.ctx, a.p.Inputs[0].Types(), a.level)
	return nil
}

// byKey sorts groups by their key, so that the values that are on disk are read in order.
func (a *aggregate) byKey(gs []int32) {
	type keyed struct {
		key []byte
		g   int32
	}
	list := make([]keyed, len(gs))
	for k, g := range gs {
		list[k] = keyed{bytes.Clone(a.groupKey(g)), g}
	}
	slices.SortFunc(list, func(x, y keyed) int { return bytes.Compare(x.key, y.key) })
	for k := range list {
		gs[k] = list[k].g
	}
}

// finish aggregates what is on disk, after the groups in memory have been emitted.
func (a *aggregate) finish(e state.Epoch, out dataflow.Output) error {
	if err := a.set.close(); err != nil {
		return err
	}
	parts := a.parts
	if parts == nil {
		return nil
	}
	if err := parts.end(); err != nil {
		return err
	}
	// What is in memory is done with.
	a.keys, a.set, a.accs, a.calls, a.rows, a.flags, a.old = nil, nil, nil, nil, nil, nil, nil
	a.olds, a.news, a.touched, a.dirty, a.windows, a.scratch = nil, nil, nil, nil, nil, aggScratch{}
	for _, l := range parts.lists {
		if l == nil {
			continue
		}
		op, err := newAggregate(a.p, a.ctx)
		if err != nil {
			return err
		}
		op.(*aggregate).level = a.level + 1
		if err := replay(l, op, 0, out); err != nil {
			return err
		}
		if err := op.Watermark(dataflow.EndOfTime, out); err != nil {
			return err
		}
		if err := op.Barrier(e, out); err != nil {
			return err
		}
	}
	return parts.close()
}

// replay gives the rows of l to a port of op.
func replay(l *spool.List, op dataflow.Operator, port int, out dataflow.Output) error {
	for b, err := range l.All() {
		if err != nil {
			return err
		}
		if err := op.Process(port, b, out); err != nil {
			return err
		}
	}
	return nil
}
