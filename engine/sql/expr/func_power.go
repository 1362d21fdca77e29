package expr

import (
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// powerFamily is the table of roots, powers, exponentials and logarithms.
func powerFamily() []Function {
	return table([]def{
		{sig: "sqrt(float8) float8", scalar: sqrtFloat, doc: "square root"},
		{sig: "|/(float8) float8", scalar: sqrtFloat, doc: "square root"},
		{sig: "cbrt(float8) float8", scalar: func(_ *CallContext, a []datum) (datum, error) { return float(math.Cbrt(a[0].F)) }, doc: "cube root"},
		{sig: "||/(float8) float8", scalar: func(_ *CallContext, a []datum) (datum, error) { return float(math.Cbrt(a[0].F)) }, doc: "cube root"},
		{sig: "exp(float8) float8", scalar: expFloat, doc: "e to a power"},
		{sig: "ln(float8) float8", scalar: logFloat(math.Log), doc: "natural logarithm"},
		{sig: "log(float8) float8", scalar: logFloat(math.Log10), doc: "logarithm to base 10"},
		{sig: "log10(float8) float8", scalar: logFloat(math.Log10), doc: "logarithm to base 10"},
		{sig: "power(float8,float8) float8", scalar: powFloat, doc: "power"},
		{sig: "pow(float8,float8) float8", scalar: powFloat, doc: "power"},
		{sig: "^(float8,float8) float8", scalar: powFloat, doc: "power"},
		{sig: "sqrt(numeric) numeric", scalar: decimal1(types.Decimal.Sqrt), doc: "square root"},
		{sig: "exp(numeric) numeric", scalar: decimal1(types.Decimal.Exp), doc: "e to a power"},
		{sig: "ln(numeric) numeric", scalar: decimal1(types.Decimal.Ln), doc: "natural logarithm"},
		{sig: "log(numeric) numeric", scalar: decimal1(types.Decimal.Log10), doc: "logarithm to base 10"},
		{sig: "log10(numeric) numeric", scalar: decimal1(types.Decimal.Log10), doc: "logarithm to base 10"},
		{sig: "log(numeric,numeric) numeric", scalar: func(_ *CallContext, a []datum) (datum, error) {
			v, err := a[1].Dec.Log(a[0].Dec)
			return types.DecimalDatum(v), err
		}, doc: "logarithm to a base"},
		{sig: "power(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Pow), doc: "power"},
		{sig: "pow(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Pow), doc: "power"},
		{sig: "^(numeric,numeric) numeric", kernel: arithDecimals(types.Decimal.Pow), doc: "power"},
	})
}

// decimal1 is a function of a numeric that may fail.
func decimal1(f func(types.Decimal) (types.Decimal, error)) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		v, err := f(a[0].Dec)
		return types.DecimalDatum(v), err
	}
}

func sqrtFloat(_ *CallContext, a []datum) (datum, error) {
	if a[0].F < 0 {
		return fail(pgerror.New("2201F", "cannot take square root of a negative number"))
	}
	return float(math.Sqrt(a[0].F))
}

func expFloat(_ *CallContext, a []datum) (datum, error) {
	v := math.Exp(a[0].F)
	switch {
	case math.IsInf(v, 0) && !math.IsInf(a[0].F, 0):
		return fail(floatOverflow())
	case v == 0 && !math.IsInf(a[0].F, 0):
		return fail(floatUnderflow())
	}
	return float(v)
}

func logError(x float64) error {
	if x == 0 {
		return pgerror.New("2201E", "cannot take logarithm of zero")
	}
	return pgerror.New("2201E", "cannot take logarithm of a negative number")
}

func logFloat(f func(float64) float64) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		if a[0].F <= 0 {
			return fail(logError(a[0].F))
		}
		return float(f(a[0].F))
	}
}

func powError(negative bool) error {
	if negative {
		return pgerror.New("2201F", "a negative number raised to a non-integer power yields a complex result")
	}
	return pgerror.New("2201F", "zero raised to a negative power is undefined")
}

func powFloat(_ *CallContext, a []datum) (datum, error) {
	x, y := a[0].F, a[1].F
	switch {
	case x == 0 && y < 0:
		return fail(powError(false))
	case x < 0 && y != math.Floor(y) && y == y:
		return fail(powError(true))
	}
	v := math.Pow(x, y)
	switch {
	case math.IsInf(v, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return fail(floatOverflow())
	case v == 0 && x != 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return fail(floatUnderflow())
	}
	return float(v)
}
