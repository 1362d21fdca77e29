package types

import (
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// Coerce applies t's modifier to d, a value of t's OID: lengths of varchar, char
// and bit strings, precision and scale of numeric, digits of a fraction of a second,
// fields of an interval. An explicit cast cuts what is too long; an assignment
// refuses it (22001) unless only blanks are lost. Numbers that do not fit are
// 22003 either way.
func Coerce(t Type, d Datum, explicit bool) (Datum, error) {
	if d.Null || t.Mod < 0 {
		return d, nil
	}
	var err error
	switch t.OID {
	case OIDVarchar:
		d.B, err = coerceVarchar(t, d.B, explicit)
	case OIDBpchar:
		d.B, err = coerceChar(t, d.B, explicit)
	case OIDBit, OIDVarbit:
		d.B, err = coerceBits(t, d.B, explicit)
	case OIDNumeric:
		if p, s, ok := t.Numeric(); ok {
			d.Dec, err = d.Dec.Fit(p, s)
		}
	case OIDTime:
		d.I, _ = roundMicros(d.I, int(min(t.Mod, 6)))
	case OIDTimestamp, OIDTimestamptz:
		if d.I == TimestampInfinity || d.I == TimestampNegInfinity {
			return d, nil
		}
		v, ok := roundMicros(d.I, int(min(t.Mod, 6)))
		if !ok || CheckTimestamp(v) != nil {
			return d, timestampOutOfRange()
		}
		d.I = v
	case OIDInterval:
		d.Iv, err = coerceInterval(t.Mod, d.Iv)
	default:
		return coerceList(t, d, explicit)
	}
	return d, err
}

// coerceList is Coerce for types made of others.
func coerceList(t Type, d Datum, explicit bool) (Datum, error) {
	if t.IsMap() {
		return coerceMap(t, d)
	}
	elem, ok := t.Elem()
	if !ok {
		return d, nil
	}
	out := make([]Datum, len(d.List))
	for i := range d.List {
		var err error
		if out[i], err = Coerce(elem, d.List[i], explicit); err != nil {
			return d, err
		}
	}
	return Datum{List: out, B: d.B}, nil
}

// cutAt returns where character n of b begins, and whether b is that long.
func cutAt(b []byte, n int) (int, bool) {
	if len(b) <= n {
		return 0, false
	}
	at := 0
	for ; n > 0 && at < len(b); n-- {
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return at, at < len(b)
}

func coerceVarchar(t Type, b []byte, explicit bool) ([]byte, error) {
	n, ok := t.Length()
	if !ok {
		return b, nil
	}
	at, long := cutAt(b, n)
	if !long {
		return b, nil
	}
	if !explicit && len(TrimBlanks(b[at:])) != 0 {
		return b, tooLong("character varying", n)
	}
	return b[:at:at], nil
}

func coerceChar(t Type, b []byte, explicit bool) ([]byte, error) {
	n, ok := t.Length()
	if !ok {
		return b, nil
	}
	at, long := cutAt(b, n)
	if long {
		if !explicit && len(TrimBlanks(b[at:])) != 0 {
			return b, tooLong("character", n)
		}
		return b[:at:at], nil
	}
	pad := n - utf8.RuneCount(b)
	if pad <= 0 {
		return b, nil
	}
	out := append(make([]byte, 0, len(b)+pad), b...)
	for range pad {
		out = append(out, ' ')
	}
	return out, nil
}

func tooLong(typ string, n int) error {
	return pgerror.New(pgerror.StringDataRightTruncation, "value too long for type %s(%d)", typ, n)
}

// TrimBlanks cuts the blanks at the end, which do not count in char(n).
func TrimBlanks(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}
