package expr

import (
	"cmp"
	"math"
	"regexp"
	"strconv"

	"velostream/catalog/types"
	"velostream/catalog/types/jsonpath"
	"velostream/pgwire/pgerror"
)

// method applies .type() and the like.
func (p *pathRun) method(n *jsonpath.Node, jb jsonItem, out emit, unwrap bool) error {
	switch n.Op {
	case jsonpath.Type:
		return p.next(n, jsonItem{b: strconv.AppendQuote(nil, itemType(jb))}, out)
	case jsonpath.Size:
		size := 1
		if jb.array() {
			size = jsonLen(jb.b)
		} else if !p.lax {
			return p.structural(pathArrayNotFound, "jsonpath item method .size() can only be applied to an array")
		}
		return p.next(n, numberItem(types.FromInt64(int64(size))), out)
	default:
	}
	if unwrap && jb.array() {
		return p.unwrap(n, jb, out)
	}
	switch n.Op {
	case jsonpath.Keyvalue:
		return p.keyvalue(n, jb, out)
	case jsonpath.Datetime:
		item, err := p.datetime(n, jb)
		if err != nil {
			return err
		}
		return p.next(n, item, out)
	case jsonpath.Double:
		d, err := pathDouble(jb)
		if err != nil {
			return err
		}
		return p.next(n, numberItem(d), out)
	default:
	}
	d, ok := jb.number()
	if !ok {
		return pgerror.New(pathNonNumeric, "jsonpath item method .%s() can only be applied to a numeric value", n.Op.Name())
	}
	switch n.Op {
	case jsonpath.Abs:
		d = d.Abs()
	case jsonpath.Floor:
		d = d.Floor()
	default:
		d = d.Ceil()
	}
	return p.next(n, numberItem(d), out)
}

func itemType(i jsonItem) string {
	if i.t.OID != 0 {
		return i.t.String()
	}
	return map[byte]string{'{': "object", '[': "array", '"': "string", 't': "boolean", 'n': "null", '0': "number"}[kindOf(i)]
}

func pathDouble(i jsonItem) (types.Decimal, error) {
	bad := func(format string) (types.Decimal, error) {
		return types.Decimal{}, pgerror.New(pathNonNumeric, format, "double")
	}
	var f float64
	var err error
	switch kindOf(i) {
	case '0':
		if _, err = types.ParseFloat8(string(jsonTrim(i.b))); err != nil {
			return bad("numeric argument of jsonpath item method .%s() is out of range for type double precision")
		}
		d, _ := i.number()
		return d, nil
	case '"':
		f, err = types.ParseFloat8(string(jsonUnquote(jsonTrim(i.b))))
	default:
		return bad("jsonpath item method .%s() can only be applied to a string or numeric value")
	}
	switch {
	case err != nil:
		return bad("string argument of jsonpath item method .%s() is not a valid representation of a double precision number")
	case math.IsNaN(f) || math.IsInf(f, 0):
		return bad("string argument of jsonpath item method .%s() is not a valid representation of a double precision number")
	}
	return types.ParseDecimal(strconv.FormatFloat(f, 'g', 15, 64))
}

// keyvalue gives an object of key, value and id for each member. The id tells
// the objects of a document apart; it is 0 for the document itself.
func (p *pathRun) keyvalue(n *jsonpath.Node, jb jsonItem, out emit) error {
	if jb.first() != '{' {
		return pgerror.New(pathObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	id := int64(max(0, cap(p.root.b)-cap(jb.b)))
	var err error
	jsonEach(jb.b, func(k, v []byte) bool {
		b := append([]byte(`{"id": `), strconv.AppendInt(nil, id, 10)...)
		b = append(append(append(append(b, `, "key": `...), k...), `, "value": `...), v...)
		err = p.next(n, jsonItem{b: append(b, '}')}, out)
		return err == nil
	})
	return err
}

// datetime reads a string in ISO 8601.
func (p *pathRun) datetime(n *jsonpath.Node, jb jsonItem) (jsonItem, error) {
	if jb.first() != '"' {
		return jsonItem{}, pgerror.New(pathBadDatetime, "jsonpath item method .datetime() can only be applied to a string")
	}
	if n.Left != nil {
		return jsonItem{}, pgerror.Unsupported("templates of the jsonpath method .datetime() are not supported").
			WithHint("Without a template it reads ISO 8601.")
	}
	s := string(jsonUnquote(jsonTrim(jb.b)))
	bad := pgerror.New(pathBadDatetime, "datetime format is not recognized: \"%s\"", s).
		WithHint("Use a datetime template argument to specify the input data format.")
	item, ok := isoTime(s)
	if !ok {
		return jsonItem{}, bad
	}
	return item, nil
}

// isoTime reads yyyy-mm-dd, hh:mm:ss[.us], or both with T or a blank between,
// and with an offset behind.
func isoTime(s string) (item jsonItem, ok bool) {
	m := isoForm.FindStringSubmatch(s)
	if m == nil {
		return jsonItem{}, false
	}
	var err error
	day, clock, zone := m[1], m[2], m[3]
	item.t = types.Timestamp
	switch {
	case day != "" && clock == "":
		item.t = types.Date
		item.v, err = types.ParseDate(day, nil)
	case day == "" && zone != "": // time with time zone
		return jsonItem{}, false
	case day == "":
		item.t = types.Time
		item.v, err = types.ParseTime(clock, nil)
	case zone == "":
		item.v, err = types.ParseTimestamp(day+" "+clock, nil)
	default:
		item.t = types.Timestamptz
		if item.v, err = types.ParseTimestamptz(day+" "+clock+zone, nil); err == nil {
			var local int64
			if local, err = types.ParseTimestamp(day+" "+clock, nil); err == nil {
				item.off = int((local - item.v) / types.MicrosPerSecond)
			}
		}
	}
	return item, err == nil
}

// isoForm has the date, the clock and the offset as its groups.
var isoForm = regexp.MustCompile(`^(\d{1,4}-\d{1,2}-\d{1,2})?(?:(?:^|[ T])(\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,6})?)([+-]\d{1,2}(?::\d{1,2})?)?)?$`)

// compareTimes compares dates and times; ok is false where they have no order.
func (p *pathRun) compareTimes(l, r jsonItem) (c int, ok bool, err error) {
	if (l.t == types.Time) != (r.t == types.Time) {
		return 0, false, nil
	}
	if l.t != r.t && l.t != types.Time {
		zoned := l.t == types.Timestamptz || r.t == types.Timestamptz
		if zoned && !p.zones {
			from, to := l.t, r.t
			if from == types.Timestamptz {
				from, to = to, from
			}
			return 0, false, pgerror.Unsupported("cannot convert value from %s to %s without time zone usage", plainTime(from), plainTime(to)).
				WithHint("Use *_tz() function for time zone support.")
		}
		for _, i := range []*jsonItem{&l, &r} {
			if i.t == types.Date {
				if i.v, err = types.DateToTimestamp(i.v); err != nil {
					return 0, false, err
				}
				i.t = types.Timestamp
			}
			if zoned && i.t == types.Timestamp {
				if i.v, err = types.TimestampToTimestamptz(i.v, p.env.loc()); err != nil {
					return 0, false, err
				}
			}
		}
	}
	return cmp.Compare(l.v, r.v), true, nil
}

// plainTime is the short name of a type in messages.
func plainTime(t types.Type) string {
	i, _ := t.Info()
	return i.Name
}
