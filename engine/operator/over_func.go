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
	n := len(p.rows)
	switch c.plan.Name {
	case "row_number":
		for i := range n {
			dst.Append(types.IntDatum(int64(i + 1)))
		}
	case "rank":
		for i := range n {
			dst.Append(types.IntDatum(int64(p.peerStart[i] + 1)))
		}
	case "dense_rank":
		for i := range n {
			dst.Append(types.IntDatum(int64(p.group[i] + 1)))
		}
	case "percent_rank":
		for i := range n {
			v := 0.0
			if n > 1 {
				v = float64(p.peerStart[i]) / float64(n-1)
			}
			dst.Append(types.FloatDatum(v))
		}
	case "cume_dist":
		for i := range n {
			dst.Append(types.FloatDatum(float64(p.peerEnd[i]) / float64(n)))
		}
	case "ntile":
		return c.ntile(p, dst)
	case "lag", "lead":
		c.shifted(p, dst)
	case "first_value", "last_value", "nth_value":
		return c.nth(p, dst)
	default:
		return pgerror.New(pgerror.InternalError, "window function %q has no implementation", c.plan.Name)
	}
	return nil
}

func (c *overCall) ntile(p *overPart, dst *column.Column) error {
	n := int64(len(p.rows))
	arg, first := c.args[0].col, int(p.rows[0])
	if arg.Null(first) {
		for range p.rows {
			dst.AppendNull()
		}
		return nil
	}
	k := arg.Ints[first]
	if k <= 0 {
		return pgerror.New("22014", "argument of ntile must be greater than zero")
	}
	small, more := n/k, n%k // the first "more" buckets have one row more
	for i := range n {
		if i < more*(small+1) {
			dst.Append(types.IntDatum(i/(small+1) + 1))
			continue
		}
		dst.Append(types.IntDatum(more + (i-more*(small+1))/max(small, 1) + 1))
	}
	return nil
}

// shifted is lag and lead: value [, offset [, default]].
func (c *overCall) shifted(p *overPart, dst *column.Column) {
	value := c.args[0].col
	for i, row := range p.rows {
		by := int64(1)
		if len(c.args) > 1 {
			if c.args[1].col.Null(int(row)) {
				dst.AppendNull()
				continue
			}
			by = c.args[1].col.Ints[row]
		}
		if c.plan.Name == "lag" {
			by = -by
		}
		at := int64(i) + by
		switch {
		case at >= 0 && at < int64(len(p.rows)):
			dst.AppendFrom(value, int(p.rows[at]))
		case len(c.args) > 2:
			dst.AppendFrom(c.args[2].col, int(row))
		default:
			dst.AppendNull()
		}
	}
}

// nth is first_value, last_value and nth_value of the frame.
func (c *overCall) nth(p *overPart, dst *column.Column) error {
	value := c.args[0].col
	for i, row := range p.rows {
		at, want := -1, int64(1)
		if c.plan.Name == "nth_value" {
			if c.args[1].col.Null(int(row)) {
				dst.AppendNull()
				continue
			}
			if want = c.args[1].col.Ints[row]; want <= 0 {
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
			continue
		}
		dst.AppendFrom(value, int(p.rows[at]))
	}
	return nil
}
