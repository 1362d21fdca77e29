package expr

import (
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// arrayFamily is the table of arrays
// (https://www.postgresql.org/docs/15/functions-array.html). x op ANY (array)
// is any_op(x, array) for the comparison operators, see AnyName.
func arrayFamily() []Function {
	defs := []def{
		{sig: "array_get(anyarray,int4) anyelement", scalar: arrayGet, nullFirst: true, doc: "element; a[i]"},
		{sig: "array_get(anyarray,int4,variadic int4) anyelement", scalar: arrayGet, nullFirst: true, doc: "element; a[i][j]"},
		{sig: "array_slice(anyarray,int4,int4) anyarray", scalar: arraySlice, nullFirst: true, doc: "elements; a[i:j]"},
		{sig: "array_slice(anyarray,int4,int4,variadic int4) anyarray", scalar: arraySlice, nullFirst: true, doc: "elements; a[i:j][k:l]"},
		{sig: "array_length(anyarray,int4) int4", scalar: arrayBound(func(d types.Dim) int32 { return d.Len }), doc: "length of a dimension"},
		{sig: "array_length(anyarray) int4", scalar: arrayCardinality, doc: "number of elements"},
		{sig: "array_dims(anyarray) text", scalar: arrayDims, doc: "bounds of the dimensions"},
		{sig: "array_fill(anyelement,int4[]) anyarray", scalar: arrayFill, nullCall: true, doc: "array of equal elements"},
		{sig: "array_fill(anyelement,int4[],int4[]) anyarray", scalar: arrayFill, nullCall: true, doc: "array of equal elements with lower bounds"},
		{sig: "trim_array(anyarray,int4) anyarray", scalar: trimArray, doc: "without elements at the end"},
		{sig: "cardinality(anyarray) int4", scalar: arrayCardinality, doc: "number of elements"},
		{sig: "array_ndims(anyarray) int4", scalar: arrayNDims, doc: "number of dimensions"},
		{sig: "array_lower(anyarray,int4) int4", scalar: arrayBound(func(d types.Dim) int32 { return d.Lower }), doc: "lower bound of a dimension"},
		{sig: "array_upper(anyarray,int4) int4", scalar: arrayBound(types.Dim.Upper), doc: "upper bound of a dimension"},
		{sig: "array_append(anycompatiblearray,anycompatible) anycompatiblearray", scalar: arrayAppend(0, 1), nullCall: true, doc: "adds an element at the end"},
		{sig: "array_prepend(anycompatible,anycompatiblearray) anycompatiblearray", scalar: arrayAppend(1, 0), nullCall: true, doc: "adds an element at the beginning"},
		{sig: "array_cat(anycompatiblearray,anycompatiblearray) anycompatiblearray", scalar: arrayCat, nullCall: true, doc: "concatenation"},
		{sig: "||(anycompatiblearray,anycompatiblearray) anycompatiblearray", scalar: arrayCat, nullCall: true, doc: "concatenation"},
		{sig: "||(anycompatiblearray,anycompatible) anycompatiblearray", scalar: arrayAppend(0, 1), nullCall: true, doc: "adds an element at the end"},
		{sig: "||(anycompatible,anycompatiblearray) anycompatiblearray", scalar: arrayAppend(1, 0), nullCall: true, doc: "adds an element at the beginning"},
		{sig: "array_remove(anycompatiblearray,anycompatible) anycompatiblearray", scalar: arrayRemove, nullCall: true, doc: "without all equal elements"},
		{sig: "array_replace(anycompatiblearray,anycompatible,anycompatible) anycompatiblearray", scalar: arrayReplace, nullCall: true, doc: "replaces all equal elements"},
		{sig: "array_position(anycompatiblearray,anycompatible) int4", scalar: arrayPosition, nullCall: true, doc: "index of the first equal element"},
		{sig: "array_position(anycompatiblearray,anycompatible,int4) int4", scalar: arrayPosition, nullCall: true, doc: "index of the first equal element from an index"},
		{sig: "array_positions(anycompatiblearray,anycompatible) int4[]", scalar: arrayPositions, nullCall: true, doc: "indexes of all equal elements"},
		{sig: "array_contains(anycompatiblearray,anycompatible) bool", scalar: func(c *CallContext, a []datum) (datum, error) {
			return boolean(arrayFind(c.Args[1], a[0].List, a[1], 0) >= 0)
		}, doc: "has an equal element"},
		{sig: "array_to_string(anyarray,text) text", scalar: arrayToString, nullCall: true, volatility: Stable, doc: "elements as text with a separator"},
		{sig: "array_to_string(anyarray,text,text) text", scalar: arrayToString, nullCall: true, volatility: Stable, doc: "elements as text with a separator and a text for NULL"},
		{sig: "join(anyarray,text) text", scalar: arrayToString, nullCall: true, volatility: Stable, doc: "elements as text with a separator"},
		{sig: "string_to_array(text,text) text[]", scalar: stringToArray, nullCall: true, doc: "splits a text"},
		{sig: "string_to_array(text,text,text) text[]", scalar: stringToArray, nullCall: true, doc: "splits a text, with a text for NULL"},
		{sig: "split(text,text) text[]", scalar: stringToArray, nullCall: true, doc: "splits a text"},
		{sig: "@>(anyarray,anyarray) bool", scalar: arrayContains(0, 1), doc: "contains all elements"},
		{sig: "<@(anyarray,anyarray) bool", scalar: arrayContains(1, 0), doc: "all elements are contained"},
		{sig: "&&(anyarray,anyarray) bool", scalar: arrayOverlaps, doc: "have an element in common"},
	}
	for op := opEq; op <= opGe; op++ {
		defs = append(defs,
			def{sig: AnyName(cmpNames[op], false) + "(anycompatible,anycompatiblearray) bool", scalar: quantified(op, false), nullCall: true, doc: "x " + cmpNames[op] + " ANY (array)"},
			def{sig: AnyName(cmpNames[op], true) + "(anycompatible,anycompatiblearray) bool", scalar: quantified(op, true), nullCall: true, doc: "x " + cmpNames[op] + " ALL (array)"},
		)
	}
	for _, op := range []string{"~~", "!~~", "~~*", "!~~*"} {
		likes := [2]bool{op[len(op)-1] == '*', op[0] == '!'}
		defs = append(defs,
			def{sig: AnyName(op, false) + "(text,text[]) bool", scalar: quantifiedLike(likes[0], likes[1], false), nullCall: true, doc: "x LIKE ANY (array)"},
			def{sig: AnyName(op, true) + "(text,text[]) bool", scalar: quantifiedLike(likes[0], likes[1], true), nullCall: true, doc: "x LIKE ALL (array)"},
		)
	}
	return table(defs)
}

// AnyName is the name of the function that is x op ANY (array), or ALL, for
// the comparison operators and ~~ ~~* !~~ !~~*: to be resolved with the
// arguments x and array.
func AnyName(op string, all bool) string {
	names := map[string]string{
		"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
		"~~": "like", "!~~": "notlike", "~~*": "ilike", "!~~*": "notilike",
	}
	if all {
		return "all_" + names[op]
	}
	return "any_" + names[op]
}

// three combines the outcomes of x with each element of the array a[1]: ANY is
// decided by true, ALL by false. x, which is a[0], does not count if there is no element.
func three(all bool, a []datum, at func(i int) (v, null bool, err error)) (datum, error) {
	if a[1].Null || a[0].Null && len(a[1].List) > 0 {
		return null()
	}
	unknown := false
	for i := range a[1].List {
		v, isNull, err := at(i)
		switch {
		case err != nil:
			return fail(err)
		case isNull:
			unknown = true
		case v != all:
			return boolean(!all)
		}
	}
	if unknown {
		return null()
	}
	return boolean(all)
}

func quantified(op cmpOp, all bool) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		return three(all, a, func(i int) (bool, bool, error) {
			e := a[1].List[i]
			if e.Null {
				return false, true, nil
			}
			return op.holds(types.Compare(c.Args[0], a[0], e)), false, nil
		})
	}
}

