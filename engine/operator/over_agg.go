package operator

import (
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// overAggregate is an aggregate as a window function, made of the accumulator that
// GROUP BY uses, with one group:
//
//   - a frame that only grows takes each row in once;
//   - a frame that moves takes rows in and out again where the accumulator can forget
//     (counts, sums, averages, variances; min and max by an ordered set), in
//     O(log frame) a row;
//   - all else (lists, whose order is that of the frame) is computed anew for each frame.
type overAggregate struct {
	acc    accumulator
	set    *multiset
	slides bool
	grows  bool
	u      update
	rows   []int32
	gids   []int32
	minus  []int8
}

// oneGroup is the keys of a single group.
type oneGroup struct{}

func (oneGroup) groupKey(int32) []byte { return nil }

// forgetful are the aggregates whose accumulators take values out again exactly.
var forgetful = map[string]bool{
	"count": true, "sum": true, "avg": true, "min": true, "max": true, "bool_and": true, "bool_or": true,
	"stddev_samp": true, "stddev_pop": true, "var_samp": true, "var_pop": true, "bit_xor": true, "regr_count": true,
}

// newOverAggregate makes it for a call with args arguments, order columns included.
func newOverAggregate(p *plan.OverCall, args int, ctx BuildContext) (*overAggregate, error) {
	a := &overAggregate{grows: p.Frame.Start.Kind == plan.UnboundedPreceding && p.Frame.Exclude == plan.ExcludeNone}
	a.slides = !a.grows && forgetful[aggName(p.Name)]
	a.set = newMultiset(ctx.label("OVER"), nil, ctx.budget())
	call := &plan.AggCall{Name: p.Name, Args: p.Args, T: p.T}
	c := aggContext{appends: !a.slides, set: a.set, keys: oneGroup{}, env: ctx.Env}
	_, c.orders = orderColumns(call)
	acc, err := newAccumulator(call, c)
	if err != nil {
		return nil, err
	}
	a.acc = acc
	a.acc.grow(1)
	a.u = update{args: make([]*column.Column, args), keys: oneGroup{}}
	return a, nil
}

// clear empties the group.
func (a *overAggregate) clear() {
	a.acc.reset(0)
	a.set.m.Clear()
	a.set.bytes = 0
}

// add takes the rows at positions [lo, hi) in, or out when sign is -1.
func (a *overAggregate) add(c *overCall, p *overPart, lo, hi int, sign int8) error {
	if lo >= hi {
		return nil
	}
	if p.big != nil {
		return a.addBig(c, p.big, lo, hi, sign)
	}
	var filter *column.Column
	if c.filter != nil {
		filter = c.filter.col
	}
	return a.addRows(p.rows[lo:hi], filter, sign)
}

// addBig is add of a partition on disk, block by block.
func (a *overAggregate) addBig(c *overCall, p *overBig, lo, hi int, sign int8) error {
	for lo < hi && p.err == nil {
		b, row := p.at(lo)
		n := min(hi-lo, b.N-row)
		for k := range c.args {
			a.u.args[k] = b.Cols[c.args[k].at]
		}
		var filter *column.Column
		if c.filter != nil {
			filter = b.Cols[c.filter.at]
		}
		p.all = growSelect(p.all, b)
		if err := a.addRows(p.all[row:row+n], filter, sign); err != nil {
			return err
		}
		lo += n
	}
	if p.err != nil {
		return p.err
	}
	return a.set.limit()
}

// addRows is add of rows of the arguments.
func (a *overAggregate) addRows(rows []int32, filter *column.Column, sign int8) error {
	if filter != nil {
		a.rows = a.rows[:0]
		for _, r := range rows {
			if !filter.Null(int(r)) && filter.Bools[r] {
				a.rows = append(a.rows, r)
			}
		}
		if rows = a.rows; len(rows) == 0 {
			return nil
		}
	}
	for len(a.gids) < len(rows) {
		a.gids = append(a.gids, 0)
		a.minus = append(a.minus, -1)
	}
	a.u.rows, a.u.gids, a.u.signs = rows, a.gids[:len(rows)], nil
	if sign < 0 {
		a.u.signs = a.minus[:len(rows)]
	}
	return a.acc.update(&a.u)
}

func (c *overCall) aggregate(p *overPart, dst *column.Column) error {
	a := c.agg
	if p.big == nil {
		for k := range c.args {
			a.u.args[k] = c.args[k].col
		}
	}
	a.clear()
	defer a.clear()
	if !a.grows && !a.slides {
		return c.aggregateAnew(p, dst)
	}
	from, to := 0, 0
	for i := range p.len() {
		if err := p.put(dst); err != nil {
			return err
		}
		lo, hi := c.frame(p, i)
		same := i > 0 && lo == from && hi == to && c.plan.Frame.Exclude == plan.ExcludeNone
		if same && dst.Len() > 0 {
			dst.AppendFrom(dst, dst.Len()-1)
			continue
		}
		if lo >= to { // nothing in common
			a.clear()
			from, to = lo, lo
		}
		if err := a.add(c, p, to, hi, 1); err != nil {
			return err
		}
		if err := a.add(c, p, from, lo, -1); err != nil {
			return err
		}
		from, to = lo, max(to, hi)
		if err := c.resultWithout(p, i, dst); err != nil {
			return err
		}
	}
	return nil
}

// resultWithout appends the result for position i, whose frame is taken in: what it
// excludes is taken out meanwhile.
func (c *overCall) resultWithout(p *overPart, i int, dst *column.Column) error {
	a := c.agg
	if c.plan.Frame.Exclude == plan.ExcludeNone {
		return a.acc.result(0, dst)
	}
	lo, hi := c.frame(p, i)
	xlo, xhi, keep := c.excluded(p, i)
	xlo, xhi = min(max(xlo, lo), hi), min(max(xhi, lo), hi)
	toggle := func(sign int8) error {
		if keep < xlo || keep >= xhi {
			return a.add(c, p, xlo, xhi, sign)
		}
		if err := a.add(c, p, xlo, keep, sign); err != nil {
			return err
		}
		return a.add(c, p, keep+1, xhi, sign)
	}
	if err := toggle(-1); err != nil {
		return err
	}
	if err := a.acc.result(0, dst); err != nil {
		return err
	}
	return toggle(1)
}

func (c *overCall) aggregateAnew(p *overPart, dst *column.Column) error {
	a := c.agg
	for i := range p.len() {
		if err := p.put(dst); err != nil {
			return err
		}
		a.clear()
		var err error
		c.spans(p, i, func(lo, hi int) {
			if err == nil {
				err = a.add(c, p, lo, hi, 1)
			}
		})
		if err != nil {
			return err
		}
		if err := a.acc.result(0, dst); err != nil {
			return err
		}
	}
	return nil
}
