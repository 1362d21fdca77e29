package expr

import (
	"bytes"
	"encoding/json"
	"strconv"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// jsonFamily is the table of json and jsonb
// (https://www.postgresql.org/docs/15/functions-json.html).
func jsonFamily() []Function {
	var defs []def
	for _, t := range []string{"json", "jsonb"} {
		member := jsonMember
		if t == "jsonb" {
			member = jsonbMember
		}
		build := t + "_build_"
		defs = append(defs,
			def{sig: "->(" + t + ",text) " + t, kernel: jsonGet(member, false), doc: "member"},
			def{sig: "->>(" + t + ",text) text", kernel: jsonGet(member, true), doc: "member as text"},
			def{sig: "->(" + t + ",int4) " + t, scalar: jsonIndex(t == "jsonb", false), doc: "element"},
			def{sig: "->>(" + t + ",int4) text", scalar: jsonIndex(t == "jsonb", true), doc: "element as text"},
			def{sig: "#>(" + t + ",text[]) " + t, scalar: jsonAtPath(false), doc: "value at a path"},
			def{sig: "#>>(" + t + ",text[]) text", scalar: jsonAtPath(true), doc: "value at a path as text"},
			def{sig: t + "_extract_path(" + t + ",variadic text) " + t, scalar: jsonExtract(false), doc: "value at a path"},
			def{sig: t + "_extract_path_text(" + t + ",variadic text) text", scalar: jsonExtract(true), doc: "value at a path as text"},
			def{sig: t + "_typeof(" + t + ") text", scalar: jsonTypeof, doc: "kind of the value"},
			def{sig: t + "_array_length(" + t + ") int4", scalar: jsonArrayLength, doc: "number of elements"},
			def{sig: t + "_strip_nulls(" + t + ") " + t, scalar: jsonStrip, doc: "without members that are null"},
			def{sig: build + "array() " + t, scalar: buildArray, doc: "empty array"},
			def{sig: build + "array(variadic any) " + t, scalar: buildArray, nullCall: true, volatility: Stable, doc: "array of the arguments"},
			def{sig: build + "object() " + t, scalar: buildObject, doc: "empty object"},
			def{sig: build + "object(variadic any) " + t, scalar: buildObject, nullCall: true, volatility: Stable, doc: "object of alternating keys and values"},
			def{sig: t + "_build_row(variadic any) " + t, scalar: buildRow, nullCall: true, volatility: Stable, doc: "what row_to_json makes of alternating names and values"},
			def{sig: t + "_object(text[]) " + t, scalar: jsonObject, doc: "object of alternating keys and values"},
			def{sig: t + "_object(text[],text[]) " + t, scalar: jsonObject, doc: "object of keys and values"},
			def{sig: "to_" + t + "(anyelement) " + t, scalar: toJSON, volatility: Stable, doc: "JSON form of a value"},
		)
	}
	return append(table(defs), table([]def{
		{sig: "array_to_json(anyarray) json", scalar: toJSON, volatility: Stable, doc: "JSON form of an array"},
		{sig: "@>(jsonb,jsonb) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonContains(a[0].B, a[1].B, true)) }, doc: "contains"},
		{sig: "<@(jsonb,jsonb) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonContains(a[1].B, a[0].B, true)) }, doc: "is contained in"},
		{sig: "?(jsonb,text) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonHas(a[0].B, a[1].B)) }, doc: "has a key or string element"},
		{sig: "jsonb_exists(jsonb,text) bool", scalar: func(_ *CallContext, a []datum) (datum, error) { return boolean(jsonHas(a[0].B, a[1].B)) }, doc: "has a key or string element"},
		{sig: "?|(jsonb,text[]) bool", scalar: jsonHasSome(false), doc: "has any of the keys"},
		{sig: "?&(jsonb,text[]) bool", scalar: jsonHasSome(true), doc: "has all of the keys"},
		{sig: "||(jsonb,jsonb) jsonb", scalar: jsonConcat, doc: "concatenates arrays, merges objects"},
		{sig: "-(jsonb,text) jsonb", scalar: jsonDelete, doc: "without a key or string element"},
		{sig: "-(jsonb,text[]) jsonb", scalar: jsonDelete, doc: "without keys or string elements"},
		{sig: "-(jsonb,int4) jsonb", scalar: jsonDeleteIndex, doc: "without an element"},
		{sig: "#-(jsonb,text[]) jsonb", scalar: jsonDeletePath, doc: "without the value at a path"},
		{sig: "jsonb_set(jsonb,text[],jsonb) jsonb", scalar: jsonSet, doc: "replaces or adds the value at a path"},
		{sig: "jsonb_set(jsonb,text[],jsonb,bool) jsonb", scalar: jsonSet, doc: "replaces, or adds if asked to, the value at a path"},
		{sig: "jsonb_insert(jsonb,text[],jsonb) jsonb", scalar: jsonInsert, doc: "inserts before the element at a path"},
		{sig: "jsonb_insert(jsonb,text[],jsonb,bool) jsonb", scalar: jsonInsert, doc: "inserts before, or after, the element at a path"},
		{sig: "jsonb_pretty(jsonb) text", scalar: jsonPretty, doc: "indented text"},
	})...)
}

func jsonGet(find func(b, name []byte) ([]byte, bool), text bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		w := newWriter(out)
		err := c.each(func(i int) error {
			v, ok := find(args[0].Bytes(i), args[1].Bytes(i))
			switch {
			case !ok:
				w.null(i)
			case text:
				w.datum(i, jsonText(v))
			default:
				w.bytes(i, v)
			}
			return nil
		})
		w.finish(c.N)
		return err
	}
}

func jsonResult(v []byte, ok, text bool) (datum, error) {
	switch {
	case !ok:
		return null()
	case text:
		return jsonText(v), nil
	}
	return raw(v)
}

// jsonIndex is an element by index. A scalar of jsonb is its own only element.
func jsonIndex(binary, text bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		v, ok := jsonElement(a[0].B, int(a[1].I))
		if binary && !isContainer(a[0].B) && (a[1].I == 0 || a[1].I == -1) {
			v, ok = a[0].B, true
		}
		return jsonResult(v, ok, text)
	}
}

func jsonAtPath(text bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		v, ok := jsonPath(a[0].B, a[1].List)
		return jsonResult(v, ok, text)
	}
}

func jsonExtract(text bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		v, ok := jsonPath(a[0].B, a[1:])
		return jsonResult(v, ok, text)
	}
}

