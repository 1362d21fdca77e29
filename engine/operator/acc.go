package operator

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// accumulator is the state of one aggregate call for all groups, a typed slice per part,
// indexed by group id: an update is a loop over a batch, not a call per row.
type accumulator interface {
	// grow makes room for ids below n. New ids are empty groups.
	grow(n int)
	// reset makes g an empty group.
	reset(g int32)
	// update takes rows in or out.
	update(u *update) error
	// result adds the value for g to dst.
	result(g int32, dst *column.Column) error
	// encode adds the state of g to dst; decode reads it back into g, an empty group, and
	// returns the bytes after it.
	encode(dst []byte, g int32) []byte
	decode(b []byte, g int32) ([]byte, error)
	// width is about how many bytes a group takes.
	width() int64
}

// update is what an accumulator is given of a batch: rows[k] of the arguments
// belongs to group gids[k].
type update struct {
	args  []*column.Column // spelled out, never Const
	rows  []int32
	gids  []int32
	signs []int8 // 1 or -1 per row; nil: all 1
	keys  groupKeys
}

// groupKeys gives the state key of a group, valid until the next call.
type groupKeys interface{ groupKey(g int32) []byte }

func (u *update) sign(k int) int64 {
	if u.signs == nil {
		return 1
	}
	return int64(u.signs[k])
}

// plain reports that the update is the cheap kind for its first argument: only
// inserts, no NULL.
func (u *update) plain() bool { return u.signs == nil && len(u.args[0].Nulls) == 0 }

// aggContext is what accumulators are made with.
type aggContext struct {
	index   int
	appends bool      // the input has no deletes
	set     *multiset // for those that need all values
	keys    groupKeys
	orders  []rowenc.Order // of the order columns, which follow the arguments
	env     *expr.Env
}

// prefixes of aggregate c in the multiset: each may have two kinds of entries.
func (c aggContext) prefix(k int) byte { return byte(2*c.index + k) }

// canonical maps the dialect's and PostgreSQL's synonyms to one name.
var canonical = map[string]string{
	"every": "bool_and", "stddev": "stddev_samp", "variance": "var_samp", "first": "first_value",
	"last": "last_value", "listagg": "string_agg", "group_concat": "string_agg", "collect": "array_agg",
}

func aggName(name string) string {
	if c, ok := canonical[name]; ok {
		return c
	}
	return name
}

// newAccumulator makes the accumulator of one call.
func newAccumulator(a *plan.AggCall, c aggContext) (accumulator, error) {
	name := aggName(a.Name)
	distinct := a.Distinct
	if name == "count_distinct" {
		name, distinct = "count", true
	}
	if distinct && (name == "min" || name == "max" || name == "bool_and" || name == "bool_or" ||
		name == "first_value" || name == "last_value") {
		distinct = false // makes no difference
	}
	if name == "approx_count_distinct" { // exact is the best approximation while values may leave again
		name, distinct = "count", true
	}
	_, collects := collected[name]
	if distinct && name != "string_agg" && name != "array_agg" && !collects {
		inner := *a
		inner.Name, inner.Distinct = name, false
		acc, err := newAccumulator(&inner, c)
		if err != nil {
			return nil, err
		}
		if len(a.Args) != 1 {
			return nil, pgerror.Unsupported("aggregate %s(DISTINCT …) with %d arguments is not supported", a.Name, len(a.Args))
		}
		return &distinctAcc{inner: acc, set: c.set, prefix: c.prefix(0), vals: column.New(a.Args[0].Type(), 0), keys: c.keys}, nil
	}
	if len(a.Args) == 0 && name == "count" {
		return &countAcc{}, nil
	}
	if collects {
		return newCollect(a, c, name, distinct), nil
	}
	if len(a.Args) == 0 {
		return nil, pgerror.New(pgerror.InternalError, "aggregate %s without argument", a.Name)
	}
	t := a.Args[0].Type()
	switch name {
	case "count":
		return &countAcc{arg: true}, nil
	case "sum", "avg":
		return newSum(a, t, name == "avg")
	case "min", "max":
		if c.appends {
			return newExtreme(t, name == "max"), nil
		}
		return &extremeSet{set: c.set, prefix: c.prefix(0), typ: t, max: name == "max", u: c.keys}, nil
	case "bool_and", "bool_or":
		return &boolAcc{or: name == "bool_or"}, nil
	case "stddev_samp", "stddev_pop", "var_samp", "var_pop":
		return newVariance(name, t)
	case "first_value", "last_value":
		return newFirst(c, t, name == "last_value"), nil
	case "string_agg", "array_agg":
		return newList(a, c, name, distinct), nil
	}
	switch name {
	case "bit_and", "bit_or", "bit_xor":
		if t.OID == types.OIDBit {
			return &bitStringAcc{op: name}, nil
		}
		return &bitsAcc{op: name}, nil
	case "single_value":
		return &singleAcc{value: newFirst(c, t, false)}, nil
	case "corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2",
		"regr_slope", "regr_sxx", "regr_sxy", "regr_syy":
		return newRegr(name), nil
	}
	return nil, pgerror.Unsupported("aggregate function %s is not supported yet", a.Name)
}

// resize returns s with length n, new elements zero.
func resize[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, max(n, 2*cap(s)))
	copy(out, s)
	return out
}