func quantifiedLike(fold, negate, all bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		return three(all, a, func(i int) (bool, bool, error) {
			e := a[1].List[i]
			if e.Null {
				return false, true, nil
			}
			l, err := compileLike(string(e.B), fold)
			if err != nil {
				return false, false, err
			}
			return l.match(a[0].B) != negate, false, nil
		})
	}
}

// sameElement is equality with NULL equal to NULL.
func sameElement(t types.Type, a, b datum) bool {
	if a.Null || b.Null {
		return a.Null && b.Null
	}
	return types.Equal(t, a, b)
}

// arrayFind is the index of an element from start, -1: none.
func arrayFind(t types.Type, list []datum, e datum, start int) int {
	for i := start; i < len(list); i++ {
		if sameElement(t, list[i], e) {
			return i
		}
	}
	return -1
}

func arrayRemove(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	if a[0].NDims() > 1 {
		return fail(pgerror.Unsupported("removing elements from multidimensional arrays is not supported"))
	}
	out := []datum{}
	for _, e := range a[0].List {
		if !sameElement(c.Args[1], e, a[1]) {
			out = append(out, e)
		}
	}
	return likeArray(c.Args[0], a[0], out), nil
}

func arrayReplace(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	out := datum{List: []datum{}, B: a[0].B}
	for _, e := range a[0].List {
		if sameElement(c.Args[1], e, a[1]) {
			e = a[2]
		}
		out.List = append(out.List, e)
	}
	return out, nil
}

