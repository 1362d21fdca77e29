package types

import (
	"bytes"
	"encoding/binary"

	"velostream/pgwire/pgerror"
)

// A value of a row type (a record, a composite type, the row type of a relation) lies
// in Datum.B and says itself which types its fields have, so that it can be compared
// and written out without a definition:
//
//	uvarint      length of the tail
//	2 bytes      n, the number of fields, big-endian
//	n × 4 bytes  the OIDs of their types, big-endian
//	n × field    0x03 NULL, or 0x02 and the field's key: bytes that order as the values
//	             do, those of storage/rowenc
//	tail         what the keys leave out: 1.50 is kept as 1.5 in its key
//
// Without the tail (RowKey) values are equal if their bytes are, and their bytes order
// as record_cmp orders them, but for jsonb inside, which orders by its text.
//
// The tail, if there is one: a byte that says whether names follow, the names of the
// fields (each a length and bytes; only records have them), and the exact values of
// those fields that differ from what is in their keys, each after its number.
const (
	rowTagValue = 0x02
	rowTagNull  = 0x03
	rowListEnd  = 0x00
	rowShaped   = 0x01
	rowSign     = 1 << 63
)

// RowField is a column of a row type.
type RowField struct {
	Name string
	Type Type
	// Domain: values have to obey a domain, whose base Type is.
	Domain bool
}

// Row is a value of a row type taken apart.
type Row struct {
	Types  []Type // without modifiers
	Names  []string
	Values []Datum
}

// IsRow reports record, a composite type or the row type of a relation.
func (t Type) IsRow() bool { return t.OID == OIDRecord || in(t.OID, BaseRow) }

// IsComposite reports a composite type or the row type of a relation: a row type with a
// definition.
func (t Type) IsComposite() bool { return in(t.OID, BaseRow) }

// AppendRow adds the row of values, of the types ts, to dst. names are kept in it, nil:
// it has none.
// REQUIRES: as many types, values and, if any, names; at most 65,535.
func AppendRow(dst []byte, ts []Type, values []Datum, names []string) []byte {
	var tail []byte
	if names != nil {
		tail = append(tail, 1)
		for _, n := range names {
			tail = append(binary.AppendUvarint(tail, uint64(len(n))), n...)
		}
	}
	for i, t := range ts {
		if values[i].Null || exactKey(t, values[i]) {
			continue
		}
		if tail == nil {
			tail = append(tail, 0)
		}
		tail = appendExact(binary.AppendUvarint(tail, uint64(i)), t, values[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(tail)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(ts)))
	for _, t := range ts {
		dst = binary.BigEndian.AppendUint32(dst, uint32(t.OID))
	}
	for i, t := range ts {
		dst = appendFieldKey(dst, t, values[i])
	}
	return append(dst, tail...)
}

// RowDatum is the row of values, of the types ts; see AppendRow.
func RowDatum(ts []Type, values []Datum, names []string) Datum {
	return BytesDatum(AppendRow(nil, ts, values, names))
}

// RowKey is what counts of the row b in comparisons: itself a row, without names and of
// equal values always the same one. It may be b.
func RowKey(b []byte) []byte {
	if len(b) == 0 || b[0] == 0 {
		return b
	}
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return b
	}
	out := make([]byte, 1, 1+len(b)-k-int(n))
	return append(out, b[k:len(b)-int(n)]...)
}

func corruptRow() error {
	return pgerror.New(pgerror.DataCorrupted, "row value is damaged")
}

// rowHead is what precedes the fields of b, and where they and the tail are.
func rowHead(b []byte) (n int, oids, fields, tail []byte, err error) {
	t, k := binary.Uvarint(b)
	if k <= 0 || t > uint64(len(b)-k) {
		return 0, nil, nil, nil, corruptRow()
	}
	tail, b = b[len(b)-int(t):], b[k:len(b)-int(t)]
	if len(b) < 2 {
		return 0, nil, nil, nil, corruptRow()
	}
	n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	if len(b) < 5*n {
		return 0, nil, nil, nil, corruptRow()
	}
	return n, b[:4*n], b[4*n:], tail, nil
}

func rowOID(oids []byte, i int) Type {
	return Type{OID(binary.BigEndian.Uint32(oids[4*i:])), -1}
}

