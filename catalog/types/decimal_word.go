package types

import (
	"math"
	"math/bits"
)

// What follows is for loops over columns of numbers that are alike, as those of
// a table are: finite, of a word each, of one scale. Each is short, takes no copies and
// says when it does not apply. Only a big number that is overwritten makes them
// write a pointer, which costs while the garbage collector runs.

// words reports that both are finite and fit a word each.
func (d *Decimal) words(o *Decimal) bool {
	return d.form|o.form == finite && d.big == nil && o.big == nil
}

// setWord makes d coef × 10^-scale.
func (d *Decimal) setWord(coef int64, scale int32) {
	d.coef, d.scale, d.form = coef, scale, finite
	if d.big != nil {
		d.big = nil
	}
}

// CmpWord is Cmp of two words of one scale; ok is false for others.
func (d *Decimal) CmpWord(o *Decimal) (c int, ok bool) {
	if d.scale != o.scale || !d.words(o) {
		return 0, false
	}
	// Without branches: which is greater is anybody's guess.
	more, less := 0, 0
	if d.coef > o.coef {
		more = 1
	}
	if d.coef < o.coef {
		less = 1
	}
	return more - less, true
}

// AddWord sets to to d + o; false: these are not words of one scale, or the sum is
// none.
func (d *Decimal) AddWord(o, to *Decimal) bool {
	if d.scale != o.scale || !d.words(o) {
		return false
	}
	a, b := d.coef, o.coef
	c := a + b
	if (a^c)&(b^c) < 0 || c == math.MinInt64 {
		return false
	}
	to.setWord(c, d.scale)
	return true
}

// SubWord sets to to d - o, as AddWord.
func (d *Decimal) SubWord(o, to *Decimal) bool {
	if d.scale != o.scale || !d.words(o) {
		return false
	}
	a, b := d.coef, o.coef
	c := a - b
	if (a^b)&(a^c) < 0 || c == math.MinInt64 {
		return false
	}
	to.setWord(c, d.scale)
	return true
}

// MulWord sets to to d × o; false: these are not words, or the product is none.
func (d *Decimal) MulWord(o, to *Decimal) bool {
	scale := d.scale + o.scale
	if scale > maxScale || !d.words(o) {
		return false
	}
	hi, lo := bits.Mul64(uint64(d.coef), uint64(o.coef))
	// Of two's complement: hi as of signed factors, which must be lo's sign.
	signed := int64(hi) - d.coef>>63&o.coef - o.coef>>63&d.coef
	if signed != int64(lo)>>63 || int64(lo) == math.MinInt64 {
		return false
	}
	to.setWord(int64(lo), scale)
	return true
}

// Word is the coefficient of a finite d that fits a word, and its scale; ok is false for others.
func (d *Decimal) Word() (coef int64, scale int32, ok bool) {
	return d.coef, d.scale, d.form == finite && d.big == nil
}

// FloorWord is the greatest coefficient of a number with scale digits after the point that is
// not greater than d; exact says that it is d. ok is false where it fits no word.
func (d Decimal) FloorWord(scale int32) (coef int64, exact, ok bool) {
	if d.form != finite || d.big != nil {
		return 0, false, false
	}
	if scale >= d.scale {
		c, ok := scaleWord(d.coef, scale-d.scale)
		return c, true, ok
	}
	p, ok := scaleWord(1, d.scale-scale)
	if !ok {
		return 0, false, false
	}
	q, rest := d.coef/p, d.coef%p
	if rest < 0 {
		q--
	}
	return q, rest == 0, true
}
