package expr

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// setTable lists the set-returning functions as "name(args) column type"; several
// columns are after a semicolon: "name(args) ret; name type, name type".
var setTable = []string{
	"generate_series(int4,int4) int4", "generate_series(int4,int4,int4) int4",
	"generate_series(int8,int8) int8", "generate_series(int8,int8,int8) int8",
	"generate_series(numeric,numeric) numeric", "generate_series(numeric,numeric,numeric) numeric",
	"generate_series(timestamp,timestamp,interval) timestamp", "generate_series(timestamptz,timestamptz,interval) timestamptz",
	"generate_subscripts(anyarray,int4) int4", "generate_subscripts(anyarray,int4,bool) int4",
	"unnest(anyarray) anyelement",
	"regexp_split_to_table(text,text) text", "regexp_split_to_table(text,text,text) text",
	"regexp_matches(text,text) text[]", "regexp_matches(text,text,text) text[]",
	"string_to_table(text,text) text", "string_to_table(text,text,text) text",
	"json_array_elements(json) json; value json", "jsonb_array_elements(jsonb) jsonb; value jsonb",
	"json_array_elements_text(json) text; value text", "jsonb_array_elements_text(jsonb) text; value text",
	"jsonb_path_query(jsonb,jsonpath) jsonb", "jsonb_path_query(jsonb,jsonpath,jsonb) jsonb", "jsonb_path_query(jsonb,jsonpath,jsonb,bool) jsonb",
	"jsonb_path_query_tz(jsonb,jsonpath) jsonb", "jsonb_path_query_tz(jsonb,jsonpath,jsonb) jsonb", "jsonb_path_query_tz(jsonb,jsonpath,jsonb,bool) jsonb",
	"json_object_keys(json) text", "jsonb_object_keys(jsonb) text",
	"json_each(json) json; key text, value json", "jsonb_each(jsonb) jsonb; key text, value jsonb",
	"_pg_expandarray(anyarray) record; x anyelement, n int4",
	"json_each_text(json) text; key text, value text", "jsonb_each_text(jsonb) text; key text, value text",
}

// SetColumn is a column of a set-returning function. Name is "" where the
// function's or its alias's name is used.
type SetColumn struct {
	Name string
	T    types.Type
}

// setFunctions are the set-returning functions and the columns of those with several,
// made at first use and never changed after.
var setFunctions = sync.OnceValues(buildSets)

func buildSets() (map[string][]*Function, map[string][]SetColumn) {
	m, cols := make(map[string][]*Function), make(map[string][]SetColumn)
	for _, s := range slices.Concat(setTable, catalogSets) {
		s, names, _ := strings.Cut(s, ";")
		f := parseSignature(s)
		m[f.Name] = append(m[f.Name], &f)
		for c := range strings.SplitSeq(names, ",") {
			if n, t, ok := strings.Cut(strings.TrimSpace(c), " "); ok && len(m[f.Name]) == 1 {
				cols[f.Name] = append(cols[f.Name], SetColumn{n, types.Type{OID: shortType(t), Mod: -1}})
			}
		}
	}
	return m, cols
}

// IsSetReturning reports whether name is a function that returns a set of rows.
func IsSetReturning(name string) bool {
	fns, _ := setFunctions()
	return len(fns[name]) > 0
}

// ResolveSet finds the set-returning function that a call means: the types to
// cast the arguments to, and its columns. Errors are those of Resolve.
func ResolveSet(name string, args []types.Type) (argTypes []types.Type, cols []SetColumn, err error) {
	fns, columns := setFunctions()
	f, want, err := choose(fns[name], name, false, args)
	if err != nil {
		return nil, nil, err
	}
	if c := columns[name]; c != nil {
		out := slices.Clone(c)
		for i := range out {
			if out[i].T.OID == types.OIDAnyElement && len(want) > 0 {
				out[i].T, _ = types.Type{OID: want[0].OID, Mod: -1}.Elem()
			}
		}
		return want, out, nil
	}
	return want, []SetColumn{{T: f.ReturnType(want)}}, nil
}

