package json

import (
	"bytes"
	"encoding/binary"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/storage/column"
)

// object is what is wanted of one JSON object.
type object struct {
	members map[string]*member
	folded  map[string]*member // by lower-case name
	shape   []known
}

// member is a wanted member: the fields it fills, and what is wanted inside.
type member struct {
	field int // -1: none
	more  []int
	in    *object
}

// known is a name met before at this place of an object, with its quotes and
// colon as they stood in the text, and what it means. Records of a stream
// mostly have the same names in the same order, so that one comparison
// replaces scanning, hashing and looking up.
type known struct {
	text   []byte  // "name":
	w0, w1 uint64  // its first 16 bytes …
	m0, m1 uint64  // … and which of them count
	m      *member // nil: not wanted
	exact  bool
	quick  bool // m is one field and nothing inside
}

func newKnown(text []byte, m *member, exact bool) known {
	k := known{text: text, m: m, exact: exact, quick: m != nil && m.in == nil && len(m.more) == 0}
	var w, mask [16]byte
	for i := range min(len(text), 16) {
		w[i], mask[i] = text[i], 0xff
	}
	k.w0, k.w1 = binary.LittleEndian.Uint64(w[:]), binary.LittleEndian.Uint64(w[8:])
	k.m0, k.m1 = binary.LittleEndian.Uint64(mask[:]), binary.LittleEndian.Uint64(mask[8:])
	return k
}

// at reports whether the name stands at b[i:].
func (k *known) at(b []byte, i int) bool {
	if len(b)-i < 16 {
		return bytes.HasPrefix(b[i:], k.text)
	}
	w := b[i : i+16 : i+16]
	if (binary.LittleEndian.Uint64(w)^k.w0)&k.m0|(binary.LittleEndian.Uint64(w[8:])^k.w1)&k.m1 != 0 {
		return false
	}
	return len(k.text) <= 16 || bytes.HasPrefix(b[i+16:], k.text[16:])
}

func newObject() *object {
	return &object{members: map[string]*member{}, folded: map[string]*member{}}
}

func (o *object) want(path []string, field int) {
	name := path[0]
	m := o.members[name]
	if m == nil {
		m = &member{field: -1}
		o.members[name] = m
		if low := strings.ToLower(name); o.folded[low] == nil {
			o.folded[low] = m
		}
	}
	if len(path) > 1 {
		if m.in == nil {
			m.in = newObject()
		}
		m.in.want(path[1:], field)
		return
	}
	if m.field < 0 {
		m.field = field
	} else {
		m.more = append(m.more, field)
	}
}

// object walks the object at pos.
func (d *Decoder) object(o *object, depth int) error {
	if depth >= maxDepth {
		return d.tooDeep()
	}
	d.pos++
	if d.space() == '}' {
		d.pos++
		return nil
	}
	b, i := d.buf, d.pos
	for at := 0; ; at++ {
		var k *known
		switch s := o.shape; {
		case at < len(s) && s[at].at(b, i):
			k = &s[at]
			i += len(k.text)
		case at+1 < len(s) && s[at+1].at(b, i):
			at++
			k = &s[at]
			i += len(k.text)
		default:
			d.pos = i
			var err error
			if k, err = d.name(o, at); err != nil {
				return err
			}
			i = d.pos
		}
		if i < len(b) && b[i] <= ' ' {
			d.pos = i
			d.space()
			i = d.pos
		}
		end, err := d.pair(k, i, depth+1)
		if err != nil {
			return err
		}
		// Mostly a comma and the next name's quote, or the end, follow at once.
		if i = end; i+1 < len(b) && b[i] == ',' && b[i+1] == '"' {
			i++
			continue
		}
		d.pos = i
		switch d.space() {
		case ',':
			d.pos++
			if d.space() != '"' {
				return d.syntax("a name is missing after a comma")
			}
			i = d.pos
		case '}':
			d.pos++
			return nil
		default:
			return d.syntax("a comma or } is missing in an object")
		}
	}
}

