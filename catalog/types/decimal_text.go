package types

import (
	"math/big"
	"strconv"

	"velostream/pgwire/pgerror"
)

// ParseDecimal reads a numeric as PostgreSQL spells it: digits with a point
// and an exponent, NaN, [±]Infinity or inf in any case, blanks around it.
// Errors are 22P02 and, beyond numeric's limits, 22003.
func ParseDecimal(s string) (Decimal, error) {
	t := trimSpace(s)
	d, ok, err := parseDecimal(t)
	if err != nil {
		return Decimal{}, err
	}
	if !ok {
		return Decimal{}, pgerror.InvalidText("numeric", s)
	}
	return d, nil
}

func parseDecimal(t string) (d Decimal, ok bool, err error) {
	if d, ok = parseSpecial(t); ok {
		return d, true, nil
	}
	neg, i := false, 0
	if i < len(t) && (t[i] == '-' || t[i] == '+') {
		neg = t[i] == '-'
		i++
	}
	start, point, seen := i, -1, 0
	var word uint64
	for ; i < len(t); i++ {
		c := t[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c-'0' > 9 {
			break
		}
		if word > 0 || c != '0' {
			seen++
		}
		word = word*10 + uint64(c-'0')
	}
	end := i
	if end == start || end == start+1 && point >= 0 {
		return Decimal{}, false, nil
	}
	exp, ok := parseExponent(t[end:])
	if !ok {
		return Decimal{}, false, nil
	}
	scale := -exp
	if point >= 0 {
		scale += end - point - 1
	}
	if seen <= 18 {
		c := int64(word)
		if neg {
			c = -c
		}
		if scale >= 0 && scale <= maxScale {
			return Decimal{coef: c, scale: int32(scale)}, true, nil
		}
		d, err = settle(big.NewInt(c), scale)
		return d, true, err
	}
	if seen > maxIntDigits+maxScale {
		return Decimal{}, true, numericOverflow() // before the work of converting it
	}
	text := t[start:end]
	if point >= 0 {
		text = t[start:point] + t[point+1:end]
	}
	b, _ := new(big.Int).SetString(text, 10)
	if neg {
		b.Neg(b)
	}
	d, err = settle(b, scale)
	return d, true, err
}

// parseExponent reads "" or e[±]digits. Exponents out of every range come back
// as a value that is too large for numeric, too.
func parseExponent(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	if s[0]|0x20 != 'e' || len(s) == 1 {
		return 0, false
	}
	digits := s[1:]
	if digits[0] == '-' || digits[0] == '+' {
		digits = digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i]-'0' > 9 {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s[1:], 10, 32)
	if err != nil {
		n = 1 << 30
		if s[1] == '-' {
			n = -n
		}
	}
	return int(n), true
}

// settle makes b × 10^-scale a value, or refuses it for too many digits before
// or after the point.
func settle(b *big.Int, scale int) (Decimal, error) {
	if scale > maxScale || scale < -1<<29 { // such exponents are refused for zeros, too
		return Decimal{}, numericOverflow()
	}
	if b.Sign() == 0 {
		return Decimal{scale: int32(max(scale, 0))}, nil
	}
	if bigDigits(b)-scale > maxIntDigits {
		return Decimal{}, numericOverflow()
	}
	return fromBig(b, int32(scale)), nil
}

func numericOverflow() *pgerror.Error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "value overflows numeric format")
}

func parseSpecial(t string) (Decimal, bool) {
	if t == "" || len(t) > 9 || t[len(t)-1] <= '9' {
		return Decimal{}, false
	}
	switch lower(t) {
	case "nan":
		return DecimalNaN, true
	case "infinity", "+infinity", "inf", "+inf":
		return DecimalInf, true
	case "-infinity", "-inf":
		return DecimalNegInf, true
	}
	return Decimal{}, false
}

// Append adds d's text form to dst: no exponent, all digits of its scale.
func (d Decimal) Append(dst []byte) []byte {
	switch d.form {
	case nan:
		return append(dst, "NaN"...)
	case posInf:
		return append(dst, "Infinity"...)
	case negInf:
		return append(dst, "-Infinity"...)
	default:
	}
	if d.big != nil {
		text := d.big.Append(nil, 10)
		if text[0] == '-' {
			dst, text = append(dst, '-'), text[1:]
		}
		return appendPoint(dst, text, int(d.scale))
	}
	var buf [20]byte
	u := absWord(d.coef)
	if d.coef < 0 {
		dst = append(dst, '-')
	}
	return appendPoint(dst, strconv.AppendUint(buf[:0], u, 10), int(d.scale))
}

func appendPoint(dst, digits []byte, scale int) []byte {
	if scale == 0 {
		return append(dst, digits...)
	}
	if n := len(digits) - scale; n > 0 {
		dst = append(dst, digits[:n]...)
		dst = append(dst, '.')
		return append(dst, digits[n:]...)
	}
	dst = append(dst, '0', '.')
	for range scale - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// MarshalText gives d's text form: for constants in stored plans.
func (d Decimal) MarshalText() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalText reads what MarshalText gives.
func (d *Decimal) UnmarshalText(b []byte) error {
	v, err := ParseDecimal(string(b))
	if err == nil {
		*d = v
	}
	return err
}

// String is d's text form.
func (d Decimal) String() string {
	var buf [40]byte
	return string(d.Append(buf[:0]))
}
