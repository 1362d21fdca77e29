package expr

import (
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// miscFamily is the table of conditional, session and other functions.
func miscFamily() []Function {
	session := func(f func(e *Env) string) Scalar {
		return func(c *CallContext, _ []datum) (datum, error) {
			if c.Env == nil {
				return str("")
			}
			return str(f(c.Env))
		}
	}
	return table([]def{
		{sig: "greatest(variadic anycompatible) anycompatible", kernel: extremum(1), nullCall: true, doc: "greatest argument that is not NULL"},
		{sig: "least(variadic anycompatible) anycompatible", kernel: extremum(-1), nullCall: true, doc: "least argument that is not NULL"},
		{sig: "nullif(anycompatible,anycompatible) anycompatible", scalar: nullIf, nullCall: true, doc: "NULL if the arguments are equal, else the first"},
		{sig: "num_nulls(variadic any) int4", scalar: countNulls(true), nullCall: true, doc: "number of arguments that are NULL"},
		{sig: "num_nonnulls(variadic any) int4", scalar: countNulls(false), nullCall: true, doc: "number of arguments that are not NULL"},
		{sig: "istrue(bool) bool", scalar: isBool(true, false), nullCall: true, doc: "IS TRUE"},
		{sig: "isnottrue(bool) bool", scalar: isBool(true, true), nullCall: true, doc: "IS NOT TRUE"},
		{sig: "isfalse(bool) bool", scalar: isBool(false, false), nullCall: true, doc: "IS FALSE"},
		{sig: "isnotfalse(bool) bool", scalar: isBool(false, true), nullCall: true, doc: "IS NOT FALSE"},
		{sig: "nextval(regclass) int8", scalar: sequenceCall(func(s Sequences, a []datum) (int64, error) { return s.Next(uint32(a[0].I)) }), volatility: Volatile, doc: "next number of a sequence"},
		{sig: "currval(regclass) int8", scalar: sequenceCall(func(s Sequences, a []datum) (int64, error) { return s.Current(uint32(a[0].I)) }), volatility: Volatile, doc: "number that nextval gave this session last, of the sequence"},
		{sig: "lastval() int8", scalar: sequenceCall(func(s Sequences, _ []datum) (int64, error) { return s.Last() }), volatility: Volatile, doc: "number that nextval gave this session last"},
		{sig: "setval(regclass,int8) int8", scalar: sequenceCall(func(s Sequences, a []datum) (int64, error) {
			return a[1].I, s.Set(uint32(a[0].I), a[1].I, true)
		}), volatility: Volatile, doc: "sets the number a sequence gave last"},
		{sig: "setval(regclass,int8,bool) int8", scalar: sequenceCall(func(s Sequences, a []datum) (int64, error) {
			return a[1].I, s.Set(uint32(a[0].I), a[1].I, a[2].Bool())
		}), volatility: Volatile, doc: "sets the number a sequence gave last, or gives next"},
		{sig: "current_user() name", scalar: session(func(e *Env) string { return e.User }), volatility: Stable, doc: "name of the role"},
		{sig: "session_user() name", scalar: session(func(e *Env) string { return e.User }), volatility: Stable, doc: "name of the role that logged in"},
		{sig: "user() name", scalar: session(func(e *Env) string { return e.User }), volatility: Stable, doc: "name of the role"},
		{sig: "current_role() name", scalar: session(func(e *Env) string { return e.User }), volatility: Stable, doc: "name of the role"},
		{sig: "current_database() name", scalar: session(func(e *Env) string { return e.Database }), volatility: Stable, doc: "name of the database"},
		{sig: "current_catalog() name", scalar: session(func(e *Env) string { return e.Database }), volatility: Stable, doc: "name of the database"},
		{sig: "version() text", scalar: session(func(e *Env) string { return e.Version }), volatility: Stable, doc: "version of the server"},
		{sig: "pg_backend_pid() int4", scalar: func(c *CallContext, _ []datum) (datum, error) {
			if c.Env == nil {
				return integer(0)
			}
			return integer(c.Env.PID)
		}, volatility: Stable, doc: "number of the session, for cancel requests"},
		{sig: "current_setting(text) text", scalar: currentSetting, volatility: Stable, doc: "value of a run-time parameter"},
		{sig: "current_setting(text,bool) text", scalar: currentSetting, volatility: Stable, doc: "value of a run-time parameter, NULL if it does not exist"},
		{sig: "current_schema() name", scalar: session(func(e *Env) string { return e.Schema }), volatility: Stable, doc: "name of the schema for new objects"},
	})
}

func sequenceCall(f func(s Sequences, a []datum) (int64, error)) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		if c.Env == nil || c.Env.Sequences == nil {
			return fail(pgerror.Unsupported("sequences cannot be used in a continuous query"))
		}
		v, err := f(c.Env.Sequences, a)
		if err != nil {
			return fail(err)
		}
		return integer(v)
	}
}

func currentSetting(c *CallContext, a []datum) (datum, error) {
	if c.Env != nil && c.Env.Setting != nil {
		if v, ok := c.Env.Setting(string(a[0].B)); ok {
			return str(v)
		}
	}
	if len(a) == 2 && a[1].Bool() {
		return null()
	}
	return fail(pgerror.New(pgerror.UndefinedObject, "unrecognized configuration parameter \"%s\"", a[0].B))
}

// extremum is greatest (sign 1) or least (sign -1).
func extremum(sign int) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		w := newWriter(out)
		err := c.each(func(i int) error {
			var best *column.Column
			for _, a := range args {
				switch {
				case a.Null(i):
				case best == nil:
					best = a
				case compareAt(c.Ret, a, best, i)*sign > 0:
					best = a
				}
			}
			if best == nil {
				w.null(i)
			} else {
				w.from(i, best)
			}
			return nil
		})
		w.finish(c.N)
		return err
	}
}

// compareAt orders row i of two columns of type t, neither of them NULL.
func compareAt(t types.Type, a, b *column.Column, i int) int {
	if t.Kind() == types.KindInt {
		x, y := a.Ints[a.At(i)], b.Ints[b.At(i)]
		return b2i(x > y) - b2i(x < y)
	}
	return types.Compare(t, a.Datum(i), b.Datum(i))
}

func nullIf(c *CallContext, a []datum) (datum, error) {
	if !a[0].Null && !a[1].Null && types.Equal(c.Args[0], a[0], a[1]) {
		return null()
	}
	return a[0], nil
}

func countNulls(nulls bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		n := int64(0)
		for _, d := range a {
			if d.Null == nulls {
				n++
			}
		}
		return integer(n)
	}
}

func isBool(want, negate bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		return boolean((!a[0].Null && a[0].Bool() == want) != negate)
	}
}
