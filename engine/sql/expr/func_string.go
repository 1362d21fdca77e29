package expr

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// maxText bounds a text made by a function, as in PostgreSQL.
const maxText = 1 << 30

// stringFamily is the table of string functions
// (https://www.postgresql.org/docs/15/functions-string.html).
func stringFamily() []Function {
	length := utf8.RuneCount
	left := func(s string, n int64) (string, error) { return cutLeft(s, n), nil }
	right := func(s string, n int64) (string, error) { return cutRight(s, n), nil }
	return table([]def{
		{sig: "||(text,text) text", kernel: concatTexts, doc: "concatenation"},
		{sig: "||(anynonarray,text) text", scalar: concatAny, doc: "concatenation", volatility: Stable},
		{sig: "||(text,anynonarray) text", scalar: concatAny, doc: "concatenation", volatility: Stable},
		{sig: "||(bytea,bytea) bytea", kernel: concatTexts, doc: "concatenation"},
		{sig: "^@(text,text) bool", scalar: startsWith, doc: "begins with"},
		{sig: "starts_with(text,text) bool", scalar: startsWith, doc: "begins with"},
		{sig: "length(text) int4", kernel: lengthText, doc: "number of characters"},
		{sig: "length(bpchar) int4", scalar: bytesToInt(func(b []byte) int { return length(types.TrimBlanks(b)) }), doc: "number of characters without trailing blanks"},
		{sig: "length(bytea) int4", scalar: bytesToInt(func(b []byte) int { return len(b) }), doc: "number of bytes"},
		{sig: "char_length(text) int4", kernel: lengthText, doc: "number of characters"},
		{sig: "character_length(text) int4", kernel: lengthText, doc: "number of characters"},
		{sig: "char_length(bpchar) int4", scalar: bytesToInt(func(b []byte) int { return length(types.TrimBlanks(b)) }), doc: "number of characters"},
		{sig: "len(text) int4", kernel: lengthText, doc: "number of characters"},
		{sig: "octet_length(text) int4", scalar: bytesToInt(func(b []byte) int { return len(b) }), doc: "number of bytes"},
		{sig: "octet_length(bytea) int4", scalar: bytesToInt(func(b []byte) int { return len(b) }), doc: "number of bytes"},
		{sig: "octet_length(bpchar) int4", scalar: bytesToInt(func(b []byte) int { return len(b) }), doc: "number of bytes"},
		{sig: "bit_length(text) int4", scalar: bytesToInt(func(b []byte) int { return 8 * len(b) }), doc: "number of bits"},
		{sig: "bit_length(bytea) int4", scalar: bytesToInt(func(b []byte) int { return 8 * len(b) }), doc: "number of bits"},
		{sig: "lower(text) text", kernel: caseKernel(false), doc: "lower case"},
		{sig: "upper(text) text", kernel: caseKernel(true), doc: "upper case"},
		{sig: "initcap(text) text", scalar: text1(initcap), doc: "first letter of each word upper case, the rest lower"},
		{sig: "left(text,int4) text", scalar: textInt(left), doc: "first n characters; all but the last |n| if negative"},
		{sig: "right(text,int4) text", scalar: textInt(right), doc: "last n characters; all but the first |n| if negative"},
		{sig: "reverse(text) text", scalar: text1(reverse), doc: "characters in reverse order"},
		{sig: "repeat(text,int4) text", scalar: textInt(repeat), doc: "n copies"},
		{sig: "replace(text,text,text) text", scalar: text3(replace), doc: "replaces all occurrences"},
		{sig: "translate(text,text,text) text", scalar: text3(translate), doc: "replaces characters one by one"},
		{sig: "lpad(text,int4) text", scalar: padText(true), doc: "fills up on the left with blanks, or cuts"},
		{sig: "lpad(text,int4,text) text", scalar: padText(true), doc: "fills up on the left, or cuts"},
		{sig: "rpad(text,int4) text", scalar: padText(false), doc: "fills up on the right with blanks, or cuts"},
		{sig: "rpad(text,int4,text) text", scalar: padText(false), doc: "fills up on the right, or cuts"},
		{sig: "btrim(text) text", scalar: trimText(true, true), doc: "cuts blanks on both sides"},
		{sig: "btrim(text,text) text", scalar: trimText(true, true), doc: "cuts the characters on both sides"},
		{sig: "ltrim(text) text", scalar: trimText(true, false), doc: "cuts blanks on the left"},
		{sig: "ltrim(text,text) text", scalar: trimText(true, false), doc: "cuts the characters on the left"},
		{sig: "rtrim(text) text", scalar: trimText(false, true), doc: "cuts blanks on the right"},
		{sig: "rtrim(text,text) text", scalar: trimText(false, true), doc: "cuts the characters on the right"},
		{sig: "trim(text) text", scalar: trimText(true, true), doc: "cuts blanks on both sides"},
		{sig: "trim(text,text) text", scalar: trimText(true, true), doc: "cuts the characters on both sides"},
		{sig: "btrim(bytea,bytea) bytea", scalar: trimBytea(true, true), doc: "cuts the bytes on both sides"},
		{sig: "ltrim(bytea,bytea) bytea", scalar: trimBytea(true, false), doc: "cuts the bytes on the left"},
		{sig: "rtrim(bytea,bytea) bytea", scalar: trimBytea(false, true), doc: "cuts the bytes on the right"},
		{sig: "position(text,text) int4", scalar: strpos, doc: "where the second text is in the first, from 1; 0: nowhere"},
		{sig: "strpos(text,text) int4", scalar: strpos, doc: "where the second text is in the first, from 1; 0: nowhere"},
		{sig: "position(bytea,bytea) int4", scalar: bytepos, doc: "where the second string is in the first, from 1; 0: nowhere"},
		{sig: "substring(text,int4) text", scalar: substring, doc: "characters from a position"},
		{sig: "substring(text,int4,int4) text", scalar: substring, doc: "n characters from a position"},
		{sig: "substr(text,int4) text", scalar: substring, doc: "characters from a position"},
		{sig: "substr(text,int4,int4) text", scalar: substring, doc: "n characters from a position"},
		{sig: "substring(bytea,int4) bytea", scalar: subbytes, doc: "bytes from a position"},
		{sig: "substring(bytea,int4,int4) bytea", scalar: subbytes, doc: "n bytes from a position"},
		{sig: "substr(bytea,int4) bytea", scalar: subbytes, doc: "bytes from a position"},
		{sig: "substr(bytea,int4,int4) bytea", scalar: subbytes, doc: "n bytes from a position"},
		{sig: "overlay(text,text,int4) text", scalar: overlay, doc: "replaces characters from a position"},
		{sig: "overlay(text,text,int4,int4) text", scalar: overlay, doc: "replaces n characters from a position"},
		{sig: "overlay(bytea,bytea,int4) bytea", scalar: overlayBytes, doc: "replaces bytes from a position"},
		{sig: "overlay(bytea,bytea,int4,int4) bytea", scalar: overlayBytes, doc: "replaces n bytes from a position"},
		{sig: "split_part(text,text,int4) text", scalar: splitPart, doc: "n-th field, from the end if negative"},
		{sig: "ascii(text) int4", scalar: ascii, doc: "code point of the first character"},
		{sig: "chr(int4) text", scalar: chr, doc: "character of a code point"},
	})
}

