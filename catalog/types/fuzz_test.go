package types

import (
	"bytes"
	"testing"
)

// fuzzTypes are the types whose codecs are fuzzed, by index.
var fuzzTypes = []Type{
	Bool, Int2, Int4, Int8, Float4, Float8, Numeric, Text, Bytea, Date, Time, Timestamp, Timestamptz, IntervalT, UUID, JSON, JSONB,
	{1007, -1},
	{1009, -1},
	{1231, -1},
	{3807, -1},
	{1185, -1},
	{OIDInt2Vector, -1},
	Name,
	{OIDChar1, -1},
	Regtype, Oid,
}

// FuzzText: what is read as text must come back the same from the text and the
// binary form of the value.
func FuzzText(f *testing.F) {
	for i, t := range fuzzTypes {
		for _, in := range textInputs[t.infoName()] {
			f.Add(uint8(i), in)
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, in string) {
		typ := fuzzTypes[int(index)%len(fuzzTypes)]
		d, err := DecodeText(typ, []byte(in), nil)
		if err != nil {
			return
		}
		text := AppendText(nil, typ, d, nil)
		back, err := DecodeText(typ, text, nil)
		if err != nil {
			t.Fatalf("%s %q is written as %q: %v", typ, in, text, err)
		}
		if again := AppendText(nil, typ, back, nil); !bytes.Equal(again, text) {
			t.Fatalf("%s %q: %q becomes %q", typ, in, text, again)
		}
		bin := AppendBinary(nil, typ, d)
		if back, err = DecodeBinary(typ, bin); err != nil {
			t.Fatalf("%s %q: binary %x: %v", typ, in, bin, err)
		}
		if again := AppendText(nil, typ, back, nil); !bytes.Equal(again, text) {
			t.Fatalf("%s %q: through binary %q becomes %q", typ, in, text, again)
		}
		if typ.OID != OIDJSON && !Equal(typ, d, back) {
			t.Fatalf("%s %q: not equal to itself", typ, in)
		}
	})
}

// FuzzBinary: no bytes do harm, and what is accepted is stable.
func FuzzBinary(f *testing.F) {
	for i, t := range fuzzTypes {
		for _, in := range textInputs[t.infoName()] {
			if d, err := DecodeText(t, []byte(in), nil); err == nil {
				f.Add(uint8(i), AppendBinary(nil, t, d))
			}
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, in []byte) {
		typ := fuzzTypes[int(index)%len(fuzzTypes)]
		d, err := DecodeBinary(typ, in)
		if err != nil {
			return
		}
		text := AppendText(nil, typ, d, nil)
		bin := AppendBinary(nil, typ, d)
		back, err := DecodeBinary(typ, bin)
		if err != nil {
			t.Fatalf("%s %x: own form %x: %v", typ, in, bin, err)
		}
		if again := AppendText(nil, typ, back, nil); !bytes.Equal(again, text) {
			t.Fatalf("%s %x: %q becomes %q", typ, in, text, again)
		}
		AppendHashKey(nil, typ, d)
		Compare(typ, d, back)
	})
}

// FuzzState: the decoders of state and keys take any bytes.
func FuzzState(f *testing.F) {
	for _, s := range numericEdges {
		d, err := ParseDecimal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(d.AppendCompact(nil))
		f.Add(d.AppendKey(nil))
		var sum SumAcc
		sum.Add(d)
		f.Add(sum.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if d, _, err := DecodeCompact(in); err == nil {
			back, rest, err := DecodeCompact(d.AppendCompact(nil))
			if err != nil || len(rest) != 0 || back.String() != d.String() {
				t.Fatalf("%x: %s becomes %s, %v", in, d, back, err)
			}
		}
		if d, _, err := DecodeKey(in); err == nil {
			back, rest, err := DecodeKey(d.AppendKey(nil))
			if err != nil || len(rest) != 0 || !back.Equal(d) {
				t.Fatalf("%x: %s becomes %s, %v", in, d, back, err)
			}
		}
		if a, _, err := DecodeVarAcc(in); err == nil {
			if _, _, err := DecodeVarAcc(a.AppendBinary(nil)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (t Type) infoName() string {
	i, _ := t.Info()
	if e, ok := t.Elem(); ok && t.OID != OIDInt2Vector {
		return e.infoName() + "[]"
	}
	return i.Name
}
