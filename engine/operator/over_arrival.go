package operator

import (
	"slices"

	"velostream/engine/dataflow"
	"velostream/storage/column"
)

// emitOnce emits the new rows of a partition in the order in which they came, each with
// the results over the rows that came before it.
//
// Most rows come in the order of the window: then the rows before a new one in the order
// are those before it in time, and one pass over the partition gives all results. Rows
// out of order are computed each over what was there when they came.
func (o *overKept) emitOnce(list []keptRow, batch *column.Batch, out dataflow.Output) error {
	var fresh []int
	for i, r := range list {
		if r.old < 0 && r.now >= 0 {
			fresh = append(fresh, i)
		}
	}
	slices.SortFunc(fresh, func(x, y int) int { return list[x].arrival - list[y].arrival })
	if o.inOrder(list, fresh) {
		rows := make([]int32, 0, len(list))
		for _, r := range list {
			rows = append(rows, r.now)
		}
		if err := o.eval.partition(rows, o.results); err != nil {
			return err
		}
		for _, i := range fresh {
			if err := o.settle(list[i], batch, int(list[i].now), out); err != nil {
				return err
			}
		}
		return nil
	}
	var present []int32
	for _, r := range list {
		if r.old >= 0 {
			present = append(present, r.now)
		}
	}
	for _, i := range fresh {
		now := list[i].now
		at, _ := slices.BinarySearch(present, now) // rows are numbered in the order
		present = slices.Insert(present, at, now)
		for _, c := range o.results {
			c.Reset()
		}
		if err := o.eval.partition(present[:at+1], o.results); err != nil {
			return err
		}
		if err := o.settle(list[i], batch, at, out); err != nil {
			return err
		}
	}
	return nil
}

// inOrder reports that the new rows came in the order of the window, behind all others,
// and no two rows are peers where that matters.
func (o *overKept) inOrder(list []keptRow, fresh []int) bool {
	if len(list) == 0 {
		return true
	}
	first := len(list) - len(fresh)
	for k, i := range fresh {
		if i != first+k {
			return false
		}
		if i > 0 && o.eval.compare(list[i-1].now, list[i].now) == 0 {
			return false
		}
	}
	return true
}
