package operator

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

// deadlines closes time windows by the clock: EMIT ON WINDOW CLOSE TIMEOUT. A window is due
// when Timeout has gone since its end (plus the lateness) and since its last row came, and all
// windows that end before it are due, too. nil: none ever is.
//
// Table: window_end (8 bytes, sortable) → version, varint: when its last row came. Written at flushes.
type deadlines struct {
	timeout, lateness int64
	open              map[int64]int64 // window_end → when its last row came, µs since 2000
	changed           map[int64]bool  // not as in the table
	next              int64           // no window is due before it
	table             state.Table
	clock             func() time.Time
}

func newDeadlines(p *plan.Physical, ctx BuildContext, table int, lateness int64) (*deadlines, error) {
	if p.Timeout <= 0 {
		return nil, nil
	}
	d := &deadlines{
		timeout: p.Timeout, lateness: lateness, open: map[int64]int64{}, changed: map[int64]bool{}, next: math.MaxInt64,
		table: ctx.table(p, table), clock: ctx.clock(),
	}
	if d.table == nil || d.table.Fresh() {
		return d, nil
	}
	for e, err := range d.table.Scan(nil, nil) {
		if err != nil {
			return nil, err
		}
		if len(e.Key) != 8 || len(e.Value) == 0 || e.Value[0] != stateVersion {
			return nil, column.Corrupt("state of time windows")
		}
		at, _, err := takeVarint(e.Value[1:])
		if err != nil {
			return nil, err
		}
		end := int64(binary.BigEndian.Uint64(e.Key) ^ 1<<63)
		d.open[end] = at
		d.next = min(d.next, d.of(end))
	}
	return d, nil
}

func (d *deadlines) now() int64 { return d.clock().UnixMicro() + unixEpoch }

// of is when the window is due.
func (d *deadlines) of(end int64) int64 {
	return laterBy(max(laterBy(end, d.lateness), d.open[end]), d.timeout)
}

// came notes rows of the windows that end at ends.
func (d *deadlines) came(ends *column.Column, rows []int32) {
	if d == nil {
		return
	}
	now := d.now()
	for _, i := range rows {
		end := ends.Ints[ends.At(int(i))]
		if at, ok := d.open[end]; ok && at == now {
			continue
		}
		d.open[end], d.changed[end] = now, true
		d.next = min(d.next, d.of(end))
	}
}

// due is the end of the last window that is due, math.MinInt64: none is.
func (d *deadlines) due() int64 {
	to := int64(math.MinInt64)
	if d == nil || len(d.open) == 0 {
		return to
	}
	now := d.now()
	if now < d.next {
		return to
	}
	ends := make([]int64, 0, len(d.open))
	for end := range d.open {
		ends = append(ends, end)
	}
	slices.Sort(ends)
	d.next = math.MaxInt64
	for _, end := range ends {
		if at := d.of(end); at > now {
			d.next = at
			break
		}
		to = end
	}
	return to
}

// closed forgets the windows that end at frontier or before it.
func (d *deadlines) closed(frontier int64) {
	if d == nil {
		return
	}
	for end := range d.open {
		if end <= frontier {
			delete(d.open, end)
			d.changed[end] = true
		}
	}
}

// tick is when the next window is due, the zero time: there is none.
func (d *deadlines) tick() time.Time {
	if d == nil || len(d.open) == 0 || d.next == math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMicro(d.next - unixEpoch)
}

// flush writes what changed.
func (d *deadlines) flush() error {
	if d == nil || d.table == nil {
		return nil
	}
	for end := range d.changed {
		key := binary.BigEndian.AppendUint64(nil, uint64(end)^1<<63)
		at, ok := d.open[end]
		var err error
		if ok {
			err = d.table.Put(key, binary.AppendVarint([]byte{stateVersion}, at))
		} else {
			err = d.table.Delete(key)
		}
		if err != nil {
			return err
		}
	}
	clear(d.changed)
	return nil
}
