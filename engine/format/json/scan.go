package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// space passes white space and returns the byte at pos, 0 at the end.
func (d *Decoder) space() byte {
	for d.pos < len(d.buf) {
		switch c := d.buf[d.pos]; c {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *Decoder) syntax(what string) error {
	if d.fault != "" {
		what = d.fault
	}
	return pgerror.New(pgerror.InvalidTextRepresentation, "invalid input syntax for type json: %s", what).
		WithDetail("At byte %d of %d.", d.pos+1, len(d.buf))
}

func (d *Decoder) tooDeep() error {
	return pgerror.New(pgerror.StatementTooComplex, "a JSON value is nested deeper than %d", maxDepth)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns how many bytes from i on are neither a quote, nor a backslash,
// nor a control character. Eight bytes at a time: the classic test for a zero
// byte, whose lowest hit is exact.
func plain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q := w ^ '"'*ones
		s := w ^ '\\'*ones
		if hit := ((q-ones)&^q | (s-ones)&^s | (w-0x20*ones)&^w) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		}
	}
	return i
}

// string reads the string at pos. The result is a view of the value, or of a
// buffer that the next string with escapes uses again.
func (d *Decoder) string() ([]byte, error) {
	start := d.pos + 1
	end := plain(d.buf, start)
	if end < len(d.buf) && d.buf[end] == '"' {
		d.pos = end + 1
		return d.buf[start:end], nil
	}
	return d.escaped(start, end)
}

func (d *Decoder) escaped(start, end int) ([]byte, error) {
	d.text = d.text[:0]
	for {
		d.text = append(d.text, d.buf[start:end]...)
		d.pos = end
		if end >= len(d.buf) {
			return nil, d.syntax("a string has no end")
		}
		if d.buf[end] == '"' {
			d.pos++
			return d.text, nil
		}
		if d.buf[end] != '\\' {
			return nil, d.syntax("a control character in a string must be escaped")
		}
		r, n := d.escape(end)
		switch {
		case n == 0:
			return nil, d.syntax("an escape in a string is malformed")
		case r < 0:
			return nil, d.syntax("half of a Unicode surrogate pair is missing")
		}
		d.text = utf8.AppendRune(d.text, r)
		start = end + n
		end = plain(d.buf, start)
	}
}

// escape reads the escape at i and returns its character, -1 for half of a
// surrogate pair, and its length, 0 when it is malformed.
func (d *Decoder) escape(i int) (rune, int) {
	if i+1 >= len(d.buf) {
		return 0, 0
	}
	switch d.buf[i+1] {
	case '"', '\\', '/':
		return rune(d.buf[i+1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r := d.hex(i + 2)
		if r < 0 {
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if i+7 < len(d.buf) && d.buf[i+6] == '\\' && d.buf[i+7] == 'u' {
			if both := utf16.DecodeRune(r, max(0, d.hex(i+8))); both != utf8.RuneError {
				return both, 12
			}
		}
		return -1, 6
	}
	return 0, 0
}

// hex reads four hexadecimal digits at i, -1 if they are not there.
func (d *Decoder) hex(i int) rune {
	if i+4 > len(d.buf) {
		return -1
	}
	var r rune
	for _, c := range d.buf[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// number reads the number at pos into d.num and reports whether it is one
// (RFC 8259 §6).
func (d *Decoder) number() bool {
	b, i := d.buf, d.pos
	n := &d.num
	n.Neg = b[i] == '-'
	if n.Neg {
		i++
	}
	var mant uint64
	start := i
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c > 9 {
			break
		}
		mant = mant*10 + uint64(c)
	}
	digits := i - start
	switch {
	case digits == 0, digits > 1 && b[start] == '0':
		return false
	case mant == 0 && digits == 1:
		digits = 0
	}
	frac := 0
	if i < len(b) && b[i] == '.' {
		i++
		from := i
		for ; i < len(b); i++ {
			c := b[i] - '0'
			if c > 9 {
				break
			}
			mant = mant*10 + uint64(c)
		}
		if frac = i - from; frac == 0 {
			return false
		}
		digits += frac
	}
	n.Mant, n.Digits, n.Frac, n.Exp = mant, digits, frac, 0
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		exp, end, ok := exponent(b, i+1)
		if !ok {
			return false
		}
		n.Exp, i = exp, end
	}
	n.Raw = b[d.pos:i]
	d.pos = i
	return true
}

func exponent(b []byte, i int) (exp, end int, ok bool) {
	neg := false
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		neg = b[i] == '-'
		i++
	}
	start := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		exp = min(exp*10+int(b[i]-'0'), 1<<20)
	}
	if neg {
		exp = -exp
	}
	return exp, i, i > start
}

// word reads true, false or null at pos.
func (d *Decoder) word(c byte) error {
	want := "true"
	switch c {
	case 'f':
		want = "false"
	case 'n':
		want = "null"
	}
	if len(d.buf)-d.pos < len(want) || string(d.buf[d.pos:d.pos+len(want)]) != want {
		return d.syntax("a value is malformed")
	}
	d.pos += len(want)
	return nil
}

// skip passes the value at pos and checks its syntax.
func (d *Decoder) skip(depth int) error {
	switch c := d.space(); c {
	case '"':
		return d.skipString()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if !d.number() {
			return d.syntax("a number is malformed")
		}
		return nil
	case 't', 'f', 'n':
		return d.word(c)
	case '{', '[':
		if depth >= maxDepth {
			return d.tooDeep()
		}
		return d.skipMembers(c, depth)
	}
	return d.syntax("a value is missing")
}

func (d *Decoder) skipString() error {
	i := plain(d.buf, d.pos+1)
	for i < len(d.buf) && d.buf[i] == '\\' {
		_, n := d.escape(i)
		if n == 0 {
			d.pos = i
			return d.syntax("an escape in a string is malformed")
		}
		i = plain(d.buf, i+n)
	}
	d.pos = i
	if i >= len(d.buf) {
		return d.syntax("a string has no end")
	}
	if d.buf[i] != '"' {
		return d.syntax("a control character in a string must be escaped")
	}
	d.pos++
	return nil
}

// skipMembers passes an object or array.
func (d *Decoder) skipMembers(open byte, depth int) error {
	shut := open + 2 // ']' and '}' in ASCII
	d.pos++
	if d.space() == shut {
		d.pos++
		return nil
	}
	for {
		if open == '{' {
			if d.space() != '"' {
				return d.syntax("a name in quotes is missing")
			}
			if err := d.skipString(); err != nil {
				return err
			}
			if d.space() != ':' {
				return d.syntax("a colon is missing after a name")
			}
			d.pos++
		}
		if err := d.skip(depth + 1); err != nil {
			return err
		}
		switch d.space() {
		case ',':
			d.pos++
		case shut:
			d.pos++
			return nil
		default:
			return d.syntax("a comma or bracket is missing")
		}
	}
}
