package expr

import (
	"math"

	"velostream/pgwire/pgerror"
)

// trigFamily is the table of trigonometric and hyperbolic functions.
func trigFamily() []Function {
	always := func(float64) bool { return true }
	within := func(x float64) bool { return math.IsNaN(x) || x >= -1 && x <= 1 }
	finite := func(x float64) bool { return !math.IsInf(x, 0) }
	checked := map[string]bool{"tan": true}
	fn := func(sig string, ok func(float64) bool, f func(float64) float64, doc string) def {
		return def{sig: sig + "(float8) float8", doc: doc, scalar: func(_ *CallContext, a []datum) (datum, error) {
			x := a[0].F
			if !ok(x) {
				return fail(inputRange())
			}
			v := f(x)
			if math.IsInf(v, 0) && finite(x) && checked[sig] {
				return fail(floatOverflow())
			}
			return float(v)
		}}
	}
	return table([]def{
		fn("sin", finite, math.Sin, "sine"), fn("cos", finite, math.Cos, "cosine"), fn("tan", finite, math.Tan, "tangent"),
		fn("cot", finite, func(x float64) float64 { return 1 / math.Tan(x) }, "cotangent"),
		fn("asin", within, math.Asin, "inverse sine"), fn("acos", within, math.Acos, "inverse cosine"),
		fn("atan", always, math.Atan, "inverse tangent"),
		fn("sinh", always, math.Sinh, "hyperbolic sine"), fn("cosh", always, math.Cosh, "hyperbolic cosine"),
		fn("tanh", always, math.Tanh, "hyperbolic tangent"), fn("asinh", always, math.Asinh, "inverse hyperbolic sine"),
		fn("acosh", func(x float64) bool { return !(x < 1) }, math.Acosh, "inverse hyperbolic cosine"),
		fn("atanh", within, math.Atanh, "inverse hyperbolic tangent"),
		fn("sind", finite, sind, "sine of degrees"), fn("cosd", finite, func(x float64) float64 { return sind(90-math.Abs(math.Mod(x, 360))) + 0 }, "cosine of degrees"),
		fn("tand", finite, tand, "tangent of degrees"), fn("cotd", finite, cotd, "cotangent of degrees"),
		fn("asind", within, func(x float64) float64 { return exactDegrees(math.Asin(x)) }, "inverse sine in degrees"),
		fn("acosd", within, func(x float64) float64 { return exactDegrees(math.Acos(x)) }, "inverse cosine in degrees"),
		fn("atand", always, func(x float64) float64 { return exactDegrees(math.Atan(x)) }, "inverse tangent in degrees"),
		{sig: "atan2(float8,float8) float8", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return float(math.Atan2(a[0].F, a[1].F))
		}, doc: "inverse tangent of a quotient"},
		{sig: "atan2d(float8,float8) float8", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return float(exactDegrees(math.Atan2(a[0].F, a[1].F)))
		}, doc: "inverse tangent of a quotient in degrees"},
	})
}

func inputRange() error { return pgerror.New(pgerror.NumericValueOutOfRange, "input is out of range") }

// exactDegrees converts radians so that multiples of 15 degrees come out
// whole.
func exactDegrees(r float64) float64 {
	d := r * (180 / math.Pi)
	if n := math.Round(d); n != 0 && math.Abs(d-n) < 1e-12 {
		return n
	}
	return d
}

// sind is the sine of an angle in degrees, exact at multiples of 30.
func sind(x float64) float64 {
	x = math.Mod(x, 360)
	sign := 1.0
	if x < 0 {
		x, sign = -x, -1
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x = 180 - x
	}
	switch x {
	case 0:
		return sign * x // -0 of an angle below 0
	case 30:
		return sign * 0.5
	case 90:
		return sign
	}
	return sign * math.Sin(x*(math.Pi/180))
}

// cotd is the cotangent of an angle in degrees, exact at multiples of 45.
func cotd(x float64) float64 {
	x, sign := firstQuadrant(x)
	switch x {
	case 0:
		return sign / x // the sign of zero counts
	case 45:
		return sign
	case 90:
		return 0
	}
	return sign / math.Tan(x*(math.Pi/180))
}

// tand is the tangent of an angle in degrees, exact at multiples of 45.
func tand(x float64) float64 {
	x, sign := firstQuadrant(x)
	switch x {
	case 0:
		return 0
	case 45:
		return sign
	case 90:
		return sign * math.Inf(1)
	}
	return sign * math.Tan(x*(math.Pi/180))
}

// firstQuadrant is the angle up to 90 degrees with the tangent of x, times sign.
func firstQuadrant(x float64) (angle, sign float64) {
	angle, sign = math.Mod(x, 360), 1
	if angle < 0 {
		angle, sign = -angle, -sign
	}
	if angle > 180 {
		angle, sign = 360-angle, -sign
	}
	if angle > 90 {
		angle, sign = 180-angle, -sign
	}
	return angle, sign
}
