package operator

import (
	"encoding/binary"
	"math"
	"time"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// clockFilter keeps the rows for which the clock is within bounds that the row gives: now() op
// Exprs[k] for each of Ops. A row is inserted when its time has come and deleted when it is over,
// at the first barrier at or behind that moment; time stands still between barriers and never
// goes back, also over restarts.
//
//	      from            to
//	───────┼──────────────┼───────► now()
//	waits  │ is there     │ gone, forgotten
//
// Rows that wait, and those that are there and will go, are kept; rows without an end are
// not, once they are there.
//
// Table 0:
//
//	0x00                    → version, varint: the time of the last barrier
//	0x01, from, stream key  → version, varint to, row: rows that wait
//	0x02, to, stream key    → version, row: rows that are there
type clockFilter struct {
	p       *plan.Physical
	ctx     BuildContext
	bounds  []evaluator
	flats   []*column.Column
	rows    entries
	now     int64 // of the last barrier, µs since 2000
	first   int64 // no kept row comes or goes before it
	width   int
	row     *column.Builder
	out     emitter
	instant func() time.Time
	key     []byte
	val     []byte
	stamp   *column.Column
}

const (
	spaceWaiting = 1
	spaceThere   = 2
	never        = math.MaxInt64
)

func newClockFilter(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	evs, err := compileAll(p.Exprs)
	if err != nil {
		return nil, err
	}
	if len(p.Ops) != len(evs) {
		return nil, pgerror.New(pgerror.InternalError, "the bounds of a filter on now() do not fit")
	}
	f := &clockFilter{
		p: p, ctx: ctx, bounds: evs, flats: make([]*column.Column, len(evs)), rows: newEntries(ctx, ctx.table(p, 0), ctx.label("now()")),
		now: math.MinInt64, first: never, width: len(p.Out), row: column.NewBuilder(p.Types(), 0),
		out: emitter{column.NewBuilder(p.Types(), 0)}, instant: ctx.clock(), stamp: column.New(types.Timestamptz, 1),
	}
	if f.rows.fresh() {
		f.now = f.read()
		return f, nil
	}
	f.first = math.MinInt64
	v, err := f.rows.get([]byte{spaceMeta})
	if err != nil || v == nil {
		return f, err
	}
	f.now, _, err = takeVarint(v[1:])
	return f, err
}

// read is the present time in the terms of columns, never before the last.
func (f *clockFilter) read() int64 {
	return max(f.now, f.instant().UnixMicro()+unixEpoch)
}

// NextTick is when the next row comes or goes.
func (f *clockFilter) NextTick() time.Time {
	switch f.first {
	case never:
		return time.Time{}
	case math.MinInt64:
		return f.instant()
	}
	return time.UnixMicro(f.first - unixEpoch)
}

// Watermark does nothing.
func (f *clockFilter) Watermark(dataflow.Watermark, dataflow.Output) error { return nil }

func (f *clockFilter) Process(_ int, in *column.Batch, out dataflow.Output) error {
	cols := make([]*column.Column, len(f.bounds))
	for k := range f.bounds {
		c, err := f.bounds[k].eval(f.ctx.Env, in)
		if err != nil {
			return err
		}
		cols[k] = flatten(c, in.N, &f.flats[k])
	}
	for i := range in.Each {
		from, to := f.span(cols, i)
		if from >= to {
			continue
		}
		if err := f.change(in, i, from, to, out); err != nil {
			return err
		}
	}
	return f.out.flush(out)
}

// span is from when on row i is there and from when on it is not; empty: never.
func (f *clockFilter) span(cols []*column.Column, i int) (from, to int64) {
	from, to = math.MinInt64, never
	for k, c := range cols {
		if c.Null(i) {
			return 0, 0
		}
		x := c.Ints[i]
		next := x
		if x < never-1 {
			next = x + 1
		}
		switch f.p.Ops[k] {
		case "<":
			to = min(to, x)
		case "<=":
			to = min(to, next)
		case ">":
			from = max(from, next)
		case ">=":
			from = max(from, x)
		}
	}
	return from, to
}

// change applies a row that comes or goes, as of the last barrier.
func (f *clockFilter) change(in *column.Batch, i int, from, to int64, out dataflow.Output) error {
	insert := in.Op(i) == column.Insert
	row := rowenc.AppendRow(nil, in.Cols[:f.width], i)
	switch {
	case f.now >= to:
		return nil
	case f.now < from:
		f.place(spaceWaiting, from, in, i)
		if !insert {
			return f.drop(binary.AppendVarint([]byte{stateVersion}, to), row)
		}
		f.first = min(f.first, from)
		f.val = append(binary.AppendVarint(append(f.val[:0], stateVersion), to), row...)
		return f.rows.put(f.key, f.val)
	}
	for j := range f.width {
		f.out.b.Col(j).AppendFrom(in.Cols[j], in.Cols[j].At(i))
	}
	f.out.b.Row(in.Op(i))
	if err := f.out.full(out); err != nil || to == never {
		return err
	}
	f.place(spaceThere, to, in, i)
	if !insert {
		return f.drop([]byte{stateVersion}, row)
	}
	f.first = min(f.first, to)
	return f.rows.put(f.key, append(append(f.val[:0], stateVersion), row...))
}

// drop removes the entry at key if it is of that row: one may come before the one that it
// replaces goes.
func (f *clockFilter) drop(head, row []byte) error {
	old, err := f.rows.get(f.key)
	if err != nil || string(old) != string(head)+string(row) {
		return err
	}
	return f.rows.remove(f.key)
}

// place sets key to that of row i at a time.
func (f *clockFilter) place(space byte, t int64, in *column.Batch, i int) {
	f.key = f.at(append(f.key[:0], space), t)
	f.key = rowenc.AppendKey(f.key, in.Cols, f.p.Key, i)
}

func (f *clockFilter) at(dst []byte, t int64) []byte {
	f.stamp.Reset()
	f.stamp.Ints = append(f.stamp.Ints, t)
	return rowenc.AppendKeyColumn(dst, f.stamp, 0, rowenc.Order{})
}

// Barrier moves the time on.
func (f *clockFilter) Barrier(e state.Epoch, out dataflow.Output) error {
	f.now = f.read()
	if f.first <= f.now {
		if err := f.advance(out); err != nil {
			return err
		}
	}
	if !e.Flush || f.rows.table == nil {
		return nil
	}
	return f.rows.put([]byte{spaceMeta}, binary.AppendVarint([]byte{stateVersion}, f.now))
}

// advance lets rows come and go up to now.
func (f *clockFilter) advance(out dataflow.Output) error {
	f.first = never
	type entry struct {
		key, row []byte
		to       int64
	}
	var come []entry
	gone, err := f.due(spaceThere, func(_, v []byte) error {
		return f.emit(v[1:], column.Delete, out)
	})
	if err != nil {
		return err
	}
	if err := f.rows.removeRange([]byte{spaceThere}, gone); err != nil {
		return err
	}
	width := len(f.at(nil, 0))
	past, err := f.due(spaceWaiting, func(k, v []byte) error {
		to, row, err := takeVarint(v[1:])
		if err != nil || to <= f.now {
			return err
		}
		if to != never {
			f.first = min(f.first, to)
			key := append(f.at([]byte{spaceThere}, to), k[1+width:]...)
			come = append(come, entry{key, append([]byte{stateVersion}, row...), to})
		}
		return f.emit(row, column.Insert, out)
	})
	if err != nil {
		return err
	}
	if err := f.rows.removeRange([]byte{spaceWaiting}, past); err != nil {
		return err
	}
	for _, c := range come {
		if err := f.rows.put(c.key, c.row); err != nil {
			return err
		}
	}
	return f.out.flush(out)
}

// due visits the entries of a space whose time has come, and notes when the next one's is. It
// returns where they end.
func (f *clockFilter) due(space byte, each func(k, v []byte) error) ([]byte, error) {
	end := f.at([]byte{space}, f.now+1)
	err := f.rows.scan([]byte{space}, []byte{space + 1}, func(k, v []byte) (bool, error) {
		if string(k) >= string(end) {
			tmp := column.New(types.Timestamptz, 1)
			if _, err := rowenc.DecodeKey(k[1:], []*column.Column{tmp}, nil); err != nil {
				return false, err
			}
			f.first = min(f.first, tmp.Ints[0])
			return false, nil
		}
		if len(v) == 0 || v[0] != stateVersion {
			return false, column.Corrupt("state of now()")
		}
		return true, each(k, v)
	})
	return end, err
}

func (f *clockFilter) emit(row []byte, op column.Op, out dataflow.Output) error {
	f.row.Reset()
	if err := rowenc.DecodeRow(row, f.row); err != nil {
		return err
	}
	f.row.Row(column.Insert)
	f.out.b.AppendRow(f.row.Batch(), 0, op)
	return f.out.full(out)
}
