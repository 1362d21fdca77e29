package expr

import "velostream/catalog/types"

// AppendJSON adds the JSON form of a value to dst, as to_json gives it. f are the
// session's settings, nil: defaults.
func AppendJSON(dst []byte, t types.Type, d types.Datum, f *types.Format) []byte {
	return appendToJSON(dst, t, d, f)
}
