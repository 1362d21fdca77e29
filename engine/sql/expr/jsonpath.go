package expr

import (
	"errors"
	"math"

	"velostream/catalog/types"
	"velostream/catalog/types/jsonpath"
	"velostream/pgwire/pgerror"
)

// jsonItem is a value that a path finds: JSON text or, behind .datetime(), a
// date or time of type t, written with the offset that it was read with.
type jsonItem struct {
	b   []byte
	t   types.Type
	v   int64
	off int // seconds
}

func (i jsonItem) first() byte {
	if i.t.OID != 0 {
		return 'd'
	}
	return jsonFirst(i.b)
}

func (i jsonItem) array() bool { return i.t.OID == 0 && jsonFirst(i.b) == '[' }

// text is the item as JSON.
func (i jsonItem) text() []byte {
	if i.t.OID == 0 {
		return jsonTrim(i.b)
	}
	return types.AppendJSON(nil, i.t, types.IntDatum(i.v), &types.Format{Location: types.FixedOffset(i.off)})
}

// errFound ends an evaluation that was only asked for a first item.
var errFound = errors.New("found")

// pathRun evaluates a path over one JSON value
// (https://www.postgresql.org/docs/15/functions-json.html#FUNCTIONS-SQLJSON-PATH).
// A step gives its items to emit, one after the other; an error of emit ends
// the evaluation.
type pathRun struct {
	env     *Env
	root    jsonItem
	current jsonItem
	vars    []byte
	noVars  bool // any variable is null
	lax     bool
	// ignore: steps that do not fit the value find nothing, without an error.
	ignore bool
	// zones: times with and without time zone are compared in the session's zone.
	zones bool
	size  int // of the innermost array, for last
}

type emit func(jsonItem) error

// SQLSTATEs of errors in paths.
const (
	pathMemberNotFound = "2203A"
	pathObjectNotFound = "2203C"
	pathArrayNotFound  = "22039"
	pathBadSubscript   = "22033"
	pathNotSingle      = "22038"
	pathNumberNotFound = "2203B"
	pathNonNumeric     = "22036"
	pathBadDatetime    = "22031"
)

// item applies n to jb; arrays are unwrapped where the mode is lax.
func (p *pathRun) item(n *jsonpath.Node, jb jsonItem, out emit) error {
	return p.step(n, jb, out, p.lax)
}

// next goes on behind n.
func (p *pathRun) next(n *jsonpath.Node, jb jsonItem, out emit) error {
	if n.Next == nil {
		return out(jb)
	}
	return p.item(n.Next, jb, out)
}

// unwrap applies n to the elements of the array jb.
func (p *pathRun) unwrap(n *jsonpath.Node, jb jsonItem, out emit) error {
	var err error
	jsonEach(jb.b, func(_, v []byte) bool {
		err = p.step(n, jsonItem{b: v}, out, false)
		return err == nil
	})
	return err
}

func (p *pathRun) step(n *jsonpath.Node, jb jsonItem, out emit, unwrap bool) error {
	switch n.Op {
	case jsonpath.Null, jsonpath.True, jsonpath.False:
		return p.next(n, jsonItem{b: []byte(n.Op.Name())}, out)
	case jsonpath.String:
		return p.next(n, jsonItem{b: types.AppendJSONString(nil, n.Text)}, out)
	case jsonpath.Number:
		d, err := types.ParseDecimal(n.Text)
		if err != nil {
			return err
		}
		return p.next(n, numberItem(d), out)
	case jsonpath.Var:
		return p.variable(n, out)
	case jsonpath.Root:
		return p.next(n, p.root, out)
	case jsonpath.Current:
		return p.next(n, p.current, out)
	case jsonpath.Last:
		return p.next(n, numberItem(types.FromInt64(int64(p.size-1))), out)
	case jsonpath.Add, jsonpath.Sub, jsonpath.Mul, jsonpath.Div, jsonpath.Mod:
		return p.arithmetic(n, jb, out)
	case jsonpath.Plus, jsonpath.Minus:
		return p.sign(n, jb, out)
	case jsonpath.Key, jsonpath.AnyKey, jsonpath.Any, jsonpath.AnyArray, jsonpath.Index, jsonpath.Filter:
		return p.accessor(n, jb, out, unwrap)
	case jsonpath.Type, jsonpath.Size, jsonpath.Abs, jsonpath.Floor, jsonpath.Ceiling, jsonpath.Double, jsonpath.Keyvalue, jsonpath.Datetime:
		return p.method(n, jb, out, unwrap)
	default:
	}
	t, err := p.predicate(n, jb)
	if err != nil {
		return err
	}
	return p.next(n, jsonItem{b: []byte([...]string{"false", "true", "null"}[t])}, out)
}

