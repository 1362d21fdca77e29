package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// jsonFieldFamily is the table of jsonb_set_lax and of the functions behind the
// operators of json and jsonb.
func jsonFieldFamily() []Function {
	var defs []def
	for _, t := range []string{"json", "jsonb"} {
		member := jsonMember
		if t == "jsonb" {
			member = jsonbMember
		}
		defs = append(defs,
			def{sig: t + "_object_field(" + t + ",text) " + t, kernel: jsonGet(member, false), doc: "member"},
			def{sig: t + "_object_field_text(" + t + ",text) text", kernel: jsonGet(member, true), doc: "member as text"},
			def{sig: t + "_array_element(" + t + ",int4) " + t, scalar: jsonIndex(t == "jsonb", false), doc: "element"},
			def{sig: t + "_array_element_text(" + t + ",int4) text", scalar: jsonIndex(t == "jsonb", true), doc: "element as text"},
		)
	}
	for _, args := range []string{"jsonb,text[],jsonb", "jsonb,text[],jsonb,bool", "jsonb,text[],jsonb,bool,text"} {
		defs = append(defs, def{sig: "jsonb_set_lax(" + args + ") jsonb", scalar: jsonSetLax, nullCall: true, doc: "jsonb_set that says what NULL does"})
	}
	return table(append(defs,
		def{sig: "array_to_json(anyarray,bool) json", scalar: arrayToJSON, volatility: Stable, doc: "JSON form of an array, with line feeds if asked to"},
		def{sig: "jsonb_contains(jsonb,jsonb) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonContains(a[0].B, a[1].B, true)) }, doc: "contains"},
		def{sig: "jsonb_contained(jsonb,jsonb) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonContains(a[1].B, a[0].B, true)) }, doc: "is contained in"},
		def{sig: "jsonb_exists_any(jsonb,text[]) bool", scalar: jsonHasSome(false), doc: "has any of the keys"},
		def{sig: "jsonb_exists_all(jsonb,text[]) bool", scalar: jsonHasSome(true), doc: "has all of the keys"},
		def{sig: "jsonb_concat(jsonb,jsonb) jsonb", scalar: jsonConcat, doc: "concatenates arrays, merges objects"},
		def{sig: "jsonb_delete(jsonb,text) jsonb", scalar: jsonDelete, doc: "without a key or string element"},
		def{sig: "jsonb_delete(jsonb,int4) jsonb", scalar: jsonDeleteIndex, doc: "without an element"},
		def{sig: "jsonb_delete(jsonb,text[]) jsonb", scalar: jsonDelete, doc: "without keys or string elements"},
		def{sig: "jsonb_delete_path(jsonb,text[]) jsonb", scalar: jsonDeletePath, doc: "without the value at a path"},
	))
}

// jsonSetLax is jsonb_set where the value may be NULL: a[4] says what then.
func jsonSetLax(c *CallContext, a []datum) (datum, error) {
	if a[0].Null || a[1].Null || len(a) > 3 && a[3].Null {
		return null()
	}
	create, treat := types.BoolDatum(true), "use_json_null"
	if len(a) > 3 {
		create = a[3]
	}
	wrong := func() (datum, error) {
		return fail(pgerror.New(pgerror.InvalidParameterValue,
			`null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"`))
	}
	if len(a) > 4 {
		if a[4].Null {
			return wrong()
		}
		treat = string(a[4].B)
	}
	if !a[2].Null {
		return jsonSet(c, []datum{a[0], a[1], a[2], create})
	}
	switch treat {
	case "use_json_null":
		return jsonSet(c, []datum{a[0], a[1], types.StringDatum("null"), create})
	case "raise_exception":
		return fail(pgerror.New(pgerror.NullValueNotAllowed, "JSON value must not be null").
			WithDetail("Exception was raised because null_value_treatment is \"raise_exception\".").
			WithHint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed."))
	case "delete_key":
		return jsonDeletePath(c, a[:2])
	case "return_target":
		return a[0], nil
	}
	return wrong()
}

func arrayToJSON(c *CallContext, a []datum) (datum, error) {
	elem, _ := c.Args[0].Elem()
	sep := ","
	if a[1].Bool() {
		sep = ",\n "
	}
	return raw(types.AppendJSONArray(nil, elem, a[0].List, a[0].Dims(c.Args[0]), sep, c.Env.format()))
}
