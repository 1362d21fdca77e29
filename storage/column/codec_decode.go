package column

import (
	"encoding/binary"
	"math"

	"velostream/catalog/types"
)

// Decode reads a batch that AppendEncoded wrote, whose columns have the types ts.
// The batch has memory of its own. Bytes that are no such batch are an error XX001.
func Decode(b []byte, ts []types.Type) (*Batch, error) { return decode(b, ts, false) }

// DecodeFirst is Decode for a batch that may be older than the types ts: the result
// has only the columns that the batch has, and those that were of another kind have a
// type of that kind.
func DecodeFirst(b []byte, ts []types.Type) (*Batch, error) { return decode(b, ts, true) }

func decode(b []byte, ts []types.Type, older bool) (*Batch, error) {
	r := codecReader{b: b, retyped: older}
	if r.byte() != codecVersion {
		return nil, Corrupt("batch: unknown version")
	}
	n := r.count(maxCodecRows)
	out := &Batch{N: n, Cols: make([]*Column, 0, len(ts))}
	if hasOps := r.byte(); hasOps == 1 {
		bits := r.take((n + 7) / 8)
		if r.bad {
			return nil, Corrupt("batch")
		}
		out.Ops = make([]Op, n)
		for k := range n {
			out.Ops[k] = Op(bits[k>>3] >> (k & 7) & 1)
		}
	} else if hasOps != 0 {
		return nil, Corrupt("batch")
	}
	cols := r.count(1 << 16)
	if r.bad || cols > len(ts) || cols < len(ts) && !older {
		return nil, Corrupt("batch: wrong number of columns")
	}
	for _, t := range ts[:cols] {
		c := r.column(t, n, 0)
		if r.bad {
			return nil, Corrupt("batch column")
		}
		out.Cols = append(out.Cols, c)
	}
	if len(r.b) != 0 {
		return nil, Corrupt("batch: bytes after its end")
	}
	return out, nil
}

// ofKind is a type whose values have the given shape.
func ofKind(k types.Kind) types.Type {
	switch k {
	case types.KindBool:
		return types.Bool
	case types.KindInt:
		return types.Int8
	case types.KindFloat:
		return types.Float8
	case types.KindDecimal:
		return types.Numeric
	case types.KindInterval:
		return types.IntervalT
	case types.KindBytes:
		return types.Bytea
	case types.KindList:
		t, _ := types.Bytea.Array()
		return t
	default:
	}
	return types.Type{}
}

// codecReader takes values off b; bad says that something was amiss, after
// which every read gives zero values.
type codecReader struct {
	b       []byte
	bad     bool
	retyped bool // columns may be of other kinds than their types
}

func (r *codecReader) fail() { r.b, r.bad = nil, true }

func (r *codecReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *codecReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *codecReader) count(limit uint64) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > limit {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *codecReader) column(t types.Type, n, depth int) *Column {
	kind, flags := types.Kind(r.byte()), r.byte()
	if r.retyped && kind != t.Kind() {
		t = ofKind(kind)
	}
	if r.bad || kind != t.Kind() || flags > flagNulls|flagConst|flagShapes || flags&flagShapes != 0 && kind != types.KindList || depth > maxListDepth {
		r.fail()
		return nil
	}
	c := &Column{Type: t, Const: flags&flagConst != 0}
	if c.Const {
		n = 1
	}
	if flags&flagNulls != 0 {
		raw := r.take((n + 7) / 8)
		if r.bad {
			return nil
		}
		c.Nulls = NewBitmap(n)
		for k, v := range raw {
			c.Nulls[k>>3] |= uint64(v) << (8 * (k & 7))
		}
		if n&63 != 0 { // bits beyond the end would turn up in rows appended later
			c.Nulls[len(c.Nulls)-1] &= 1<<(n&63) - 1
		}
	}
	r.values(c, n, depth)
	if flags&flagShapes != 0 {
		r.shapes(c, n)
	}
	return c
}

func (r *codecReader) values(c *Column, n, depth int) {
	switch c.Type.Kind() {
	case types.KindBool:
		raw := r.take((n + 7) / 8)
		if r.bad {
			return
		}
		c.Bools = make([]bool, n)
		for k := range n {
			c.Bools[k] = raw[k>>3]>>(k&7)&1 != 0
		}
	case types.KindInt:
		c.Ints = words[int64](r.take(8*n), func(v uint64) int64 { return int64(v) })
	case types.KindFloat:
		c.Floats = words[float64](r.take(8*n), math.Float64frombits)
	case types.KindDecimal:
		r.decimals(c, n)
	case types.KindInterval:
		raw := r.take(16 * n)
		c.Ivs = make([]types.Interval, len(raw)/16)
		for k := range c.Ivs {
			w := raw[16*k:]
			c.Ivs[k] = types.Interval{
				Months: int32(binary.LittleEndian.Uint32(w)),
				Days:   int32(binary.LittleEndian.Uint32(w[4:])),
				Micros: int64(binary.LittleEndian.Uint64(w[8:])),
			}
		}
	case types.KindBytes:
		if end := r.offsets(c, n); !r.bad {
			c.Data = append([]byte(nil), r.take(end)...)
		}
	case types.KindList:
		end := r.offsets(c, n)
		if elems := r.count(maxCodecRows); r.bad || elems != end {
			r.fail()
			return
		}
		et, ok := c.Type.Elem()
		if !ok {
			r.fail()
			return
		}
		c.Elem = r.column(et, end, depth+1)
		if !r.bad && c.Elem.Const {
			r.fail() // never written: a list's elements are gathered
		}
	default:
		r.fail()
	}
}

// shapes reads the shapes of a list column's n values.
func (r *codecReader) shapes(c *Column, n int) {
	for k := 0; k < n && !r.bad; k++ {
		if len(r.b) > 0 && r.b[0] == 0 {
			r.b = r.b[1:]
			continue
		}
		shape, rest, ok := types.TakeShape(r.b, int(c.Offs[k+1]-c.Offs[k]))
		if !ok {
			r.fail()
			return
		}
		r.b = rest
		c.SetShape(k, shape)
	}
}

func words[T any](raw []byte, f func(uint64) T) []T {
	out := make([]T, len(raw)/8)
	for k := range out {
		out[k] = f(binary.LittleEndian.Uint64(raw[8*k:]))
	}
	return out
}

// offsets reads n end offsets and returns the last.
func (r *codecReader) offsets(c *Column, n int) int {
	raw := r.take(4 * n)
	if r.bad {
		return 0
	}
	c.Offs = make([]uint32, n+1)
	for k := range n {
		c.Offs[k+1] = binary.LittleEndian.Uint32(raw[4*k:])
		if c.Offs[k+1] < c.Offs[k] {
			r.fail()
			return 0
		}
	}
	return int(c.Offs[n])
}

func (r *codecReader) decimals(c *Column, n int) {
	switch r.byte() {
	case 1:
		scale := r.count(maxDecimalScale)
		raw := r.take(8 * n)
		c.Decs = make([]types.Decimal, len(raw)/8)
		for k := range c.Decs {
			c.Decs[k] = types.NewDecimal(int64(binary.LittleEndian.Uint64(raw[8*k:])), int32(scale))
		}
	case 0:
		if n > len(r.b) { // each takes at least a byte: do not allocate for a lie
			r.fail()
			return
		}
		c.Decs = make([]types.Decimal, 0, n)
		for range n {
			d, rest, err := types.DecodeCompact(r.b)
			if err != nil {
				r.fail()
				return
			}
			r.b = rest
			c.Decs = append(c.Decs, d)
		}
	default:
		r.fail()
	}
}
