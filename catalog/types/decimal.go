package types

import "math/big"

// Decimal is a value of numeric: coefficient × 10^-scale, NaN or ±Infinity.
// Up to 18 digits live in a machine word; beyond, in a big.Int that is never
// changed once it is in a Decimal, so Decimals copy freely. The scale is
// PostgreSQL's display scale: 1.50 and 1.5 are equal values that print apart.
// The zero Decimal is 0.
type Decimal struct {
	coef  int64
	big   *big.Int // when set, the coefficient is here and coef is 0
	scale int32
	form  decimalForm
}

type decimalForm uint8

const (
	finite decimalForm = iota
	nan
	posInf
	negInf
)

// NewDecimal returns coef × 10^-scale.
func NewDecimal(coef int64, scale int32) Decimal { return Decimal{coef: coef, scale: scale} }