// pair takes the value at i of the name k and returns where it ends. The
// common cases are here: a string or number for a field that was not seen yet.
func (d *Decoder) pair(k *known, i, depth int) (int, error) {
	b := d.buf
	if i >= len(b) {
		d.pos = i
		return i, d.syntax("a value is missing")
	}
	c := b[i]
	if c == '"' && (k.m == nil || k.quick) {
		if end := plain(b, i+1); end < len(b) && b[end] == '"' {
			if k.m == nil {
				return end + 1, nil
			}
			f := k.m.field
			if cell := d.cells[f]; cell.Kind != types.KindList && d.first(f, k.exact) {
				return end + 1, d.quoted(cell, d.rows.Cols[f], b[i:end+1])
			}
		}
	}
	d.pos = i
	if k.m == nil {
		err := d.skip(depth)
		return d.pos, err
	}
	if k.quick && c-'0' <= 9 {
		f := k.m.field
		if cell := d.cells[f]; cell.IsNumber() && d.first(f, k.exact) {
			if !d.number() {
				return i, d.syntax("a number is malformed")
			}
			return d.pos, cell.Number(d.rows.Cols[f], &d.num)
		}
	}
	err := d.member(k, c, depth)
	return d.pos, err
}

// quoted appends a string without escapes; s has its quotes.
func (d *Decoder) quoted(cell *format.Cell, col *column.Column, s []byte) error {
	switch cell.Type.OID {
	case types.OIDText:
		col.AppendBytes(s[1 : len(s)-1])
		return nil
	case types.OIDJSON, types.OIDJSONB:
		return cell.JSON(col, s)
	default:
	}
	return cell.Text(col, s[1:len(s)-1])
}

// first marks field i as seen if it was not before.
func (d *Decoder) first(i int, exact bool) bool {
	w, bit := i>>6, uint64(1)<<(i&63)
	if d.seen[w]&bit != 0 {
		return false
	}
	d.seen[w] |= bit
	if exact {
		d.exact[w] |= bit
	}
	return true
}

// name reads the member's name and colon at pos, finds what they mean, and
// remembers them as the at-th name of the object.
func (d *Decoder) name(o *object, at int) (*known, error) {
	if d.pos >= len(d.buf) || d.buf[d.pos] != '"' {
		return nil, d.syntax("a name in quotes is missing")
	}
	start := d.pos
	name, err := d.string()
	if err != nil {
		return nil, err
	}
	m, exact := o.members[string(name)], true
	if m == nil && d.folded {
		m, exact = o.folded[string(lower(name))], false
	}
	plain := d.pos-start == len(name)+2
	if d.pos >= len(d.buf) || d.buf[d.pos] != ':' {
		plain = false
		if d.space() != ':' {
			return nil, d.syntax("a colon is missing after a name")
		}
	}
	d.pos++
	text := d.buf[start:d.pos]
	if !plain || len(text) > maxShapeKey || at >= maxShape || at > len(o.shape) {
		d.once = known{m: m, exact: exact}
		return &d.once, nil
	}
	k := newKnown(bytes.Clone(text), m, exact)
	if at < len(o.shape) {
		o.shape[at] = k
	} else {
		o.shape = append(o.shape, k)
	}
	return &o.shape[at], nil
}

func lower(b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' || c >= 0x80 {
			return bytes.ToLower(b)
		}
	}
	return b
}

// member takes the value of a wanted member; c is its first byte.
func (d *Decoder) member(k *known, c byte, depth int) error {
	m, exact, start := k.m, k.exact, d.pos // k may be reused inside
	if m.in != nil {
		if c != '{' {
			// Not an object: what was wanted inside is not there.
			if m.field < 0 {
				return d.skip(depth)
			}
		} else if err := d.object(m.in, depth); err != nil {
			return err
		} else if m.field < 0 {
			return nil
		}
		d.pos = start
	}
	if err := d.fill(m.field, exact, c, depth); err != nil {
		return err
	}
	for _, f := range m.more {
		d.pos = start
		if err := d.fill(f, exact, c, depth); err != nil {
			return err
		}
	}
	return nil
}

// fill appends the value at pos to field i. Of a name that comes twice the
// last one counts, but an exact name always wins over one in other case.
func (d *Decoder) fill(i int, exact bool, c byte, depth int) error {
	w, bit := i>>6, uint64(1)<<(i&63)
	if d.seen[w]&bit != 0 {
		if d.exact[w]&bit != 0 && !exact {
			return d.skip(depth)
		}
		format.Truncate(d.rows.Cols[i], d.rows.N)
	}
	d.seen[w] |= bit
	if exact {
		d.exact[w] |= bit
	}
	return d.value(d.cells[i], d.rows.Cols[i], c, depth)
}
