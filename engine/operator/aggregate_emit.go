package operator

import (
	"maps"
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/state"
)

// settleGroups is how many groups are settled at a time: a Delete and an Insert of each
// fill a batch.
const settleGroups = maxBatch / 2

// Watermark closes the windows that w has passed, or leaves that to the barrier.
func (a *aggregate) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	if w == dataflow.EndOfTime {
		// What is below may hold its last rows back until the barrier: close only then.
		a.ended = true
		return nil
	}
	f := int64(w)
	if a.end < 0 || f < math.MinInt64+1+a.lateness {
		return nil
	}
	a.mark = max(a.mark, f-a.lateness)
	if a.deferred || a.mark <= a.frontier {
		return nil
	}
	a.frontier = a.mark
	if !a.final {
		return nil // what changed leaves first, at the barrier; then windows are closed
	}
	if err := a.closeWindows(out); err != nil {
		return err
	}
	return a.out.flush(out)
}

// Barrier emits what changed, closes windows (EMIT CHANGES), and writes state.
func (a *aggregate) Barrier(e state.Epoch, out dataflow.Output) error {
	if a.end >= 0 && a.ended {
		a.mark = math.MaxInt64
	}
	if end := a.deadlines.due(); end > math.MinInt64 {
		a.mark = max(a.mark, end-a.retain)
	}
	shown := a.shown
	if a.retain > 0 {
		a.shown = max(a.shown, laterBy(a.mark, a.retain))
	}
	if a.set.runs != nil {
		a.byKey(a.touched)
	}
	for gs := range slices.Chunk(a.touched, settleGroups) {
		if err := a.settle(gs, out); err != nil {
			return err
		}
	}
	if a.gate {
		if err := a.show(shown, out); err != nil {
			return err
		}
	}
	a.touched = a.touched[:0]
	a.olds.Reset()
	var err error
	if a.end >= 0 {
		a.frontier = max(a.frontier, a.mark)
		err = a.closeWindows(out)
		a.deadlines.closed(laterBy(a.frontier, a.retain))
	} else if a.final && a.ended && a.frontier < math.MaxInt64 {
		a.frontier = math.MaxInt64 // once, also when the end is seen again after a restart
		err = a.emitAll(out)
	}
	a.ended = false
	if err != nil {
		return err
	}
	if err := a.out.flush(out); err != nil {
		return err
	}
	if e.Flush {
		if err := a.flush(); err != nil {
			return err
		}
		if err := a.deadlines.flush(); err != nil {
			return err
		}
	}
	if a.table == nil && (a.parts != nil || a.set.runs != nil) {
		return a.finish(e, out)
	}
	return a.bound()
}

// settle emits the net changes of touched groups and removes those that have no
// rows any more. Rows are made and compared a column at a time, so that the cache misses of
// many groups overlap.
func (a *aggregate) settle(gs []int32, out dataflow.Output) error {
	s := &a.scratch
	s.live, s.gone = s.live[:0], s.gone[:0]
	for _, g := range gs {
		switch {
		case a.flags[g]&flagTouched == 0: // listed twice
			continue
		case a.rows[g] < 0:
			return broken(a.label, "a row is deleted that is not there")
		case a.gate && a.rows[g] > 0 && a.keys.cols[a.end].ints[g] > a.shown: // its window is not over
		case a.rows[g] > 0 || a.single && a.ctx.Shard == 0:
			s.live = append(s.live, g)
		default:
			s.gone = append(s.gone, g)
		}
		a.flags[g] &^= flagTouched
	}
	if !a.final {
		if err := a.changes(s.live, s.gone, out); err != nil {
			return err
		}
	}
	for _, g := range s.gone {
		if a.flags[g]&flagStored != 0 {
			if err := a.table.Delete(a.stateKey(g)); err != nil {
				return err
			}
		}
		a.remove(g)
	}
	return nil
}

