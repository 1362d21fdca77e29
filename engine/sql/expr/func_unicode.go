package expr

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"velostream/pgwire/pgerror"

	"golang.org/x/text/unicode/norm"
)

// unicodeFamily is the table of bits of bytea, Unicode and identifiers
// (https://www.postgresql.org/docs/15/functions-binarystring.html,
// functions-string.html).
func unicodeFamily() []Function {
	return table([]def{
		{sig: "get_bit(bytea,int8) int4", scalar: getBit, doc: "bit at an offset, the lowest of each byte first"},
		{sig: "set_bit(bytea,int8,int4) bytea", scalar: setBit, doc: "with another bit at an offset"},
		{sig: "bit_count(bytea) int8", scalar: func(_ *CallContext, a []datum) (datum, error) {
			n := 0
			for _, c := range a[0].B {
				n += bits.OnesCount8(c)
			}
			return integer(int64(n))
		}, doc: "number of bits that are set"},
		{sig: "length(bytea,name) int4", scalar: lengthIn, doc: "number of characters in an encoding"},
		{sig: "convert(bytea,name,name) bytea", scalar: convertBytes, doc: "text in another encoding"},
		{sig: "unistr(text) text", scalar: unistr, doc: "text of Unicode escapes"},
		{sig: "normalize(text) text", scalar: normalize, doc: "Unicode normal form NFC"},
		{sig: "normalize(text,text) text", scalar: normalize, doc: "Unicode normal form"},
		{sig: "is_normalized(text) bool", scalar: isNormalized, doc: "is in Unicode normal form NFC"},
		{sig: "is_normalized(text,text) bool", scalar: isNormalized, doc: "is in a Unicode normal form"},
	})
}

func bitIndex(b []byte, i int64) error {
	if i < 0 || i >= int64(len(b))*8 {
		return pgerror.New("2202E", "index %d out of valid range, 0..%d", i, int64(len(b))*8-1)
	}
	return nil
}

func getBit(_ *CallContext, a []datum) (datum, error) {
	if err := bitIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	return integer(int64(a[0].B[a[1].I/8] >> (a[1].I % 8) & 1))
}

func setBit(_ *CallContext, a []datum) (datum, error) {
	if err := bitIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	if a[2].I != 0 && a[2].I != 1 {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "new bit must be 0 or 1"))
	}
	out := append([]byte(nil), a[0].B...)
	mask := byte(1) << (a[1].I % 8)
	if out[a[1].I/8] &^= mask; a[2].I == 1 {
		out[a[1].I/8] |= mask
	}
	return raw(out)
}

func lengthIn(c *CallContext, a []datum) (datum, error) {
	if !isUTF8(a[1].B) {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid encoding name \"%s\"", a[1].B))
	}
	d, err := convertFrom(c, a)
	if err != nil {
		return fail(err)
	}
	return integer(int64(utf8.RuneCount(d.B)))
}

func convertBytes(c *CallContext, a []datum) (datum, error) {
	if !isUTF8(a[1].B) {
		return fail(noEncoding("source", a[1].B))
	}
	if !isUTF8(a[2].B) {
		return fail(noEncoding("destination", a[2].B))
	}
	return convertFrom(c, a)
}

// unistr reads \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX.
func unistr(_ *CallContext, a []datum) (datum, error) {
	s := string(a[0].B)
	var out strings.Builder
	var high rune
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			if high != 0 {
				return fail(badSurrogate())
			}
			out.WriteByte(s[i])
			i++
			continue
		}
		if strings.HasPrefix(s[i+1:], `\`) {
			if high != 0 {
				return fail(badSurrogate())
			}
			out.WriteByte('\\')
			i += 2
			continue
		}
		r, n, ok := unicodeEscape(s[i+1:])
		if !ok {
			return fail(pgerror.New(pgerror.SyntaxError, "invalid Unicode escape").
				WithHint(`Unicode escapes must be \XXXX, \+XXXXXX, \uXXXX, or \UXXXXXXXX.`))
		}
		if r <= 0 || r > utf8.MaxRune {
			return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid Unicode code point: %04X", r))
		}
		i += 1 + n
		switch {
		case high != 0:
			if r = utf16.DecodeRune(high, r); r == utf8.RuneError {
				return fail(badSurrogate())
			}
			high = 0
		case r >= 0xD800 && r < 0xDC00:
			high = r
			continue
		case r >= 0xDC00 && r < 0xE000:
			return fail(badSurrogate())
		}
		out.WriteRune(r)
	}
	if high != 0 {
		return fail(badSurrogate())
	}
	return str(out.String())
}

func badSurrogate() error { return pgerror.New(pgerror.SyntaxError, "invalid Unicode surrogate pair") }

// unicodeEscape reads what is behind a backslash, n bytes.
func unicodeEscape(s string) (r rune, n int, ok bool) {
	from, digits := 0, 4
	if s != "" {
		switch s[0] {
		case '+':
			from, digits = 1, 6
		case 'u':
			from = 1
		case 'U':
			from, digits = 1, 8
		}
	}
	if n = from + digits; n > len(s) {
		return 0, 0, false
	}
	v, err := strconv.ParseUint(s[from:n], 16, 32)
	if err != nil {
		return 0, 0, false
	}
	return rune(min(v, utf8.MaxRune+1)), n, true
}

func normalForm(a []datum) (norm.Form, error) {
	if len(a) < 2 {
		return norm.NFC, nil
	}
	switch strings.ToUpper(string(a[1].B)) {
	case "NFC":
		return norm.NFC, nil
	case "NFD":
		return norm.NFD, nil
	case "NFKC":
		return norm.NFKC, nil
	case "NFKD":
		return norm.NFKD, nil
	}
	return 0, pgerror.New(pgerror.InvalidParameterValue, "invalid normalization form: %s", a[1].B)
}

func normalize(_ *CallContext, a []datum) (datum, error) {
	f, err := normalForm(a)
	if err != nil {
		return fail(err)
	}
	return raw(f.Bytes(a[0].B))
}

func isNormalized(_ *CallContext, a []datum) (datum, error) {
	f, err := normalForm(a)
	if err != nil {
		return fail(err)
	}
	return boolean(f.IsNormal(a[0].B))
}
