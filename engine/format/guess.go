package format

import (
	"bytes"

	"velostream/catalog/types"
)

// Guess returns the narrowest type that text seems to be of: int8, numeric,
// bool, date, timestamp, timestamptz, uuid, else text.
func Guess(text []byte) types.Type {
	var n Number
	if ParseNumber(&n, text) && !bytes.HasPrefix(text, []byte("+")) {
		// 007 is a name rather than a number.
		if d := bytes.TrimPrefix(text, []byte("-")); len(d) > 1 && d[0] == '0' && d[1] >= '0' && d[1] <= '9' {
			return types.Text
		}
		return GuessNumber(&n)
	}
	if _, ok := parseBool(text); ok && len(text) > 1 {
		return types.Bool
	}
	return GuessString(text)
}

// GuessNumber is Guess for a number: exact, so never a float.
func GuessNumber(n *Number) types.Type {
	if _, ok := n.int(); ok && n.Frac == 0 && n.Exp == 0 {
		return types.Int8
	}
	return types.Numeric
}

// GuessString is Guess for text that is known to be no number or bool.
func GuessString(text []byte) types.Type {
	if _, ok := parseISODate(text); ok && len(text) == 10 {
		return types.Date
	}
	var c Cell
	if _, _, ok := c.parseISO(text); ok {
		if last := text[len(text)-1]; last == 'Z' || bytes.ContainsAny(text[19:], "+-") {
			return types.Timestamptz
		}
		return types.Timestamp
	}
	if _, ok := parseUUID(text); ok {
		return types.UUID
	}
	return types.Text
}

// Widen returns the type that values of both a and b go into; the zero Type
// stands for no value yet.
func Widen(a, b types.Type) types.Type {
	if a == b || b.OID == 0 {
		return a
	}
	if a.OID == 0 {
		return b
	}
	is := func(x, y types.Type) bool { return a == x && b == y || a == y && b == x }
	switch {
	case is(types.Int8, types.Numeric):
		return types.Numeric
	case is(types.Date, types.Timestamp):
		return types.Timestamp
	case is(types.Date, types.Timestamptz), is(types.Timestamp, types.Timestamptz):
		return types.Timestamptz
	case a == types.JSONB || b == types.JSONB:
		return types.JSONB
	}
	return types.Text
}
