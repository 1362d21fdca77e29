package expr

import (
	"unicode/utf8"

	"velostream/catalog/types"
)

// Short forms for the function tables: adapters from Go functions to Scalar.

type datum = types.Datum

func str(s string) (datum, error)        { return types.StringDatum(s), nil }
func raw(b []byte) (datum, error)        { return types.BytesDatum(b), nil }
func integer(v int64) (datum, error)     { return types.IntDatum(v), nil }
func boolean(v bool) (datum, error)      { return types.BoolDatum(v), nil }
func null() (datum, error)               { return types.NullDatum, nil }
func fail(err error) (datum, error)      { return types.Datum{}, err }
func float(v float64) (datum, error)     { return types.FloatDatum(v), nil }
func dec(v types.Decimal) (datum, error) { return types.DecimalDatum(v), nil }

// text1 is a function of a text that gives a text.
func text1(f func(string) string) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) { return str(f(string(a[0].B))) }
}

// text3 is a function of three texts that gives a text.
func text3(f func(a, b, c string) string) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		return str(f(string(a[0].B), string(a[1].B), string(a[2].B)))
	}
}

// textInt is a function of a text and an integer.
func textInt(f func(s string, n int64) (string, error)) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		s, err := f(string(a[0].B), a[1].I)
		return types.StringDatum(s), err
	}
}

// bytesToInt is a function of bytes that gives an integer.
func bytesToInt(f func([]byte) int) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) { return integer(int64(f(a[0].B))) }
}

// runeOffset is the byte offset of the n-th character (from 0) of s, or its
// length if it has fewer.
func runeOffset(s []byte, n int) int {
	if n <= 0 {
		return 0
	}
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
		} else {
			_, w := utf8.DecodeRune(s[i:])
			i += w
		}
		if n--; n == 0 {
			return i
		}
	}
	return len(s)
}

// listOf makes a list datum of texts.
func listOf(parts []string) datum {
	d := datum{List: make([]datum, len(parts))}
	for i, p := range parts {
		d.List[i] = types.StringDatum(p)
	}
	return d
}
