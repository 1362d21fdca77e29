package job

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"velostream/catalog"
	"velostream/pgwire/pgerror"
	"velostream/storage/log"
	"velostream/storage/state"
)

// A named subscription is a stream of the changes of its input, whose log is
// kept for a time, and a position in it that its reader acknowledged.

// feedPoll is how often a reader looks whether what it waits for is durable by
// now: only durable changes are delivered, so that none is ever taken back.
const feedPoll = 50 * time.Millisecond

// acknowledged is where the reader of a subscription is.
type acknowledged struct {
	Position uint64    `json:"position"`
	At       time.Time `json:"at"`
}

func feedKey(id uint32, what uint16) []byte { return state.Prefix(id, feedTable, what) }

// feedFloor is the newest deleted epoch of a subscription, 0 of all else.
func feedFloor(s state.Reader, r *catalog.Relation) uint64 {
	if r.Subscription == nil {
		return 0
	}
	b, err := s.Get(feedKey(r.ID, 1))
	if err != nil || len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func putFeedFloor(b state.Batch, id uint32, floor uint64) {
	b.Put(feedKey(id, 1), binary.BigEndian.AppendUint64(nil, floor))
}

// FeedInfo is where a subscription is.
type FeedInfo struct {
	Position       uint64 // acknowledged; valid if Acknowledged is set
	Acknowledged   time.Time
	Oldest, Newest uint64 // epochs that are kept
	State          State
}

// Feed says where the subscription id is.
func (m *Manager) Feed(id uint32) (FeedInfo, error) {
	j := m.Job(id)
	if j == nil {
		return FeedInfo{}, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id)
	}
	f := FeedInfo{Oldest: j.log.Truncated() + 1, Newest: j.log.Persisted(), State: j.Info().State}
	b, err := m.store.Get(feedKey(id, 0))
	if err != nil || b == nil {
		return f, err
	}
	var a acknowledged
	if err := json.Unmarshal(b, &a); err != nil {
		return f, pgerror.New(pgerror.DataCorrupted, "position of subscription %d cannot be read: %v", id, err).WithCause(err)
	}
	f.Position, f.Acknowledged = a.Position, a.At
	return f, nil
}

// Acknowledge makes durable that the reader of subscription id has dealt with
// everything up to position. It never goes back.
func (m *Manager) Acknowledge(id uint32, position uint64) error {
	m.feeds.Lock()
	defer m.feeds.Unlock()
	f, err := m.Feed(id)
	if err != nil || (f.Position >= position && !f.Acknowledged.IsZero()) {
		return err
	}
	v, err := json.Marshal(acknowledged{position, time.Now()})
	if err != nil {
		return err
	}
	b := m.store.NewBatch()
	b.Put(feedKey(id, 0), v)
	return m.store.Commit(b, true)
}

// FeedReader goes through the changes of a subscription. For one goroutine. It
// holds nothing back: what it does not read in time is gone.
type FeedReader struct {
	job    *Job
	reader *log.Reader
	wake   chan struct{}
}

// OpenFeed reads the subscription id from after the epoch position on. Close
// must be called.
func (m *Manager) OpenFeed(id uint32, position uint64) (*FeedReader, error) {
	j := m.Job(id)
	if j == nil {
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id).
			WithHint("SHOW JOBS shows what runs.")
	}
	f := &FeedReader{job: j, wake: make(chan struct{}, 1)}
	f.reader = j.log.NewReader(position, []uint32{id}, func() {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	})
	f.reader.Loosen()
	return f, nil
}

// TryNext returns durable changes, none if none are at hand.
func (f *FeedReader) TryNext() ([]Changes, error) {
	entries, err := f.reader.Next(f.job.log.Persisted())
	switch {
	case errors.Is(err, log.ErrBehind):
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "changes of subscription %q are no longer kept", f.job.relation().Name).
			WithDetail("They are older than its retention.").
			WithHint("Begin again with FULL, which gives the present content first.")
	case err != nil:
		return nil, err
	}
	var out []Changes
	for _, e := range entries {
		c := Changes{Seq: e.Seq, Time: e.Time}
		for _, ch := range e.Changes {
			c.Batches = append(c.Batches, ch.Batch)
		}
		out = append(out, c)
	}
	return out, nil
}

// Wait waits until TryNext may have something, or ctx ends.
func (f *FeedReader) Wait(ctx context.Context) error {
	t := time.NewTimer(feedPoll)
	defer t.Stop()
	idle := t.C
	if f.reader.Pos() >= f.job.log.Last() {
		idle = nil // nothing that could become durable
	}
	select {
	case <-f.wake:
	case <-idle:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// Close ends reading.
func (f *FeedReader) Close() { f.reader.Close() }
