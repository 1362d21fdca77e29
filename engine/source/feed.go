package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"velostream/engine/connector"
	"velostream/pgwire/pgerror"
)

// feed reads chunks ahead in a goroutine of its own.
//
//	free ──► Read ──► full ──► TryNext ──► free        (queued chunks go round)
//
// A second goroutine looks for new splits. Both end at close.
type feed struct {
	o     *Options
	ready chan struct{} // capacity 1
	free  chan *connector.Chunk

	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	full   []*connector.Chunk
	failed error // after full is used up
	reader connector.Reader
	next   map[string]connector.Start // where reading stands, by split ID
	down   error                      // why it is being tried again
}

func (f *feed) init(o *Options) {
	f.o = o
	f.ready = make(chan struct{}, 1)
	f.free = make(chan *connector.Chunk, queued)
	for range queued {
		f.free <- &connector.Chunk{}
	}
	f.next = map[string]connector.Start{}
}

func (f *feed) open(ctx context.Context, positions map[string]int64) error {
	splits, err := f.o.Connector.Splits(ctx)
	if err != nil {
		return err
	}
	for _, s := range splits {
		if f.o.Owns != nil && !f.o.Owns(s) {
			continue
		}
		at, ok := positions[s.ID]
		switch {
		case ok:
		case f.o.Resumed || len(positions) > 0:
			at = connector.Earliest
		default:
			at = connector.Unset
		}
		f.next[s.ID] = connector.Start{Split: s, Position: at}
	}
	return f.connect(ctx)
}

// run begins to read ahead. From here on next is ahead of what was handed out.
func (f *feed) run() {
	run, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	f.done.Go(func() { f.read(run) })
	if f.o.Discover >= 0 {
		f.done.Go(func() { f.discover(run) })
	}
}

// connect opens a reader on all splits where they stand.
func (f *feed) connect(ctx context.Context) error {
	r, err := f.o.Connector.Open(ctx, f.starts())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reader = r
	if b, ok := r.(connector.Beginner); ok {
		for _, st := range b.Begins() {
			f.next[st.Split.ID] = st
		}
	}
	return nil
}

// starts lists the splits and where reading stands, in order of their ids.
func (f *feed) starts() []connector.Start {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.next), func(a, b connector.Start) int {
		return cmp.Or(cmp.Compare(a.Split.Partition, b.Split.Partition), cmp.Compare(a.Split.ID, b.Split.ID))
	})
}

func (f *feed) current() connector.Reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reader
}

// read fills chunks until the source ends or is closed.
func (f *feed) read(ctx context.Context) {
	for {
		var c *connector.Chunk
		select {
		case c = <-f.free:
		case <-ctx.Done():
			return
		}
		for {
			err := f.current().Read(ctx, c)
			if err == nil {
				f.push(c)
				break
			}
			if ctx.Err() != nil {
				return
			}
			if errors.Is(err, io.EOF) || !passing(err) {
				f.fail(err)
				return
			}
			if err := f.again(ctx, err); err != nil {
				f.fail(err)
				return
			}
		}
	}
}

// passing reports whether trying again may help: connections come back, wrong
// names and refused rights do not.
func passing(err error) bool { return strings.HasPrefix(pgerror.Code(err), "08") }

// again reopens the reader with growing pauses.
func (f *feed) again(ctx context.Context, why error) error {
	r := f.o.Retry
	if r.Initial <= 0 {
		r.Initial = 200 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 10 * time.Second
	}
	if r.Multiplier < 1 {
		r.Multiplier = 2
	}
	_ = f.current().Close() // it failed already; why says how
	pause := r.Initial
	for n := 1; ; n++ {
		f.setDown(why)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		err := f.connect(ctx)
		if err == nil {
			f.setDown(nil)
			return nil
		}
		if !passing(err) || r.Attempts > 0 && n >= r.Attempts {
			return err
		}
		why = err
		pause = min(time.Duration(float64(pause)*r.Multiplier), r.Max)
	}
}

func (f *feed) setDown(err error) {
	f.mu.Lock()
	f.down = err
	f.mu.Unlock()
}

func (f *feed) state() error {
	f.mu.Lock()
	down, r := f.down, f.reader
	f.mu.Unlock()
	if down != nil {
		return down
	}
	if s, ok := r.(connector.Stater); ok {
		return s.State()
	}
	return nil
}

func (f *feed) push(c *connector.Chunk) {
	f.mu.Lock()
	f.full = append(f.full, c)
	f.next[c.Split.ID] = connector.Start{Split: c.Split, Position: c.Next}
	f.mu.Unlock()
	f.signal()
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	f.failed = err
	f.mu.Unlock()
	f.signal()
}

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// pop returns the next chunk, nil when there is none, or what ended reading.
func (f *feed) pop() (*connector.Chunk, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.full) == 0 {
		return nil, f.failed
	}
	c := f.full[0]
	f.full = append(f.full[:0], f.full[1:]...)
	return c, nil
}

func (f *feed) pending() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.full) > 0 || f.failed != nil
}

// recycle takes a chunk back. free has room for all chunks there are.
func (f *feed) recycle(c *connector.Chunk) { f.free <- c }

// discover looks for splits that are new and adds them to the reader.
func (f *feed) discover(ctx context.Context) {
	every := f.o.Discover
	if every == 0 {
		every = 10 * time.Second
	}
	gone := 0
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		adder, ok := f.current().(connector.Adder)
		if !ok {
			return
		}
		list := f.o.Connector.Splits
		if l, ok := adder.(connector.Lister); ok {
			list = l.Splits
		}
		splits, err := list(ctx)
		if err != nil {
			// Out of reach for a while is the reader's to deal with. What is
			// gone for good (a topic that was deleted) it may not notice.
			if ctx.Err() == nil && !passing(err) {
				if gone++; gone == 2 {
					f.fail(err)
					return
				}
			}
			continue
		}
		gone = 0
		var more []connector.Start
		f.mu.Lock()
		for _, s := range splits {
			if _, known := f.next[s.ID]; !known && (f.o.Owns == nil || f.o.Owns(s)) {
				more = append(more, connector.Start{Split: s, Position: connector.Earliest})
			}
		}
		f.mu.Unlock()
		if len(more) == 0 || adder.Add(ctx, more) != nil {
			continue
		}
		f.mu.Lock()
		for _, s := range more {
			if _, known := f.next[s.Split.ID]; !known {
				f.next[s.Split.ID] = s
			}
		}
		f.mu.Unlock()
	}
}

func (f *feed) close() error {
	if f.cancel == nil {
		return nil
	}
	f.cancel()
	f.done.Wait()
	return f.current().Close()
}
