package types

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// AppendBool adds t or f.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

// ParseBool reads true, false, yes, no, on, off, 1, 0 and their unambiguous
// beginnings in any case, blanks around them.
func ParseBool(s string) (v, ok bool) {
	s = lower(trimSpace(s))
	if s == "" {
		return false, false
	}
	prefix := func(of string) bool { return len(s) <= len(of) && of[:len(s)] == s }
	switch s[0] {
	case 't':
		return true, prefix("true")
	case 'f':
		return false, prefix("false")
	case 'y':
		return true, prefix("yes")
	case 'n':
		return false, prefix("no")
	case 'o':
		if s == "on" {
			return true, true
		}
		return false, len(s) > 1 && prefix("off")
	case '1':
		return true, s == "1"
	case '0':
		return false, s == "0"
	}
	return false, false
}

func intName(o OID) string {
	switch o {
	case OIDInt2:
		return "smallint"
	case OIDInt4:
		return "integer"
	default:
	}
	return "bigint"
}

func parseInt(o OID, b []byte) (int64, error) {
	s := trimSpace(string(b))
	v, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err == nil && fitsInt(o, v):
		return v, nil
	case err == nil || errors.Is(err, strconv.ErrRange) || digitsOut(o, s):
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "value %q is out of range for type %s", string(b), intName(o))
	}
	return 0, pgerror.InvalidText(intName(o), string(b))
}

// digitsOut reports that the digits s begins with are out of o's range, which PostgreSQL finds
// before it sees what comes after them. It reads them as a negative number.
func digitsOut(o OID, s string) bool {
	s = strings.TrimLeft(s[:min(1, len(s))], "+-") + s[min(1, len(s)):]
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	v, err := strconv.ParseInt("-"+digits, 10, 64)
	return errors.Is(err, strconv.ErrRange) || err == nil && !fitsInt(o, v)
}

func fitsInt(o OID, v int64) bool {
	switch o {
	case OIDInt2:
		return v == int64(int16(v))
	case OIDInt4:
		return v == int64(int32(v))
	case OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return v == int64(uint32(v))
	default:
	}
	return true
}

// parseOID reads an unsigned 32-bit number; a negative one wraps as in C.
func parseOID(s string) (int64, error) {
	t := trimSpace(s)
	if t == "-" {
		return 0, nil
	}
	v, err := strconv.ParseInt(t, 10, 64)
	switch {
	case err == nil && v >= math.MinInt32 && v <= math.MaxUint32:
		return int64(uint32(v)), nil
	case err == nil || errors.Is(err, strconv.ErrRange):
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "value %q is out of range for type oid", s)
	}
	return 0, pgerror.InvalidText("oid", s)
}

// AppendFloat8 adds a double. With extra > 0 it is the shortest text that reads
// back as the same value, else 15+extra digits (extra_float_digits).
func AppendFloat8(dst []byte, v float64, extra int) []byte {
	return appendFloat(dst, v, 64, 15, extra)
}

// AppendFloat4 is AppendFloat8 for values of 32 bits, 6+extra digits.
func AppendFloat4(dst []byte, v float64, extra int) []byte {
	return appendFloat(dst, v, 32, 6, extra)
}

func appendFloat(dst []byte, v float64, bitSize, digits, extra int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	case v == 0:
		if math.Signbit(v) {
			return append(dst, '-', '0')
		}
		return append(dst, '0')
	}
	var buf [32]byte
	prec := -1
	if extra <= 0 {
		digits = max(digits+extra, 1)
		prec = digits - 1
	}
	sci := strconv.AppendFloat(buf[:0], v, 'e', prec, bitSize)
	if prec < 0 && mayTie(v, bitSize) {
		sci = shortestInside(sci, v, bitSize)
	}
	return appendSci(dst, sci, digits, prec < 0)
}

