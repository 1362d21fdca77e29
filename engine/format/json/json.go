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

// Decoder implements format.BlockDecoder for JSON objects. For one goroutine.
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

// Decode implements format.Decoder. value is one JSON object.
func (d *Decoder) Decode(value []byte, rows *format.Rows) error {
	return d.decode(value, rows, utf8.Valid(value))
}

// DecodeBlock implements format.BlockDecoder.
func (d *Decoder) DecodeBlock(data []byte, values [][2]uint32, rows *format.Rows) (int, error) {
	if len(values) == 0 {
		return 0, nil
	}
	valid := utf8.Valid(data[values[0][0]:values[len(values)-1][1]])
	for i, at := range values {
		value := data[at[0]:at[1]]
		if err := d.decode(value, rows, valid || utf8.Valid(value)); err != nil {
			return i, err
		}
	}
	return len(values), nil
}

func (d *Decoder) decode(value []byte, rows *format.Rows, valid bool) error {
	d.buf, d.pos, d.rows, d.fault = value, 0, rows, ""
	clear(d.seen)
	clear(d.exact)
	if err := d.row(valid); err != nil {
		rows.Undo()
		d.buf, d.rows = nil, nil
		return err
	}
	rows.N++
	d.buf, d.rows = nil, nil
	return nil
}

func (d *Decoder) row(valid bool) error {
	if !valid {
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
	default:
	}
	if c == '{' && cell.Type.IsMap() {
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
	default:
	}
	return cell.Text(col, b)
}
