package operator

import (
	"encoding/binary"
	"time"

	"github.com/tidwall/btree"

	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// every holds changes back and lets them go at each multiple of Every (µs of the clock, from
// the Unix epoch): EMIT EVERY. What it lets go is the net change of each row since the last
// time, deletes first.
//
// Table 0: stream key → version, then a varint count and a row for each value that comes (or,
// below zero, goes). Written at flushes; memory holds all of it, 53200 beyond the budget.
type every struct {
	dataflow.Stateless
	p       *plan.Physical
	ctx     BuildContext
	table   state.Table
	held    btree.Map[string, overChange]
	bytes   int64
	dirty   map[string]bool // not as in the table
	due     time.Time       // zero: nothing is held
	row     *column.Builder
	dels    emitter
	adds    emitter
	key     []byte
	val     []byte
	instant func() time.Time
}

func newEvery(p *plan.Physical, ctx BuildContext) (dataflow.Operator, error) {
	e := &every{
		p: p, ctx: ctx, table: ctx.table(p, 0), dirty: map[string]bool{}, row: column.NewBuilder(p.Types(), 0),
		dels: emitter{column.NewBuilder(p.Types(), 0)}, adds: emitter{column.NewBuilder(p.Types(), 0)}, instant: ctx.clock(),
	}
	if e.table == nil || e.table.Fresh() {
		return e, nil
	}
	for x, err := range e.table.Scan(nil, nil) {
		if err != nil {
			return nil, err
		}
		c, err := decodeChange(x.Value)
		if err != nil {
			return nil, err
		}
		e.held.Set(string(x.Key), c)
		e.bytes += int64(len(x.Key)+len(x.Value)) + 96
		e.due = e.instant()
	}
	return e, nil
}

// NextTick is when what is held is to go.
func (e *every) NextTick() time.Time { return e.due }

func (e *every) Process(_ int, in *column.Batch, _ dataflow.Output) error {
	for i := range in.Each {
		e.key = rowenc.AppendKey(e.key[:0], in.Cols, e.p.Key, i)
		e.val = rowenc.AppendRow(e.val[:0], in.Cols[:len(e.p.Out)], i)
		c, held := e.held.Get(string(e.key))
		n := 1
		if in.Op(i) != column.Insert {
			n = -1
		}
		c.add(string(e.val), n)
		if len(c.net) == 0 {
			e.held.Delete(string(e.key))
		} else {
			e.held.Set(string(e.key), c)
		}
		if e.bytes += int64(len(e.val)) + 32; !held {
			e.bytes += int64(len(e.key)) + 96
		}
		if e.table != nil {
			e.dirty[string(e.key)] = true
		}
	}
	if b := e.ctx.budget(); e.bytes > b.now() {
		return b.exceeded(e.ctx.label("EMIT EVERY"), e.bytes)
	}
	return nil
}

// Barrier lets go what is due.
func (e *every) Barrier(ep state.Epoch, out dataflow.Output) error {
	now := e.instant()
	switch {
	case e.held.Len() == 0:
		e.due, e.bytes = time.Time{}, 0
	case e.due.IsZero():
		step := time.Duration(e.p.Every) * time.Microsecond
		e.due = time.Unix(0, (now.UnixNano()/int64(step)+1)*int64(step))
	case !now.Before(e.due):
		if err := e.release(out); err != nil {
			return err
		}
	}
	if ep.Flush && e.table != nil {
		return e.flush()
	}
	return nil
}

func (e *every) release(out dataflow.Output) error {
	var err error
	e.held.Scan(func(key string, c overChange) bool {
		for _, v := range c.net {
			to, op, n := &e.adds, column.Insert, v.n
			if n < 0 {
				to, op, n = &e.dels, column.Delete, -n
			}
			e.row.Reset()
			if err = rowenc.DecodeRow([]byte(v.val), e.row); err != nil {
				return false
			}
			e.row.Row(column.Insert)
			for range n {
				to.b.AppendRow(e.row.Batch(), 0, op)
			}
		}
		if e.table != nil {
			e.dirty[key] = true
		}
		if err = e.dels.full(out); err != nil {
			return false
		}
		return true
	})
	if err != nil {
		return err
	}
	if err := e.dels.flush(out); err != nil {
		return err
	}
	for b := e.adds.b.Batch(); b.N > 0; b = e.adds.b.Batch() {
		if err := emitIn(b, out); err != nil {
			return err
		}
		e.adds.b.Reset()
	}
	e.held.Clear()
	e.due, e.bytes = time.Time{}, 0
	return nil
}

// emitIn emits b in batches of at most maxBatch rows.
func emitIn(b *column.Batch, out dataflow.Output) error {
	sel := make([]int32, 0, min(b.N, maxBatch))
	for i := range b.N {
		if sel = append(sel, int32(i)); len(sel) == maxBatch || i == b.N-1 {
			part := *b
			part.Sel = sel
			if err := out.Emit(&part); err != nil {
				return err
			}
			sel = sel[:0]
		}
	}
	return nil
}

func (e *every) flush() error {
	for key := range e.dirty {
		c, ok := e.held.Get(key)
		if !ok {
			if err := e.table.Delete([]byte(key)); err != nil {
				return err
			}
			continue
		}
		v := []byte{stateVersion}
		for _, n := range c.net {
			v = binary.AppendVarint(v, int64(n.n))
			v = binary.AppendUvarint(v, uint64(len(n.val)))
			v = append(v, n.val...)
		}
		if err := e.table.Put([]byte(key), v); err != nil {
			return err
		}
	}
	clear(e.dirty)
	return nil
}

func decodeChange(v []byte) (overChange, error) {
	var c overChange
	bad := column.Corrupt("state of EMIT EVERY")
	if len(v) == 0 || v[0] != stateVersion {
		return c, bad
	}
	for v = v[1:]; len(v) > 0; {
		n, used := binary.Varint(v)
		if used <= 0 {
			return c, bad
		}
		size, more := binary.Uvarint(v[used:])
		if more <= 0 || size > uint64(len(v)-used-more) {
			return c, bad
		}
		v = v[used+more:]
		c.net = append(c.net, overNet{string(v[:size]), int(n)})
		v = v[size:]
	}
	return c, nil
}