func jsonTypeof(_ *CallContext, a []datum) (datum, error) {
	switch jsonFirst(a[0].B) {
	case '{':
		return str("object")
	case '[':
		return str("array")
	case '"':
		return str("string")
	case 't', 'f':
		return str("boolean")
	case 'n':
		return str("null")
	}
	return str("number")
}

func jsonArrayLength(_ *CallContext, a []datum) (datum, error) {
	switch jsonFirst(a[0].B) {
	case '[':
		return integer(int64(jsonLen(a[0].B)))
	case '{':
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot get array length of a non-array"))
	}
	return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot get array length of a scalar"))
}

func jsonStrip(c *CallContext, a []datum) (datum, error) {
	out := stripNulls(a[0].B)
	if c.Ret.OID == types.OIDJSON {
		var b bytes.Buffer
		if err := json.Compact(&b, out); err != nil {
			return fail(pgerror.From(err))
		}
		out = b.Bytes()
	}
	return raw(out)
}

func stripNulls(b []byte) []byte {
	if f := jsonFirst(b); f != '{' && f != '[' {
		return b
	}
	return jsonEdit(b, func(_ int, k, v []byte) ([]byte, bool) {
		if k != nil && jsonFirst(v) == 'n' {
			return nil, false
		}
		return stripNulls(v), true
	})
}

// jsonContains reports a @> b. At the top an array contains a scalar that is
// one of its elements.
func jsonContains(a, b []byte, top bool) bool {
	fa, fb := jsonFirst(a), jsonFirst(b)
	switch {
	case fa == '{' && fb == '{':
		all := true
		jsonEach(b, func(k, v []byte) bool {
			mine, ok := jsonbMember(a, jsonUnquote(k))
			all = ok && jsonContains(mine, v, false)
			return all
		})
		return all
	case fa == '[' && fb == '[':
		all := true
		jsonEach(b, func(_, v []byte) bool {
			all = jsonSome(a, func(e []byte) bool { return jsonContains(e, v, false) })
			return all
		})
		return all
	case fa == '[' && top && fb != '{':
		return jsonSome(a, func(e []byte) bool { return types.CompareJSON(e, b) == 0 })
	case fa == '{' || fa == '[' || fb == '{' || fb == '[':
		return false
	}
	return types.CompareJSON(a, b) == 0
}

