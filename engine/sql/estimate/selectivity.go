package estimate

import (
	"maps"
	"math"
	"slices"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// PostgreSQL's shares of rows where nothing is known (utils/selfuncs.h).
const (
	defaultEqual     = 0.005 // column = value
	defaultRange     = 1.0 / 3
	defaultRangePair = 0.005 // low < column AND column < high
	defaultMatch     = 0.005 // LIKE and its like
	defaultUnknown   = 1.0 / 3
	defaultBool      = 0.5
	defaultNull      = 0.005
	defaultDistinct  = 200
)

// distinct is how many values a column is taken to have.
func distinct(v variable) float64 {
	n := float64(defaultDistinct)
	switch f := v.found; {
	case v.unique && v.rows > 0:
		return max(v.rows, 1)
	case f != nil && f.Distinct > 0:
		n = f.Distinct
	case f != nil && f.Distinct < 0:
		n = -f.Distinct * v.rows
	case v.t.OID == types.OIDBool:
		n = 2
	case v.rows > 0:
		n = min(n, v.rows)
	}
	return max(math.Round(n), 1)
}

func nulls(v variable) float64 {
	if v.found == nil {
		return 0
	}
	return v.found.NullFraction
}

// within keeps a share between 0 and 1.
func within(s float64) float64 {
	if math.IsNaN(s) {
		return defaultUnknown
	}
	return min(max(s, 0), 1)
}

// selectivity is the share of n's rows for which e is true.
func selectivity(n *node, e expr.Expr) float64 {
	switch e := e.(type) {
	case *expr.Const:
		if e.Value.Null || e.Value.I == 0 {
			return 0
		}
		return 1
	case *expr.And:
		return conjunction(n, e.Args)
	case *expr.Or:
		s := 0.0
		for _, a := range e.Args {
			x := selectivity(n, a)
			s = s + x - s*x
		}
		return s
	case *expr.Not:
		return 1 - selectivity(n, e.Arg)
	case *expr.IsNull:
		v := variableOf(n, e.Arg)
		s := defaultNull
		if v.found != nil {
			s = v.found.NullFraction
		}
		if e.Negate {
			return 1 - s
		}
		return s
	case *expr.IsDistinct:
		s := comparison(n, "=", e.L, e.R)
		if e.Negate {
			return s
		}
		return 1 - s
	case *expr.InList:
		v, s := variableOf(n, e.Arg), 0.0
		for i := range e.List {
			s += equal(v, &e.List[i])
		}
		if s = within(s); e.Negate {
			return within(1 - s - nulls(v))
		}
		return s
	case *expr.Col:
		v := variableOf(n, e)
		if v.found == nil {
			return defaultBool
		}
		return equal(v, &expr.Const{Value: types.IntDatum(1), T: types.Bool})
	case *expr.Call:
		return call(n, e)
	}
	return defaultBool
}

// conjunction is the share for which all hold: that of a range where two are its ends.
func conjunction(n *node, list []expr.Expr) float64 {
	s := 1.0
	low, high := map[int]float64{}, map[int]float64{}
	for _, a := range list {
		x := selectivity(n, a)
		c, ok := a.(*expr.Call)
		col, up := -1, false
		if ok {
			col, up = bound(c)
		}
		switch {
		case col < 0:
			s *= x
		case up:
			narrow(high, col, x)
		default:
			narrow(low, col, x)
		}
	}
	for _, col := range slices.Sorted(maps.Keys(low)) { // in one order: products of floats depend on it
		l := low[col]
		h, ok := high[col]
		delete(high, col)
		switch {
		case !ok:
			s *= l
		case l == defaultRange && h == defaultRange:
			s *= defaultRangePair
		default:
			share := l + h + nulls(n.columns[col]) - 1
			if share <= 0 {
				share = 1e-10
			}
			s *= share
		}
	}
	for _, col := range slices.Sorted(maps.Keys(high)) {
		s *= high[col]
	}
	return within(s)
}

// narrow keeps the share of the narrowest of several bounds of a column on one side.
func narrow(bounds map[int]float64, col int, share float64) {
	if was, ok := bounds[col]; !ok || share < was {
		bounds[col] = share
	}
}

// bound is the column that c bounds by a value, above if up; -1: it does not.
func bound(c *expr.Call) (col int, up bool) {
	if len(c.Args) != 2 {
		return -1, false
	}
	at, ok := column(c.Args[0])
	_, other := column(c.Args[1])
	turned := false
	if !ok {
		at, turned = column(c.Args[1])
		_, other = c.Args[0].(*expr.Col)
		ok = turned
	}
	if !ok || other {
		return -1, false
	}
	switch c.Name {
	case "<", "<=":
		return at, !turned
	case ">", ">=":
		return at, turned
	}
	return -1, false
}

func column(e expr.Expr) (int, bool) {
	switch e := e.(type) {
	case *expr.Col:
		return e.Index, true
	case *expr.Cast:
		return column(e.Arg)
	}
	return 0, false
}

func call(n *node, e *expr.Call) float64 {
	switch e.Name {
	case "=", "<>", "<", "<=", ">", ">=":
		if len(e.Args) == 2 {
			return comparison(n, e.Name, e.Args[0], e.Args[1])
		}
	case "~~", "~~*", "~", "~*", "^@", "like", "@>", "<@", "&&", "?":
		return defaultMatch
	case "!~~", "!~~*", "!~", "!~*":
		return 1 - defaultMatch
	}
	return defaultUnknown
}

// comparison is the share of rows for which l op r.
func comparison(n *node, op string, l, r expr.Expr) float64 {
	a, b := variableOf(n, l), variableOf(n, r)
	if _, ok := column(l); !ok {
		if _, ok := column(r); ok {
			op, r, a, b = expr.Mirrored(op), l, b, a
		}
	}
	if _, both := column(r); both {
		s := float64(defaultEqual)
		if n.pairs {
			s = equalPair(a, b)
		}
		switch op {
		case "=":
			return s
		case "<>":
			return 1 - s
		}
		return defaultRange
	}
	switch op {
	case "=":
		return equal(a, r)
	case "<>":
		return within(1 - equal(a, r) - nulls(a))
	case "<", "<=":
		return below(a, r, op == "<=")
	}
	return above(a, r, op == ">=")
}

// equalPair is the share of pairs of rows whose columns are equal.
func equalPair(a, b variable) float64 {
	return within((1 - nulls(a)) * (1 - nulls(b)) / max(distinct(a), distinct(b)))
}

// equal is the share of rows whose column equals e, nil: some value.
func equal(v variable, e expr.Expr) float64 {
	f := v.found
	c, known := e.(*expr.Const)
	switch {
	case known && c.Value.Null:
		return 0
	case v.unique && v.rows > 0:
		return 1 / max(v.rows, 1)
	case f == nil:
		return within(1 / distinct(v))
	case !known || c.T.Kind() != v.t.Kind():
		return within((1 - f.NullFraction) / distinct(v))
	}
	common := 0.0
	for i, d := range f.Common {
		if types.Compare(v.t, d, c.Value) == 0 {
			return f.Frequencies[i]
		}
		common += f.Frequencies[i]
	}
	rest := within((1 - common - f.NullFraction) / max(distinct(v)-float64(len(f.Common)), 1))
	if n := len(f.Frequencies); n > 0 {
		rest = min(rest, f.Frequencies[n-1])
	}
	return rest
}

// below is the share of rows whose column is less than e, or equals it.
func below(v variable, e expr.Expr, orEqual bool) float64 {
	f := v.found
	c, known := e.(*expr.Const)
	switch {
	case known && c.Value.Null:
		return 0
	case f == nil || !known || c.T.Kind() != v.t.Kind() || len(f.Common)+len(f.Bounds) == 0:
		return defaultRange
	}
	s, common := 0.0, 0.0
	for i, d := range f.Common {
		common += f.Frequencies[i]
		if k := types.Compare(v.t, d, c.Value); k < 0 || k == 0 && orEqual {
			s += f.Frequencies[i]
		}
	}
	share := histogram(v.t, f.Bounds, c.Value)
	if others := distinct(v) - float64(len(f.Common)); !orEqual && others > 1 {
		share -= 1 / others
	}
	return within(s + (1-common-f.NullFraction)*within(share))
}

// above is the share of rows whose column is greater than e, or equals it.
func above(v variable, e expr.Expr, orEqual bool) float64 {
	s := below(v, e, !orEqual)
	c, known := e.(*expr.Const)
	if s == defaultRange || known && c.Value.Null {
		return s
	}
	return within(1 - s - nulls(v))
}

// histogram is the share of the values between bounds that are below d.
func histogram(t types.Type, bounds []types.Datum, d types.Datum) float64 {
	if len(bounds) < 2 {
		return 0
	}
	at, _ := slices.BinarySearchFunc(bounds, d, func(a, b types.Datum) int { return types.Compare(t, a, b) })
	switch at {
	case 0:
		return 0
	case len(bounds):
		return 1
	}
	part := 0.5 // of the bounds around d, where their distance is not known
	lo, ok1 := number(t, bounds[at-1])
	hi, ok2 := number(t, bounds[at])
	if x, ok := number(t, d); ok && ok1 && ok2 && hi > lo {
		part = (x - lo) / (hi - lo)
	}
	return (float64(at-1) + within(part)) / float64(len(bounds)-1)
}

// between is the share of rows whose column is from low to high, nil for no bound.
func between(v variable, low, high expr.Expr) float64 {
	switch {
	case low == nil:
		return below(v, high, true)
	case high == nil:
		return above(v, low, true)
	}
	l, h := below(v, low, false), below(v, high, true)
	if l == defaultRange && h == defaultRange {
		return defaultRangePair
	}
	return max(h-l, 1e-10)
}

// number is a value as a point on a line.
func number(t types.Type, d types.Datum) (float64, bool) {
	switch t.Kind() {
	case types.KindInt, types.KindBool:
		return float64(d.I), true
	case types.KindFloat:
		return d.F, true
	case types.KindDecimal:
		return d.Dec.Float64(), true
	default:
	}
	return 0, false
}
