package expr

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// enumFamily is the table of functions on enum types. The value of an argument does not
// matter where its type is asked for.
func enumFamily() []Function {
	return table([]def{
		{sig: "enum_first(anyenum) anyenum", scalar: enumFirst, nullCall: true, volatility: Stable, doc: "first value of the enum type"},
		{sig: "enum_last(anyenum) anyenum", scalar: enumLast, nullCall: true, volatility: Stable, doc: "last value of the enum type"},
		{sig: "enum_range(anyenum) anyarray", scalar: enumRange, nullCall: true, volatility: Stable, doc: "all values of the enum type"},
		{sig: "enum_range(anyenum,anyenum) anyarray", scalar: enumRange, nullCall: true, volatility: Stable, doc: "values of the enum type from the first to the second, NULL for no limit"},
	})
}

// enumOf is the type of the call's arguments and its definition.
func enumOf(c *CallContext) (types.Type, *types.Enum, error) {
	t := c.Args[0]
	if !t.IsEnum() && len(c.Args) > 1 {
		t = c.Args[1]
	}
	e, err := c.Env.format().EnumOf(t)
	return t, e, err
}

// enumEnd is the first or the last value.
func enumEnd(c *CallContext, last bool) (datum, error) {
	t, e, err := enumOf(c)
	switch {
	case err != nil:
		return fail(err)
	case len(e.Labels) == 0:
		return fail(pgerror.New(pgerror.ObjectNotInPrerequisiteState, "enum %s contains no values", t))
	case last:
		return e.Value(t, &e.Labels[len(e.Labels)-1])
	}
	return e.Value(t, &e.Labels[0])
}

func enumFirst(c *CallContext, _ []datum) (datum, error) { return enumEnd(c, false) }

func enumLast(c *CallContext, _ []datum) (datum, error) { return enumEnd(c, true) }

func enumRange(c *CallContext, a []datum) (datum, error) {
	t, e, err := enumOf(c)
	if err != nil {
		return fail(err)
	}
	out := datum{List: []datum{}}
	for i := range e.Labels {
		d, err := e.Value(t, &e.Labels[i])
		if err != nil {
			return fail(err)
		}
		if len(a) == 2 && (!a[0].Null && bytes.Compare(d.B, a[0].B) < 0 || !a[1].Null && bytes.Compare(d.B, a[1].B) > 0) {
			continue
		}
		out.List = append(out.List, d)
	}
	return out, nil
}