func jsonSome(b []byte, f func([]byte) bool) bool {
	found := false
	jsonEach(b, func(_, v []byte) bool {
		found = f(v)
		return !found
	})
	return found
}

func jsonHas(b, key []byte) bool {
	switch jsonFirst(b) {
	case '{':
		_, ok := jsonbMember(b, key)
		return ok
	case '[':
		return jsonSome(b, func(v []byte) bool { return v[0] == '"' && jsonKeyIs(v, key) })
	case '"':
		return jsonKeyIs(jsonTrim(b), key)
	}
	return false
}

func jsonHasSome(all bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		for _, k := range a[1].List {
			if !k.Null && jsonHas(a[0].B, k.B) != all {
				return boolean(!all)
			}
		}
		return boolean(all)
	}
}

func jsonConcat(_ *CallContext, a []datum) (datum, error) {
	fa, fb := jsonFirst(a[0].B), jsonFirst(a[1].B)
	inner := func(b []byte) []byte {
		b = jsonTrim(b)
		return b[1 : len(b)-1]
	}
	if fa == '{' && fb == '{' {
		return canonical(joinJSON('{', inner(a[0].B), inner(a[1].B), '}'))
	}
	l, r := a[0].B, a[1].B
	if fa == '[' {
		l = inner(l)
	}
	if fb == '[' {
		r = inner(r)
	}
	return canonical(joinJSON('[', l, r, ']'))
}

func joinJSON(open byte, a, b []byte, end byte) []byte {
	out := append([]byte{open}, a...)
	if len(a) > 0 && len(b) > 0 {
		out = append(out, ", "...)
	}
	return append(append(out, b...), end)
}

func jsonDelete(_ *CallContext, a []datum) (datum, error) {
	keys := a[1].List
	if a[1].List == nil {
		keys = a[1:2]
	} else if a[1].NDims() > 1 {
		return fail(wrongSubscripts())
	}
	if f := jsonFirst(a[0].B); f != '{' && f != '[' {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot delete from scalar"))
	}
	return raw(jsonEdit(a[0].B, func(_ int, k, v []byte) ([]byte, bool) {
		lit := k
		if k == nil {
			lit = v
		}
		for _, d := range keys {
			if !d.Null && lit[0] == '"' && jsonKeyIs(lit, d.B) {
				return nil, false
			}
		}
		return v, true
	}))
}

func jsonDeleteIndex(_ *CallContext, a []datum) (datum, error) {
	switch jsonFirst(a[0].B) {
	case '[':
	case '{':
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot delete from object using integer index"))
	default:
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot delete from scalar"))
	}
	at := int(a[1].I)
	if at < 0 {
		at += jsonLen(a[0].B)
	}
	return raw(jsonEdit(a[0].B, func(i int, _, v []byte) ([]byte, bool) { return v, i != at }))
}

func jsonDeletePath(_ *CallContext, a []datum) (datum, error) {
	if a[1].NDims() > 1 {
		return fail(wrongSubscripts())
	}
	if f := jsonFirst(a[0].B); f != '{' && f != '[' {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot delete path in scalar"))
	}
	e := pathEdit{path: a[1].List, mode: editDelete}
	out, err := e.apply(a[0].B, 0)
	return types.BytesDatum(out), err
}

func jsonSet(_ *CallContext, a []datum) (datum, error) {
	if a[1].NDims() > 1 {
		return fail(wrongSubscripts())
	}
	if f := jsonFirst(a[0].B); f != '{' && f != '[' {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot set path in scalar"))
	}
	e := pathEdit{path: a[1].List, value: a[2].B, mode: editSet, create: len(a) == 3 || a[3].Bool()}
	out, err := e.apply(a[0].B, 0)
	if err != nil {
		return fail(err)
	}
	return canonical(out)
}

