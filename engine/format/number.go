package format

import (
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

var pow10 = func() (p [19]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

var floatPow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// decimalMod is the modifier of numeric(precision, scale).
type decimalMod struct {
	limited          bool
	precision, scale int32
}

// modOf unpacks numeric's modifier: ((precision << 16) | (scale & 0x7ff)) + 4
// (src/backend/utils/adt/numeric.c of PostgreSQL 15).
func modOf(t types.Type) decimalMod {
	if t.OID != types.OIDNumeric || t.Mod < 4 {
		return decimalMod{}
	}
	m := t.Mod - 4
	scale := m & 0x7ff
	if scale > 1023 {
		scale -= 2048
	}
	return decimalMod{true, m >> 16 & 0xffff, scale}
}

// decimal converts exactly, then rounds to the column's scale.
func (c *Cell) decimal(n *Number) (types.Decimal, error) {
	scale := n.Frac - n.Exp
	if !n.small() || scale > 18 || scale < 0 {
		return c.bigDecimal(n)
	}
	m := n.Mant
	if d := c.decimals; d.limited {
		if d.scale < 0 || d.scale > 18 {
			return c.bigDecimal(n)
		}
		switch diff := int(d.scale) - scale; {
		case diff > 0:
			if m > math.MaxInt64/pow10[diff] {
				return c.bigDecimal(n)
			}
			m *= pow10[diff]
		case diff < 0:
			p := pow10[-diff]
			m = m/p + (m%p)/(p/2) // half away from zero
		}
		scale = int(d.scale)
		if d.precision <= 18 && m >= pow10[d.precision] {
			return types.Decimal{}, c.overflow()
		}
		if m >= pow10[18] {
			return c.bigDecimal(n)
		}
	}
	v := int64(m)
	if n.Neg {
		v = -v
	}
	return types.NewDecimal(v, int32(scale)), nil
}

func (c *Cell) overflow() error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "field %q: numeric field overflow", c.Name).
		WithDetail("A field with precision %d, scale %d must round to an absolute value less than 10^%d.",
			c.decimals.precision, c.decimals.scale, c.decimals.precision-c.decimals.scale)
}

// ParseNumber reads a decimal number in the form SQL and CSV files have it:
// sign, digits with a point anywhere, exponent. It reports whether b is one.
func ParseNumber(n *Number, b []byte) bool {
	*n = Number{Raw: b}
	if n.short(b) {
		return true
	}
	*n = Number{Raw: b}
	i := 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		n.Neg = b[i] == '-'
		i++
	}
	if i < len(b) && b[0] == '+' {
		n.Raw = b[1:]
	}
	start := i
	point := -1
	for ; i < len(b); i++ {
		d := b[i] - '0'
		switch {
		case d <= 9:
			n.Digit(d)
			if point >= 0 {
				n.Frac++
			}
		case b[i] == '.' && point < 0:
			point = i
		case b[i] == 'e' || b[i] == 'E':
			if i == start || i == start+1 && point >= 0 {
				return false
			}
			return n.exponent(b[i+1:])
		default:
			return false
		}
	}
	return i > start+1 || i == start+1 && point < 0
}

// short reads the form that most numbers have, at most 18 digits with a minus
// before and a point among them, and reports whether b has it.
func (n *Number) short(b []byte) bool {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		n.Neg, digits = true, b[1:]
	}
	var mant uint64
	point := -1
	for i, c := range digits {
		if d := c - '0'; d <= 9 {
			mant = mant*10 + uint64(d)
		} else if c == '.' && point < 0 {
			point = i
		} else {
			return false
		}
	}
	n.Mant, n.Digits = mant, len(digits)
	if point >= 0 {
		n.Digits--
		n.Frac = n.Digits - point
	}
	return n.Digits > 0 && n.Digits <= 18
}

// Digit takes the next digit of the mantissa.
func (n *Number) Digit(d byte) {
	if n.Digits < 18 {
		n.Mant = n.Mant*10 + uint64(d)
		if n.Mant != 0 {
			n.Digits++
		}
		return
	}
	n.Digits++
}

func (n *Number) exponent(b []byte) bool {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return false
	}
	e := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		e = min(e*10+int(c-'0'), 1<<20)
	}
	if neg {
		e = -e
	}
	n.Exp = e
	return true
}
