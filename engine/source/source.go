// Package source drives a connector and a format: it reads records, decodes
// them into column batches, and keeps positions, watermarks, and what to do
// with records that can't be decoded.
//
// One Input is one job's view of one source in one pipeline. A goroutine of
// its own only reads (the connector's client fetches ahead); decoding runs in
// the goroutine that calls Next or TryNext, so that a pipeline is one
// processor's work from the bytes on.
//
// The loop of a task:
//
//	for {
//	    c, ok, err := in.TryNext()      // also tells io.EOF
//	    switch {
//	    case ok:  push c.Batch down; close the epoch if it is due
//	    default:  nothing at hand: close the epoch, then wait on in.Ready(),
//	              a timer for in.NextIdle(), and whatever else the task serves
//	    }
//	}
//
// At a barrier Positions says exactly what was handed out; Open with those
// positions goes on from there.
package source

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// MaxRows is the default bound of a batch. A batch is handed out as soon as
// anything is there; it is never waited for.
const MaxRows = 4096

// queued is how many chunks may be read ahead of decoding.
const queued = 3

// OnError says what happens to a record that can't be decoded.
type OnError uint8

// What can happen to such a record.
const (
	Fail          OnError = iota // Next returns an error that names the record
	Skip                         // it is counted
	SendElsewhere                // it is counted and given to Options.DeadLetter
)

// Key says what the records' keys are for.
type Key struct {
	Decoder format.Decoder
	Fields  []format.Field
	// Into, when set, are the positions of value columns that hold the same
	// values: then the key is only decoded where there is no value (Upsert).
	// Without it the key's columns follow the value's.
	Into []int
}

// Options describe an input.
type Options struct {
	// Name is the relation's name, for messages.
	Name      string
	Connector connector.Source
	// Decoder turns a record's value into Fields. nil with no fields.
	Decoder format.Decoder
	Fields  []format.Field
	Key     *Key
	// System are system columns wanted after the fields of value and key.
	System []System
	// RowID adds two int8 columns at the end: the split's number and the
	// record's position, which together identify a row for ever.
	RowID bool
	// Upsert: a record without a value deletes the row of its key, and the
	// rows are marked so. Otherwise such a record is passed over.
	Upsert     bool
	Watermark  *Watermark
	OnError    OnError
	DeadLetter func(DeadLetter) error
	// Resumed: the job ran before, so a split without a position is new and
	// read from its beginning, even if this input had no split until now.
	Resumed bool
	// Owns picks the splits this input reads; nil: all.
	Owns    func(connector.Split) bool
	MaxRows int
	// Discover is how often new splits are looked for; 0: 10 s, < 0: never.
	Discover time.Duration
	Retry    Retry
	Now      func() time.Time // nil: time.Now
}

// Retry says how often a source that fails to connect is tried again, and
// when.
type Retry struct {
	Attempts     int           // in a row; 0: without limit
	Initial, Max time.Duration // 0: 200 ms, 10 s
	Multiplier   float64       // 0: 2
}

// DeadLetter is a record that could not be decoded. The bytes are valid during
// the call.
type DeadLetter struct {
	Source string
	Split  connector.Split
	Record connector.Record
	Err    error
}

// Chunk is a batch of rows of one split. The batch is the input's memory,
// valid until the next Next or TryNext. It may have no rows: then only the
// position moved.
type Chunk struct {
	Batch    *column.Batch
	Split    connector.Split
	Position int64 // after the last row
}

// Input reads one source. Open, Next, TryNext, Positions, Watermark, NextIdle
// and Close are for one goroutine; Ready, Stats, State and Acknowledge for any.
type Input struct {
	o     Options
	block format.BlockDecoder // the decoder, when it can take the lines of a chunk at once
	rows  format.Rows         // the value's columns of batch
	keys  format.Rows         // the key's columns of batch, or of their own with Into
	batch column.Batch
	sys   []*column.Column
	rowid []*column.Column

	cur *connector.Chunk
	at  int // next record of cur

	splits map[string]*splitState
	order  []*splitState
	times  map[string]int64 // of RestoreTimes
	clock  watermarks
	end    error // io.EOF or what ended the input

	feed  feed
	stats counters
}

type splitState struct {
	split     connector.Split
	position  int64
	end       int64
	max       int64 // greatest event time
	seen      bool  // max means something
	lastAlive time.Time
}

// New makes an input that is not open yet.
func New(o Options) (*Input, error) {
	if o.MaxRows <= 0 {
		o.MaxRows = MaxRows
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnError == SendElsewhere && o.DeadLetter == nil {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "source %q: on_error = 'dead_letter' without a place for dead letters", o.Name)
	}
	if w := o.Watermark; w != nil && w.Eval == nil && (w.Column < 0 || w.Column >= len(o.Types()) || o.Types()[w.Column].Kind() != types.KindInt) {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "source %q: the watermark column is no time", o.Name)
	}
	in := &Input{o: o, splits: map[string]*splitState{}}
	in.clock.spec = o.Watermark
	if o.Key == nil && !o.Upsert {
		in.block, _ = o.Decoder.(format.BlockDecoder)
	}
	in.layOut()
	in.feed.init(&in.o)
	return in, nil
}

// Types lists the column types of the batches.
func (o *Options) Types() []types.Type {
	var ts []types.Type
	for _, f := range o.Fields {
		ts = append(ts, f.Type)
	}
	if o.Key != nil && o.Key.Into == nil {
		for _, f := range o.Key.Fields {
			ts = append(ts, f.Type)
		}
	}
	for _, s := range o.System {
		ts = append(ts, s.Type())
	}
	if o.RowID {
		ts = append(ts, types.Int8, types.Int8)
	}
	return ts
}

