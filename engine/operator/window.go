package operator

import (
	"math"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// window adds window_start and window_end to each row, a row per window the row is in:
//
//	tumbling  one window of Size
//	hopping   windows of Size that begin every Advance
//	cumulate  within each MaxSize (Size if not set): windows from its start, growing by Advance
//
// Windows are half-open [start, end) and aligned to the Unix epoch plus Offset. Rows whose
// time is NULL or infinite are in no window: dropped and counted. Tumbling windows share
// the input's columns.
type window struct {
	dataflow.Stateless
	env   *expr.Env
	time  evaluator
	spec  plan.TimeWindow
	in    int // input columns
	flat  *column.Column
	start *column.Column
	end   *column.Column
	out   column.Batch
	sel   []int32
	all   []int32
	many  *column.Builder
	lost  int64
}

// unixEpoch is 1970-01-01 in µs since 2000-01-01.
const unixEpoch = -types.EpochSeconds * types.MicrosPerSecond

func newWindow(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	w := p.Window
	n := len(p.Out)
	if len(p.Exprs) != 1 || n < 2 {
		return nil, pgerror.New(pgerror.InternalError, "window needs a time")
	}
	if w.Kind == plan.Cumulate && w.MaxSize == 0 {
		w.MaxSize = w.Size
	}
	step := w.Advance
	if w.Kind == plan.Tumbling {
		step = w.Size
	}
	if step <= 0 || w.Kind == plan.Hopping && w.Size < step || w.Kind == plan.Cumulate && w.MaxSize%step != 0 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "the sizes of the time window do not fit each other").
			WithHint("A window's size must be above zero, its advance at most its size, and a cumulating window's maximum a multiple of its step.")
	}
	ev, err := compileExpr(p.Exprs[0])
	if err != nil {
		return nil, err
	}
	ts := p.Types()
	op := &window{env: ctx.Env, time: ev, spec: w, in: n - 2, start: column.New(ts[n-2], 0), end: column.New(ts[n-1], 0)}
	op.out.Cols = make([]*column.Column, n)
	if w.Kind != plan.Tumbling {
		op.many = column.NewBuilder(ts, 0)
	}
	return op, nil
}

// NullTimes is how many rows had no time.
func (w *window) NullTimes() int64 { return w.lost }

func (w *window) Process(_ int, in *column.Batch, out dataflow.Output) error {
	c, err := w.time.eval(w.env, in)
	if err != nil {
		return err
	}
	t := flatten(c, in.N, &w.flat)
	rows := w.timed(in, t)
	if w.many != nil {
		return w.spread(in, t, rows, out)
	}
	w.start.Ints, w.end.Ints = resize(w.start.Ints, in.N)[:in.N], resize(w.end.Ints, in.N)[:in.N]
	size, base := w.spec.Size, unixEpoch+w.spec.Offset
	starts, ends := w.start.Ints, w.end.Ints
	for _, i := range rows {
		s := floorTo(t.Ints[i], base, size)
		starts[i], ends[i] = s, s+size
	}
	copy(w.out.Cols, in.Cols[:w.in])
	w.out.Cols[w.in], w.out.Cols[w.in+1] = w.start, w.end
	w.out.Ops, w.out.N, w.out.Sel = in.Ops, in.N, rows
	if len(rows) == in.N {
		w.out.Sel = nil
	}
	if len(rows) == 0 {
		return nil
	}
	return out.Emit(&w.out)
}

// floorTo is the greatest base + k×size that is not above t.
func floorTo(t, base, size int64) int64 {
	r := (t - base) % size
	if r < 0 {
		r += size
	}
	return t - r
}

// timed lists the rows that have a time, and counts the others.
func (w *window) timed(in *column.Batch, t *column.Column) []int32 {
	rows := in.Sel
	if rows == nil {
		for i := len(w.all); i < in.N; i++ {
			w.all = append(w.all, int32(i))
		}
		rows = w.all[:in.N]
	}
	const edge = int64(1) << 61 // beyond what a timestamp can be, infinities apart
	k := 0
	for ; k < len(rows); k++ {
		i := int(rows[k])
		if t.Null(i) || t.Ints[i] > edge || t.Ints[i] < -edge {
			break
		}
	}
	if k == len(rows) {
		return rows
	}
	w.sel = append(w.sel[:0], rows[:k]...)
	for _, i := range rows[k:] {
		if v := t.Ints[i]; t.Null(int(i)) || v > edge || v < -edge {
			w.lost++
			continue
		}
		w.sel = append(w.sel, i)
	}
	return w.sel
}

// spread emits a row per window.
func (w *window) spread(in *column.Batch, t *column.Column, rows []int32, out dataflow.Output) error {
	base := unixEpoch + w.spec.Offset
	e := emitter{w.many}
	for _, i := range rows {
		v := t.Ints[i]
		var first, last int64
		step := w.spec.Advance
		if w.spec.Kind == plan.Hopping {
			last = floorTo(v, base, step)
			first = floorTo(v-w.spec.Size, base, step) + step
		} else {
			first = floorTo(v, base, w.spec.MaxSize)
			last = first
		}
		for s := first; s <= last && s < math.MaxInt64-w.spec.Size; s += step {
			end := s + w.spec.Size
			if w.spec.Kind == plan.Cumulate {
				for end = floorTo(v, first, step) + step; end < first+w.spec.MaxSize; end += step {
					if err := w.add(&e, in, i, s, end, out); err != nil {
						return err
					}
				}
			}
			if err := w.add(&e, in, i, s, end, out); err != nil {
				return err
			}
		}
	}
	return e.flush(out)
}

func (w *window) add(e *emitter, in *column.Batch, i int32, start, end int64, out dataflow.Output) error {
	for j := range w.in {
		e.b.Col(j).AppendFrom(in.Cols[j], int(i))
	}
	e.b.Col(w.in).Ints = append(e.b.Col(w.in).Ints, start)
	e.b.Col(w.in + 1).Ints = append(e.b.Col(w.in+1).Ints, end)
	e.b.Row(in.Op(int(i)))
	return e.full(out)
}
