package operator

import (
	"maps"
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// Late rows of an aggregate, where they are not dropped:
//
//   - LateNext: a row whose window has closed is taken for one of the first window that is open.
//   - LateUpdate: a window is over at its end (plus the lateness), and closed Retention later.
//     With EMIT FINAL its groups leave when it is over; what comes until it is closed leaves as a
//     change of its row. Both happen at barriers.

// laterBy is t + d, at most the end of time; the beginning of time stays.
func laterBy(t, d int64) int64 {
	switch {
	case t == math.MinInt64:
		return t
	case t > math.MaxInt64-d:
		return math.MaxInt64
	}
	return t + d
}

// countLate counts the rows whose window is over but not closed.
func (a *aggregate) countLate(in *column.Batch, rows []int32) {
	c := in.Cols[a.p.Keys[a.end]]
	over := laterBy(a.frontier, a.retain)
	for _, i := range rows {
		if end := c.Ints[c.At(int(i))]; end <= over && end > a.frontier && in.Op(int(i)) == column.Insert {
			a.late++
		}
	}
}

// show emits the groups of windows that were not over at the last barrier and are now. Those
// that changed in this epoch have been emitted.
func (a *aggregate) show(before int64, out dataflow.Output) error {
	if a.shown <= before {
		return nil
	}
	var gs []int32
	ends := slices.DeleteFunc(slices.Collect(maps.Keys(a.windows)), func(e int64) bool { return e <= before || e > a.shown })
	slices.Sort(ends)
	for _, end := range ends {
		for _, g := range a.windows[end] {
			if a.flags[g]&flagLive == 0 || a.keys.cols[a.end].ints[g] != end || a.flags[g]&flagEmitted != 0 || a.rows[g] <= 0 {
				continue
			}
			a.old[g] = -1
			gs = append(gs, g)
		}
	}
	for part := range slices.Chunk(gs, settleGroups) {
		if err := a.changes(part, nil, out); err != nil {
			return err
		}
	}
	if a.whole {
		return nil
	}
	return a.outside(a.rangeKey(before), a.rangeKey(a.shown), func(g int32) error {
		a.old[g] = -1
		a.scratch.live = append(a.scratch.live[:0], g)
		return a.changes(a.scratch.live, nil, out)
	})
}

// rangeKey is where in table 0 the windows begin that end after t.
func (a *aggregate) rangeKey(t int64) []byte {
	switch t {
	case math.MinInt64:
		return []byte{spaceGroups}
	case math.MaxInt64:
		return []byte{spaceGroups + 1}
	}
	tmp := column.New(a.keys.cols[a.end].typ, 1)
	tmp.Ints = append(tmp.Ints, t+1)
	return rowenc.AppendKeyColumn([]byte{spaceGroups}, tmp, 0, rowenc.Order{})
}

// moveLate puts late rows into the first open window and counts them.
func (a *aggregate) moveLate(in *column.Batch) *column.Batch {
	end := a.p.Keys[a.end]
	c := in.Cols[end]
	late := false
	for i := range in.Each {
		if late = c.Ints[c.At(i)] <= a.frontier; late {
			break
		}
	}
	if !late {
		return in
	}
	start := a.p.Keys[a.p.WindowStart]
	first := floorTo(a.frontier, unixEpoch+a.p.Window.Offset, a.p.Window.Size)
	moved := *in
	moved.Cols = slices.Clone(in.Cols)
	for _, j := range []int{start, end} {
		var flat *column.Column
		from := flatten(in.Cols[j], in.N, &flat)
		to := column.New(from.Type, in.N)
		to.Ints = append(to.Ints, from.Ints[:in.N]...)
		moved.Cols[j] = to
	}
	for i := range in.Each {
		if c.Ints[c.At(i)] <= a.frontier {
			a.late++
			moved.Cols[start].Ints[i], moved.Cols[end].Ints[i] = first, first+a.p.Window.Size
		}
	}
	return &moved
}
