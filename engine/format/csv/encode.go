package csv

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/storage/column"
)

// Encoder implements format.Encoder. For one goroutine.
type Encoder struct {
	o      Options
	fields []format.Field
	text   []byte
	quick  bool // every value of a number's text is free of specials
}

// NewEncoder makes an encoder of batches whose columns are the fields.
func NewEncoder(fields []format.Field, o Options) *Encoder {
	o.ensureDefaults()
	e := &Encoder{o: o, fields: fields}
	e.quick = !bytes.ContainsRune([]byte("0123456789+-.:eE "), rune(o.Delimiter))
	return e
}

// Header appends the record of the fields' names.
func (e *Encoder) Header(dst []byte) []byte {
	for j, f := range e.fields {
		if j > 0 {
			dst = append(dst, e.o.Delimiter)
		}
		dst = e.value(dst, []byte(f.Name))
	}
	return dst
}

// Encode implements format.Encoder: a record without its line end.
func (e *Encoder) Encode(dst []byte, b *column.Batch, i int) ([]byte, error) {
	for j, f := range e.fields {
		if j > 0 {
			dst = append(dst, e.o.Delimiter)
		}
		c := b.Cols[j]
		if c.Null(i) {
			dst = append(dst, e.o.Null...)
			continue
		}
		at := c.At(i)
		switch k := c.Type.Kind(); {
		case k == types.KindBytes && !f.Type.IsUser() && f.Type.OID != types.OIDBytea && f.Type.OID != types.OIDUUID && !f.Type.IsNetwork():
			dst = e.value(dst, c.Data[c.Offs[at]:c.Offs[at+1]])
		case e.quick && (k == types.KindInt || k == types.KindDecimal || k == types.KindBool):
			dst = format.AppendISO(dst, c, at)
		default:
			e.text = format.AppendISO(e.text[:0], c, at)
			dst = e.value(dst, e.text)
		}
	}
	return dst, nil
}

// value appends v, in quotes where that is needed.
func (e *Encoder) value(dst, v []byte) []byte {
	plain := len(v) > 0 && string(v) != e.o.Null
	for _, c := range v {
		if c == e.o.Delimiter || c == e.o.Quote || c == '\n' || c == '\r' || c == e.o.Escape {
			plain = false
			break
		}
	}
	if plain {
		return append(dst, v...)
	}
	dst = append(dst, e.o.Quote)
	for _, c := range v {
		if c == e.o.Quote || c == e.o.Escape {
			dst = append(dst, e.o.Escape)
		}
		dst = append(dst, c)
	}
	return append(dst, e.o.Quote)
}
