package source

import (
	"fmt"

	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/format"
	"velostream/storage/column"
)

// System is a system column: what a record carries beside its value.
type System uint8

// The system columns.
const (
	Timestamp System = iota // _timestamp timestamptz: the record's time
	Partition               // _partition int4
	Offset                  // _offset int8: the record's position
	KeyBytes                // _key bytea
	KeyText                 // _key text: the key where it is text, else NULL
	Topic                   // _topic text: the source's place, its file or topic
	Headers                 // _headers jsonb: names and values
	Payload                 // the value as bytea
)

// SystemByName finds a system column by its name in SQL.
func SystemByName(name string) (System, bool) {
	switch name {
	case "_timestamp", "timestamp":
		return Timestamp, true
	case "_partition", "partition":
		return Partition, true
	case "_offset", "offset":
		return Offset, true
	case "_key", "key":
		return KeyText, true
	case "_topic", "topic":
		return Topic, true
	case "_headers", "headers":
		return Headers, true
	case "_payload", "payload":
		return Payload, true
	}
	return 0, false
}

// Type is the column's type.
func (s System) Type() types.Type {
	switch s {
	case Timestamp:
		return types.Timestamptz
	case Partition:
		return types.Int4
	case Offset:
		return types.Int8
	case KeyBytes, Payload:
		return types.Bytea
	case Headers:
		return types.JSONB
	case KeyText, Topic:
	}
	return types.Text
}

func (s System) append(col *column.Column, c *connector.Chunk, r *connector.Record, name string) {
	switch s {
	case Timestamp:
		if r.Timestamp == 0 {
			col.AppendNull()
			return
		}
		col.Ints = append(col.Ints, format.FromUnixMicros(r.Timestamp))
	case Partition:
		col.Ints = append(col.Ints, int64(c.Split.Partition))
	case Offset:
		col.Ints = append(col.Ints, r.Position)
	case KeyBytes:
		appendBytes(col, r.Key)
	case KeyText:
		if !format.IsText(r.Key) {
			col.AppendNull()
			return
		}
		appendBytes(col, r.Key)
	case Payload:
		appendBytes(col, r.Value)
	case Topic:
		if c.Split.Place != "" {
			name = c.Split.Place
		}
		col.AppendBytes([]byte(name))
	case Headers:
		appendHeaders(col, r.Headers)
	}
}

func appendBytes(col *column.Column, b []byte) {
	if b == nil {
		col.AppendNull()
		return
	}
	col.AppendBytes(b)
}

// appendHeaders appends the headers as a jsonb object; of a name that comes
// twice the last value counts. Values that are no text are given in
// hexadecimal, as bytea prints.
func appendHeaders(col *column.Column, hs []connector.Header) {
	src := []byte{'{'}
	for i, h := range hs {
		if i > 0 {
			src = append(src, ',')
		}
		src = types.AppendJSONString(src, h.Key)
		src = append(src, ':')
		switch {
		case h.Value == nil:
			src = append(src, "null"...)
		case format.IsText(h.Value):
			src = types.AppendJSONString(src, h.Value)
		default:
			src = fmt.Appendf(src, `"\\x%x"`, h.Value)
		}
	}
	src = append(src, '}')
	doc, err := types.CanonicalJSON(nil, src)
	if err != nil {
		col.AppendNull() // a header name that is no UTF-8
		return
	}
	col.AppendBytes(doc)
}

// placeOf names a record for people.
func placeOf(name string, c *connector.Chunk, r *connector.Record) string {
	place := c.Split.Place
	if place == "" {
		place = name
	}
	return fmt.Sprintf("source %q, %s, partition %d, offset %d", name, place, c.Split.Partition, r.Position)
}
