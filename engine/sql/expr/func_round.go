package expr

import (
	"math"

	"velostream/catalog/types"
)

// roundFamily is the table of rounding functions.
func roundFamily() []Function {
	return table([]def{
		{sig: "ceil(float8) float8", kernel: mapFloats(math.Ceil), doc: "least integer not below"},
		{sig: "ceil(numeric) numeric", kernel: mapDecimals(types.Decimal.Ceil), doc: "least integer not below"},
		{sig: "ceiling(float8) float8", kernel: mapFloats(math.Ceil), doc: "least integer not below"},
		{sig: "ceiling(numeric) numeric", kernel: mapDecimals(types.Decimal.Ceil), doc: "least integer not below"},
		{sig: "floor(float8) float8", kernel: mapFloats(math.Floor), doc: "greatest integer not above"},
		{sig: "floor(numeric) numeric", kernel: mapDecimals(types.Decimal.Floor), doc: "greatest integer not above"},
		{sig: "round(float8) float8", kernel: mapFloats(math.RoundToEven), doc: "nearest integer, ties to even"},
		{sig: "round(numeric) numeric", kernel: mapDecimals(func(d types.Decimal) types.Decimal { return d.Round(0) }), doc: "nearest integer, ties away from zero"},
		{sig: "round(numeric,int4) numeric", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return dec(roundTo(a[0].Dec, a[1].I, types.Decimal.Round))
		}, doc: "rounds to digits after the point"},
		{sig: "trunc(float8) float8", kernel: mapFloats(math.Trunc), doc: "cuts the fraction"},
		{sig: "trunc(numeric) numeric", kernel: mapDecimals(func(d types.Decimal) types.Decimal { return d.Trunc(0) }), doc: "cuts the fraction"},
		{sig: "trunc(numeric,int4) numeric", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return dec(roundTo(a[0].Dec, a[1].I, types.Decimal.Trunc))
		}, doc: "cuts after digits after the point"},
	})
}

func roundTo(d types.Decimal, scale int64, f func(types.Decimal, int32) types.Decimal) types.Decimal {
	return f(d, int32(max(min(scale, 16383), -131072)))
}
