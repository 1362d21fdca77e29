package expr

import (
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// sizeBytes reads a number and a unit: bytes, kB, MB, GB, TB or PB in any case.
func sizeBytes(_ *CallContext, a []datum) (datum, error) {
	s := strings.TrimSpace(string(a[0].B))
	n := len(s)
	for n > 0 && (s[n-1] >= 'a' && s[n-1] <= 'z' || s[n-1] >= 'A' && s[n-1] <= 'Z') {
		n--
	}
	bad := pgerror.New(pgerror.InvalidParameterValue, "invalid size: \"%s\"", a[0].B)
	unit := strings.ToLower(s[n:])
	if unit == "" || unit == "b" {
		unit = "bytes"
	}
	shift := 10 * slices.Index([]string{"bytes", "kb", "mb", "gb", "tb", "pb"}, unit)
	if shift < 0 {
		return fail(bad.WithDetail("Invalid size unit: \"%s\".", s[n:]).
			WithHint(`Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".`))
	}
	number := strings.TrimSpace(s[:n])
	if number == "" {
		return fail(bad)
	}
	d, err := types.ParseDecimal(number)
	if err != nil || !d.IsFinite() {
		return fail(bad)
	}
	if d, err = d.Mul(types.FromInt64(1 << shift)); err != nil {
		return fail(err)
	}
	v, ok := d.Round(0).Int64()
	if !ok {
		return fail(pgerror.New(pgerror.NumericValueOutOfRange, "bigint out of range"))
	}
	return integer(v)
}
