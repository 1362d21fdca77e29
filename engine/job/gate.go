package job

import (
	"slices"
	"sync/atomic"

	"velostream/engine/sql/plan"
)

// gate keeps the sources on the left of a temporal join back until those on its right
// have given what they held when the job was made: rows are looked up in whole tables.
type gate struct {
	open  atomic.Bool
	left  []int        // scans that wait
	right []int        // scans waited for
	waits []*logSource // those of right that have content
}

// gatesOf lists the gates of a plan's temporal joins.
func gatesOf(p *plan.Physical) []*gate {
	var out []*gate
	n := 0
	var walk func(p *plan.Physical) []int
	walk = func(p *plan.Physical) []int {
		if p.Op == plan.OpScan {
			n++
			return []int{n - 1}
		}
		var all []int
		var of [][]int
		for _, in := range p.Inputs {
			of = append(of, walk(in))
			all = append(all, of[len(of)-1]...)
		}
		if p.Temporal != nil && (p.Temporal.Arrival || p.Temporal.Changes) {
			out = append(out, &gate{left: of[0], right: of[1]})
		}
		return all
	}
	walk(p)
	return out
}

// gatesFor are those that keep back the source of a scan.
func (c *coordinator) gatesFor(scan int) []*gate {
	var out []*gate
	for _, g := range c.gates {
		if slices.Contains(g.left, scan) {
			out = append(out, g)
		}
	}
	return out
}

// filling notes that the source of a scan begins with content.
func (c *coordinator) filling(scan int, s *logSource) {
	for _, g := range c.gates {
		if slices.Contains(g.right, scan) {
			g.waits = append(g.waits, s)
		}
	}
}

// lookedUp reports that the rows of a scan are looked up: those there are before all.
func (c *coordinator) lookedUp(scan int) bool {
	return slices.ContainsFunc(c.gates, func(g *gate) bool { return slices.Contains(g.right, scan) })
}

// openGates opens those whose sources are through. Between epochs only.
func (c *coordinator) openGates() {
	for _, g := range c.gates {
		if !slices.ContainsFunc(g.waits, (*logSource).backfilling) {
			g.open.Store(true)
		}
	}
}

// closed reports that one of gates is.
func closed(gates []*gate) bool {
	return slices.ContainsFunc(gates, func(g *gate) bool { return !g.open.Load() })
}
