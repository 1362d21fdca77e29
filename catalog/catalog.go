// Package catalog knows what exists: schemas, relations, roles. Readers take
// an immutable Snapshot once per statement and work on that value; writers
// hand changes to Apply, which is a compare-and-swap on the snapshot's version
// and durable before it returns. A dry run is Snapshot.With, never stored.
//
// The catalog starts and stops nothing: engine/job watches it and makes what
// runs agree with what is written here.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Store keeps catalog records; storage/meta is the local one. Plain types
// only, so that it may live anywhere.
type Store interface {
	// Load returns all records and the version they make.
	Load(ctx context.Context) (version uint64, records [][]byte, err error)
	// Append adds records on top of version base, durably; ErrConflict (in the
	// store's own wording) when the store has moved on.
	Append(ctx context.Context, base uint64, records [][]byte) (uint64, error)
}

// ErrConflict is returned by Apply when another change came first: take a new
// snapshot and try again.
var ErrConflict = errors.New("catalog: changed meanwhile")

// Catalog is the current snapshot and the way to change it. Safe for
// concurrent use.
type Catalog struct {
	store   Store
	current atomic.Pointer[Snapshot]
	mu      sync.Mutex // serialises Apply, guards watchers
	watch   map[int]chan struct{}
	nextID  int
}

// Open reads all records from store.
func Open(ctx context.Context, store Store) (*Catalog, error) {
	version, records, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	s := emptySnapshot()
	for _, r := range records {
		c, err := decodeChange(r)
		if err != nil {
			return nil, err
		}
		if err := s.change(c); err != nil { // in place: s is nobody else's yet
			return nil, fmt.Errorf("catalog: stored change: %w", err)
		}
	}
	s.Version = version
	c := &Catalog{store: store, watch: map[int]chan struct{}{}}
	c.current.Store(s)
	return c, nil
}

// Snapshot returns what exists now.
func (c *Catalog) Snapshot() *Snapshot { return c.current.Load() }

// Apply makes changes to base, all or none. It fails with ErrConflict when base
// is no longer current, and with what With reports when a change does not fit.
func (c *Catalog) Apply(ctx context.Context, base *Snapshot, changes ...Change) (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != base {
		return nil, ErrConflict
	}
	next, err := base.With(changes...)
	if err != nil {
		return nil, err
	}
	records := make([][]byte, len(changes))
	for i, ch := range changes {
		if records[i], err = encodeChange(ch); err != nil {
			return nil, err
		}
	}
	if next.Version, err = c.store.Append(ctx, base.Version, records); err != nil {
		return nil, err
	}
	c.current.Store(next)
	for _, w := range c.watch {
		select {
		case w <- struct{}{}:
		default:
		}
	}
	return next, nil
}

// Watch returns a channel that gets a value after changes (several changes may
// be one value), and a function that ends it.
func (c *Catalog) Watch() (changed <-chan struct{}, stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ch := c.nextID, make(chan struct{}, 1)
	c.nextID++
	c.watch[id] = ch
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watch, id)
	}
}