// appendSci rewrites d.ddde±xx as C's %g with limit digits does: positional
// while -4 ≤ exponent < limit, trailing zeros cut.
func appendSci(dst, sci []byte, limit int, shortest bool) []byte {
	if sci[0] == '-' {
		dst, sci = append(dst, '-'), sci[1:]
	}
	e := len(sci) - 1
	for sci[e] != 'e' {
		e--
	}
	exp, _ := strconv.Atoi(string(sci[e+1:]))
	var buf [24]byte
	mant := append(buf[:0], sci[0])
	if e > 2 {
		mant = append(mant, sci[2:e]...)
	}
	if !shortest {
		for len(mant) > 1 && mant[len(mant)-1] == '0' {
			mant = mant[:len(mant)-1]
		}
	}
	switch {
	case exp < -4 || exp >= limit:
		dst = append(dst, mant[0])
		if len(mant) > 1 {
			dst = append(dst, '.')
			dst = append(dst, mant[1:]...)
		}
		return append(dst, sci[e:]...)
	case exp < 0:
		return appendPoint(dst, mant, len(mant)-1-exp)
	case exp >= len(mant)-1:
		dst = append(dst, mant...)
		for range exp - (len(mant) - 1) {
			dst = append(dst, '0')
		}
		return dst
	}
	return appendPoint(dst, mant, len(mant)-1-exp)
}

// ParseFloat8 reads a double as strtod does, blanks around it, with NaN and
// infinities; out of range (also towards zero) is 22003.
func ParseFloat8(s string) (float64, error) { return parseFloat(s, 64, "double precision") }

// ParseFloat4 reads a float of 32 bits.
func ParseFloat4(s string) (float64, error) { return parseFloat(s, 32, "real") }

func parseFloat(s string, bitSize int, typ string) (float64, error) {
	t := trimSpace(s)
	if v, ok := parseFloatSpecial(t); ok {
		return v, nil
	}
	digits, ok := floatShaped(t)
	if !ok {
		return 0, pgerror.InvalidText(typ, s)
	}
	v, err := strconv.ParseFloat(digits, bitSize)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, pgerror.InvalidText(typ, s)
	case err != nil || v == 0 && hasNonZeroDigit(t):
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "%q is out of range for type %s", t, typ)
	}
	return v, nil
}

