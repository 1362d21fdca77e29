package expr

import (
	"errors"
	"slices"

	"velostream/catalog/types"
	"velostream/catalog/types/jsonpath"
	"velostream/pgwire/pgerror"
)

// jsonPathFamily is the table of SQL/JSON path functions and operators
// (https://www.postgresql.org/docs/15/functions-json.html).
func jsonPathFamily() []Function {
	var defs []def
	for _, zone := range []string{"", "_tz"} {
		volatility := Immutable
		if zone != "" {
			volatility = Stable
		}
		for _, f := range []struct {
			name, ret, doc string
			run            Scalar
		}{
			{"jsonb_path_exists", "bool", "a path finds anything", pathExists},
			{"jsonb_path_match", "bool", "result of a path's predicate", pathMatch},
			{"jsonb_path_query_array", "jsonb", "all that a path finds, as an array", pathArray},
			{"jsonb_path_query_first", "jsonb", "the first that a path finds", pathFirst},
		} {
			for _, args := range []string{"jsonb,jsonpath", "jsonb,jsonpath,jsonb", "jsonb,jsonpath,jsonb,bool"} {
				defs = append(defs, def{sig: f.name + zone + "(" + args + ") " + f.ret, scalar: zoned(f.run, zone != ""), doc: f.doc, volatility: volatility})
			}
		}
	}
	silent := func(f Scalar) Scalar {
		return func(c *CallContext, a []datum) (datum, error) {
			return f(c, []datum{a[0], a[1], types.NullDatum, types.BoolDatum(true)})
		}
	}
	return table(append(defs,
		def{sig: "@?(jsonb,jsonpath) bool", scalar: silent(zoned(pathExists, false)), doc: "a path finds anything"},
		def{sig: "@@(jsonb,jsonpath) bool", scalar: silent(zoned(pathMatch, false)), doc: "result of a path's predicate"},
		def{sig: "jsonb_path_exists_opr(jsonb,jsonpath) bool", scalar: silent(zoned(pathExists, false)), doc: "a path finds anything"},
		def{sig: "jsonb_path_match_opr(jsonb,jsonpath) bool", scalar: silent(zoned(pathMatch, false)), doc: "result of a path's predicate"},
	))
}

// zoned runs f with a last argument that says whether zones count.
func zoned(f Scalar, zones bool) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		d, err := f(c, append(slices.Clip(a), types.BoolDatum(zones)))
		return d, err
	}
}

// newPathRun reads the arguments: value, path, variables, silent and, last,
// whether zones count.
func newPathRun(c *CallContext, a []datum) (p *pathRun, n *jsonpath.Node, silent bool, err error) {
	path, err := memo(c, a[1].B, jsonpath.Parse)
	if err != nil {
		return nil, nil, false, err
	}
	p = &pathRun{env: c.Env, root: jsonItem{b: a[0].B}, lax: !path.Strict, ignore: !path.Strict, zones: a[len(a)-1].Bool()}
	p.current = p.root
	a = a[:len(a)-1]
	p.noVars = len(a) > 2 && a[2].Null // of the operators
	if len(a) > 2 && !p.noVars {
		if jsonFirst(a[2].B) != '{' {
			return nil, nil, false, pgerror.New(pgerror.InvalidParameterValue, "\"vars\" argument is not an object").
				WithDetail("%s", `Jsonpath parameters should be encoded as key-value pairs of "vars" object.`)
		}
		p.vars = a[2].B
	}
	return p, path.Root, len(a) > 3 && a[3].Bool(), nil
}

// quiet drops the errors that silent suppresses.
func quiet(err error, silent bool) error {
	if silent && !errors.Is(err, errFound) && !passes(err) {
		return nil
	}
	return err
}

func pathExists(c *CallContext, a []datum) (datum, error) {
	p, n, silent, err := newPathRun(c, a)
	if err != nil {
		return fail(err)
	}
	if p.lax && unneeded(n) {
		return boolean(true)
	}
	found := false
	err = p.item(n, p.root, func(jsonItem) error {
		found = true
		if p.lax {
			return errFound
		}
		return nil
	})
	switch {
	case err == nil || errors.Is(err, errFound):
		return boolean(found)
	case quiet(err, silent) == nil:
		return null()
	}
	return fail(err)
}

func pathItems(c *CallContext, a []datum) ([]jsonItem, error) {
	p, n, silent, err := newPathRun(c, a)
	if err != nil {
		return nil, err
	}
	items, err := p.collect(n, p.root, false)
	if err = quiet(err, silent); err != nil {
		return nil, err
	}
	return items, nil
}

func pathMatch(c *CallContext, a []datum) (datum, error) {
	p, n, silent, err := newPathRun(c, a)
	if err != nil {
		return fail(err)
	}
	items, err := p.collect(n, p.root, false)
	if err != nil {
		if quiet(err, silent) == nil {
			return null()
		}
		return fail(err)
	}
	if len(items) == 1 {
		switch kindOf(items[0]) {
		case 't':
			return boolean(items[0].first() == 't')
		case 'n':
			return null()
		}
	}
	if silent {
		return null()
	}
	return fail(pgerror.New(pathNotSingle, "single boolean result is expected"))
}

func pathArray(c *CallContext, a []datum) (datum, error) {
	items, err := pathItems(c, a)
	if err != nil {
		return fail(err)
	}
	b := []byte{'['}
	for i, it := range items {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, it.text()...)
	}
	return canonical(append(b, ']'))
}

func pathFirst(c *CallContext, a []datum) (datum, error) {
	items, err := pathItems(c, a)
	if err != nil {
		return fail(err)
	}
	if len(items) == 0 {
		return null()
	}
	return canonical(items[0].text())
}

// pathRows gives what a path finds, a row each (jsonb_path_query).
func pathRows(c *CallContext, args []datum, zones bool, each func(datum) error) error {
	items, err := pathItems(c, append(slices.Clip(args), types.BoolDatum(zones)))
	if err != nil {
		return err
	}
	for _, it := range items {
		d, err := canonical(it.text())
		if err != nil {
			return err
		}
		if err := each(d); err != nil {
			return err
		}
	}
	return nil
}
