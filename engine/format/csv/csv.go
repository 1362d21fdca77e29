// Package csv decodes and encodes delimiter-separated values (RFC 4180, with
// PostgreSQL's COPY rules where that is silent): an empty value is NULL unless
// it is in quotes, a quote inside quotes is written twice or after the escape
// character.
//
// A value is one record without its line end; connectors that read files cut
// them, quotes considered.
package csv

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
)

// Options of both directions. The zero Options are commas and double quotes.
type Options struct {
	Delimiter byte // 0: ,
	Quote     byte // 0: "
	Escape    byte // 0: the quote
	Null      string
	// Columns are the names of a record's values in order. nil: the fields'.
	Columns []string
	// Lenient: a record may have fewer values (the rest are NULL) or more
	// (they are passed over) than there are columns.
	Lenient bool
}

func (o *Options) ensureDefaults() {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	if o.Quote == 0 {
		o.Quote = '"'
	}
	if o.Escape == 0 {
		o.Escape = o.Quote
	}
}

// Decoder implements format.BlockDecoder. For one goroutine.
type Decoder struct {
	o     Options
	cells []*format.Cell
	whole []int
	at    []place
	text  []byte
}

// place is what a value of a record is for: a field, -1: none, and rarely more.
type place struct {
	field int
	more  []int
}

var _ format.BlockDecoder = (*Decoder)(nil)

// New compiles a decoder of the fields. Every field must be among the columns,
// with or without regard to case (42703).
func New(fields []format.Field, o Options) (*Decoder, error) {
	o.ensureDefaults()
	d := &Decoder{o: o}
	names := o.Columns
	for i, f := range fields {
		d.cells = append(d.cells, format.NewCell(f))
		if f.Whole {
			d.whole = append(d.whole, i)
		} else if o.Columns == nil {
			names = append(names, f.Name)
		}
	}
	return d, d.place(names)
}

// Header implements format.HeaderReader.
func (d *Decoder) Header(header []byte) error {
	names, err := Split(header, d.o)
	if err != nil {
		return err
	}
	return d.place(names)
}

// place finds the fields among the names of a record's values.
func (d *Decoder) place(names []string) error {
	d.at = make([]place, len(names))
	for i := range d.at {
		d.at[i].field = -1
	}
	for i, c := range d.cells {
		f := c.Field
		if f.Whole {
			continue
		}
		name := f.Name
		if len(f.Path) > 0 {
			name = strings.Join(f.Path, ".")
		}
		at := slices.Index(names, name)
		if at < 0 {
			at = slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(n), name) })
		}
		if at < 0 {
			return pgerror.New(pgerror.UndefinedColumn, "column %q is not among the CSV columns", name).
				WithHint("There are: %s.", strings.Join(names, ", "))
		}
		if p := &d.at[at]; p.field < 0 {
			p.field = i
		} else {
			p.more = append(p.more, i)
		}
	}
	return nil
}

// Decode implements format.Decoder.
func (d *Decoder) Decode(value []byte, rows *format.Rows) error {
	err := validText(value)
	if err == nil {
		err = d.row(value, rows)
	}
	if err != nil {
		rows.Undo()
		return err
	}
	rows.N++
	return nil
}

// DecodeBlock implements format.BlockDecoder.
func (d *Decoder) DecodeBlock(data []byte, values [][2]uint32, rows *format.Rows) (int, error) {
	if len(values) == 0 {
		return 0, nil
	}
	valid := validText(data[values[0][0]:values[len(values)-1][1]]) == nil
	for i, at := range values {
		value := data[at[0]:at[1]]
		var err error
		if !valid {
			err = validText(value)
		}
		if err == nil {
			err = d.row(value, rows)
		}
		if err != nil {
			rows.Undo()
			return i, err
		}
		rows.N++
	}
	return len(values), nil
}

// validText refuses what is no text.
func validText(b []byte) error {
	switch {
	case ascii(b):
	case !utf8.Valid(b):
		return pgerror.New(pgerror.InvalidByteSequence, "invalid byte sequence for encoding \"UTF8\" in a CSV record")
	case bytes.IndexByte(b, 0) >= 0:
		return pgerror.New(pgerror.InvalidByteSequence, "invalid byte sequence for encoding \"UTF8\": 0x00 in a CSV record")
	}
	return nil
}