func jsonInsert(_ *CallContext, a []datum) (datum, error) {
	if a[1].NDims() > 1 {
		return fail(wrongSubscripts())
	}
	if f := jsonFirst(a[0].B); f != '{' && f != '[' {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot set path in scalar"))
	}
	e := pathEdit{path: a[1].List, value: a[2].B, mode: editInsert, create: true, after: len(a) == 4 && a[3].Bool()}
	out, err := e.apply(a[0].B, 0)
	if err != nil {
		return fail(err)
	}
	return canonical(out)
}

type editMode uint8

const (
	editDelete editMode = iota
	editSet
	editInsert
)

// pathEdit changes the value at a path.
type pathEdit struct {
	path   []datum
	value  []byte
	mode   editMode
	create bool // adds what is not there
	after  bool // inserts behind
}

func (e *pathEdit) apply(b []byte, depth int) ([]byte, error) {
	if depth == len(e.path) || depth == 0 && !e.create && jsonLen(b) == 0 {
		return b, nil // of nothing there is nothing to look at, the path neither
	}
	step := e.path[depth]
	if step.Null {
		return nil, pgerror.New(pgerror.NullValueNotAllowed, "path element at position %d is null", depth+1)
	}
	f := jsonFirst(b)
	if f != '{' && f != '[' || !e.create && jsonLen(b) == 0 {
		return b, nil
	}
	last := depth == len(e.path)-1
	if f == '[' {
		return e.inArray(b, depth, last)
	}
	var err error
	found := false
	out := jsonEdit(b, func(_ int, k, v []byte) ([]byte, bool) {
		if found || err != nil || !jsonKeyIs(k, step.B) {
			return v, true
		}
		found = true
		if !last {
			v, err = e.apply(v, depth+1)
			return v, true
		}
		switch e.mode {
		case editDelete:
			return nil, false
		case editInsert:
			err = pgerror.New(pgerror.InvalidParameterValue, "cannot replace existing key").
				WithHint("Try using the function jsonb_set to replace key value.")
			return v, true
		default:
		}
		return e.value, true
	})
	if !found && last && e.create && e.mode != editDelete {
		item := append(appendJSONKey(nil, step.B), ": "...)
		out = jsonEdit(out, func(_ int, _, v []byte) ([]byte, bool) { return v, true }, append(item, e.value...))
	}
	return out, err
}

func (e *pathEdit) inArray(b []byte, depth int, last bool) ([]byte, error) {
	step := string(e.path[depth].B)
	n, err := strconv.ParseInt(step, 10, 32)
	if err != nil {
		return nil, pgerror.New(pgerror.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", depth+1, step)
	}
	size := jsonLen(b)
	at := int(n)
	if at < 0 {
		at += size
	}
	keep := func(_ int, _, v []byte) ([]byte, bool) { return v, true }
	if last && e.mode != editDelete && (at < 0 || at >= size) {
		switch {
		case !e.create:
			return b, nil
		case at >= size:
			return jsonEdit(b, keep, e.value), nil
		}
		return joinJSON('[', e.value, jsonTrim(b)[1:len(jsonTrim(b))-1], ']'), nil
	}
	out := jsonEdit(b, func(i int, _, v []byte) ([]byte, bool) {
		switch {
		case i != at || err != nil:
			return v, true
		case !last:
			v, err = e.apply(v, depth+1)
			return v, true
		case e.mode == editDelete:
			return nil, false
		case e.mode == editSet:
			return e.value, true
		case e.after:
			return bytes.Join([][]byte{v, e.value}, []byte(", ")), true
		}
		return bytes.Join([][]byte{e.value, v}, []byte(", ")), true
	})
	return out, err
}

func jsonPretty(_ *CallContext, a []datum) (datum, error) {
	return raw(appendPretty(nil, a[0].B, 0))
}

func appendPretty(dst, b []byte, depth int) []byte {
	f := jsonFirst(b)
	if f != '{' && f != '[' {
		return append(dst, b...)
	}
	indent := func(n int) {
		dst = append(dst, '\n')
		dst = append(dst, bytes.Repeat([]byte("    "), n)...)
	}
	dst = append(dst, f)
	first := true
	jsonEach(b, func(k, v []byte) bool {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		indent(depth + 1)
		if k != nil {
			dst = append(append(dst, k...), ": "...)
		}
		dst = appendPretty(dst, v, depth+1)
		return true
	})
	indent(depth)
	return append(dst, f+2)
}