// ParseRow takes the row b apart. Error XX001: b is none.
func ParseRow(b []byte) (Row, error) {
	n, oids, fields, tail, err := rowHead(b)
	if err != nil {
		return Row{}, err
	}
	r := Row{Types: make([]Type, n), Values: make([]Datum, n)}
	for i := range n {
		r.Types[i] = rowOID(oids, i)
		if r.Values[i], fields, err = decodeFieldKey(fields, r.Types[i]); err != nil {
			return Row{}, err
		}
	}
	if r.Names, tail, err = rowNames(tail, n); err != nil {
		return Row{}, err
	}
	for len(tail) > 0 {
		i, k := binary.Uvarint(tail)
		if k <= 0 || i >= uint64(n) {
			return Row{}, corruptRow()
		}
		if r.Values[i], tail, err = decodeExact(tail[k:], r.Types[i]); err != nil {
			return Row{}, err
		}
	}
	return r, nil
}

// RowValue is field i of the row b and its type, without modifier; NULL where the row
// has no such field.
func RowValue(b []byte, i int) (Datum, Type, error) {
	n, oids, fields, tail, err := rowHead(b)
	if err != nil || i >= n {
		return NullDatum, Type{}, err
	}
	var d Datum
	for j := range i + 1 {
		if d, fields, err = decodeFieldKey(fields, rowOID(oids, j)); err != nil {
			return d, Type{}, err
		}
	}
	t := rowOID(oids, i)
	if _, tail, err = rowNames(tail, n); err != nil {
		return d, t, err
	}
	for len(tail) > 0 {
		at, k := binary.Uvarint(tail)
		if k <= 0 || at >= uint64(n) {
			return d, t, corruptRow()
		}
		var v Datum
		if v, tail, err = decodeExact(tail[k:], rowOID(oids, int(at))); err != nil {
			return d, t, err
		}
		if int(at) == i {
			return v, t, nil
		}
	}
	return d, t, nil
}

// RowNulls reports how many fields the row b has, and how many of them are NULL.
func RowNulls(b []byte) (fields, nulls int, err error) {
	n, oids, rest, _, err := rowHead(b)
	for i := range n {
		var d Datum
		if d, rest, err = decodeFieldKey(rest, rowOID(oids, i)); err != nil {
			return 0, 0, err
		}
		if d.Null {
			nulls++
		}
	}
	return n, nulls, err
}

func rowNames(tail []byte, n int) ([]string, []byte, error) {
	if len(tail) == 0 || tail[0] == 0 {
		return nil, tail[min(1, len(tail)):], nil
	}
	tail = tail[1:]
	names := make([]string, n)
	for i := range names {
		l, k := binary.Uvarint(tail)
		if k <= 0 || l > uint64(len(tail)-k) {
			return nil, nil, corruptRow()
		}
		names[i], tail = string(tail[k:k+int(l)]), tail[k+int(l):]
	}
	return names, tail, nil
}

// CompareRows orders rows as record_cmp does. Error 42804: their fields differ in number
// or in types.
func CompareRows(a, b []byte) (int, error) {
	an, ao, _, _, err := rowHead(a)
	if err != nil {
		return 0, err
	}
	bn, bo, _, _, err := rowHead(b)
	if err != nil {
		return 0, err
	}
	for i := range min(an, bn) {
		if x, y := rowOID(ao, i), rowOID(bo, i); x != y {
			return 0, pgerror.New(pgerror.DatatypeMismatch, "cannot compare dissimilar column types %s and %s at record column %d", x, y, i+1)
		}
	}
	if an != bn {
		return 0, pgerror.New(pgerror.DatatypeMismatch, "cannot compare record types with different numbers of columns")
	}
	return compareRow(a, b), nil
}

// compareRow is Compare for rows.
func compareRow(a, b []byte) int {
	if !hasJSONB(a) {
		return bytes.Compare(RowKey(a), RowKey(b))
	}
	x, err := ParseRow(a)
	y, err2 := ParseRow(b)
	if err != nil || err2 != nil {
		return bytes.Compare(RowKey(a), RowKey(b))
	}
	for i := range min(len(x.Values), len(y.Values)) {
		p, q := x.Values[i], y.Values[i]
		if p.Null || q.Null {
			if p.Null != q.Null {
				return cmpBool(p.Null, q.Null)
			}
			continue
		}
		if x.Types[i] != y.Types[i] {
			break
		}
		if c := Compare(x.Types[i], p, q); c != 0 {
			return c
		}
	}
	return bytes.Compare(RowKey(a), RowKey(b))
}

// hasJSONB reports a row whose bytes do not order as its values do.
func hasJSONB(b []byte) bool {
	n, oids, _, _, err := rowHead(b)
	for i := 0; err == nil && i < n; i++ {
		t := rowOID(oids, i)
		if elem, ok := t.Elem(); ok {
			t = elem
		}
		if t.IsJSONB() || t.IsRow() {
			return true
		}
	}
	return false
}