func concatTexts(c *CallContext, args []*column.Column, out *column.Column) error {
	w := newWriter(out)
	a, b := args[0], args[1]
	err := c.each(func(i int) error {
		w.pad(i)
		out.Data = append(append(out.Data, a.Bytes(i)...), b.Bytes(i)...)
		w.end(i)
		return nil
	})
	w.finish(c.N)
	return err
}

// concatAny casts the side that is no text to text.
func concatAny(c *CallContext, a []datum) (datum, error) {
	var out []byte
	for i, t := range c.Args {
		d, err := types.CastDatum(t, types.Text, a[i], c.Env.format())
		if err != nil {
			return fail(err)
		}
		out = append(out, d.B...)
	}
	return raw(out)
}

// appendValue adds a value as its output function writes it.
func appendValue(dst []byte, t types.Type, d datum, f *types.Format) []byte {
	return types.AppendText(dst, t, d, f)
}

func startsWith(_ *CallContext, a []datum) (datum, error) {
	return boolean(bytes.HasPrefix(a[0].B, a[1].B))
}

func lengthText(c *CallContext, args []*column.Column, out *column.Column) error {
	return c.each(func(i int) error {
		out.Ints[i] = int64(utf8.RuneCount(args[0].Bytes(i)))
		return nil
	})
}

