package main

import (
	"context"
	"errors"
	"time"

	"velostream/engine/connector"
	"velostream/engine/connector/datagen"
	"velostream/engine/connector/kafka"
	"velostream/engine/option"
)

const (
	feedSymbols = 20
	feedPast    = time.Minute // of trades there are at the start
	feedTick    = 20 * time.Millisecond
	feedBatch   = 5000 // records written at once
)

// feeder produces made-up trades to topic trades, through the same connector
// that sinks use.
type feeder struct {
	rate   int
	trades *datagen.Trades
	writer connector.Writer
	start  time.Time
	next   int64 // number of the next trade
}

func newFeeder(ctx context.Context, broker string, rate int) (*feeder, error) {
	conn := kafka.Connector()
	o, err := option.Parse([]option.Given{
		{Name: "brokers", Value: broker}, {Name: "topic", Value: "trades"}, {Name: "delivery", Value: "at_least_once"},
	}, nil, conn.SinkOptions)
	if err != nil {
		return nil, err
	}
	sink, err := conn.NewSink(o, "demo generator")
	if err != nil {
		return nil, err
	}
	w, err := sink.Open(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &feeder{rate: rate, trades: datagen.NewTrades(now.UnixNano(), feedSymbols), writer: w, start: now.Add(-feedPast)}, nil
}

// run produces the trades of the last minute at once, then goes on at the rate
// until ctx ends.
func (f *feeder) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, f.writer.Close()) }()
	tick := time.NewTicker(feedTick)
	defer tick.Stop()
	var records []connector.Record
	var buf []byte
	for {
		due := int64(time.Since(f.start).Seconds() * float64(f.rate))
		for f.next < due {
			records, buf = f.batch(records[:0], buf[:0], min(due, f.next+feedBatch))
			if err := f.writer.Write(ctx, records); err != nil {
				return ended(ctx, err)
			}
			if err := f.writer.Commit(ctx, uint64(f.next)); err != nil {
				return ended(ctx, err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ended is nil where err only says that ctx did.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// batch appends the trades up to number end to records, their bytes to buf.
func (f *feeder) batch(records []connector.Record, buf []byte, end int64) ([]connector.Record, []byte) {
	var cuts []int
	for ; f.next < end; f.next++ {
		at := f.start.UnixMicro() + f.next*1_000_000/int64(f.rate)
		var key []byte
		buf, key = f.trades.Append(buf, 0, f.next, at)
		records = append(records, connector.Record{Key: key, Timestamp: at})
		cuts = append(cuts, len(buf))
	}
	from := 0
	for i, to := range cuts {
		records[i].Value = buf[from:to:to]
		from = to
	}
	return records, buf
}
