package operator

import (
	"math"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// regrAcc is the aggregates of pairs (y, x): corr, covar_* and regr_*. It keeps sums in
// about three times the precision of floats, so that pairs can leave again.
type regrAcc struct {
	name string
	n    []int64
	sum  [5]floatSums // x, y, xx, yy, xy
}

const (
	sumX = iota
	sumY
	sumXX
	sumYY
	sumXY
)

func newRegr(name string) accumulator {
	a := &regrAcc{name: name}
	for k := range a.sum {
		a.sum[k].third = true
	}
	return a
}

func (a *regrAcc) grow(n int) {
	a.n = resize(a.n, n)
	for k := range a.sum {
		a.sum[k].grow(n)
	}
}

func (a *regrAcc) reset(g int32) {
	a.n[g] = 0
	for k := range a.sum {
		a.sum[k].reset(g)
	}
}
func (a *regrAcc) width() int64 { return 130 }

func (a *regrAcc) update(u *update) error {
	ys, xs := u.args[0], u.args[1]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if xs.Null(i) || ys.Null(i) {
			continue
		}
		x, y, sign := xs.Floats[i], ys.Floats[i], float64(u.sign(k))
		a.n[g] += u.sign(k)
		for s, pair := range [5][2]float64{{x, 1}, {y, 1}, {x, x}, {y, y}, {x, y}} {
			p := pair[0] * pair[1]
			e := math.FMA(pair[0], pair[1], -p)
			if p-p != 0 {
				e = 0
			}
			if sign > 0 {
				a.sum[s].add(g, p, e)
			} else {
				a.sum[s].take(g, p, e)
			}
		}
		if a.n[g] == 0 {
			a.reset(g)
		}
	}
	return nil
}

// central is Σpq - ΣpΣq/n.
func (a *regrAcc) central(g int32, p, q, pq int) float64 {
	n := float64(a.n[g])
	sp, sq, s := &a.sum[p], &a.sum[q], &a.sum[pq]
	if _, odd := sp.special(g); odd {
		return math.NaN()
	}
	if _, odd := sq.special(g); odd {
		return math.NaN()
	}
	// m = Σq / n, then Σpq - Σp·m, both with a correction term.
	mh := sq.hi[g] / n
	ml := (math.FMA(-mh, n, sq.hi[g]) + sq.lo[g]) / n
	ph := sp.hi[g] * mh
	pl := math.FMA(sp.hi[g], mh, -ph) + (sp.hi[g]*ml + sp.lo[g]*mh)
	t, r := twoSum(s.hi[g], -ph)
	v := t + (r + (s.lo[g] - pl))
	if math.Abs(v) <= math.Abs(s.hi[g])*0x1p-98 {
		return 0
	}
	return v
}

func (a *regrAcc) result(g int32, dst *column.Column) error {
	v, ok := a.value(g)
	switch {
	case a.name == "regr_count":
		dst.Append(types.IntDatum(a.n[g]))
	case !ok:
		dst.AppendNull()
	default:
		dst.Append(types.FloatDatum(v))
	}
	return nil
}

func (a *regrAcc) value(g int32) (float64, bool) {
	n := float64(a.n[g])
	if n < 1 {
		return 0, false
	}
	xx, yy, xy := a.central(g, sumX, sumX, sumXX), a.central(g, sumY, sumY, sumYY), a.central(g, sumX, sumY, sumXY)
	mean := func(s int) float64 {
		if v, odd := a.sum[s].special(g); odd {
			return v
		}
		return a.sum[s].hi[g] / n
	}
	switch a.name {
	case "corr":
		return xy / math.Sqrt(xx*yy), xx != 0 && yy != 0
	case "covar_pop":
		return xy / n, true
	case "covar_samp":
		return xy / (n - 1), n > 1
	case "regr_avgx":
		return mean(sumX), true
	case "regr_avgy":
		return mean(sumY), true
	case "regr_sxx":
		return xx, true
	case "regr_syy":
		return yy, true
	case "regr_sxy":
		return xy, true
	case "regr_slope":
		return xy / xx, xx != 0
	case "regr_intercept":
		return (a.sum[sumY].hi[g] - a.sum[sumX].hi[g]*xy/xx) / n, xx != 0
	case "regr_r2":
		if yy == 0 {
			return 1, xx != 0
		}
		return (xy * xy) / (xx * yy), xx != 0
	}
	return 0, false
}

func (a *regrAcc) encode(dst []byte, g int32) []byte {
	dst = appendVar(dst, a.n[g])
	for k := range a.sum {
		dst = a.sum[k].encode(dst, g)
	}
	return dst
}

func (a *regrAcc) decode(b []byte, g int32) ([]byte, error) {
	var err error
	if a.n[g], b, err = takeVarint(b); err != nil {
		return nil, err
	}
	for k := range a.sum {
		if b, err = a.sum[k].decode(b, g); err != nil {
			return nil, err
		}
	}
	return b, nil
}