// caseKernel converts ASCII in place and the rest by Unicode's simple mapping.
func caseKernel(upper bool) Kernel {
	lo, hi := byte('A'), byte('Z')
	conv := bytes.ToLower
	if upper {
		lo, hi, conv = 'a', 'z', bytes.ToUpper
	}
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		w := newWriter(out)
		err := c.each(func(i int) error {
			v := args[0].Bytes(i)
			w.pad(i)
			start := len(out.Data)
			for _, b := range v {
				if b >= utf8.RuneSelf {
					out.Data = append(out.Data[:start], conv(v)...)
					break
				}
				if b >= lo && b <= hi {
					b ^= 0x20
				}
				out.Data = append(out.Data, b)
			}
			w.end(i)
			return nil
		})
		w.finish(c.N)
		return err
	}
}

func initcap(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		inWord = unicode.IsLetter(r) || unicode.IsDigit(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func cutLeft(s string, n int64) string {
	if n < 0 {
		n += int64(utf8.RuneCountInString(s))
	}
	return s[:runeOffset([]byte(s), int(max(n, 0)))]
}

func cutRight(s string, n int64) string {
	chars := int64(utf8.RuneCountInString(s))
	skip := -n
	if n >= 0 {
		skip = chars - n
	}
	return s[runeOffset([]byte(s), int(max(skip, 0))):]
}

func reverse(s string) string {
	out := make([]byte, 0, len(s))
	for s != "" {
		_, w := utf8.DecodeLastRuneInString(s)
		out = append(out, s[len(s)-w:]...)
		s = s[:len(s)-w]
	}
	return string(out)
}

func repeat(s string, n int64) (string, error) {
	if n <= 0 || s == "" {
		return "", nil
	}
	if int64(len(s))*n >= maxText {
		return "", pgerror.New(pgerror.ProgramLimitExceeded, "requested length too large")
	}
	return strings.Repeat(s, int(n)), nil
}

func replace(s, from, to string) string {
	if from == "" {
		return s
	}
	return strings.ReplaceAll(s, from, to)
}

func translate(s, from, to string) string {
	m := make(map[rune]rune)
	dst := []rune(to)
	for i, r := range []rune(from) {
		if _, ok := m[r]; ok {
			continue
		}
		if i < len(dst) {
			m[r] = dst[i]
		} else {
			m[r] = -1
		}
	}
	return strings.Map(func(r rune) rune {
		if t, ok := m[r]; ok {
			return t
		}
		return r
	}, s)
}

func padText(onLeft bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		s, n, fill := a[0].B, max(a[1].I, 0), []byte(" ")
		if len(a) == 3 {
			fill = a[2].B
		}
		if len(fill) == 0 {
			n = min(n, int64(utf8.RuneCount(s)))
		}
		if n >= maxText/4 {
			return fail(pgerror.New(pgerror.ProgramLimitExceeded, "requested length too large"))
		}
		missing := int(n) - utf8.RuneCount(s)
		if missing <= 0 {
			return raw(s[:runeOffset(s, int(n))])
		}
		per := utf8.RuneCount(fill)
		pad := bytes.Repeat(fill, missing/per)
		pad = append(pad, fill[:runeOffset(fill, missing%per)]...)
		if onLeft {
			return raw(append(pad, s...))
		}
		return raw(append(append(make([]byte, 0, len(s)+len(pad)), s...), pad...))
	}
}

func trimText(l, r bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		set := " "
		if len(a) == 2 {
			set = string(a[1].B)
		}
		s := a[0].B
		if l {
			s = bytes.TrimLeft(s, set)
		}
		if r {
			s = bytes.TrimRight(s, set)
		}
		return raw(s)
	}
}

func trimBytea(l, r bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		s, set := a[0].B, a[1].B
		for l && len(s) > 0 && bytes.IndexByte(set, s[0]) >= 0 {
			s = s[1:]
		}
		for r && len(s) > 0 && bytes.IndexByte(set, s[len(s)-1]) >= 0 {
			s = s[:len(s)-1]
		}
		return raw(s)
	}
}