func parseFloatSpecial(t string) (float64, bool) {
	if t == "" || isDigit(t[len(t)-1]) || t[len(t)-1] == '.' {
		return 0, false
	}
	switch lower(t) {
	case "nan", "+nan", "-nan":
		return math.NaN(), true
	case "inf", "infinity", "+inf", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// floatShaped keeps out what Go reads and C does not (underscores, names), and
// returns the text for Go: C's hexadecimal floats need no exponent.
func floatShaped(t string) (string, bool) {
	if h := lower(strings.TrimLeft(t, "+-")); strings.HasPrefix(h, "0x") {
		switch {
		case strings.ContainsRune(h, '_'):
			return "", false
		case strings.ContainsRune(h, 'p'):
			return t, true
		}
		return t + "p0", true
	}
	for i := range len(t) {
		switch c := t[i]; {
		case isDigit(c), c == '+', c == '-', c == '.', c|0x20 == 'e':
		default:
			return "", false
		}
	}
	return t, t != ""
}

func hasNonZeroDigit(t string) bool {
	for i := range len(t) {
		switch c := t[i]; {
		case c|0x20 == 'e':
			return false
		case c >= '1' && c <= '9':
			return true
		}
	}
	return false
}

// AppendUUID adds the 8-4-4-4-12 form of 16 bytes.
func AppendUUID(dst, u []byte) []byte {
	if len(u) != 16 {
		return hex.AppendEncode(dst, u)
	}
	dst = append(hex.AppendEncode(dst, u[:4]), '-')
	dst = append(hex.AppendEncode(dst, u[4:6]), '-')
	dst = append(hex.AppendEncode(dst, u[6:8]), '-')
	dst = append(hex.AppendEncode(dst, u[8:10]), '-')
	return hex.AppendEncode(dst, u[10:])
}

// ParseUUID reads 32 hex digits in any case, braces around them or not, a
// hyphen after any group of four or not, into 16 bytes.
func ParseUUID(s string) ([]byte, error) {
	src := s
	if src != "" && src[0] == '{' {
		if src[len(src)-1] != '}' {
			return nil, pgerror.InvalidText("uuid", s)
		}
		src = src[1 : len(src)-1]
	}
	out := make([]byte, 0, 16)
	for len(src) >= 2 && len(out) < 16 {
		hi, lo := hexDigit(src[0]), hexDigit(src[1])
		if hi > 15 || lo > 15 {
			break
		}
		out, src = append(out, hi<<4|lo), src[2:]
		if len(out)%2 == 0 && len(out) < 16 && src != "" && src[0] == '-' {
			src = src[1:]
		}
	}
	if len(out) != 16 || src != "" {
		return nil, pgerror.InvalidText("uuid", s)
	}
	return out, nil
}

// hexDigit returns the value of a hex digit, 255 for any other byte.
func hexDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// AppendBytea adds bytes in hex form (\x…), or escape form.
func AppendBytea(dst, v []byte, escape bool) []byte {
	if !escape {
		return hex.AppendEncode(append(dst, '\\', 'x'), v)
	}
	for _, c := range v {
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// ParseBytea reads hex form (blanks between the bytes allowed) or escape form.
func ParseBytea(s string) ([]byte, error) {
	if len(s) >= 2 && s[:2] == `\x` {
		return DecodeHex(s[2:])
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		switch {
		case s[i] != '\\':
			out = append(out, s[i])
			i++
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			out = append(out, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 4
		case i+1 < len(s) && s[i+1] == '\\':
			out = append(out, '\\')
			i += 2
		default:
			return nil, pgerror.New(pgerror.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return out, nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

// DecodeHex reads pairs of hexadecimal digits, with white space between them; 22023 for anything
// else.
func DecodeHex(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); {
		if c := s[i]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		hi := hexDigit(s[i])
		if hi > 15 {
			return nil, badHexDigit(s[i:])
		}
		if i+1 >= len(s) {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo := hexDigit(s[i+1])
		if lo > 15 {
			return nil, badHexDigit(s[i+1:])
		}
		out = append(out, hi<<4|lo)
		i += 2
	}
	return out, nil
}

func badHexDigit(s string) error {
	_, n := utf8.DecodeRuneInString(s)
	return pgerror.New(pgerror.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", s[:n])
}

// CheckText refuses what a UTF-8 server can't store, 22021 with the bytes of the first sequence
// that is none, as PostgreSQL takes them by their first byte.
func CheckText(b []byte) error {
	if utf8.Valid(b) && !slices.Contains(b, 0) {
		return nil
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == 0 || r == utf8.RuneError && n <= 1 {
			var text strings.Builder
			for _, c := range b[i:min(i+sequenceLength(b[i]), len(b))] {
				fmt.Fprintf(&text, " 0x%02x", c)
			}
			return pgerror.New(pgerror.InvalidByteSequence, "invalid byte sequence for encoding \"UTF8\":%s", text.String())
		}
		i += n
	}
	return nil
}

// sequenceLength is how many bytes a character that begins with c has.
func sequenceLength(c byte) int {
	switch {
	case c&0xe0 == 0xc0:
		return 2
	case c&0xf0 == 0xe0:
		return 3
	case c&0xf8 == 0xf0:
		return 4
	}
	return 1
}

// nameMax is how many bytes a name keeps (NAMEDATALEN - 1).
const nameMax = 63

func truncateName(b []byte) []byte {
	if len(b) > nameMax {
		n := nameMax
		for n > 0 && !utf8.RuneStart(b[n]) {
			n--
		}
		b = b[:n]
	}
	return append(make([]byte, 0, len(b)), b...)
}

// parseChar1 reads the one byte of a "char": its first, or \ooo.
func parseChar1(b []byte) []byte {
	if len(b) == 4 && b[0] == '\\' && b[1] >= '0' && b[1] <= '3' && isOctal(b[2]) && isOctal(b[3]) {
		return []byte{(b[1]-'0')<<6 | (b[2]-'0')<<3 | (b[3] - '0')}
	}
	if len(b) == 0 || b[0] == 0 {
		return []byte{}
	}
	return []byte{b[0]}
}

func appendChar1(dst, b []byte) []byte {
	switch {
	case len(b) == 0 || b[0] == 0:
		return dst
	case b[0] >= 0x80:
		return append(dst, '\\', '0'+b[0]>>6, '0'+b[0]>>3&7, '0'+b[0]&7)
	}
	return append(dst, b[0])
}
