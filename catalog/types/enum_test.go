package types

import (
	"bytes"
	"testing"
)

// moods is one enum type.
type moods struct{}

func (moods) Row(OID) []RowField { return nil }

func (moods) Enum(o OID) *Enum {
	if o != BaseEnum+7 {
		return nil
	}
	return &Enum{Labels: []EnumLabel{{1, "sad", -5}, {2, "ok", 0}, {3, "a", 1 << 40}}}
}

func (moods) TypeName(OID) string { return "mood" }

// TestEnumForms: values keep their order as bytes, and go through all forms.
func TestEnumForms(t *testing.T) {
	f := &Format{ExtraFloatDigits: 1, Types: moods{}}
	typ := Type{BaseEnum + 7, -1}
	arr, ok := typ.Array()
	if elem, isArray := arr.Elem(); !ok || !isArray || elem != typ || typ.Kind() != KindBytes || arr.Kind() != KindList {
		t.Fatalf("array %v, kinds %v %v", arr, typ.Kind(), arr.Kind())
	}
	var before Datum
	for _, l := range (moods{}).Enum(typ.OID).Labels {
		d, err := DecodeText(typ, []byte(l.Label), f)
		if err != nil {
			t.Fatal(err)
		}
		if before.B != nil && bytes.Compare(before.B, d.B) >= 0 {
			t.Errorf("%q is not after the one before", l.Label)
		}
		before = d
		if got := string(AppendText(nil, typ, d, nil)); got != l.Label {
			t.Errorf("text %q of %q", got, l.Label)
		}
		again, err := DecodeBinaryWith(typ, AppendBinary(nil, typ, d), f)
		if err != nil || !Equal(typ, again, d) {
			t.Errorf("binary form of %q: %v, %v", l.Label, again, err)
		}
		again, err = DecodeStored(typ, AppendStored(nil, typ, d))
		if err != nil || !Equal(typ, again, d) {
			t.Errorf("stored form of %q: %v, %v", l.Label, again, err)
		}
	}
	list, err := DecodeText(arr, []byte("{a,NULL,sad}"), f)
	if err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func() (Datum, error){
		"binary": func() (Datum, error) { return DecodeBinaryWith(arr, AppendBinary(nil, arr, list), f) },
		"stored": func() (Datum, error) { return DecodeStored(arr, AppendStored(nil, arr, list)) },
	} {
		d, err := again()
		if err != nil || string(AppendText(nil, arr, d, nil)) != "{a,NULL,sad}" {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	if _, err := DecodeText(typ, []byte("glad"), f); err == nil || Named(err.Error(), f) != `invalid input value for enum mood: "glad" (SQLSTATE 22P02)` {
		t.Errorf("%v", err)
	}
}
