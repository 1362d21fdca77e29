package operator

import (
	"maps"
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// timing looks at the operators below an aggregate: deferred when one of them emits
// only at the barrier, so that what a watermark is about may come after it; lateness is how
// far behind the watermark the rows of windows below may be.
func timing(in *plan.Physical) (deferred bool, lateness int64) {
	for _, p := range in.Inputs {
		d, l := timing(p)
		deferred, lateness = deferred || d, max(lateness, l)
	}
	switch {
	case in.Op == plan.OpTopN:
		deferred = true
	case in.Op == plan.OpAggregate:
		deferred = deferred || in.Emit != plan.EmitFinal
		lateness += in.Lateness
	}
	return deferred, lateness
}

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
	for _, g := range a.touched {
		if a.flags[g]&flagTouched == 0 {
			continue
		}
		a.flags[g] &^= flagTouched
		if err := a.settle(g, out); err != nil {
			return err
		}
	}
	a.touched = a.touched[:0]
	a.olds.Reset()
	var err error
	if a.end >= 0 {
		if a.ended {
			a.mark = math.MaxInt64
		}
		a.frontier = max(a.frontier, a.mark)
		err = a.closeWindows(out)
	} else if a.final && a.ended {
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
	}
	return a.bound()
}

// settle emits the net change of a touched group and removes it when it has
// no rows any more.
func (a *aggregate) settle(g int32, out dataflow.Output) error {
	if a.rows[g] < 0 {
		return broken(a.label, "a row is deleted that is not there")
	}
	live := a.rows[g] > 0 || a.single && a.ctx.Shard == 0
	if !a.final {
		if err := a.change(g, live, out); err != nil {
			return err
		}
	}
	if live {
		return nil
	}
	if a.flags[g]&flagStored != 0 {
		if err := a.table.Delete(a.stateKey(g)); err != nil {
			return err
		}
	}
	a.remove(g)
	return nil
}

// change emits the difference between the old row of g and its new one.
func (a *aggregate) change(g int32, live bool, out dataflow.Output) error {
	old := a.old[g]
	switch {
	case old < 0 && !live:
		return nil
	case old < 0:
		a.flags[g] |= flagEmitted
		if err := a.appendRow(a.out.b, g, column.Insert); err != nil {
			return err
		}
		return a.out.full(out)
	case !live:
		a.out.b.AppendRow(a.olds.Batch(), int(old), column.Delete)
		return a.out.full(out)
	}
	news := a.news()
	if err := a.appendRow(news, g, column.Insert); err != nil {
		return err
	}
	same := true
	for j := len(a.keys.cols); j < len(a.p.Out) && same; j++ {
		same = column.IdenticalAt(a.olds.Col(j), int(old), news.Col(j), 0)
	}
	if same {
		return nil
	}
	a.out.b.AppendRow(a.olds.Batch(), int(old), column.Delete)
	a.out.b.AppendRow(news.Batch(), 0, column.Insert)
	return a.out.full(out)
}

// news is an empty builder for one row.
func (a *aggregate) news() *column.Builder {
	if a.one == nil {
		a.one = column.NewBuilder(a.p.Types(), 1)
	}
	a.one.Reset()
	return a.one
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
	if err := a.appendRow(a.out.b, g, column.Insert); err != nil {
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
