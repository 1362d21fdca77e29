package types

import (
	"encoding/binary"
	"math"

	"velostream/pgwire/pgerror"
)

// appendRowText adds what record_out writes.
func appendRowText(dst, b []byte, f *Format) []byte {
	r, err := ParseRow(b)
	if err != nil {
		return append(dst, "()"...)
	}
	dst = append(dst, '(')
	for i, d := range r.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if d.Null {
			continue
		}
		text := AppendText(nil, r.Types[i], d, f)
		if !rowQuotes(text) {
			dst = append(dst, text...)
			continue
		}
		dst = append(dst, '"')
		for _, b := range text {
			if b == '"' || b == '\\' {
				dst = append(dst, b)
			}
			dst = append(dst, b)
		}
		dst = append(dst, '"')
	}
	return append(dst, ')')
}

// rowQuotes reports a value that is not itself between commas.
func rowQuotes(text []byte) bool {
	for _, b := range text {
		switch b {
		case '"', '\\', '(', ')', ',', ' ', '\t', '\n', '\r', '\v', '\f':
			return true
		}
	}
	return len(text) == 0
}

// rowFields are the fields of t. Errors: 0A000 t is record, XX000 there is no definition
// at hand.
func (f *Format) rowFields(t Type) ([]RowField, error) {
	if t.OID == OIDRecord {
		// PostgreSQL's answer: the text of a row does not say its columns' types.
		return nil, pgerror.Unsupported("input of anonymous composite types is not implemented")
	}
	if f != nil && f.Types != nil {
		if fields := f.Types.Row(t.OID); fields != nil {
			for _, c := range fields {
				if c.Domain {
					return nil, pgerror.Unsupported("input of type %s, which has a column of a domain, is not supported", t)
				}
			}
			return fields, nil
		}
	}
	return nil, pgerror.New(pgerror.InternalError, "cache lookup failed for type %d", t.OID)
}

// decodeRowText reads what record_in reads.
func decodeRowText(t Type, b []byte, f *Format) (Datum, error) {
	fields, err := f.rowFields(t)
	if err != nil {
		return Datum{}, err
	}
	s := rowScanner{text: b, b: b}
	s.blanks()
	if !s.take('(') {
		return Datum{}, s.malformed("Missing left parenthesis.")
	}
	ts, values := make([]Type, len(fields)), make([]Datum, len(fields))
	for i, c := range fields {
		if i > 0 && !s.take(',') {
			return Datum{}, s.malformed("Too few columns.")
		}
		ts[i], values[i] = c.Type, NullDatum
		if len(s.b) > 0 && (s.b[0] == ',' || s.b[0] == ')') {
			continue
		}
		text, err := s.value()
		if err != nil {
			return Datum{}, err
		}
		if values[i], err = DecodeText(c.Type, text, f); err == nil {
			values[i], err = Coerce(c.Type, values[i], false)
		}
		if err != nil {
			return Datum{}, err
		}
	}
	if !s.take(')') {
		return Datum{}, s.malformed("Too many columns.")
	}
	if s.blanks(); len(s.b) > 0 {
		return Datum{}, s.malformed("Junk after right parenthesis.")
	}
	return RowDatum(ts, values, nil), nil
}

// rowScanner reads the text of a row; b is what is left of it.
type rowScanner struct{ text, b []byte }

func (s *rowScanner) malformed(detail string) error {
	return pgerror.New(pgerror.InvalidTextRepresentation, "malformed record literal: \"%s\"", s.text).WithDetail("%s", detail)
}

func (s *rowScanner) blanks() {
	for len(s.b) > 0 && (s.b[0] == ' ' || s.b[0] >= '\t' && s.b[0] <= '\r') {
		s.b = s.b[1:]
	}
}

func (s *rowScanner) take(c byte) bool {
	if len(s.b) == 0 || s.b[0] != c {
		return false
	}
	s.b = s.b[1:]
	return true
}

// value reads a field to the comma or parenthesis behind it.
func (s *rowScanner) value() ([]byte, error) {
	out, quoted := []byte{}, false
	for len(s.b) > 0 {
		c := s.b[0]
		if !quoted && (c == ',' || c == ')') {
			return out, nil
		}
		s.b = s.b[1:]
		switch {
		case c == '\\' && len(s.b) > 0, c == '"' && quoted && len(s.b) > 0 && s.b[0] == '"':
			out, s.b = append(out, s.b[0]), s.b[1:]
		case c == '\\':
		case c == '"':
			quoted = !quoted
		default:
			out = append(out, c)
		}
	}
	return nil, s.malformed("Unexpected end of input.")
}

// appendRowBinary adds what record_send sends.
func appendRowBinary(dst, b []byte) []byte {
	r, err := ParseRow(b)
	if err != nil {
		return dst
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Types)))
	for i, t := range r.Types {
		dst = binary.BigEndian.AppendUint32(dst, uint32(t.Wire().OID))
		if r.Values[i].Null {
			dst = binary.BigEndian.AppendUint32(dst, math.MaxUint32)
			continue
		}
		at := len(dst)
		dst = AppendBinary(append(dst, 0, 0, 0, 0), t, r.Values[i])
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst
}

// decodeRowBinary reads what record_recv reads.
func decodeRowBinary(t Type, b []byte, f *Format) (Datum, error) {
	fields, err := f.rowFields(t)
	if err != nil {
		return Datum{}, err
	}
	short := pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	if len(b) < 4 {
		return Datum{}, short
	}
	if n := int(int32(binary.BigEndian.Uint32(b))); n != len(fields) {
		return Datum{}, pgerror.New(pgerror.DatatypeMismatch, "wrong number of columns: %d, expected %d", n, len(fields))
	}
	b = b[4:]
	ts, values := make([]Type, len(fields)), make([]Datum, len(fields))
	for i, c := range fields {
		if len(b) < 8 {
			return Datum{}, short
		}
		o, n := Type{OID(binary.BigEndian.Uint32(b)), -1}, int64(int32(binary.BigEndian.Uint32(b[4:])))
		if b = b[8:]; o.OID != c.Type.Wire().OID {
			return Datum{}, pgerror.New(pgerror.DatatypeMismatch, "binary data has type %d (%s) instead of expected %d (%s) in record column %d",
				o.OID, o, c.Type.OID, Type{c.Type.OID, -1}, i+1)
		}
		ts[i], values[i] = c.Type, NullDatum
		if n == -1 {
			continue
		}
		if n < 0 || n > int64(len(b)) {
			return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "insufficient data left in message")
		}
		if values[i], err = DecodeBinaryWith(c.Type, b[:n], f); err == nil {
			values[i], err = Coerce(c.Type, values[i], false)
		}
		if err != nil {
			return Datum{}, err
		}
		b = b[n:]
	}
	if len(b) > 0 {
		return Datum{}, incorrectBinary()
	}
	return RowDatum(ts, values, nil), nil
}
