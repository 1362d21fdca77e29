package types

import (
	"encoding/binary"
	"math/big"

	"velostream/pgwire/pgerror"
)

// Signs of numeric's binary form.
const (
	wirePositive = 0x0000
	wireNegative = 0x4000
	wireNaN      = 0xC000
	wirePosInf   = 0xD000
	wireNegInf   = 0xF000
	wireInfScale = 0x20 // what PostgreSQL sends as the infinities' scale
)

// AppendNumericBinary adds PostgreSQL's binary form of a numeric: counts,
// weight, sign and display scale, then digits of base 10,000.
func AppendNumericBinary(dst []byte, d Decimal) []byte {
	switch d.form {
	case nan:
		return appendNumericHeader(dst, 0, 0, wireNaN, 0)
	case posInf:
		return appendNumericHeader(dst, 0, 0, wirePosInf, wireInfScale)
	case negInf:
		return appendNumericHeader(dst, 0, 0, wireNegInf, wireInfScale)
	default:
	}
	sgn := uint16(wirePositive)
	if d.Sign() < 0 {
		sgn = wireNegative
	}
	if d.big == nil {
		return appendNumericWord(dst, absWord(d.coef), d.scale, sgn)
	}
	return appendNumericDigits(dst, d.big, d.scale, sgn)
}

func appendNumericHeader(dst []byte, n, weight int, sgn uint16, scale int32) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	dst = binary.BigEndian.AppendUint16(dst, uint16(weight))
	dst = binary.BigEndian.AppendUint16(dst, sgn)
	return binary.BigEndian.AppendUint16(dst, uint16(scale))
}

// appendNumericWord writes a coefficient that fits in a word. The digits are
// cut from its end, so that the point lies between two of them.
func appendNumericWord(dst []byte, c uint64, scale int32, sgn uint16) []byte {
	var groups [8]uint16
	n, weight := len(groups), -int(scale+3)/4
	if pad := int(scale) % 4; pad != 0 && c != 0 {
		// The last group is filled up with zeros to the right.
		n--
		groups[n] = uint16(c%uint64(pow10[pad])) * uint16(pow10[4-pad])
		c /= uint64(pow10[pad])
	}
	for c != 0 {
		n--
		groups[n] = uint16(c % 10000)
		c /= 10000
	}
	g := groups[n:]
	weight += len(g) - 1
	for len(g) > 0 && g[len(g)-1] == 0 {
		g = g[:len(g)-1]
	}
	for len(g) > 0 && g[0] == 0 {
		g, weight = g[1:], weight-1
	}
	if len(g) == 0 {
		weight = 0
	}
	dst = appendNumericHeader(dst, len(g), weight, sgn, scale)
	for _, v := range g {
		dst = binary.BigEndian.AppendUint16(dst, v)
	}
	return dst
}

func appendNumericDigits(dst []byte, c *big.Int, scale int32, sgn uint16) []byte {
	text := c.Append(nil, 10)
	if text[0] == '-' {
		text = text[1:]
	}
	for range (4 - int(scale)%4) % 4 {
		text = append(text, '0')
	}
	groups := (len(text) + 3) / 4
	weight := groups - 1 - int(scale+3)/4
	at := len(dst)
	dst = appendNumericHeader(dst, 0, weight, sgn, scale)
	last := len(dst)
	first := len(text) - (groups-1)*4
	for i := range groups {
		lo, hi := first+(i-1)*4, first+i*4
		v := 0
		for _, ch := range text[max(lo, 0):hi] {
			v = v*10 + int(ch-'0')
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(v))
		if v != 0 {
			last = len(dst)
		}
	}
	dst = dst[:last]
	binary.BigEndian.PutUint16(dst[at:], uint16((last-at-8)/2))
	return dst
}

func decodeNumericBinary(b []byte) (Decimal, error) {
	if len(b) < 8 {
		return Decimal{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	}
	n := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sgn := binary.BigEndian.Uint16(b[4:])
	scale := int(binary.BigEndian.Uint16(b[6:]))
	switch sgn {
	case wireNaN:
		return DecimalNaN, nil
	case wirePosInf:
		return DecimalInf, nil
	case wireNegInf:
		return DecimalNegInf, nil
	case wirePositive, wireNegative:
	default:
		return Decimal{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid sign in external \"numeric\" value")
	}
	if scale > maxScale {
		return Decimal{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid scale in external \"numeric\" value")
	}
	b = b[8:]
	if len(b) != 2*n {
		if len(b) < 2*n {
			return Decimal{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
		}
		return Decimal{}, incorrectBinary()
	}
	return numericFromGroups(b, n, weight, scale, sgn == wireNegative)
}

// numericFromGroups builds a value of n base-10,000 digits; digits beyond the
// scale are cut off, as numeric_recv does.
func numericFromGroups(b []byte, n, weight, scale int, neg bool) (Decimal, error) {
	word, small := int64(0), n <= 4
	text := make([]byte, 0, 4*n)
	for i := range n {
		v := binary.BigEndian.Uint16(b[2*i:])
		if v > 9999 {
			return Decimal{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid digit in external \"numeric\" value")
		}
		if small {
			word = word*10000 + int64(v)
			continue
		}
		text = appendDigits2(appendDigits2(text, int(v)/100), int(v)%100)
	}
	c := big.NewInt(word)
	if !small {
		c.SetString(string(text), 10)
	}
	if neg {
		c.Neg(c)
	}
	have := 4 * (n - 1 - weight) // digits after the point in c
	switch {
	case c.Sign() == 0:
	case have > scale:
		c.Quo(c, bigPow10(have-scale))
	case have < scale:
		c.Mul(c, bigPow10(scale-have))
	}
	return fromBig(c, int32(scale)), nil
}