// changes emits the difference between the old rows and the new ones: deletes, then
// inserts, of at most settleGroups groups.
func (a *aggregate) changes(live, gone []int32, out dataflow.Output) error {
	s := &a.scratch
	a.news.Reset()
	if err := a.appendRows(a.news, live); err != nil {
		return err
	}
	s.dels, s.adds = s.dels[:0], s.adds[:0]
	for k, g := range live {
		a.flags[g] |= flagEmitted
		old := a.old[g]
		if old >= 0 {
			if a.sameRow(int(old), k) {
				continue
			}
			s.dels = append(s.dels, old)
		}
		s.adds = append(s.adds, int32(k))
	}
	for _, g := range gone {
		if a.old[g] >= 0 {
			s.dels = append(s.dels, a.old[g])
		}
	}
	if len(s.dels) > 0 {
		a.out.b.AppendRows(a.olds.Batch(), s.dels, column.Delete)
	}
	if len(s.adds) > 0 {
		a.out.b.AppendRows(a.news.Batch(), s.adds, column.Insert)
	}
	return a.out.flush(out)
}

// sameRow reports that the aggregates of an old and a new row are the same.
func (a *aggregate) sameRow(old, k int) bool {
	for j := len(a.keys.cols); j < len(a.p.Out); j++ {
		if !column.IdenticalAt(a.olds.Col(j), old, a.news.Col(j), k) {
			return false
		}
	}
	return true
}

// closeWindows ends the windows up to the frontier: emits their groups (EMIT FINAL),
// frees and deletes their state. Windows are found by their end, those in memory by
// the map, those only in the table by its order.
func (a *aggregate) closeWindows(out dataflow.Output) error {
	if a.firstEnd > a.frontier && a.outsideEnd > a.frontier {
		return nil
	}
	// First those outside, while memory still tells which entries of the table are stale.
	if a.final && !a.whole && a.outsideEnd <= a.frontier {
		err := a.outside([]byte{spaceGroups}, a.closedEnd(), func(g int32) error { return a.emitFinal(g, out) })
		if err != nil {
			return err
		}
	}
	ends := slices.DeleteFunc(slices.Collect(maps.Keys(a.windows)), func(e int64) bool { return e > a.frontier })
	slices.Sort(ends)
	stored := !a.whole
	for _, end := range ends {
		for _, g := range a.windows[end] {
			if a.flags[g]&flagLive == 0 || a.keys.cols[a.end].ints[g] != end {
				continue
			}
			stored = stored || a.flags[g]&flagStored != 0
			if a.final {
				if err := a.emitFinal(g, out); err != nil {
					return err
				}
			}
			a.remove(g)
		}
		delete(a.windows, end)
	}
	a.firstEnd = math.MaxInt64
	for end := range a.windows {
		a.firstEnd = min(a.firstEnd, end)
	}
	return a.deleteClosed(stored)
}

// deleteClosed deletes the closed range of both tables.
func (a *aggregate) deleteClosed(stored bool) error {
	hi := a.closedEnd()
	if stored {
		if err := a.table.DeleteRange([]byte{spaceGroups}, hi); err != nil {
			return err
		}
	}
	if a.usesSet() {
		for k := range 2 * len(a.accs) {
			lo, end := []byte{byte(k)}, slices.Clone(hi)
			end[0] = byte(k)
			if len(hi) == 1 { // everything
				end[0]++
			}
			if err := a.set.removeRange(lo, end); err != nil {
				return err
			}
		}
	}
	if a.whole {
		return nil
	}
	return a.peek()
}

// emitFinal emits the one row of a group whose window has closed.
func (a *aggregate) emitFinal(g int32, out dataflow.Output) error {
	if a.rows[g] < 0 {
		return broken(a.label, "a row is deleted that is not there")
	}
	if a.rows[g] == 0 && (!a.single || a.ctx.Shard != 0) {
		return nil
	}
	a.scratch.live = append(a.scratch.live[:0], g)
	if err := a.appendRows(a.out.b, a.scratch.live); err != nil {
		return err
	}
	return a.out.full(out)
}

// emitAll emits every group: the end of bounded input.
func (a *aggregate) emitAll(out dataflow.Output) error {
	for g := range a.flags {
		if a.flags[g]&flagLive == 0 {
			continue
		}
		if err := a.emitFinal(int32(g), out); err != nil {
			return err
		}
	}
	if a.whole {
		return nil
	}
	return a.outside([]byte{spaceGroups}, []byte{spaceGroups + 1}, func(g int32) error { return a.emitFinal(g, out) })
}

// usesSet reports that an aggregate keeps values in the multiset.
func (a *aggregate) usesSet() bool { return a.set.m.Len() > 0 || !a.set.whole }
