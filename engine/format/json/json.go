// Package json decodes JSON objects into columns, and encodes rows as JSON.
//
// The decoder is a scanner driven by the schema: it walks an object once,
// converts the values of wanted members straight from the bytes into column
// builders, and checks, but does not convert, the others. Numbers go into
// integers, floats and decimals from their digits, so decimals are exact.
//
// What a record is does not depend on what is wanted of it: all of it must be
// JSON (RFC 8259) in UTF-8, or it is refused.
package json

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

const (
	// maxDepth bounds how deep arrays and objects may lie in each other.
	maxDepth = 512
	// maxShape and maxShapeKey bound what is remembered of an object's form.
	maxShape    = 128
	maxShapeKey = 128
)

// Options of decoding.
type Options struct {
	// CaseSensitive: names are found exactly or not at all.
	CaseSensitive bool
}

// Decoder implements format.Decoder for JSON objects. For one goroutine.
type Decoder struct {
	cells  []*format.Cell
	root   *object
	whole  []int    // fields that take the whole value
	full   []uint64 // the bits of all fields
	seen   []uint64 // fields that this row has
	exact  []uint64 // … by their exact name
	buf    []byte
	pos    int
	fault  string // what is wrong with the syntax at pos
	num    format.Number
	text   []byte // unescaped strings
	once   known  // a name that is not remembered
	rows   *format.Rows
	folded bool // options: names match without case
}

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

// New compiles a decoder of the fields.
func New(fields []format.Field, o Options) (*Decoder, error) {
	words := (len(fields) + 63) / 64
	d := &Decoder{
		root: newObject(), folded: !o.CaseSensitive,
		full: make([]uint64, words), seen: make([]uint64, words), exact: make([]uint64, words),
	}
	for i, f := range fields {
		d.cells = append(d.cells, format.NewCell(f))
		d.full[i>>6] |= 1 << (i & 63)
		switch {
		case f.Whole:
			d.whole = append(d.whole, i)
		case len(f.Path) > 0:
			d.root.want(f.Path, i)
		default:
			d.root.want([]string{f.Name}, i)
			if parts := strings.Split(f.Name, "."); len(parts) > 1 {
				d.root.want(parts, i)
			}
		}
	}
	return d, nil
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

// Decode implements format.Decoder. value is one JSON object.
func (d *Decoder) Decode(value []byte, rows *format.Rows) error {
	d.buf, d.pos, d.rows, d.fault = value, 0, rows, ""
	clear(d.seen)
	clear(d.exact)
	if err := d.row(); err != nil {
		rows.Undo()
		d.buf, d.rows = nil, nil
		return err
	}
	rows.N++
	d.buf, d.rows = nil, nil
	return nil
}

func (d *Decoder) row() error {
	if !utf8.Valid(d.buf) {
		return pgerror.New(pgerror.InvalidByteSequence, "invalid byte sequence for encoding \"UTF8\" in a JSON value")
	}
	if d.space() != '{' {
		if d.pos < len(d.buf) && len(d.whole) == len(d.cells) && len(d.cells) > 0 {
			if err := d.skip(0); err != nil {
				return err
			}
			return d.finish()
		}
		return d.syntax("a JSON object is wanted")
	}
	if err := d.object(d.root, 0); err != nil {
		return err
	}
	return d.finish()
}

// finish checks the end and fills in what the row did not have.
func (d *Decoder) finish() error {
	if d.space() != 0 || d.pos < len(d.buf) {
		return d.syntax("something follows the value")
	}
	for _, i := range d.whole {
		if err := d.raw(i, d.buf); err != nil {
			return err
		}
		d.seen[i>>6] |= 1 << (i & 63)
	}
	for w, full := range d.full {
		missing := full &^ d.seen[w]
		if missing == 0 {
			continue
		}
		for i := w * 64; missing != 0; i, missing = i+1, missing>>1 {
			if missing&1 != 0 {
				if err := d.cells[i].Null(d.rows.Cols[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
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

// value appends the value at pos, which begins with c, to col.
func (d *Decoder) value(cell *format.Cell, col *column.Column, c byte, depth int) error {
	if cell.Type.OID == types.OIDJSON || cell.Type.OID == types.OIDJSONB {
		return d.document(cell, col, c, depth)
	}
	switch c {
	case '"':
		s, err := d.string()
		if err != nil {
			return err
		}
		if len(s) > 0 && &s[0] != &d.buf[d.pos-len(s)-1] && bytes.IndexByte(s, 0) >= 0 {
			return pgerror.New(pgerror.UntranslatableCharacter, "field %q: \\u0000 cannot be converted to text", cell.Name)
		}
		return cell.Text(col, s)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if !d.number() {
			return d.syntax("a number is malformed")
		}
		return cell.Number(col, &d.num)
	case 't', 'f', 'n':
		if err := d.word(c); err != nil {
			return err
		}
		if c == 'n' {
			return cell.Null(col)
		}
		return cell.Bool(col, c == 't')
	case '[':
		if cell.Elem != nil {
			return d.list(cell, col, depth)
		}
		return d.document(cell, col, c, depth)
	case '{':
		return d.document(cell, col, c, depth)
	}
	return d.syntax("a value is missing")
}

// document appends the JSON text of the value at pos.
func (d *Decoder) document(cell *format.Cell, col *column.Column, c byte, depth int) error {
	start := d.pos
	if err := d.skip(depth); err != nil {
		return err
	}
	raw := d.buf[start:d.pos]
	switch cell.Type.OID {
	case types.OIDJSON, types.OIDJSONB:
		if c == 'n' && !cell.Whole {
			return cell.Null(col)
		}
		return cell.JSON(col, raw)
	case types.OIDText, types.OIDVarchar, types.OIDBpchar:
		return cell.Text(col, raw)
	}
	return cell.Invalid(raw)
}

// raw appends the whole value to field i.
func (d *Decoder) raw(i int, b []byte) error {
	cell, col := d.cells[i], d.rows.Cols[i]
	switch cell.Type.OID {
	case types.OIDJSON, types.OIDJSONB:
		return cell.JSON(col, b)
	case types.OIDBytea:
		col.AppendBytes(b)
		return nil
	}
	return cell.Text(col, b)
}

// list appends the array at pos to a list column.
func (d *Decoder) list(cell *format.Cell, col *column.Column, depth int) error {
	if depth >= maxDepth {
		return d.tooDeep()
	}
	if col.Elem == nil {
		col.Elem = column.New(cell.Elem.Type, 0)
	}
	if len(col.Offs) == 0 {
		col.Offs = append(col.Offs, 0)
	}
	d.pos++
	if d.space() == ']' {
		d.pos++
		col.Offs = append(col.Offs, uint32(col.Elem.Len()))
		return nil
	}
	before := int(col.Offs[len(col.Offs)-1])
	for {
		if err := d.value(cell.Elem, col.Elem, d.space(), depth+1); err != nil {
			format.Truncate(col.Elem, before)
			return err
		}
		switch d.space() {
		case ',':
			d.pos++
			d.space()
		case ']':
			d.pos++
			col.Offs = append(col.Offs, uint32(col.Elem.Len()))
			return nil
		default:
			format.Truncate(col.Elem, before)
			return d.syntax("a comma or ] is missing in an array")
		}
	}
}