func numberItem(d types.Decimal) jsonItem { return jsonItem{b: d.Append(nil)} }

func (p *pathRun) variable(n *jsonpath.Node, out emit) error {
	if p.vars != nil {
		if v, ok := jsonbMember(p.vars, []byte(n.Text)); ok {
			return p.next(n, jsonItem{b: v}, out)
		}
	}
	if p.noVars {
		return p.next(n, jsonItem{b: []byte("null")}, out)
	}
	return pgerror.New(pgerror.UndefinedObject, "could not find jsonpath variable \"%s\"", n.Text)
}

func (p *pathRun) accessor(n *jsonpath.Node, jb jsonItem, out emit, unwrap bool) error {
	isArray := jb.array()
	switch n.Op {
	case jsonpath.AnyArray:
		return p.elements(n, jb, out)
	case jsonpath.Index:
		return p.index(n, jb, out)
	case jsonpath.Any:
		return p.descend(n, jb, out)
	case jsonpath.Key, jsonpath.AnyKey, jsonpath.Filter:
	default:
	}
	if isArray && unwrap {
		return p.unwrap(n, jb, out)
	}
	if n.Op == jsonpath.Filter {
		save := p.current
		p.current = jb
		t, err := p.predicate(n.Left, jb)
		p.current = save
		if err != nil || t != pathTrue {
			return err
		}
		return p.next(n, jb, out)
	}
	object := jb.first() == '{'
	if n.Op == jsonpath.AnyKey {
		if object {
			return p.walk(n.Next, jb, out, 1, 1, 1, false)
		}
		return p.structural(pathObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
	}
	if !object {
		return p.structural(pathMemberNotFound, "jsonpath member accessor can only be applied to an object")
	}
	v, ok := jsonbMember(jb.b, []byte(n.Text))
	if !ok {
		return p.structural(pathMemberNotFound, "JSON object does not contain key %q", n.Text)
	}
	return p.next(n, jsonItem{b: v}, out)
}

// structural is the error of a step that does not fit the value, in strict mode.
func (p *pathRun) structural(code, format string, args ...any) error {
	if p.ignore {
		return nil
	}
	return pgerror.New(code, format, args...)
}

func (p *pathRun) elements(n *jsonpath.Node, jb jsonItem, out emit) error {
	if !jb.array() {
		if p.lax {
			return p.next(n, jb, out)
		}
		return p.structural(pathArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
	}
	return p.walk(n.Next, jb, out, 1, 1, 1, false)
}

func (p *pathRun) index(n *jsonpath.Node, jb jsonItem, out emit) error {
	isArray := jb.array()
	if !isArray && !p.lax {
		return p.structural(pathArrayNotFound, "jsonpath array accessor can only be applied to an array")
	}
	size, save := 1, p.size
	if isArray {
		size = jsonLen(jb.b)
	}
	defer func() { p.size = save }()
	for _, s := range n.Subs {
		p.size = size
		from, err := p.subscript(s.From, jb)
		if err != nil {
			return err
		}
		to := from
		if s.To != nil {
			if to, err = p.subscript(s.To, jb); err != nil {
				return err
			}
		}
		if !p.ignore && (from < 0 || from > to || to >= size) {
			return pgerror.New(pathBadSubscript, "jsonpath array subscript is out of bounds")
		}
		if !isArray {
			if from <= 0 && to >= 0 {
				err = p.next(n, jb, out)
			}
		} else {
			err = p.slice(n, jb, max(from, 0), min(to, size-1), out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pathRun) slice(n *jsonpath.Node, jb jsonItem, from, to int, out emit) error {
	var err error
	i := 0
	jsonEach(jb.b, func(_, v []byte) bool {
		if i >= from && i <= to {
			err = p.next(n, jsonItem{b: v}, out)
		}
		i++
		return err == nil && i <= to
	})
	return err
}

func (p *pathRun) subscript(n *jsonpath.Node, jb jsonItem) (int, error) {
	items, err := p.collect(n, jb, false)
	if err != nil {
		return 0, err
	}
	d, ok := types.Decimal{}, len(items) == 1
	if ok {
		d, ok = items[0].number()
	}
	if !ok {
		return 0, pgerror.New(pathBadSubscript, "jsonpath array subscript is not a single numeric value")
	}
	v, fits := d.Trunc(0).Int64()
	if !fits || v < math.MinInt32 || v > math.MaxInt32 {
		return 0, pgerror.New(pathBadSubscript, "jsonpath array subscript is out of integer range")
	}
	return int(v), nil
}

// descend is .** with its levels.
func (p *pathRun) descend(n *jsonpath.Node, jb jsonItem, out emit) error {
	if n.First == 0 {
		save := p.ignore
		p.ignore = true
		err := p.next(n, jb, out)
		p.ignore = save
		if err != nil {
			return err
		}
	}
	if !isContainer(jb.b) || jb.t.OID != 0 {
		return nil
	}
	return p.walk(n.Next, jb, out, 1, n.First, n.Last, true)
}

// walk applies n (nil: nothing) to the parts of jb at the levels first to last.
func (p *pathRun) walk(n *jsonpath.Node, jb jsonItem, out emit, level, first, last uint32, ignore bool) error {
	if level > last {
		return nil
	}
	var err error
	jsonEach(jb.b, func(_, v []byte) bool {
		leaf := !isContainer(v)
		if level >= first || first == jsonpath.Unbounded && last == jsonpath.Unbounded && leaf {
			switch {
			case n == nil:
				err = out(jsonItem{b: v})
			case ignore:
				save := p.ignore
				p.ignore = true
				err = p.item(n, jsonItem{b: v}, out)
				p.ignore = save
			default:
				err = p.item(n, jsonItem{b: v}, out)
			}
		}
		if err == nil && level < last && !leaf {
			err = p.walk(n, jsonItem{b: v}, out, level+1, first, last, ignore)
		}
		return err == nil
	})
	return err
}

// collect gives all items of n; unwrap: arrays are replaced by their elements
// where the mode is lax.
func (p *pathRun) collect(n *jsonpath.Node, jb jsonItem, unwrap bool) ([]jsonItem, error) {
	var items []jsonItem
	err := p.item(n, jb, func(i jsonItem) error {
		if unwrap && p.lax && i.array() {
			jsonEach(i.b, func(_, v []byte) bool {
				items = append(items, jsonItem{b: v})
				return true
			})
			return nil
		}
		items = append(items, i)
		return nil
	})
	return items, err
}

// number is the item's value if it is a number.
func (i jsonItem) number() (types.Decimal, bool) {
	if c := i.first(); c != '-' && (c < '0' || c > '9') {
		return types.Decimal{}, false
	}
	d, err := types.ParseDecimal(string(jsonTrim(i.b)))
	return d, err == nil
}

func (p *pathRun) arithmetic(n *jsonpath.Node, jb jsonItem, out emit) error {
	operand := func(x *jsonpath.Node, side string) (types.Decimal, error) {
		items, err := p.collect(x, jb, true)
		if err != nil {
			return types.Decimal{}, err
		}
		if len(items) == 1 {
			if d, ok := items[0].number(); ok {
				return d, nil
			}
		}
		return types.Decimal{}, pgerror.New(pathNotSingle, "%s operand of jsonpath operator %s is not a single numeric value", side, n.Op.Name())
	}
	l, err := operand(n.Left, "left")
	if err != nil {
		return err
	}
	r, err := operand(n.Right, "right")
	if err != nil {
		return err
	}
	var d types.Decimal
	switch n.Op {
	case jsonpath.Add:
		d, err = l.Add(r)
	case jsonpath.Sub:
		d, err = l.Sub(r)
	case jsonpath.Mul:
		d, err = l.Mul(r)
	case jsonpath.Div:
		d, err = l.Div(r)
	default:
		d, err = l.Mod(r)
	}
	if err != nil {
		return err
	}
	return p.next(n, numberItem(d), out)
}

func (p *pathRun) sign(n *jsonpath.Node, jb jsonItem, out emit) error {
	items, err := p.collect(n.Left, jb, true)
	if err != nil {
		return err
	}
	for _, i := range items {
		d, ok := i.number()
		if !ok {
			return pgerror.New(pathNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", n.Op.Name())
		}
		if n.Op == jsonpath.Minus {
			d = d.Neg()
		}
		if err := p.next(n, numberItem(d), out); err != nil {
			return err
		}
	}
	return nil
}
