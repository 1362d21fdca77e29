package types

import "encoding/binary"

// RecordFields takes the text form of a row apart: (1,"a b",) has the fields 1, a b
// and a nil one, which is NULL. ok is false where b is no row.
func RecordFields(b []byte) (fields [][]byte, ok bool) {
	if len(b) < 2 || b[0] != '(' || b[len(b)-1] != ')' {
		return nil, false
	}
	b = b[1 : len(b)-1]
	if len(b) == 0 {
		return nil, true
	}
	field, quoted, empty := []byte{}, false, true
	end := func() {
		if len(field) == 0 && empty {
			field = nil
		}
		fields = append(fields, field)
		field, empty = []byte{}, true
	}
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case i+1 < len(b) && (c == '\\' || c == '"' && quoted && b[i+1] == '"'):
			i++
			field = append(field, b[i])
		case c == '"':
			quoted, empty = !quoted, false
		case c == ',' && !quoted:
			end()
		default:
			field = append(field, c)
		}
	}
	end()
	return fields, !quoted
}

// appendRecordBinary adds a row in binary form. Its fields' types are gone: they are
// sent as text.
func appendRecordBinary(dst, b []byte) []byte {
	fields, ok := RecordFields(b)
	if !ok {
		return append(dst, b...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(fields)))
	for _, f := range fields {
		dst = binary.BigEndian.AppendUint32(dst, uint32(OIDText))
		if f == nil {
			dst = binary.BigEndian.AppendUint32(dst, ^uint32(0))
			continue
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f)))
		dst = append(dst, f...)
	}
	return dst
}
