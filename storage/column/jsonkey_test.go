package column

import "testing"

func TestTrimJSONNumbers(t *testing.T) {
	for in, want := range map[string]string{
		`1`: `1`, `1.0`: `1`, `1.50`: `1.5`, `-0.00`: `-0`, `[1.0, 2.5, 10]`: `[1, 2.5, 10]`,
		`{"a.0": "1.0", "b": 1.10}`: `{"a.0": "1.0", "b": 1.1}`, `"a\".0"`: `"a\".0"`, `"\\"`: `"\\"`, `"x.00"`: `"x.00"`,
	} {
		if got := string(trimJSONNumbers([]byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
