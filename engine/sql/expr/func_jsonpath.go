package expr

import (
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/catalog/types/jsonpath"
	"velostream/pgwire/pgerror"
)

// dialectJSONFamily is the table of the dialect's functions on JSON by a
// simple path ($.a.b[0]['c']), maps and record headers (objects as jsonb).
func dialectJSONFamily() []Function {
	var defs []def
	for _, t := range []string{"text", "json", "jsonb"} {
		ret := t
		if t == "text" {
			ret = "jsonb"
		}
		defs = append(defs,
			def{sig: "json_value(" + t + ",text) text", scalar: jsonByPath(jsonScalar), doc: "scalar at a path as text; NULL for anything else"},
			def{sig: "json_query(" + t + ",text) " + ret, scalar: jsonByPath(jsonContainer), doc: "object or array at a path; NULL for anything else"},
			def{sig: "json_exists(" + t + ",text) bool", scalar: jsonExistsAt, doc: "there is a value at the path"},
		)
		if t == "text" {
			defs = append(defs, def{sig: "json_extract(text,text) text", scalar: jsonByPath(func(v []byte) (datum, bool) { return jsonText(v), true }), doc: "value at a path as text"})
			continue
		}
		defs = append(defs, def{sig: "json_extract(" + t + ",text) " + ret, scalar: jsonByPath(func(v []byte) (datum, bool) { return types.BytesDatum(v), true }), doc: "value at a path"})
	}
	return append(table(defs), table([]def{
		{sig: "map_keys(jsonb) text[]", scalar: objectParts(true), doc: "keys of an object"},
		{sig: "map_values(jsonb) text[]", scalar: objectParts(false), doc: "values of an object as text"},
		{sig: "header(jsonb,text) text", scalar: func(_ *CallContext, a []datum) (datum, error) {
			v, ok := jsonbMember(a[0].B, a[1].B)
			return jsonResult(v, ok, true)
		}, doc: "value of a header"},
		{sig: "has_header(jsonb,text) bool", scalar: func(_ *CallContext, a []datum) (datum, error) {
			_, ok := jsonbMember(a[0].B, a[1].B)
			return boolean(ok)
		}, doc: "there is such a header"},
		{sig: "header_keys(jsonb) text[]", scalar: objectParts(true), doc: "names of the headers"},
		{sig: "set_header(jsonb,text,text) jsonb", scalar: func(_ *CallContext, a []datum) (datum, error) {
			e := pathEdit{path: a[1:2], value: appendJSONKey(nil, a[2].B), mode: editSet, create: true}
			out, err := e.apply(a[0].B, 0)
			if err != nil {
				return fail(err)
			}
			return canonical(out)
		}, doc: "sets a header"},
		{sig: "remove_header(jsonb,text) jsonb", scalar: jsonDelete, doc: "removes a header"},
	})...)
}

// parsePath reads $.a."b c"[0]['d'] into its steps.
func parsePath(s string) ([]datum, error) {
	bad := func() error {
		return pgerror.New(pgerror.InvalidParameterValue, "invalid JSON path \"%s\"", s).
			WithHint("A path is like $.name[0].other, or a jsonpath of PostgreSQL.")
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "$")
	if !ok {
		rest = "." + rest
	}
	var steps []datum
	for rest != "" {
		var step string
		switch {
		case strings.HasPrefix(rest, `."`):
			end := strings.IndexByte(rest[2:], '"')
			if end < 0 {
				return nil, bad()
			}
			step, rest = rest[2:2+end], rest[3+end:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			step, rest = rest[1:1+end], rest[1+end:]
			if step == "" || step == "*" {
				return nil, bad()
			}
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, bad()
			}
			step, rest = rest[1:end], rest[end+1:]
			if n := len(step); n > 1 && (step[0] == '\'' || step[0] == '"') && step[n-1] == step[0] {
				step = step[1 : n-1]
			} else if _, err := strconv.Atoi(step); err != nil {
				return nil, bad()
			}
		default:
			return nil, bad()
		}
		steps = append(steps, types.StringDatum(step))
	}
	return steps, nil
}

// lookPath finds the value at the path in argument 1. Text that is no JSON has
// no values.
func lookPath(c *CallContext, a []datum) ([]byte, bool, error) {
	path, err := memo(c, a[1].B, parseLookup)
	if err != nil {
		return nil, false, err
	}
	if c.Args[0].OID == types.OIDText && !isJSON(a[0].B) {
		return nil, false, nil
	}
	if path.full == nil {
		v, ok := jsonPath(a[0].B, path.steps)
		return v, ok, nil
	}
	p := &pathRun{env: c.Env, root: jsonItem{b: a[0].B}, noVars: true, lax: !path.full.Strict, ignore: !path.full.Strict}
	p.current = p.root
	items, err := p.collect(path.full.Root, p.root, false)
	if err != nil || len(items) == 0 {
		return nil, false, err
	}
	return items[0].text(), true, nil
}

// lookup is a path of steps, or one with wildcards, filters or methods, of which
// the first item counts.
type lookup struct {
	steps []datum
	full  *jsonpath.Path
}

func parseLookup(s string) (lookup, error) {
	steps, err := parsePath(s)
	if err == nil {
		return lookup{steps: steps}, nil
	}
	full, e := jsonpath.Parse(s)
	if e != nil {
		return lookup{}, err
	}
	return lookup{full: full}, nil
}

func isJSON(b []byte) bool { return types.ValidJSON(b) == nil }

// jsonByPath gives what take makes of the value at a path, NULL if nothing.
func jsonByPath(take func(v []byte) (datum, bool)) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		v, ok, err := lookPath(c, a)
		if err != nil || !ok {
			return types.NullDatum, err
		}
		d, ok := take(v)
		switch {
		case !ok:
			return null()
		case c.Ret.OID == types.OIDJSONB && c.Args[0].OID == types.OIDText:
			return canonical(d.B)
		}
		return d, nil
	}
}

func isContainer(v []byte) bool {
	f := jsonFirst(v)
	return f == '{' || f == '['
}

func jsonScalar(v []byte) (datum, bool)    { return jsonText(v), !isContainer(v) }
func jsonContainer(v []byte) (datum, bool) { return types.BytesDatum(v), isContainer(v) }

func jsonExistsAt(c *CallContext, a []datum) (datum, error) {
	_, ok, err := lookPath(c, a)
	return types.BoolDatum(ok), err
}

func objectParts(keys bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		if jsonFirst(a[0].B) != '{' {
			return null()
		}
		d := datum{List: []datum{}}
		jsonEach(a[0].B, func(k, v []byte) bool {
			if keys {
				d.List = append(d.List, types.BytesDatum(jsonUnquote(k)))
			} else {
				d.List = append(d.List, jsonText(v))
			}
			return true
		})
		return d, nil
	}
}
