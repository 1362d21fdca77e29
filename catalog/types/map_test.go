package types

import "testing"

// TestMapForms: values of maps go through all forms, and what is no map is refused.
func TestMapForms(t *testing.T) {
	list, _ := Numeric.Array()
	for _, c := range []struct{ key, value Type }{
		{Text, Int4}, {Int8, NumericType(6, 2)}, {Bool, Text}, {UUID, Timestamptz}, {Date, list}, {Timestamp, JSONB}, {Varchar, Bytea},
	} {
		m, err := MapType(c.key, c.value)
		if err != nil {
			t.Fatal(err)
		}
		if k, v := m.MapTypes(); k != c.key || v != c.value || !m.IsMap() || m.Kind() != KindBytes || m.Wire() != JSONB {
			t.Errorf("%v has %v, %v", m, k, v)
		}
		arr, ok := m.Array()
		if elem, _ := arr.Elem(); !ok || elem != m || arr.IsMap() || arr.Wire().String() != "jsonb[]" {
			t.Errorf("%v is no array of %v", arr, m)
		}
	}
	m, _ := MapType(Int4, list)
	d, err := DecodeText(m, []byte(`{"10": [[1.5, 2], [3, null]], "9": null, "-1": [], "9": ["7"]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"9": [7], "-1": [], "10": [[1.5, 2], [3, null]]}`
	if got := string(AppendText(nil, m, d, nil)); got != want {
		t.Errorf("text %s", got)
	}
	if back, err := DecodeBinary(m, AppendBinary(nil, m, d)); err != nil || !Equal(m, back, d) {
		t.Errorf("binary gives %s, %v", back.B, err)
	}
	for _, text := range []string{`[]`, `1`, `{"x": []}`, `{"1": [1, [2]]}`, `{"1": {}}`, `{`} {
		if _, err := DecodeText(m, []byte(text), nil); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// FuzzMap: whatever is read as a map can be read again, with the same result.
func FuzzMap(f *testing.F) {
	list, _ := Text.Array()
	m, err := MapType(Timestamptz, list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"2020-01-01": ["a\"b\\", null, "NULL", ""], "infinity": [["x"]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := DecodeText(m, b, nil)
		if err != nil {
			return
		}
		again, err := DecodeText(m, AppendText(nil, m, d, nil), nil)
		if err != nil || string(again.B) != string(d.B) {
			t.Errorf("%s becomes %s, %v", d.B, again.B, err)
		}
	})
}
