package job

import (
	"errors"
	"slices"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/engine/source"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// inputLayout says which columns an input's batches have: fields of the value,
// then system columns, then the two of the row id.
type inputLayout struct {
	fields []format.Field
	keys   []format.Field // columns that a record's key fills, behind those of the value
	system []source.System
	rowID  bool
	place  map[int]place // by attribute
}

// place is where an attribute is: in the fields, the key's fields, the system columns, or
// the row id.
type place struct {
	part  byte // 'f', 'k', 's', 'r'
	index int
}

// column is the place's position in the batches.
func (l *inputLayout) column(a int) int {
	p := l.place[a]
	switch p.part {
	case 'k':
		return len(l.fields) + p.index
	case 's':
		return len(l.fields) + len(l.keys) + p.index
	case 'r':
		return len(l.fields) + len(l.keys) + len(l.system) + p.index
	}
	return p.index
}

// layOut lists what must be decoded for the wanted attributes, the event time,
// and what computed columns among them are made of. timeFormat is how event
// times are written.
func layOut(rel *catalog.Relation, wanted []int, timeFormat format.TimeFormat) (*inputLayout, error) {
	l := &inputLayout{place: map[int]place{}}
	fromKey, err := KeyFields(rel)
	if err != nil {
		return nil, err
	}
	need := append([]int(nil), wanted...)
	if rel.EventTime >= 0 {
		need = append(need, rel.EventTime)
	}
	for len(need) > 0 {
		a := need[0]
		need = need[1:]
		if _, done := l.place[a]; done {
			continue
		}
		c := rel.Columns[a]
		if len(c.Expr) > 0 {
			e, err := expr.UnmarshalExpr(c.Expr)
			if err != nil {
				return nil, err
			}
			for k := range expr.Columns(e) {
				need = append(need, k)
			}
			continue
		}
		if err := l.add(rel, a, timeFormat, slices.Contains(fromKey, a)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *inputLayout) add(rel *catalog.Relation, a int, timeFormat format.TimeFormat, key bool) error {
	c := rel.Columns[a]
	switch c.System {
	case "":
		f := format.Field{Name: c.Name, Type: c.Type, NotNull: c.NotNull}
		if a == rel.EventTime {
			f.Time = timeFormat
		}
		if key {
			l.place[a] = place{'k', len(l.keys)}
			l.keys = append(l.keys, f)
			return nil
		}
		l.place[a] = place{'f', len(l.fields)}
		l.fields = append(l.fields, f)
	case "split":
		l.rowID, l.place[a] = true, place{'r', 0}
	case "position":
		l.rowID, l.place[a] = true, place{'r', 1}
	default:
		sys, ok := source.SystemByName(c.System)
		if !ok {
			return pgerror.New(pgerror.InternalError, "relation %q: unknown system column %q", rel.Name, c.System)
		}
		l.place[a] = place{'s', len(l.system)}
		l.system = append(l.system, sys)
	}
	return nil
}

// typed says by which definitions the fields' values of user-made types are read.
func (l *inputLayout) typed(defs types.Definitions) {
	for i := range l.fields {
		l.fields[i].Types = defs
	}
	for i := range l.keys {
		l.keys[i].Types = defs
	}
}

// computed compiles the expression of a computed attribute over the batches;
// nil: the attribute is decoded.
func (l *inputLayout) computed(rel *catalog.Relation, a int) (*expr.Evaluator, error) {
	c := rel.Columns[a]
	if len(c.Expr) == 0 {
		return nil, nil
	}
	e, err := expr.UnmarshalExpr(c.Expr)
	if err != nil {
		return nil, err
	}
	return expr.Compile(expr.MapColumns(e, l.column))
}

// watermark describes the event time of the batches.
func (l *inputLayout) watermark(rel *catalog.Relation, env *expr.Env) (*source.Watermark, error) {
	w := &source.Watermark{Delay: rel.WatermarkDelay}
	ev, err := l.computed(rel, rel.EventTime)
	if err != nil {
		return nil, err
	}
	if ev == nil {
		w.Column = l.column(rel.EventTime)
		return w, nil
	}
	w.Eval = func(b *column.Batch) (*column.Column, error) { return ev.Eval(env, b, nil) }
	return w, nil
}

// recordView gives the wanted attributes of an input's batches, decoded or
// computed. For one goroutine.
type recordView struct {
	env      *expr.Env
	columns  []int             // of the batch; -1: computed
	computed []*expr.Evaluator // by wanted attribute
	out      column.Batch
}

func (v *recordView) compile(rel *catalog.Relation, wanted []int, l *inputLayout) error {
	for _, a := range wanted {
		ev, err := l.computed(rel, a)
		if err != nil {
			return err
		}
		c := -1
		if ev == nil {
			c = l.column(a)
		}
		v.columns, v.computed = append(v.columns, c), append(v.computed, ev)
	}
	return nil
}

// of returns the attributes of b, valid until the next call.
func (v *recordView) of(b *column.Batch) (*column.Batch, error) {
	cols := v.out.Cols[:0]
	for k, j := range v.columns {
		if j >= 0 {
			cols = append(cols, b.Cols[j])
			continue
		}
		c, err := v.computed[k].Eval(v.env, b, b.Sel)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	v.out = column.Batch{Ops: b.Ops, Cols: cols, N: b.N, Sel: b.Sel}
	return &v.out, nil
}

// deadLettersMax bounds the records that wait to be stored; when it is reached
// they are stored before the epoch ends.
const deadLettersMax = 1000

// deadLetters collects the records of one source that could not be decoded,
// and stores them in the stream's table of dead letters. A record read again,
// after a crash or by another job, is the same row. For one goroutine.
type deadLetters struct {
	c    *coordinator
	into uint32
	rows *column.Builder
}

func (c *coordinator) deadLetters(rel *catalog.Relation) *deadLetters {
	return &deadLetters{c: c, into: rel.DeadLetters, rows: column.NewBuilder(DeadLetterTypes(), 0)}
}

// DeadLetterColumns are the columns of a table of dead letters; the first two
// are its key.
func DeadLetterColumns() []catalog.Column {
	return []catalog.Column{
		{Name: "split", Type: types.Int8, NotNull: true},
		{Name: "position", Type: types.Int8, NotNull: true},
		{Name: "partition", Type: types.Int4},
		{Name: "timestamp", Type: types.Timestamptz},
		{Name: "key", Type: types.Bytea},
		{Name: "value", Type: types.Bytea},
		{Name: "sqlstate", Type: types.Text},
		{Name: "error", Type: types.Text},
	}
}

// DeadLetterTypes lists the types of DeadLetterColumns.
func DeadLetterTypes() []types.Type {
	var out []types.Type
	for _, c := range DeadLetterColumns() {
		out = append(out, c.Type)
	}
	return out
}

func (d *deadLetters) add(l source.DeadLetter) error {
	d.c.mu.Lock()
	d.c.stats.DeadLetters++
	d.c.mu.Unlock()
	if d.into == 0 || d.c.transient != nil {
		return nil
	}
	bytes := func(b []byte) types.Datum { return types.Datum{Null: b == nil, B: b} }
	at := types.Datum{Null: l.Record.Timestamp == 0, I: types.FromTime(time.UnixMicro(l.Record.Timestamp))}
	e := pgerror.From(l.Err)
	for j, v := range []types.Datum{
		types.IntDatum(l.Split.Number), types.IntDatum(l.Record.Position), types.IntDatum(int64(l.Split.Partition)), at,
		bytes(l.Record.Key), bytes(l.Record.Value), types.StringDatum(e.Code), types.StringDatum(e.Message),
	} {
		d.rows.Col(j).Append(v)
	}
	d.rows.Row(column.Insert)
	if d.rows.Len() >= deadLettersMax {
		return d.flush()
	}
	return nil
}

// flush stores what was collected.
func (d *deadLetters) flush() error {
	if d.rows.Len() == 0 {
		return nil
	}
	defer d.rows.Reset()
	return d.c.store(d.into, d.rows.Batch())
}

// storeTries bounds how often rows are stored again after another transaction got in the way;
// each time that one has ended, or waits for a row of this one.
const storeTries = 1000

// store adds the rows of b that are not there yet to a table beside the job: other jobs, and
// users, may write to it at the same time. It waits for their locks until the job is to stop.
// A table that is gone takes nothing.
func (c *coordinator) store(into uint32, b *column.Batch) error {
	for try := 1; ; try++ {
		tx := c.m.o.Tables.Begin()
		tx.Waiting(c.ctx, 0)
		_, err := tx.Insert(into, b, true)
		if err == nil {
			_, err = tx.Commit()
		} else {
			_ = tx.Rollback()
		}
		switch {
		case pgerror.Code(err) == pgerror.UndefinedTable:
			return nil // being dropped
		case !errors.Is(err, table.ErrConflict) && pgerror.Code(err) != pgerror.DeadlockDetected || try == storeTries:
			return err
		}
	}
}