// row appends the values of the record b, which is valid text.
func (d *Decoder) row(b []byte, rows *format.Rows) error {
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	for _, i := range d.whole {
		if d.cells[i].Type.OID == types.OIDBytea {
			rows.Cols[i].AppendBytes(b)
		} else if err := d.cells[i].Text(rows.Cols[i], b); err != nil {
			return err
		}
	}
	rest, more := b, true
	for n := range d.at {
		var v []byte
		var quoted bool
		var err error
		switch {
		case !more:
			return d.short(n, rows)
		case len(rest) > 0 && rest[0] == d.o.Quote:
			quoted = true
			if v, rest, more, err = d.quoted(rest); err != nil {
				return err
			}
		default:
			if end := bytes.IndexByte(rest, d.o.Delimiter); end >= 0 {
				v, rest = rest[:end], rest[end+1:]
			} else {
				v, rest, more = rest, nil, false
			}
		}
		p := &d.at[n]
		if p.field < 0 {
			continue
		}
		if err := d.cell(p.field, rows, v, quoted); err != nil {
			return err
		}
		for _, i := range p.more {
			if err := d.cell(i, rows, v, quoted); err != nil {
				return err
			}
		}
	}
	if more && !d.o.Lenient {
		return pgerror.New(pgerror.BadCopyFileFormat, "a CSV record has more than the %d values that are expected", len(d.at))
	}
	return nil
}

// short ends a record that has only n values.
func (d *Decoder) short(n int, rows *format.Rows) error {
	if !d.o.Lenient {
		return pgerror.New(pgerror.BadCopyFileFormat, "a CSV record has %d values, %d are expected", n, len(d.at))
	}
	for _, p := range d.at[n:] {
		if p.field < 0 {
			continue
		}
		for _, i := range append([]int{p.field}, p.more...) {
			if err := d.cells[i].Null(rows.Cols[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// ascii reports that b has only bytes from 1 to 127, eight at a time.
func ascii(b []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		// A zero byte borrows from its high bit: https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
		if (w|(w-ones))&highs != 0 {
			return false
		}
	}
	for _, c := range b {
		if c == 0 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (d *Decoder) cell(i int, rows *format.Rows, v []byte, quoted bool) error {
	c, col := d.cells[i], rows.Cols[i]
	if !quoted && string(v) == d.o.Null {
		return c.Null(col)
	}
	if c.Type.OID == types.OIDText {
		col.AppendBytes(v)
		return nil
	}
	return c.Text(col, v)
}

// quoted reads the value in quotes that b begins with. What stands between
// its closing quote and the delimiter belongs to it, as in COPY.
func (d *Decoder) quoted(b []byte) (v, rest []byte, more bool, err error) {
	d.text = d.text[:0]
	in := true
	for i := 1; i < len(b); i++ {
		c := b[i]
		switch {
		case in && c == d.o.Escape && i+1 < len(b) && (b[i+1] == d.o.Quote || b[i+1] == d.o.Escape):
			i++
			d.text = append(d.text, b[i])
		case c == d.o.Quote:
			in = !in
		case !in && c == d.o.Delimiter:
			return d.text, b[i+1:], true, nil
		default:
			d.text = append(d.text, c)
		}
	}
	if in {
		return nil, nil, false, pgerror.New(pgerror.BadCopyFileFormat, "unterminated CSV quoted field")
	}
	return d.text, nil, false, nil
}

// Split reads a header record: the names in it.
func Split(b []byte, o Options) ([]string, error) {
	o.ensureDefaults()
	d := &Decoder{o: o}
	b = bytes.TrimSuffix(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), []byte("\r"))
	var names []string
	for more := true; more; {
		var v []byte
		var err error
		if len(b) > 0 && b[0] == o.Quote {
			if v, b, more, err = d.quoted(b); err != nil {
				return nil, err
			}
		} else if end := bytes.IndexByte(b, o.Delimiter); end >= 0 {
			v, b = b[:end], b[end+1:]
		} else {
			v, more = b, false
		}
		names = append(names, strings.TrimSpace(string(v)))
	}
	return names, nil
}
