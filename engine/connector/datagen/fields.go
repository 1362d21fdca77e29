package datagen

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// fields makes objects of fields that are described by options:
//
//	fields.<name>.kind    sequence | random | decimal | timestamp | string | bool | uuid | choice
//	             .start   first value of a sequence (1)
//	             .end     after which it begins again
//	             .min .max      of random and decimal numbers (0, 1000)
//	             .scale   digits after the point (decimal: 2)
//	             .length  of strings (10)
//	             .values  the choices, with commas
//	             .max_past      how far timestamps lie back (0)
type fields struct {
	seed uint64
	list []field
}

type field struct {
	name     []byte // with quotes and colon
	kind     string
	min, max int64 // of decimals: in units of the last digit
	scale    int
	length   int
	values   [][]byte
	past     int64 // µs
}

func newFields(o option.Options) (*fields, error) {
	by := map[string]map[string]string{}
	for k, v := range o.WithPrefix("fields.") {
		at := strings.LastIndexByte(k, '.')
		if at <= 0 {
			return nil, pgerror.New(pgerror.UndefinedObject, "unrecognized option \"fields.%s\"", k).
				WithHint("Write fields.<name>.kind, .min, .max, .start, .end, .scale, .length, .values or .max_past.").At(o.Pos("fields." + k))
		}
		name := k[:at]
		if by[name] == nil {
			by[name] = map[string]string{}
		}
		by[name][k[at+1:]] = v
	}
	if len(by) == 0 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "datagen has no fields").
			WithHint("Set fields.<name>.kind = 'sequence', 'random', 'decimal', 'timestamp', 'string', 'bool', 'uuid' or 'choice', or profile = 'trades'.")
	}
	f := &fields{seed: uint64(o.Int("seed"))}
	var names []string
	for n := range by {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		x, err := newField(n, by[n], o)
		if err != nil {
			return nil, err
		}
		f.list = append(f.list, x)
	}
	return f, nil
}

var fieldKeys = []string{"kind", "start", "end", "min", "max", "scale", "length", "values", "max_past"}

func newField(name string, m map[string]string, o option.Options) (field, error) {
	pos := func(k string) int { return o.Pos("fields." + name + "." + k) }
	quoted, err := json.Marshal(name)
	if err != nil {
		return field{}, pgerror.From(err)
	}
	f := field{name: append(quoted, ':'), kind: strings.ToLower(m["kind"]), length: 10, max: 1000}
	for k := range m {
		if !slices.Contains(fieldKeys, k) {
			return f, pgerror.New(pgerror.UndefinedObject, "unrecognized option \"fields.%s.%s\"", name, k).
				WithHint("Perhaps you meant %q.", option.Nearest(k, fieldKeys)).At(pos(k))
		}
	}
	num := func(k string, def int64) int64 {
		v, ok := m[k]
		if !ok || err != nil {
			return def
		}
		x, e := strconv.ParseFloat(v, 64)
		if e != nil || math.Abs(x) > 1e15 {
			err = pgerror.New(pgerror.InvalidParameterValue, "invalid value for option \"fields.%s.%s\": %q", name, k, v).At(pos(k))
		}
		return int64(math.Round(x * math.Pow10(f.scale)))
	}
	switch f.kind {
	case "sequence":
		f.min, f.max = num("start", 1), num("end", math.MaxInt64)
	case "random", "":
		f.kind = "random"
		f.min, f.max = num("min", 0), num("max", 1000)
	case "decimal":
		f.scale = 2
		if s := m["scale"]; s != "" {
			f.scale = 0
			f.scale = int(max(0, min(9, num("scale", 2))))
		}
		unit := int64(math.Pow10(f.scale))
		f.min, f.max = num("min", 0), num("max", 1000*unit)
	case "string":
		f.length = int(max(0, min(num("length", 10), 1<<20)))
	case "choice":
		for v := range strings.SplitSeq(m["values"], ",") {
			q, e := json.Marshal(strings.TrimSpace(v))
			if e != nil {
				return f, pgerror.From(e)
			}
			f.values = append(f.values, q)
		}
	case "timestamp":
		d, ok := option.ParseDuration(m["max_past"])
		if m["max_past"] != "" && !ok {
			err = pgerror.New(pgerror.InvalidParameterValue, "invalid value for option \"fields.%s.max_past\": %q", name, m["max_past"]).At(pos("max_past"))
		}
		f.past = d.Microseconds()
	case "bool", "uuid":
	default:
		return f, pgerror.New(pgerror.InvalidParameterValue, "invalid value for option \"fields.%s.kind\": %q", name, f.kind).At(pos("kind")).
			WithHint("It takes sequence, random, decimal, timestamp, string, bool, uuid or choice.")
	}
	if err == nil && f.max < f.min {
		err = pgerror.New(pgerror.InvalidParameterValue, "field %q: the greatest value is less than the least", name).At(pos("max"))
	}
	return f, err
}

func (f *fields) append(dst []byte, split int, n, at int64) (value, key []byte) {
	r := mix(f.seed + mix(uint64(n)<<10|uint64(split)))
	for i := range f.list {
		x := &f.list[i]
		if i == 0 {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, x.name...)
		r = mix(r + 0x9e3779b97f4a7c15)
		dst = x.value(dst, r, n, at)
	}
	return append(dst, '}'), nil
}

func (f *field) value(dst []byte, r uint64, n, at int64) []byte {
	span := uint64(f.max) - uint64(f.min) + 1 // 0: all of them
	in := func(x uint64) int64 {
		if span != 0 {
			x %= span
		}
		return f.min + int64(x)
	}
	switch f.kind {
	case "sequence":
		return strconv.AppendInt(dst, in(uint64(n)), 10)
	case "random":
		return strconv.AppendInt(dst, in(r), 10)
	case "decimal":
		return appendDecimal(dst, in(r), f.scale)
	case "string":
		dst = append(dst, '"')
		for i := range f.length {
			if i%8 == 0 {
				r = mix(r + uint64(i))
			}
			dst = append(dst, 'a'+byte(r>>(i%8*8)&0xff)%26)
		}
		return append(dst, '"')
	case "choice":
		return append(dst, f.values[r%uint64(len(f.values))]...)
	case "timestamp":
		if f.past > 0 {
			at -= int64(r % uint64(f.past))
		}
		dst = append(dst, '"')
		dst = time.UnixMicro(at).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
		return append(dst, '"')
	case "uuid":
		const hex = "0123456789abcdef"
		dst = append(dst, '"')
		for i := range 32 {
			if i == 8 || i == 12 || i == 16 || i == 20 {
				dst = append(dst, '-')
			}
			if i == 16 {
				r = mix(r)
			}
			c := hex[r>>(i%16*4)&15]
			switch i {
			case 12:
				c = '4'
			case 16:
				c = "89ab"[r&3]
			}
			dst = append(dst, c)
		}
		return append(dst, '"')
	}
	return strconv.AppendBool(dst, r&1 == 1)
}

func appendDecimal(dst []byte, v int64, scale int) []byte {
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	unit := int64(math.Pow10(scale))
	dst = strconv.AppendInt(dst, v/unit, 10)
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	frac := strconv.FormatInt(v%unit+unit, 10)
	return append(dst, frac[1:]...)
}
