package kafka

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"velostream/engine/connector"
	"velostream/pgwire/pgerror"
)

// chunkRecords bounds a chunk, so that the records and what is made of them
// stay in the processor's cache. A fetch of 1 MiB has a few of these.
const chunkRecords = 2048

// partition is what a reader knows of one partition.
type partition struct {
	split connector.Split
	next  int64 // offset to read next
	last  int64 // end of the log as last heard
	end   int64 // where a bounded reader stops; -1: never
}

func (p *partition) done() bool { return p.end >= 0 && p.next >= p.end }

// reader implements connector.Reader, Adder, Acknowledger and Stater. The
// client fetches ahead in goroutines of its own; Read only regroups what is
// there, without copying keys and values.
type reader struct {
	src   *source
	cl    *kgo.Client // nil: nothing to fetch
	watch *watch

	mu    sync.Mutex // parts and order, changed by Add
	parts map[int32]*partition
	order []*partition

	begins  []connector.Start
	fetched []kgo.FetchPartition // of the last poll, not handed out yet
}

// Read implements connector.Reader.
func (r *reader) Read(ctx context.Context, c *connector.Chunk) error {
	c.Reset()
	for {
		for len(r.fetched) > 0 {
			if r.take(c) {
				return nil
			}
		}
		if r.src.bounded && r.finished() {
			return io.EOF
		}
		if r.cl == nil {
			<-ctx.Done()
			return ctx.Err()
		}
		if err := r.poll(ctx); err != nil {
			return err
		}
	}
}

// Begins implements connector.Beginner.
func (r *reader) Begins() []connector.Start { return r.begins }

// Splits implements connector.Lister.
func (r *reader) Splits(ctx context.Context) (out []connector.Split, err error) {
	if r.cl == nil {
		return r.src.Splits(ctx)
	}
	err = r.src.cluster.bounded(ctx, r.watch, func(ctx context.Context) error {
		out, err = r.src.list(ctx, kadm.NewClient(r.cl))
		return err
	})
	return out, err
}

func (r *reader) finished() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.order {
		if !p.done() {
			return false
		}
	}
	return true
}

func (r *reader) poll(ctx context.Context) error {
	fetches := r.cl.PollFetches(ctx)
	if ctx.Err() != nil && fetches.Empty() {
		return ctx.Err()
	}
	var failed error
	fetches.EachError(func(_ string, p int32, err error) {
		var lost *kgo.ErrDataLoss
		if failed != nil || errors.As(err, &lost) && r.src.lossy || ctx.Err() != nil {
			return
		}
		e := *pgerror.From(r.src.translate(err, r.watch))
		if e.Detail == "" && p >= 0 {
			e.Detail = "Reading partition " + strconv.Itoa(int(p)) + "."
		}
		failed = &e
	})
	if failed != nil {
		return failed
	}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		r.fetched = append(r.fetched, p.FetchPartition)
	})
	return nil
}

// take fills c from the first fetched partition and reports whether there is
// something to tell.
func (r *reader) take(c *connector.Chunk) bool {
	f := &r.fetched[0]
	r.mu.Lock()
	p := r.parts[f.Partition]
	r.mu.Unlock()
	n := min(len(f.Records), chunkRecords)
	recs := f.Records[:n]
	f.Records = f.Records[n:]
	if r.src.committed && f.LastStableOffset >= 0 {
		p.last = f.LastStableOffset
	} else {
		p.last = f.HighWatermark
	}
	before := p.next
	for i, rec := range recs {
		if p.end >= 0 && rec.Offset >= p.end {
			p.next = max(p.next, p.end)
			f.Records = nil
			break
		}
		p.next = rec.Offset + 1
		if !rec.Attrs.IsControl() {
			c.Records = append(c.Records, connector.Record{
				Key: rec.Key, Value: rec.Value, Position: rec.Offset, Timestamp: rec.Timestamp.UnixMicro(),
			})
			if len(rec.Headers) > 0 {
				c.Records[len(c.Records)-1].Headers = headers(rec.Headers)
			}
		}
		recs[i] = nil
	}
	// What retention removed after a bounded reader opened does not come.
	if p.end >= 0 && f.LogStartOffset >= p.end {
		p.next = max(p.next, p.end)
	}
	if len(f.Records) == 0 {
		*f = kgo.FetchPartition{}
		r.fetched = r.fetched[1:]
		if p.done() && r.cl != nil {
			r.cl.PauseFetchPartitions(map[string][]int32{r.src.topic: {p.split.Partition}})
		}
	}
	c.Split, c.Next, c.End = p.split, p.next, p.last
	return p.next != before
}

func headers(hs []kgo.RecordHeader) []connector.Header {
	out := make([]connector.Header, len(hs))
	for i, h := range hs {
		out[i] = connector.Header{Key: h.Key, Value: h.Value}
	}
	return out
}

// Add implements connector.Adder.
func (r *reader) Add(ctx context.Context, starts []connector.Start) error {
	more := make(map[int32]*partition, len(starts))
	if err := r.src.resolve(ctx, starts, more); err != nil {
		return err
	}
	if r.cl == nil {
		return pgerror.New(pgerror.InternalError, "kafka: a reader opened on nothing takes no more partitions")
	}
	assign := map[int32]kgo.Offset{}
	r.mu.Lock()
	for n, p := range more {
		if r.parts[n] == nil {
			r.parts[n] = p
			r.order = append(r.order, p)
			assign[n] = kgo.NewOffset().At(p.next)
		}
	}
	r.mu.Unlock()
	r.cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.src.topic: assign})
	return nil
}

// Acknowledge implements connector.Acknowledger: it commits the offsets to
// group.id, if there is one, for the sake of tools that show lag.
func (r *reader) Acknowledge(ctx context.Context, positions map[string]int64) error {
	if r.src.group == "" || r.cl == nil {
		return nil
	}
	offs := kadm.Offsets{}
	r.mu.Lock()
	for _, p := range r.order {
		if at, ok := positions[p.split.ID]; ok {
			offs.AddOffset(r.src.topic, p.split.Partition, at, -1)
		}
	}
	r.mu.Unlock()
	return r.src.cluster.bounded(ctx, r.watch, func(ctx context.Context) error {
		return kadm.NewClient(r.cl).CommitAllOffsets(ctx, r.src.group, offs)
	})
}

// State implements connector.Stater.
func (r *reader) State() error {
	if r.watch == nil {
		return nil
	}
	if err := r.watch.last(); err != nil {
		return r.src.translate(err, r.watch)
	}
	return nil
}

// Close implements connector.Reader.
func (r *reader) Close() error {
	if r.cl != nil {
		r.cl.Close()
	}
	return nil
}