func strpos(_ *CallContext, a []datum) (datum, error) {
	i := bytes.Index(a[0].B, a[1].B)
	if i < 0 {
		return integer(0)
	}
	return integer(int64(utf8.RuneCount(a[0].B[:i])) + 1)
}

func bytepos(_ *CallContext, a []datum) (datum, error) {
	return integer(int64(bytes.Index(a[0].B, a[1].B)) + 1)
}

// span turns SQL's start (from 1, may lie before) and length into the first
// index and end; a missing length reaches to the end.
func span(a []datum) (lo, hi int64, err error) {
	lo = a[1].I - 1
	if len(a) == 2 {
		return max(lo, 0), maxText, nil
	}
	if a[2].I < 0 {
		return 0, 0, pgerror.New(pgerror.SubstringError, "negative substring length not allowed")
	}
	hi = lo + a[2].I
	return max(lo, 0), max(hi, 0), nil
}

func substring(_ *CallContext, a []datum) (datum, error) {
	lo, hi, err := span(a)
	if err != nil || hi <= lo {
		return types.StringDatum(""), err
	}
	s := a[0].B[runeOffset(a[0].B, int(lo)):]
	return raw(s[:runeOffset(s, int(hi-lo))])
}

func subbytes(_ *CallContext, a []datum) (datum, error) {
	lo, hi, err := span(a)
	n := int64(len(a[0].B))
	lo, hi = min(lo, n), min(hi, n)
	if err != nil || hi <= lo {
		return types.BytesDatum([]byte{}), err
	}
	return raw(a[0].B[lo:hi])
}

func overlay(_ *CallContext, a []datum) (datum, error) {
	s, by, start := a[0].B, a[1].B, a[2].I
	n := int64(utf8.RuneCount(by))
	if len(a) == 4 {
		n = a[3].I
	}
	if start <= 0 {
		return fail(pgerror.New(pgerror.SubstringError, "negative substring length not allowed"))
	}
	if end := start + n; end > math.MaxInt32 || end < math.MinInt32 {
		return fail(rangeInt4.out())
	}
	out := append([]byte(nil), s[:runeOffset(s, int(start-1))]...)
	out = append(out, by...)
	return raw(append(out, s[runeOffset(s, int(max(start+n-1, 0))):]...))
}

func splitPart(_ *CallContext, a []datum) (datum, error) {
	s, sep, n := string(a[0].B), string(a[1].B), int(a[2].I)
	if n == 0 {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "field position must not be zero"))
	}
	parts := []string{s}
	switch {
	case s == "":
		return str("")
	case sep != "":
		parts = strings.Split(s, sep)
	}
	if n < 0 {
		n += len(parts) + 1
	}
	if n < 1 || n > len(parts) {
		return str("")
	}
	return str(parts[n-1])
}

func ascii(_ *CallContext, a []datum) (datum, error) {
	if len(a[0].B) == 0 {
		return integer(0)
	}
	r, _ := utf8.DecodeRune(a[0].B)
	return integer(int64(r))
}

func overlayBytes(_ *CallContext, a []datum) (datum, error) {
	n := int64(len(a[1].B))
	if len(a) > 3 {
		n = a[3].I
	}
	if a[2].I <= 0 {
		return fail(pgerror.New("22011", "negative substring length not allowed"))
	}
	if end := a[2].I + n; end > math.MaxInt32 || end < math.MinInt32 {
		return fail(rangeInt4.out())
	}
	s, size := a[0].B, int64(len(a[0].B))
	from := min(a[2].I-1, size)
	to := min(max(a[2].I-1+n, 0), size)
	return raw(slices.Concat(s[:from], a[1].B, s[to:]))
}

func chr(_ *CallContext, a []datum) (datum, error) {
	switch v := a[0].I; {
	case v == 0:
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "null character not permitted"))
	case v < 0:
		return fail(pgerror.New(pgerror.InvalidParameterValue, "character number must be positive"))
	case v > unicode.MaxRune:
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "requested character too large for encoding: %d", v))
	case v >= 0xD800 && v < 0xE000:
		return fail(pgerror.New(pgerror.ProgramLimitExceeded, "requested character not valid for encoding: %d", v))
	default:
		return str(string(rune(v)))
	}
}
