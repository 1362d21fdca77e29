package types

import (
	"math"
	"math/big"
	"strconv"
)

// PostgreSQL's shortest text of a float lies strictly inside the interval of
// numbers that read back as it; Go also takes an end of the interval, a number
// half way between two floats that is read as the even one. 1e23 is such a
// number. That needs a float above 2^53 (2^24), because a number half way
// between smaller ones has more digits, and at most 23 (10) zeros at its end,
// because 5 to that power must divide a mantissa.

func mayTie(v float64, bitSize int) bool {
	a := math.Abs(v)
	if bitSize == 32 {
		return a >= 1<<24 && a < 1e20 && math.Float32bits(float32(v))&1 == 0
	}
	return a >= 1<<53 && a < 1e41 && math.Float64bits(v)&1 == 0
}

// shortestInside returns sci unless it is half way between two floats, else
// the nearest number with the fewest digits that is not.
func shortestInside(sci []byte, v float64, bitSize int) []byte {
	if !isTie(sci, v, bitSize) {
		return sci
	}
	for prec := range 17 {
		sci = strconv.AppendFloat(sci[:0], v, 'e', prec, bitSize)
		back, err := strconv.ParseFloat(string(sci), bitSize)
		if err == nil && back == v && !isTie(sci, v, bitSize) {
			break
		}
	}
	return sci
}

// isTie reports that the number in sci lies half way between v and a float
// next to it.
func isTie(sci []byte, v float64, bitSize int) bool {
	var text, exact big.Rat
	if _, ok := text.SetString(string(sci)); !ok {
		return false
	}
	exact.SetFloat64(v)
	text.Sub(&text, &exact)
	if text.Sign() == 0 {
		return false
	}
	next := math.Nextafter(v, math.Inf(text.Sign()))
	if bitSize == 32 {
		next = float64(math.Nextafter32(float32(v), float32(math.Inf(text.Sign()))))
	}
	var step big.Rat
	step.SetFloat64(next)
	step.Sub(&step, &exact)
	return text.Add(&text, &text).Cmp(&step) == 0
}
