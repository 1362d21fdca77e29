package operator

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

func zeroDatum() types.Datum { return types.Datum{} }

// run appends the call's result for every position of p.
func (c *overCall) run(p *overPart, dst *column.Column) error {
	if c.agg != nil {
		return c.aggregate(p, dst)
	}
	n := p.len()
	switch c.plan.Name {
	case "row_number":
		return p.each(dst, func(i int) types.Datum { return types.IntDatum(int64(i + 1)) })
	case "rank":
		return p.each(dst, func(i int) types.Datum {
			start, _, _ := p.peers(i)
			return types.IntDatum(int64(start + 1))
		})
	case "dense_rank":
		return p.each(dst, func(i int) types.Datum {
			_, _, group := p.peers(i)
			return types.IntDatum(int64(group + 1))
		})
	case "percent_rank":
		return p.each(dst, func(i int) types.Datum {
			if n == 1 {
				return types.FloatDatum(0)
			}
			start, _, _ := p.peers(i)
			return types.FloatDatum(float64(start) / float64(n-1))
		})
	case "cume_dist":
		return p.each(dst, func(i int) types.Datum {
			_, end, _ := p.peers(i)
			return types.FloatDatum(float64(end) / float64(n))
		})
	case "ntile":
		return c.ntile(p, dst)
	case "lag", "lead":
		return c.shifted(p, dst)
	case "first_value", "last_value", "nth_value":
		return c.nth(p, dst)
	}
	return pgerror.New(pgerror.InternalError, "window function %q has no implementation", c.plan.Name)
}

// each appends the result of f for every position.
func (p *overPart) each(dst *column.Column, f func(i int) types.Datum) error {
	for i := range p.len() {
		dst.Append(f(i))
		if err := p.put(dst); err != nil {
			return err
		}
	}
	return nil
}

func (c *overCall) ntile(p *overPart, dst *column.Column) error {
	n := int64(p.len())
	arg, first := p.value(&c.args[0], 0)
	if arg.Null(first) {
		return p.each(dst, func(int) types.Datum { return types.NullDatum })
	}
	k := arg.Ints[first]
	if k <= 0 {
		return pgerror.New("22014", "argument of ntile must be greater than zero")
	}
	small, more := n/k, n%k // the first "more" buckets have one row more
	return p.each(dst, func(at int) types.Datum {
		i := int64(at)
		if i < more*(small+1) {
			return types.IntDatum(i/(small+1) + 1)
		}
		return types.IntDatum(more + (i-more*(small+1))/max(small, 1) + 1)
	})
}

// shifted is lag and lead: value [, offset [, default]].
func (c *overCall) shifted(p *overPart, dst *column.Column) error {
	for i := range p.len() {
		at, known := int64(i), true
		by := int64(1)
		if len(c.args) > 1 {
			offset, row := p.value(&c.args[1], i)
			if known = !offset.Null(row); known {
				by = offset.Ints[row]
			}
		}
		if c.plan.Name == "lag" {
			by = -by
		}
		at += by
		switch {
		case !known:
			dst.AppendNull()
		case at >= 0 && at < int64(p.len()):
			value, row := p.value(&c.args[0], int(at))
			dst.AppendFrom(value, row)
		case len(c.args) > 2:
			value, row := p.value(&c.args[2], i)
			dst.AppendFrom(value, row)
		default:
			dst.AppendNull()
		}
		if err := p.put(dst); err != nil {
			return err
		}
	}
	return nil
}

// nth is first_value, last_value and nth_value of the frame.
func (c *overCall) nth(p *overPart, dst *column.Column) error {
	for i := range p.len() {
		at, want := -1, int64(1)
		if c.plan.Name == "nth_value" {
			nth, row := p.value(&c.args[1], i)
			if nth.Null(row) {
				dst.AppendNull()
				if err := p.put(dst); err != nil {
					return err
				}
				continue
			}
			if want = nth.Ints[row]; want <= 0 {
				return pgerror.New("22016", "argument of nth_value must be greater than zero")
			}
		}
		last := c.plan.Name == "last_value"
		c.spans(p, i, func(lo, hi int) {
			switch {
			case last && hi > lo:
				at = hi - 1
			case !last && at < 0 && want <= int64(hi-lo):
				at = lo + int(want) - 1
			case !last && at < 0:
				want -= int64(hi - lo)
			}
		})
		if at < 0 {
			dst.AppendNull()
		} else {
			value, row := p.value(&c.args[0], at)
			dst.AppendFrom(value, row)
		}
		if err := p.put(dst); err != nil {
			return err
		}
	}
	return nil
}