// EvalSet calls row with the values of each row of the set-returning function name
// for args, which have the types ts; the slice is reused. It ends with row's error.
func EvalSet(env *Env, name string, ts []types.Type, args []types.Datum, row func([]types.Datum) error) error {
	c := &CallContext{Env: env, Args: ts, N: 1}
	one := make([]types.Datum, 1)
	each := func(d types.Datum) error {
		one[0] = d
		return row(one)
	}
	list := func(d types.Datum, err error) error {
		if err != nil {
			return err
		}
		for _, e := range d.List {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
	if name == "string_to_table" {
		if args[0].Null {
			return nil
		}
		return list(stringToArray(c, args))
	}
	for _, a := range args {
		if a.Null {
			return nil
		}
	}
	if isCatalogSet(name) {
		return evalCatalogSet(env, name, args, row)
	}
	switch name {
	case "jsonb_path_query", "jsonb_path_query_tz":
		return pathRows(c, args, name == "jsonb_path_query_tz", each)
	case "_pg_expandarray":
		return expandArray(args[0].List, row)
	case "generate_series":
		return series(env, ts[0], args, each)
	case "generate_subscripts":
		return subscripts(ts[0], args, each)
	case "unnest":
		return list(args[0], nil)
	case "regexp_split_to_table":
		return list(regexpSplit(c, args))
	case "regexp_matches":
		re, global, err := pattern(c, args, 2)
		if err != nil {
			return err
		}
		n := 1
		if global {
			n = -1
		}
		all, err := allMatches(re, args[0].B, 0, n)
		if err != nil {
			return err
		}
		for _, m := range all {
			if err := each(groups(args[0].B, m)); err != nil {
				return err
			}
		}
		return nil
	}
	return jsonRows(name, args[0].B, row)
}

// subscripts are the valid indexes of one dimension of an array, a value of t.
func subscripts(t types.Type, args []types.Datum, each func(types.Datum) error) error {
	if args[1].I < 1 || args[1].I > int64(args[0].NDims()) {
		return nil
	}
	d := args[0].Dim(t, int(args[1].I-1))
	for i := range d.Len {
		v := d.Lower + i
		if len(args) > 2 && args[2].Bool() {
			v = d.Upper() - i
		}
		if err := each(types.IntDatum(int64(v))); err != nil {
			return err
		}
	}
	return nil
}

// CheckSeries refuses NaN and infinities among the arguments of generate_series over
// numerics (22023).
func CheckSeries(args []types.Datum) error {
	for i, d := range args {
		what := [...]string{"start value", "stop value", "step size"}[i]
		switch {
		case d.Dec.IsNaN():
			return pgerror.New(pgerror.InvalidParameterValue, "%s cannot be NaN", what)
		case !d.Dec.IsFinite():
			return pgerror.New(pgerror.InvalidParameterValue, "%s cannot be infinity", what)
		}
	}
	return nil
}

// series is generate_series over integers, numerics and times.
func series(env *Env, t types.Type, args []types.Datum, each func(types.Datum) error) error {
	zero := pgerror.New(pgerror.InvalidParameterValue, "step size cannot equal zero")
	switch {
	case t.Kind() == types.KindDecimal:
		step := types.FromInt64(1)
		if len(args) > 2 {
			step = args[2].Dec
		}
		if err := CheckSeries(args); err != nil {
			return err
		}
		if step.Sign() == 0 {
			return zero
		}
		for v := args[0].Dec; v.Cmp(args[1].Dec)*step.Sign() <= 0; {
			if err := each(types.DecimalDatum(v)); err != nil {
				return err
			}
			var err error
			if v, err = v.Add(step); err != nil {
				return err
			}
		}
		return nil
	case t.OID == types.OIDTimestamp || t.OID == types.OIDTimestamptz:
		step := args[2].Iv
		hi, lo := column.IntervalSpan(step)
		if hi == 0 && lo == 0 {
			return zero
		}
		loc := time.UTC
		if f := env.format(); f != nil && f.Location != nil {
			loc = f.Location
		}
		for v := args[0].I; hi >= 0 && v <= args[1].I || hi < 0 && v >= args[1].I; {
			if err := each(types.IntDatum(v)); err != nil {
				return err
			}
			var err error
			if t.OID == types.OIDTimestamp {
				v, err = types.AddTimestamp(v, step)
			} else {
				v, err = types.AddTimestamptz(v, step, loc)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	step := int64(1)
	if len(args) > 2 {
		step = args[2].I
	}
	if step == 0 {
		return zero
	}
	for v := args[0].I; step > 0 && v <= args[1].I || step < 0 && v >= args[1].I; v += step {
		if err := each(types.IntDatum(v)); err != nil {
			return err
		}
		if step > 0 && v > math.MaxInt64-step || step < 0 && v < math.MinInt64-step {
			break
		}
	}
	return nil
}

// jsonRows takes an array or an object apart.
func jsonRows(name string, b []byte, row func([]types.Datum) error) error {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "jsonb_"), "json_")
	elements := strings.HasPrefix(name, "array_elements")
	text := strings.HasSuffix(name, "_text")
	if err := jsonKindFor(name, elements, jsonFirst(b)); err != nil {
		return err
	}
	vals := make([]types.Datum, 0, 2)
	var err error
	jsonEach(b, func(key, val []byte) bool {
		vals = vals[:0]
		if !elements {
			vals = append(vals, types.BytesDatum(jsonUnquote(key)))
		}
		switch {
		case name == "object_keys":
		case text:
			vals = append(vals, jsonText(val))
		default:
			vals = append(vals, types.BytesDatum(val))
		}
		err = row(vals)
		return err == nil
	})
	return err
}

func jsonKindFor(name string, elements bool, first byte) error {
	bad := func(format string, args ...any) error {
		return pgerror.New(pgerror.InvalidParameterValue, format, args...)
	}
	switch {
	case elements && first == '{':
		return bad("cannot extract elements from an object")
	case elements && first != '[':
		return bad("cannot extract elements from a scalar")
	case !elements && name == "object_keys" && first == '[':
		return bad("cannot call json_object_keys on an array")
	case !elements && name == "object_keys" && first != '{':
		return bad("cannot call json_object_keys on a scalar")
	case !elements && first != '{':
		return bad("cannot deconstruct a non-object")
	}
	return nil
}
