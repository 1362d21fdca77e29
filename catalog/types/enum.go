package types

import (
	"encoding/binary"
	"slices"

	"velostream/pgwire/pgerror"
)

// Enum is the definition of an enum type.
type Enum struct {
	Labels []EnumLabel // in the order of the values
	// Unsafe reports a value that is not committed yet; nil: there are none.
	Unsafe func(l *EnumLabel) bool
}

// EnumLabel is one value of an enum type. Values are ordered by Place, which leaves room
// for others between them.
type EnumLabel struct {
	ID    uint32 `json:"id"` // pg_enum.oid
	Label string `json:"label"`
	Place int64  `json:"place"`
}

// A value of an enum type is its place, 8 bytes that order as the numbers do, and its
// label: it can be compared and written out without the definition.
const enumPlaceLen = 8

// Datum is the value that the label stands for.
func (l EnumLabel) Datum() Datum {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, enumPlaceLen+len(l.Label)), uint64(l.Place)^1<<63)
	return BytesDatum(append(b, l.Label...))
}

// Find is the value called label, nil: there is none.
func (e *Enum) Find(label string) *EnumLabel {
	i := slices.IndexFunc(e.Labels, func(l EnumLabel) bool { return l.Label == label })
	if i < 0 {
		return nil
	}
	return &e.Labels[i]
}

// EnumText is the label in a value of an enum type.
func EnumText(b []byte) []byte {
	if len(b) < enumPlaceLen {
		return nil
	}
	return b[enumPlaceLen:]
}

// EnumOf is the definition of the enum type t. Error XX000: there is none at hand.
func (f *Format) EnumOf(t Type) (*Enum, error) {
	if f != nil && f.Types != nil {
		if e := f.Types.Enum(t.OID); e != nil {
			return e, nil
		}
	}
	return nil, pgerror.New(pgerror.InternalError, "cache lookup failed for type %d", t.OID)
}

// decodeEnum reads a label.
func decodeEnum(t Type, b []byte, f *Format) (Datum, error) {
	e, err := f.EnumOf(t)
	if err != nil {
		return Datum{}, err
	}
	l := e.Find(string(b))
	if l == nil {
		return Datum{}, pgerror.New(pgerror.InvalidTextRepresentation, "invalid input value for enum %s: \"%s\"", t, b)
	}
	return e.Value(t, l)
}

// Value is the value of l, one of e's, as a value of t. Error 55P04: the value may yet be
// taken back.
func (e *Enum) Value(t Type, l *EnumLabel) (Datum, error) {
	if e.Unsafe == nil || !e.Unsafe(l) {
		return l.Datum(), nil
	}
	return Datum{}, pgerror.New("55P04", "unsafe use of new value \"%s\" of enum type %s", l.Label, t).
		WithHint("New enum values must be committed before they can be used.")
}

// DecodeBinaryWith is DecodeBinary for values of any type, those of user-made types
// among them, whose definitions f has.
func DecodeBinaryWith(t Type, b []byte, f *Format) (Datum, error) {
	d, err := DecodeBinary(t, b)
	if err != nil || !t.IsUser() && t.OID != OIDRecord {
		return d, err
	}
	return received(t, d, f)
}

// received makes a value of t of what DecodeBinary has left as it came.
func received(t Type, d Datum, f *Format) (Datum, error) {
	if d.Null {
		return d, nil
	}
	if elem, ok := t.Elem(); ok {
		for i := range d.List {
			var err error
			if d.List[i], err = received(elem, d.List[i], f); err != nil {
				return d, err
			}
		}
		return d, nil
	}
	if t.IsEnum() {
		return decodeEnum(t, d.B, f)
	}
	if t.IsRow() {
		return decodeRowBinary(t, d.B, f)
	}
	return d, nil
}
