package types

// AppendStored is AppendText for what is kept in the catalog and in plans, where it is
// read again by DecodeStored with no session and no definitions at hand: values of
// user-made types are kept as they lie in memory.
func AppendStored(dst []byte, t Type, d Datum) []byte {
	return AppendText(dst, stored(t), d, storedFormat)
}

// storedFormat writes floats exactly and times in UTC.
var storedFormat = &Format{ExtraFloatDigits: 1}

// DecodeStored reads what AppendStored wrote.
func DecodeStored(t Type, b []byte) (Datum, error) { return DecodeText(stored(t), b, storedFormat) }

// stored is the type whose text form keeps values of t as they are.
func stored(t Type) Type {
	elem, isArray := t.Elem()
	if !t.IsUser() && t.OID != OIDRecord && elem.OID != OIDRecord {
		return t
	}
	if isArray {
		array, _ := Bytea.Array()
		return array
	}
	return Bytea
}