func (in *Input) layOut() {
	// Small at first: most inputs of a server see few rows at a time.
	for _, t := range in.o.Types() {
		in.batch.Cols = append(in.batch.Cols, column.New(t, min(in.o.MaxRows, 64)))
	}
	cols := in.batch.Cols
	cut := func(n int) []*column.Column {
		part := cols[:n:n]
		cols = cols[n:]
		return part
	}
	in.rows.Cols = cut(len(in.o.Fields))
	if k := in.o.Key; k != nil {
		if k.Into == nil {
			in.keys.Cols = cut(len(k.Fields))
		} else {
			in.keys = *format.NewRows(k.Fields, 1)
		}
	}
	in.sys = cut(len(in.o.System))
	in.rowid = cols
}

// Open begins to read: each split from its position, by split ID, or from
// where the connector's options say when it has none. While a split that has
// no position is read beside others that have one, it is new, and read from
// its beginning. Errors come within the connector's time limit.
func (in *Input) Open(ctx context.Context, positions map[string]int64) error {
	if err := in.header(ctx); err != nil {
		return err
	}
	if err := in.feed.open(ctx, positions); err != nil {
		return err
	}
	for _, st := range in.feed.starts() {
		s := in.known(st.Split)
		s.position = st.Position
	}
	in.feed.run()
	return nil
}

// header lets the decoder know the data's own header, if both have to do with
// one.
func (in *Input) header(ctx context.Context) error {
	src, ok := in.o.Connector.(connector.Headed)
	dec, ok2 := in.o.Decoder.(format.HeaderReader)
	if !ok || !ok2 {
		return nil
	}
	h, err := src.Header(ctx)
	if err != nil || h == nil {
		return err
	}
	if err := dec.Header(h); err != nil {
		return in.named(err)
	}
	return nil
}

// Next waits for rows. io.EOF ends a bounded source.
func (in *Input) Next(ctx context.Context) (Chunk, error) {
	for {
		c, ok, err := in.TryNext()
		if ok || err != nil {
			return c, err
		}
		select {
		case <-in.Ready():
		case <-ctx.Done():
			return Chunk{}, ctx.Err()
		}
	}
}

// TryNext returns what is at hand, and false when nothing is.
func (in *Input) TryNext() (Chunk, bool, error) {
	if in.end != nil {
		return Chunk{}, false, in.end
	}
	if in.cur == nil {
		c, err := in.feed.pop()
		if err != nil {
			in.end = err
			if !errors.Is(err, io.EOF) {
				in.end = in.named(err)
			}
			return Chunk{}, false, in.end
		}
		if c == nil {
			return Chunk{}, false, nil
		}
		in.cur, in.at = c, 0
	}
	return in.decode()
}

// Ready is signalled when there may be something at hand again. Wait on it
// only after TryNext returned false.
func (in *Input) Ready() <-chan struct{} { return in.feed.ready }

// Pending reports whether TryNext has something to return.
func (in *Input) Pending() bool { return in.cur != nil || in.end != nil || in.feed.pending() }

// Positions returns, by split ID, where reading goes on after everything that
// was handed out.
func (in *Input) Positions() map[string]int64 {
	out := make(map[string]int64, len(in.order))
	for _, s := range in.order {
		if s.position >= 0 {
			out[s.split.ID] = s.position
		}
	}
	return out
}

// Split is what is known of one split.
type Split struct {
	connector.Split
	Position int64 // where reading goes on; < 0: at the beginning
	End      int64 // how far it is known to reach; < 0: unknown
	// EventTime is the greatest event time seen, NoWatermark: none.
	EventTime int64
	Idle      bool
}

// SplitStates lists the splits of this input.
func (in *Input) SplitStates(now time.Time) []Split {
	out := make([]Split, 0, len(in.order))
	for _, s := range in.order {
		x := Split{Split: s.split, Position: s.position, End: s.end, EventTime: NoWatermark}
		if s.seen {
			x.EventTime = s.max
		}
		x.Idle = in.clock.spec != nil && in.idle(s, now)
		out = append(out, x)
	}
	return out
}

// Acknowledge tells the connector which positions are durable.
func (in *Input) Acknowledge(ctx context.Context, positions map[string]int64) error {
	if a, ok := in.feed.current().(connector.Acknowledger); ok {
		return a.Acknowledge(ctx, positions)
	}
	return nil
}

// State returns why nothing comes in at present, nil when all is well.
func (in *Input) State() error { return in.feed.state() }

// Close stops reading and waits for what reads.
func (in *Input) Close() error {
	in.end = io.EOF
	return in.feed.close()
}

// Stats are counts since New.
type Stats struct {
	Rows, Records, Bytes int64
	Poisoned             int64  // records that could not be decoded
	LastPoison           string // the last one's error, with its place
	Lag                  int64  // records that are there and were not handed out, as far as known
}

type counters struct {
	rows, records, bytes, poisoned, lag atomic.Int64

	mu   sync.Mutex
	last string
}

// Stats returns the counts.
func (in *Input) Stats() Stats {
	c := &in.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Rows: c.rows.Load(), Records: c.records.Load(), Bytes: c.bytes.Load(),
		Poisoned: c.poisoned.Load(), LastPoison: c.last, Lag: c.lag.Load(),
	}
}

// named puts the source's name into an error.
func (in *Input) named(err error) error {
	e := *pgerror.From(err)
	if e.Where == "" {
		e.Where = "source \"" + in.o.Name + "\""
	}
	return &e
}
