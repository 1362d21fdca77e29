package expr

import "velostream/catalog/types"

// mapFamily is the table of maps. m[k] is map_get(m, k); MAP(k, v, …) is map(k, v, …),
// whose type the binder finds.
func mapFamily() []Function {
	return table([]def{
		{sig: "map(variadic any) anymap", scalar: makeMap, nullCall: true, doc: "map of keys and values in turn; MAP[k, v, …]"},
		{sig: "map_get(anymap,mapkey) mapvalue", scalar: mapGet, doc: "value of a key; m[k]"},
		{sig: "map_contains(anymap,mapkey) bool", scalar: mapContains, doc: "there is such a key"},
		{sig: "map_keys(anymap) mapkeys", scalar: mapKeys, doc: "keys, shorter ones first"},
		{sig: "map_values(anymap) mapvalues", scalar: mapValues, doc: "values in the order of the keys"},
		{sig: "cardinality(anymap) int4", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return types.IntDatum(int64(jsonLen(a[0].B))), nil
		}, doc: "number of pairs"},
	})
}

// mapPart is what the pseudo-type o of a function on maps stands for in a call.
func mapPart(o types.OID, args []types.Type) types.Type {
	switch {
	case len(args) > 1 && o == OIDAnyMap && !args[0].IsMap(): // of the constructor
		t, err := types.MapType(args[0], args[1])
		if err != nil {
			return types.Text
		}
		return t
	case len(args) == 0 || !args[0].IsMap():
		return types.Text
	}
	k, v := args[0].MapTypes()
	switch o {
	case OIDMapKeys:
		k, _ = k.Array()
		return k
	case OIDMapValues:
		if arr, ok := v.Array(); ok {
			return arr
		}
		return v // a list itself: an array with one more dimension
	case OIDMapKey:
		return k
	case OIDMapValue:
		return v
	default:
	}
	return args[0]
}

func makeMap(c *CallContext, a []datum) (datum, error) {
	entries := make([]types.MapEntry, len(a)/2)
	for i := range entries {
		entries[i] = types.MapEntry{Key: a[2*i], Value: a[2*i+1]}
	}
	return types.NewMap(c.Ret, entries)
}

// mapMember is the JSON text of the value of argument 1 in the map in argument 0.
func mapMember(c *CallContext, a []datum) ([]byte, bool) {
	k, _ := c.Args[0].MapTypes()
	return jsonMember(a[0].B, types.AppendText(nil, k, a[1], nil))
}

func mapGet(c *CallContext, a []datum) (datum, error) {
	v, ok := mapMember(c, a)
	if !ok {
		return null()
	}
	return types.MapValue(c.Args[0], v)
}

func mapContains(c *CallContext, a []datum) (datum, error) {
	_, ok := mapMember(c, a)
	return boolean(ok)
}

func mapKeys(c *CallContext, a []datum) (datum, error) {
	entries, err := types.MapEntries(c.Args[0], a[0])
	out := datum{List: make([]datum, len(entries))}
	for i, e := range entries {
		out.List[i] = e.Key
	}
	return out, err
}

func mapValues(c *CallContext, a []datum) (datum, error) {
	entries, err := types.MapEntries(c.Args[0], a[0])
	if err != nil {
		return fail(err)
	}
	values := make([]datum, len(entries))
	for i, e := range entries {
		values[i] = e.Value
	}
	if _, v := c.Args[0].MapTypes(); v.Kind() == types.KindList {
		return NestArrays(v, values)
	}
	return datum{List: values}, nil
}