// searchable refuses arrays of several dimensions.
func searchable(d datum) error {
	if d.NDims() > 1 {
		return pgerror.Unsupported("searching for elements in multidimensional arrays is not supported")
	}
	return nil
}

func arrayPosition(c *CallContext, a []datum) (datum, error) {
	if a[0].Null || len(a[0].List) == 0 {
		return null()
	}
	if err := searchable(a[0]); err != nil {
		return fail(err)
	}
	if a[1].Null && arrayFind(c.Args[1], a[0].List, a[1], 0) < 0 {
		return null()
	}
	first, start := lowerBound(c.Args[0], a[0]), int64(0)
	if len(a) == 3 {
		if a[2].Null {
			return fail(pgerror.New(pgerror.NullValueNotAllowed, "initial position must not be null"))
		}
		start = max(a[2].I-first, 0)
	}
	i := arrayFind(c.Args[1], a[0].List, a[1], int(start))
	if i < 0 {
		return null()
	}
	return integer(int64(i) + first)
}

func arrayPositions(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	if err := searchable(a[0]); err != nil {
		return fail(err)
	}
	out, first := datum{List: []datum{}}, lowerBound(c.Args[0], a[0])
	for i := arrayFind(c.Args[1], a[0].List, a[1], 0); i >= 0; i = arrayFind(c.Args[1], a[0].List, a[1], i+1) {
		out.List = append(out.List, types.IntDatum(int64(i)+first))
	}
	return out, nil
}

func arrayToString(c *CallContext, a []datum) (datum, error) {
	if a[0].Null || a[1].Null {
		return null()
	}
	elem, _ := c.Args[0].Elem()
	out, first := []byte{}, true
	for _, e := range a[0].List {
		if e.Null && (len(a) < 3 || a[2].Null) {
			continue
		}
		if !first {
			out = append(out, a[1].B...)
		}
		first = false
		if e.Null {
			out = append(out, a[2].B...)
		} else {
			out = types.AppendText(out, elem, e, c.Env.format())
		}
	}
	return raw(out)
}

func stringToArray(_ *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	s := string(a[0].B)
	var parts []string
	switch {
	case s == "":
		return datum{List: []datum{}}, nil
	case a[1].Null:
		parts = strings.Split(s, "")
	case len(a[1].B) == 0:
		parts = []string{s}
	default:
		parts = strings.Split(s, string(a[1].B))
	}
	d := listOf(parts)
	if len(a) == 3 && !a[2].Null {
		for i, p := range parts {
			if p == string(a[2].B) {
				d.List[i] = types.NullDatum
			}
		}
	}
	return d, nil
}

func arrayContains(whole, part int) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		elem, _ := c.Args[0].Elem()
		for _, e := range a[part].List {
			if e.Null || arrayFind(elem, a[whole].List, e, 0) < 0 {
				return boolean(false)
			}
		}
		return boolean(true)
	}
}

func arrayOverlaps(c *CallContext, a []datum) (datum, error) {
	elem, _ := c.Args[0].Elem()
	for _, e := range a[1].List {
		if !e.Null && arrayFind(elem, a[0].List, e, 0) >= 0 {
			return boolean(true)
		}
	}
	return boolean(false)
}
