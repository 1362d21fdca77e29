package optimizer

import (
	"math"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// timeBounds finds the bounds that the conditions of a join set to the distance of its
// inputs' event times, and the conditions that are left when those hold; nil: this is no
// interval join. Both inputs must be append-only and have a time; of an outer side it
// must be known when a row finds no match any more.
func timeBounds(p *plan.Join, left, right *plan.Physical) (*plan.TimeBounds, []expr.Expr) {
	lt, rt, nl := left.EventTime, right.EventTime, len(p.Left.Schema())
	if lt < 0 || rt < 0 || !left.AppendOnly || !right.AppendOnly || left.Out[lt].Type.OID != right.Out[rt].Type.OID {
		return nil, nil
	}
	f := boundFinder{left: lt, right: nl + rt, zoned: left.Out[lt].Type.OID == types.OIDTimestamptz, lo: math.MinInt64, hi: math.MaxInt64}
	for i, e := range p.EqualLeft {
		f.between("=", e, plan.Shift(p.EqualRight[i], nl))
	}
	var rest []expr.Expr
	for _, c := range plan.Conjuncts(p.Cond) {
		if !f.condition(c) {
			rest = append(rest, c)
		}
	}
	ok := f.lo > math.MinInt64 || f.hi < math.MaxInt64
	switch p.Kind {
	case plan.LeftJoin, plan.AntiJoin:
		ok = f.hi < math.MaxInt64
	case plan.RightJoin:
		ok = f.lo > math.MinInt64
	case plan.FullJoin:
		ok = f.lo > math.MinInt64 && f.hi < math.MaxInt64
	case plan.InnerJoin, plan.CrossJoin, plan.SemiJoin:
	}
	if !ok {
		return nil, nil
	}
	return &plan.TimeBounds{Left: lt, Right: rt, Lo: f.lo, Hi: f.hi}, rest
}

// boundFinder narrows the bounds of the right time less the left one.
type boundFinder struct {
	left, right int  // the times' columns in the concatenated row
	zoned       bool // a day is not always 24 hours
	lo, hi      int64
}

// condition takes in a comparison, and reports that it says nothing that the bounds do
// not: then it needs no look at the rows.
func (f *boundFinder) condition(e expr.Expr) bool {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return false
	}
	if f.difference(c.Name, c.Args[0], c.Args[1]) {
		return true
	}
	if f.difference(expr.Mirrored(c.Name), c.Args[1], c.Args[0]) {
		return true
	}
	return f.between(c.Name, c.Args[0], c.Args[1])
}

// term is one of the times plus something from least to most.
type term struct {
	right       bool
	least, most int64
}

func (f *boundFinder) term(e expr.Expr) (term, bool) {
	switch e := e.(type) {
	case *expr.Col:
		return term{right: e.Index == f.right}, e.Index == f.left || e.Index == f.right
	case *expr.Call:
		if len(e.Args) != 2 || e.Name != "+" && e.Name != "-" {
			break
		}
		base, by := e.Args[0], e.Args[1]
		if _, ok := base.(*expr.Const); ok && e.Name == "+" {
			base, by = by, base
		}
		t, ok := f.term(base)
		if !ok {
			break
		}
		least, most, ok := f.span(by)
		if e.Name == "-" {
			least, most = -most, -least
		}
		t.least, t.most = t.least+least, t.most+most
		return t, ok
	}
	return term{}, false
}

// moderate reports an interval so short that sums of some, in µs, do not overflow.
func moderate(iv types.Interval) bool {
	within := func(v, most int64) bool { return -most <= v && v <= most }
	return within(iv.Micros, 1<<59) && within(int64(iv.Days), 5_000_000) && within(int64(iv.Months), 12_000)
}

// span is from how many µs to how many a constant interval may be, added to any time.
func (f *boundFinder) span(e expr.Expr) (least, most int64, ok bool) {
	c, isConst := e.(*expr.Const)
	if !isConst || c.Value.Null || c.T.OID != types.OIDInterval {
		return 0, 0, false
	}
	iv := c.Value.Iv
	if !moderate(iv) {
		return 0, 0, false
	}
	least, most = iv.Micros+int64(iv.Days)*types.MicrosPerDay, iv.Micros+int64(iv.Days)*types.MicrosPerDay
	if m := int64(iv.Months); m != 0 {
		a, b := 28*m*types.MicrosPerDay, 31*m*types.MicrosPerDay
		least, most = least+min(a, b), most+max(a, b)
	}
	if f.zoned && (iv.Days != 0 || iv.Months != 0) {
		least, most = least-types.MicrosPerDay, most+types.MicrosPerDay
	}
	return least, most, true
}

// between takes in l op r where both are times plus something. An equation narrows, but
// is looked at still: it may be one of the keys.
func (f *boundFinder) between(op string, l, r expr.Expr) bool {
	a, ok1 := f.term(l)
	b, ok2 := f.term(r)
	if !ok1 || !ok2 || a.right == b.right {
		return false
	}
	if !a.right {
		op, a, b = expr.Mirrored(op), b, a
	}
	// right + a op left + b, so right - left op b - a
	return f.narrow(op, b.least-a.most, b.most-a.least)
}

// difference takes in x op d, where x is the difference of the times and d constant.
func (f *boundFinder) difference(op string, x, d expr.Expr) bool {
	c, ok := x.(*expr.Call)
	k, isConst := d.(*expr.Const)
	if !ok || !isConst || c.Name != "-" || len(c.Args) != 2 || k.Value.Null || k.T.OID != types.OIDInterval {
		return false
	}
	l, ok1 := c.Args[0].(*expr.Col)
	r, ok2 := c.Args[1].(*expr.Col)
	iv := k.Value.Iv
	if !ok1 || !ok2 || !moderate(iv) {
		return false
	}
	// Intervals compare by their days of 24 hours and months of 30 days.
	v := iv.Micros + (int64(iv.Days)+30*int64(iv.Months))*types.MicrosPerDay
	switch {
	case l.Index == f.right && r.Index == f.left:
	case l.Index == f.left && r.Index == f.right:
		op, v = expr.Mirrored(op), -v
	default:
		return false
	}
	return f.narrow(op, v, v)
}

// narrow takes in right - left op d, d being from least to most; it reports that the
// bounds say all of it.
func (f *boundFinder) narrow(op string, least, most int64) bool {
	switch op {
	case "<":
		f.hi = min(f.hi, most-1)
	case "<=":
		f.hi = min(f.hi, most)
	case ">":
		f.lo = max(f.lo, least+1)
	case ">=":
		f.lo = max(f.lo, least)
	case "=":
		f.lo, f.hi = max(f.lo, least), min(f.hi, most)
	default:
		return false
	}
	return least == most
}
