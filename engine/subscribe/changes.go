package subscribe

import (
	"context"
	"io"
	"time"

	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// Envelope says how changes are shown.
type Envelope uint8

const (
	// Diffs shows each row with +1 or -1.
	Diffs Envelope = iota
	// Upsert shows per key its new row, or that it is gone.
	Upsert
	// Debezium shows per key the row before and the row after.
	Debezium
)

// ChangesOptions describe a SUBSCRIBE.
type ChangesOptions struct {
	Options
	Envelope Envelope
	Key      []int // positions in the visible columns, of Upsert and Debezium
	// Progress adds rows that say up to when nothing more will come.
	Progress bool
	// From and UpTo bound the logical time, µs since the Unix epoch; 0: none.
	From, UpTo int64
}

// progressEvery is how often a subscription with progress says that it is
// alive.
const progressEvery = 500 * time.Millisecond

// Columns are the columns of a SUBSCRIBE over a query with the columns cols.
func (o *ChangesOptions) Columns(cols []plan.Column) []plan.Column {
	out := []plan.Column{{Name: "velo_timestamp", Type: types.Int8}}
	if o.Progress {
		out = append(out, plan.Column{Name: "velo_progressed", Type: types.Bool})
	}
	if o.Envelope == Diffs {
		return append(append(out, plan.Column{Name: "velo_diff", Type: types.Int8}), cols...)
	}
	out = append(out, plan.Column{Name: "velo_state", Type: types.Text})
	isKey := map[int]bool{}
	for _, k := range o.Key {
		out = append(out, cols[k])
		isKey[k] = true
	}
	prefixes := []string{""}
	if o.Envelope == Debezium {
		prefixes = []string{"before_", "after_"}
	}
	for _, p := range prefixes {
		for i, c := range cols {
			if !isKey[i] {
				c.Name = p + c.Name
				out = append(out, c)
			}
		}
	}
	return out
}

// Changelog is a running SUBSCRIBE; it implements pgwire.Rows. For one
// goroutine.
type Changelog struct {
	sub     *job.Subscription
	o       ChangesOptions
	visible []int
	values  []int // visible columns that are not of the key
	b       *column.Builder
	told    int64 // progress that was shown
	ended   bool
	waited  bool
}

// RunChanges starts the continuous plan p and shows its changes.
func RunChanges(ctx context.Context, m *job.Manager, p *plan.Physical, visible []int, o ChangesOptions) (*Changelog, error) {
	if o.Progress || o.UpTo != 0 {
		o.Options.Progress = progressEvery
	}
	var cols []plan.Column
	for _, j := range visible {
		cols = append(cols, p.Out[j])
	}
	c := &Changelog{o: o, visible: visible}
	var ts []types.Type
	for _, k := range o.Columns(cols) {
		ts = append(ts, k.Type)
	}
	c.b = column.NewBuilder(ts, 0)
	for i := range visible {
		key := false
		for _, k := range o.Key {
			key = key || k == i
		}
		if !key {
			c.values = append(c.values, i)
		}
	}
	var err error
	c.sub, err = m.Subscribe(ctx, p, o.Options)
	return c, err
}

// Continuous says that the query has no end, unless it has.
func (c *Changelog) Continuous() bool { return true }

// Next implements pgwire.Rows.
func (c *Changelog) Next(ctx context.Context) (*column.Batch, error) {
	for !c.ended {
		c.b.Reset()
		progress := c.sub.Progress()
		list, err := c.sub.TryNext()
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if c.o.UpTo != 0 && e.Time >= c.o.UpTo {
				c.ended = true
				break
			}
			if err := c.show(e); err != nil {
				return nil, err
			}
		}
		if len(list) == 0 {
			c.progressed(progress)
		}
		if c.b.Len() > 0 {
			c.waited = false
			return c.b.Batch(), nil
		}
		if c.ended {
			break
		}
		if !c.waited {
			c.waited = true
			return c.b.Batch(), nil
		}
		if err := c.wait(ctx); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// wait waits for changes, and no longer than progress should be told.
func (c *Changelog) wait(ctx context.Context) error {
	if c.o.Options.Progress == 0 {
		return c.sub.Wait(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, progressEvery)
	defer cancel()
	if err := c.sub.Wait(limited); err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil
	} else if err != nil {
		return err
	}
	return nil
}

// progressed adds a progress row, or ends the subscription, when everything
// before at is known to have been shown.
func (c *Changelog) progressed(at int64) {
	if at <= c.told || c.sub.Backfilling() {
		return
	}
	c.told = at
	if c.o.UpTo != 0 && at >= c.o.UpTo {
		c.ended = true
	}
	if !c.o.Progress {
		return
	}
	c.b.Col(0).Append(types.IntDatum(at))
	c.b.Col(1).Append(types.BoolDatum(true))
	for j := 2; j < len(c.b.Batch().Cols); j++ {
		c.b.Col(j).AppendNull()
	}
	c.b.Row(column.Insert)
}

// begin starts a row and returns the next column.
func (c *Changelog) begin(at int64) int {
	c.b.Col(0).Append(types.IntDatum(at))
	if !c.o.Progress {
		return 1
	}
	c.b.Col(1).Append(types.BoolDatum(false))
	return 2
}

// show adds the rows of one epoch.
func (c *Changelog) show(e job.Changes) error {
	if e.Time < c.o.From {
		return nil
	}
	if c.o.Envelope != Diffs {
		return c.showKeys(e)
	}
	for _, b := range e.Batches {
		for i := range b.Each {
			j, diff := c.begin(e.Time), int64(1)
			if b.Op(i) == column.Delete {
				diff = -1
			}
			c.b.Col(j).Append(types.IntDatum(diff))
			c.copy(j+1, b, i, nil)
			c.b.Row(column.Insert)
		}
	}
	return nil
}

// copy appends visible columns of row i of b from column j on: those of which,
// nil: all. It returns the column after.
func (c *Changelog) copy(j int, b *column.Batch, i int, which []int) int {
	if which == nil {
		for _, v := range c.visible {
			c.b.Col(j).AppendFrom(b.Cols[v], i)
			j++
		}
		return j
	}
	for _, k := range which {
		if b == nil {
			c.b.Col(j).AppendNull()
		} else {
			c.b.Col(j).AppendFrom(b.Cols[c.visible[k]], i)
		}
		j++
	}
	return j
}

// pair is a key's row before and after an epoch.
type pair struct {
	before, after       *column.Batch
	beforeRow, afterRow int
}

// showKeys nets an epoch per key and adds a row for each.
func (c *Changelog) showKeys(e job.Changes) error {
	pairs := map[string]*pair{}
	var order []string
	cols := make([]int, len(c.o.Key))
	for k, v := range c.o.Key {
		cols[k] = c.visible[v]
	}
	for _, b := range e.Batches {
		for i := range b.Each {
			key := string(rowenc.AppendKey(nil, b.Cols, cols, i))
			p := pairs[key]
			if p == nil {
				p = &pair{}
				pairs[key] = p
				order = append(order, key)
			}
			switch {
			case b.Op(i) == column.Insert:
				p.after, p.afterRow = b, i
			case p.before == nil:
				p.before, p.beforeRow = b, i
			}
		}
	}
	for _, key := range order {
		c.showPair(e.Time, pairs[key])
	}
	return nil
}

func (c *Changelog) showPair(at int64, p *pair) {
	j := c.begin(at)
	keyed, row := p.after, p.afterRow
	if keyed == nil {
		keyed, row = p.before, p.beforeRow
	}
	var word string
	switch {
	case p.after == nil:
		word = "delete"
	case c.o.Envelope == Upsert:
		word = "upsert"
	case p.before == nil:
		word = "insert"
	default:
		word = "update"
	}
	c.b.Col(j).Append(types.StringDatum(word))
	j = c.copy(j+1, keyed, row, c.o.Key)
	values := c.values
	if values == nil {
		values = []int{}
	}
	if c.o.Envelope == Debezium {
		j = c.copy(j, p.before, p.beforeRow, values)
	}
	c.copy(j, p.after, p.afterRow, values)
	c.b.Row(column.Insert)
}

// Tag implements pgwire.Rows.
func (c *Changelog) Tag() string { return "SUBSCRIBE " }

// Close implements pgwire.Rows.
func (c *Changelog) Close() error { return c.sub.Close() }
