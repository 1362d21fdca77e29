package expr

import (
	"strings"

	"velostream/catalog/types"
)

// VariadicName is the name under which Resolve finds the form of a function that
// takes the array of f(…, VARIADIC array).
func VariadicName(name string) string { return "VARIADIC " + name }

// variadicForm is f with an array in the place of its last arguments; nil: it has
// no such form.
func variadicForm(f *Function) *Function {
	if !f.Variadic || f.Scalar == nil {
		return nil
	}
	v := *f
	v.Name, v.Variadic, v.NullCall = VariadicName(f.Name), false, true
	v.Args = append([]types.OID(nil), f.Args...)
	last := len(v.Args) - 1
	if a, ok := (types.Type{OID: f.Args[last], Mod: -1}).Array(); ok {
		v.Args[last] = a.OID
	} else {
		v.Args[last] = types.OIDAnyArray
	}
	v.Scalar = func(c *CallContext, a []datum) (datum, error) {
		if !f.NullCall {
			for _, x := range a {
				if x.Null {
					return null()
				}
			}
		}
		if a[last].Null && f.Name != "format" { // which takes it as no arguments
			return null()
		}
		elem, _ := c.Args[last].Elem()
		inner := *c
		inner.Args = append([]types.Type(nil), c.Args[:last]...)
		for range a[last].List {
			inner.Args = append(inner.Args, elem)
		}
		d, err := f.Scalar(&inner, append(append([]datum(nil), a[:last]...), a[last].List...))
		c.Memo = inner.Memo
		return d, err
	}
	return &v
}

// argNames are the names of arguments as "function name name=default …"; an
// argument with a default may be left out of a call by names.
var argNames = []string{
	"make_interval years=0 months=0 weeks=0 days=0 hours=0 mins=0 secs=0",
	"make_date year month day",
	"make_time hour min sec",
	"make_timestamp year month mday hour min sec",
	"make_timestamptz year month mday hour min sec timezone",
	"jsonb_set jsonb_in path replacement create_if_missing=true",
	"jsonb_set_lax jsonb_in path replacement create_if_missing=true null_value_treatment=use_json_null",
	"jsonb_insert jsonb_in path replacement insert_after=false",
	"parse_ident str strict=true",
	"jsonb_path_exists target path vars={} silent=false",
	"jsonb_path_exists_tz target path vars={} silent=false",
	"jsonb_path_match target path vars={} silent=false",
	"jsonb_path_match_tz target path vars={} silent=false",
	"jsonb_path_query target path vars={} silent=false",
	"jsonb_path_query_tz target path vars={} silent=false",
	"jsonb_path_query_array target path vars={} silent=false",
	"jsonb_path_query_array_tz target path vars={} silent=false",
	"jsonb_path_query_first target path vars={} silent=false",
	"jsonb_path_query_first_tz target path vars={} silent=false",
	"json_extract_path from_json path_elems",
	"json_extract_path_text from_json path_elems",
	"jsonb_extract_path from_json path_elems",
	"jsonb_extract_path_text from_json path_elems",
	"json_each from_json",
	"json_each_text from_json",
	"jsonb_each from_json",
	"jsonb_each_text from_json",
	"json_array_elements from_json",
	"json_array_elements_text from_json",
	"jsonb_array_elements from_json",
	"jsonb_array_elements_text from_json",
}

// ArgNames are the names of a function's arguments, as in pg_proc, and their
// defaults (an empty one: it has none). They are empty for functions without
// names.
func ArgNames(name string) (names, defaults []string) {
	for _, line := range argNames {
		rest, ok := strings.CutPrefix(line, name+" ")
		if !ok {
			continue
		}
		for w := range strings.FieldsSeq(rest) {
			n, d, _ := strings.Cut(w, "=")
			names, defaults = append(names, n), append(defaults, d)
		}
		break
	}
	return names, defaults
}
