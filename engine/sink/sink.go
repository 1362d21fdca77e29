// Package sink writes a changelog to a connector: it encodes rows, writes them,
// and commits with the position in the changelog that they reach, so that a
// sink that can record positions gets every row exactly once and any other at
// least once.
//
// What leaves has been made durable here before, so a crash never takes back
// what was sent. A sink that fails holds up only its own log: it is tried again
// with growing pauses, its connection made anew from the last recorded position.
package sink

import (
	"context"
	"errors"
	"time"

	"velostream/engine/connector"
	"velostream/engine/format"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Changes is one epoch or commit: its batches, deletes before inserts. Read
// only, shared.
type Changes struct {
	Seq     uint64
	Time    int64 // of its end, µs since the Unix epoch; 0: not known
	Batches []*column.Batch
}

// Feed is the changelog to write. For one goroutine.
type Feed interface {
	// Start begins after the entry position.
	Start(position uint64)
	// Next waits for durable changes.
	Next(ctx context.Context) ([]Changes, error)
	// Committed says that everything up to position has arrived.
	Committed(position uint64, rows int)
	// Trouble says why nothing moves at present, nil: all is well.
	Trouble(err error)
}

// Options describe a sink.
type Options struct {
	Name      string
	Connector connector.Sink
	// Value encodes the columns Columns of a row; Key, when set, encodes
	// KeyColumns as the record's key.
	Value, Key          format.Encoder
	Columns, KeyColumns []int
	// Upsert writes a record without a value for a row that is deleted and not
	// replaced; REQUIRES Key. Without it deletes are an error: the changelog was
	// said to have none.
	Upsert bool
	// From is where a sink begins that has recorded nothing.
	From uint64
	// RowsMax bounds the records of one commit, 0: 100,000.
	RowsMax int
}

// Pauses between tries.
const (
	pauseFirst = 200 * time.Millisecond
	pauseMax   = 30 * time.Second
)

// Run writes until ctx ends. It returns only errors that trying again can't
// mend: a row that has no encoding, refused options.
func Run(ctx context.Context, o Options, f Feed) error {
	if o.RowsMax <= 0 {
		o.RowsMax = 100_000
	}
	pause := pauseFirst
	for {
		moved, err := run(ctx, &o, f)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop: whatever broke meanwhile is no failure
		}
		if !passing(err) {
			return err
		}
		f.Trouble(err)
		if moved {
			pause = pauseFirst
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, pauseMax)
		case <-ctx.Done():
			return nil
		}
	}
}

// passing reports that an error may go away: the other side is not there, or
// another writer was; not a defect of data or options.
func passing(err error) bool {
	switch pgerror.Code(err)[:2] {
	case "22", "42", "0A":
		return false
	}
	return true
}

// run is one connection: from opening until something fails. moved says that
// it got something through.
func run(ctx context.Context, o *Options, f Feed) (moved bool, err error) {
	w, err := o.Connector.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	from := o.From
	if p, ok := w.(connector.Positioner); ok {
		pos, known, err := p.Position(ctx)
		if err != nil {
			return false, err
		}
		if known {
			from = max(pos, from)
		}
	}
	f.Start(from)
	o.From = from
	f.Trouble(nil)
	e := encoder{o: o}
	for {
		list, err := f.Next(ctx)
		if err != nil {
			return moved, err
		}
		for _, c := range list {
			if err := e.add(c); err != nil {
				return moved, err
			}
			if len(e.records) < o.RowsMax && c.Seq != list[len(list)-1].Seq {
				continue
			}
			n := len(e.records)
			if err := w.Write(ctx, e.records); err != nil {
				return moved, err
			}
			if err := w.Commit(ctx, c.Seq); err != nil {
				return moved, err
			}
			o.From = c.Seq
			f.Committed(c.Seq, n)
			e.reset()
			moved = true
		}
	}
}

// encoder turns changes into records, whose bytes are in one buffer.
type encoder struct {
	o       *Options
	records []connector.Record
	buf     []byte
}

func (e *encoder) reset() {
	clear(e.records)
	e.records, e.buf = e.records[:0], e.buf[:0]
}

// add encodes one epoch. With Upsert a key that is deleted and inserted again
// is only its new row.
func (e *encoder) add(c Changes) error {
	replaced := map[string]bool{}
	if e.o.Upsert {
		for _, b := range c.Batches {
			if b.Ops != nil {
				continue
			}
			for i := range b.Each {
				k, err := e.o.Key.Encode(nil, pick(b, e.o.KeyColumns), i)
				if err != nil {
					return err
				}
				replaced[string(k)] = true
			}
		}
	}
	for _, b := range c.Batches {
		for i := range b.Each {
			if err := e.row(b, i, replaced); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *encoder) row(b *column.Batch, i int, replaced map[string]bool) error {
	var key, value []byte
	var err error
	if e.o.Key != nil {
		if key, err = e.encode(e.o.Key, pick(b, e.o.KeyColumns), i); err != nil {
			return err
		}
	}
	if b.Op(i) == column.Delete {
		if !e.o.Upsert {
			return pgerror.New(pgerror.FeatureNotSupported, "sink %q cannot write deletes", e.o.Name).
				WithHint("FORMAT UPSERT writes the last row of each key, and none for a deleted one.")
		}
		if replaced[string(key)] {
			return nil
		}
	} else if value, err = e.encode(e.o.Value, pick(b, e.o.Columns), i); err != nil {
		return err
	}
	e.records = append(e.records, connector.Record{Key: key, Value: value})
	return nil
}

// encode appends to the buffer; earlier records keep their bytes when it moves.
func (e *encoder) encode(enc format.Encoder, b *column.Batch, i int) ([]byte, error) {
	from := len(e.buf)
	var err error
	if e.buf, err = enc.Encode(e.buf, b, i); err != nil {
		return nil, err
	}
	return e.buf[from:len(e.buf):len(e.buf)], nil
}

// pick is b with the columns named.
func pick(b *column.Batch, columns []int) *column.Batch {
	out := &column.Batch{Ops: b.Ops, Cols: make([]*column.Column, len(columns)), N: b.N, Sel: b.Sel}
	for k, j := range columns {
		out.Cols[k] = b.Cols[j]
	}
	return out
}
