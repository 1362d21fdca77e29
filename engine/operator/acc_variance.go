package operator

import (
	"math"
	"math/big"
	"math/bits"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

func divide(a, b types.Decimal) (types.Decimal, error) { return a.Div(b) }

// newVariance makes stddev and variance: exact over integers and numerics, in double-double
// arithmetic over floats.
func newVariance(name string, t types.Type) (accumulator, error) {
	sample := name == "stddev_samp" || name == "var_samp"
	root := name == "stddev_samp" || name == "stddev_pop"
	switch t.Kind() {
	case types.KindInt, types.KindDecimal:
		return &varDec{sample: sample, root: root, ints: t.Kind() == types.KindInt}, nil
	case types.KindFloat:
		return &varFloat{sample: sample, root: root, xx: floatSums{third: true}}, nil
	default:
	}
	return nil, pgerror.Unsupported("aggregate function %s over this type is not supported", name)
}

// varDec keeps Σx and Σx² exactly: variance = (nΣx² - (Σx)²) / n(n-1), rounded once, at
// the scale that PostgreSQL's division chooses (numeric_stddev_internal).
type varDec struct {
	sample, root, ints bool
	n                  []int64
	x, xx              decSums
}

func (a *varDec) grow(n int)    { a.n = resize(a.n, n); a.x.grow(n); a.xx.grow(n) }
func (a *varDec) reset(g int32) { a.n[g] = 0; a.x.reset(g); a.xx.reset(g) }
func (a *varDec) width() int64  { return 64 }

func (a *varDec) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		sign := u.sign(k)
		a.n[g] += sign
		var d types.Decimal
		if a.ints {
			d = types.FromInt64(c.Ints[i])
		} else {
			d = c.Decs[i]
		}
		a.x.addDecimal(g, d, sign)
		if !d.IsFinite() {
			continue
		}
		a.addSquare(g, d, sign)
	}
	return nil
}

func (a *varDec) addSquare(g int32, d types.Decimal, sign int64) {
	scale := 2 * d.Scale()
	a.xx.countScale(g, scale, sign)
	if v, ok := d.Coef(); ok && v != math.MinInt64 {
		m := uint64(max(v, -v))
		hi, lo := bits.Mul64(m, m)
		w := wide{int64(hi), lo}
		if sign < 0 {
			w = w.neg()
		}
		a.xx.addWide(g, w, scale)
		return
	}
	b := decBig(d)
	b.Mul(b, b)
	a.xx.addBig(g, b.Mul(b, big.NewInt(sign)), scale)
}

func (a *varDec) result(g int32, dst *column.Column) error {
	n := a.n[g]
	if n == 0 || a.sample && n == 1 {
		dst.AppendNull()
		return nil
	}
	if _, odd := a.x.special(g); odd {
		dst.Decs = append(dst.Decs, types.DecimalNaN)
		return nil
	}
	num := types.FromInt64(n)
	x := a.x.value(g)
	square, err := x.Mul(x)
	if err != nil {
		return err
	}
	top, err := a.xx.value(g).Mul(num)
	if err != nil {
		return err
	}
	if top, err = top.Sub(square); err != nil {
		return err
	}
	if top.Sign() <= 0 {
		dst.Decs = append(dst.Decs, types.Decimal{})
		return nil
	}
	other := num
	if a.sample {
		other = types.FromInt64(n - 1)
	}
	if other, err = num.Mul(other); err != nil {
		return err
	}
	v, err := top.Div(other)
	if err != nil {
		return err
	}
	if a.root {
		v = decSqrt(v)
	}
	dst.Decs = append(dst.Decs, v)
	return nil
}

// decSqrt is the square root of v > 0 at v's scale, half rounded up.
func decSqrt(v types.Decimal) types.Decimal {
	b := decBig(v)
	b.Mul(b, bigPow10(v.Scale()))
	b.Lsh(b, 2) // √(4x) = 2√x: one more bit to round by
	b.Sqrt(b)
	b.Add(b, big.NewInt(1)).Rsh(b, 1)
	return types.NewBigDecimal(b, v.Scale())
}

func (a *varDec) encode(dst []byte, g int32) []byte {
	return a.xx.encode(a.x.encode(appendVar(dst, a.n[g]), g), g)
}

func (a *varDec) decode(b []byte, g int32) ([]byte, error) {
	var err error
	if a.n[g], b, err = takeVarint(b); err != nil {
		return nil, err
	}
	if b, err = a.x.decode(b, g); err != nil {
		return nil, err
	}
	return a.xx.decode(b, g)
}

// varFloat keeps Σx and Σx² in twice and three times the precision, which leaves room for
// the difference nΣx² - (Σx)², and values can leave again, which PostgreSQL's running
// (Youngs and Cramer) update could not undo.
type varFloat struct {
	sample, root bool
	n            []int64
	x, xx        floatSums
}

func (a *varFloat) grow(n int)    { a.n = resize(a.n, n); a.x.grow(n); a.xx.grow(n) }
func (a *varFloat) reset(g int32) { a.n[g] = 0; a.x.reset(g); a.xx.reset(g) }
func (a *varFloat) width() int64  { return 40 }

func (a *varFloat) update(u *update) error {
	c := u.args[0]
	for k, g := range u.gids {
		i := int(u.rows[k])
		if c.Null(i) {
			continue
		}
		v := c.Floats[i]
		p := v * v
		e := math.FMA(v, v, -p)
		if p-p != 0 {
			e = 0
		}
		if u.sign(k) > 0 {
			a.n[g]++
			a.x.add(g, v, 0)
			a.xx.add(g, p, e)
			continue
		}
		a.x.take(g, v, 0)
		a.xx.take(g, p, e)
		if a.n[g]--; a.n[g] == 0 {
			a.reset(g)
		}
	}
	return nil
}

func (a *varFloat) result(g int32, dst *column.Column) error {
	n := a.n[g]
	if n == 0 || a.sample && n == 1 {
		dst.AppendNull()
		return nil
	}
	if _, odd := a.x.special(g); odd {
		dst.Floats = append(dst.Floats, math.NaN())
		return nil
	}
	if _, odd := a.xx.special(g); odd {
		return floatOverflow()
	}
	f := float64(n)
	d := float64(n)
	if a.sample {
		d = f - 1
	}
	v := ddCentral(a.x.hi[g], a.x.lo[g], a.xx.hi[g], a.xx.lo[g], f) / d
	if a.root {
		v = math.Sqrt(v)
	}
	dst.Floats = append(dst.Floats, v)
	return nil
}

// ddCentral is Σx² - (Σx)²/n, both sums in double-double.
func ddCentral(xh, xl, qh, ql, n float64) float64 {
	// m = (xh + xl) / n in double-double.
	mh := xh / n
	ml := (math.FMA(-mh, n, xh) + xl) / n
	// p = x·m
	ph := xh * mh
	pl := math.FMA(xh, mh, -ph) + (xh*ml + xl*mh)
	s, r := twoSum(qh, -ph)
	// Less than the arithmetic resolves is nothing: equal values have no variance.
	if v := s + (r + (ql - pl)); v > qh*0x1p-100 {
		return v
	}
	return 0
}

func (a *varFloat) encode(dst []byte, g int32) []byte {
	return a.xx.encode(a.x.encode(appendVar(dst, a.n[g]), g), g)
}

func (a *varFloat) decode(b []byte, g int32) ([]byte, error) {
	var err error
	if a.n[g], b, err = takeVarint(b); err != nil {
		return nil, err
	}
	if b, err = a.x.decode(b, g); err != nil {
		return nil, err
	}
	return a.xx.decode(b, g)
}
