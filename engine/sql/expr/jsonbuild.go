package expr

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// canonical makes a jsonb value of JSON text.
func canonical(b []byte) (datum, error) {
	out, err := types.CanonicalJSON(nil, b)
	return types.BytesDatum(out), err
}

// finishJSON is the result of a function that gives json or jsonb.
func finishJSON(c *CallContext, b []byte) (datum, error) {
	if c.Ret.OID == types.OIDJSONB {
		return canonical(b)
	}
	return raw(b)
}

func toJSON(c *CallContext, a []datum) (datum, error) {
	return finishJSON(c, types.AppendJSON(nil, c.Args[0], a[0], c.Env.format()))
}

func buildArray(c *CallContext, a []datum) (datum, error) {
	out := []byte{'['}
	for i, d := range a {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = types.AppendJSON(out, c.Args[i], d, c.Env.format())
	}
	return finishJSON(c, append(out, ']'))
}

func buildObject(c *CallContext, a []datum) (datum, error) {
	return buildObjectWith(c, a, ", ", " : ")
}

// buildRow is buildObject in the form of row_to_json.
func buildRow(c *CallContext, a []datum) (datum, error) { return buildObjectWith(c, a, ",", ":") }

func buildObjectWith(c *CallContext, a []datum, comma, colon string) (datum, error) {
	if len(a)%2 != 0 {
		fn := "json_build_object()"
		if c.Ret.OID == types.OIDJSONB {
			fn = "jsonb_build_object()"
		}
		return fail(pgerror.New(pgerror.InvalidParameterValue, "argument list must have even number of elements").
			WithHint("The arguments of %s must consist of alternating keys and values.", fn))
	}
	out := []byte{'{'}
	for i := 0; i < len(a); i += 2 {
		if a[i].Null {
			return fail(nullKey(c, i))
		}
		if i > 0 {
			out = append(out, comma...)
		}
		out = types.AppendJSONString(out, jsonKeyText(c, i, a[i]))
		if c.Ret.OID == types.OIDJSONB {
			out = append(out, ": "...)
		} else {
			out = append(out, colon...)
		}
		out = types.AppendJSON(out, c.Args[i+1], a[i+1], c.Env.format())
	}
	return finishJSON(c, append(out, '}'))
}

// jsonKeyText is argument i as a key: as to_json has it, without quotes.
func jsonKeyText(c *CallContext, i int, d datum) []byte {
	switch c.Args[i].OID {
	case types.OIDBool, types.OIDDate, types.OIDTimestamp, types.OIDTimestamptz:
		b := types.AppendJSON(nil, c.Args[i], d, c.Env.format())
		return bytes.Trim(b, `"`)
	default:
	}
	return types.AppendText(nil, c.Args[i], d, c.Env.format())
}

func nullKey(c *CallContext, i int) error {
	if c.Ret.OID == types.OIDJSONB {
		return pgerror.New(pgerror.InvalidParameterValue, "argument %d: key must not be null", i+1)
	}
	return pgerror.New(pgerror.InvalidParameterValue, "argument %d cannot be null", i+1).
		WithHint("Object keys should be text.")
}

// jsonObject is json_object(text[]) of alternating keys and values, or of two columns.
func jsonObject(c *CallContext, a []datum) (datum, error) {
	var keys, vals []datum
	if len(a) == 2 {
		keys, vals = a[0].List, a[1].List
		if n := a[0].NDims(); n > 1 || n != a[1].NDims() {
			return fail(wrongSubscripts())
		}
		if len(keys) != len(vals) {
			return fail(pgerror.New(pgerror.ArraySubscriptError, "mismatched array dimensions"))
		}
	} else {
		switch n := a[0].NDims(); {
		case n > 2:
			return fail(wrongSubscripts())
		case n == 2 && a[0].Dim(c.Args[0], 1).Len != 2:
			return fail(pgerror.New(pgerror.ArraySubscriptError, "array must have two columns"))
		case len(a[0].List)%2 != 0:
			return fail(pgerror.New(pgerror.ArraySubscriptError, "array must have even number of elements"))
		}
		for i := 0; i < len(a[0].List); i += 2 {
			keys, vals = append(keys, a[0].List[i]), append(vals, a[0].List[i+1])
		}
	}
	out := []byte{'{'}
	for i, k := range keys {
		if k.Null {
			return fail(pgerror.New(pgerror.NullValueNotAllowed, "null value not allowed for object key"))
		}
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(appendJSONKey(out, k.B), " : "...)
		if vals[i].Null {
			out = append(out, "null"...)
		} else {
			out = appendJSONKey(out, vals[i].B)
		}
	}
	return finishJSON(c, append(out, '}'))
}

// jsonEdit rebuilds a container: edit sees each element or member and returns
// what stands in its place (keep false: nothing).
func jsonEdit(b []byte, edit func(i int, key, val []byte) (to []byte, keep bool), extra ...[]byte) []byte {
	open, end := byte('['), byte(']')
	if jsonFirst(b) == '{' {
		open, end = '{', '}'
	}
	out, i := []byte{open}, 0
	add := func(item ...[]byte) {
		if len(out) > 1 {
			out = append(out, ", "...)
		}
		for _, p := range item {
			out = append(out, p...)
		}
	}
	jsonEach(b, func(k, v []byte) bool {
		if to, keep := edit(i, k, v); keep {
			if k != nil {
				add(k, []byte(": "), to)
			} else {
				add(to)
			}
		}
		i++
		return true
	})
	for _, x := range extra {
		add(x)
	}
	return append(out, end)
}
