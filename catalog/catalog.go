// Package catalog knows what exists: schemas, relations, roles. Readers take
// an immutable Snapshot once per statement and work on that value; writers
// hand changes to Apply, which is a compare-and-swap on the snapshot's version
// and durable before it returns, but for what is temporary (temporary.go). A dry run
// is Snapshot.With, never stored.
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
	mu      sync.Mutex // serialises Apply, guards what is below
	watch   map[int]chan struct{}
	nextID  int
	publish func(*Snapshot)
	// behind are changes that are durable elsewhere and that store does not have
	// yet; it must have them before others.
	behind *Redo
	// stored is the version of the store, whose changes are fewer than those of
	// snapshots: what is temporary is not among them. kept says how large it is.
	stored uint64
	kept   kept
}

// Open reads all records from store. redo, if there is one, is the last change
// that was made durable with rows of a transaction (Transact): the store gets it
// now, where a crash came between.
func Open(ctx context.Context, store Store, redo []byte) (*Catalog, error) {
	version, records, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	if len(redo) > 0 {
		r, err := decodeRedo(redo)
		if err != nil {
			return nil, err
		}
		if r.Base == version {
			if version, err = store.Append(ctx, version, r.bytes()); err != nil {
				return nil, fmt.Errorf("catalog: %w", err)
			}
			records = append(records, r.bytes()...)
		}
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
	c := &Catalog{store: store, watch: map[int]chan struct{}{}, stored: version}
	c.kept.add(records)
	c.shrink(ctx, s)
	c.current.Store(s)
	return c, nil
}

// Snapshot returns what exists now.
func (c *Catalog) Snapshot() *Snapshot { return c.current.Load() }

// Publish makes f hear of each new snapshot before anybody can see it, so that
// what reads by it is told first. To be called before the first change.
func (c *Catalog) Publish(f func(next *Snapshot)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publish = f
}

// Settle waits until a change that is being made is visible everywhere.
func (c *Catalog) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// Apply makes changes to base, all or none. It fails with ErrConflict when base
// is no longer current, and with what With reports when a change does not fit.
func (c *Catalog) Apply(ctx context.Context, base *Snapshot, changes ...Change) (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, records, err := c.prepare(ctx, base, changes)
	if err != nil {
		return nil, err
	}
	if err := c.append(ctx, c.stored, records); err != nil {
		return nil, err
	}
	c.show(next)
	c.shrink(ctx, next)
	return next, nil
}

// Transact is Apply of changes that are one with something else: commit makes
// redo (nil: nothing of the changes is stored), and that, durable in one step, and next
// visible to those who read it; its error is Transact's, and nothing has changed. Once it has returned nil the
// changes are made, whatever happens: a store that fails gets them before the next
// change, or from redo when it is opened again.
func (c *Catalog) Transact(ctx context.Context, base *Snapshot, changes []Change, commit func(next *Snapshot, redo []byte) error) (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, records, err := c.prepare(ctx, base, changes)
	if err != nil {
		return nil, err
	}
	var r *Redo
	var redo []byte
	if len(records) > 0 {
		r = newRedo(c.stored, records)
		if redo, err = r.encode(); err != nil {
			return nil, err
		}
	}
	if err := commit(next, redo); err != nil {
		return nil, err
	}
	c.show(next)
	c.behind = r
	// Not under ctx: it is done. What fails here is reported by the next change.
	if ctx := context.WithoutCancel(ctx); c.catchUp(ctx) == nil {
		c.shrink(ctx, next)
	}
	return next, nil
}

// prepare is the snapshot after changes, and their records. REQUIRES: c.mu is
// held.
func (c *Catalog) prepare(ctx context.Context, base *Snapshot, changes []Change) (*Snapshot, [][]byte, error) {
	if err := c.catchUp(ctx); err != nil {
		return nil, nil, err
	}
	if c.current.Load() != base {
		return nil, nil, ErrConflict
	}
	next, err := base.With(changes...)
	if err != nil {
		return nil, nil, err
	}
	next.Version = base.Version + 1
	records, err := encodeAll(lasting(base, changes))
	return next, records, err
}

// append stores records on top of version base, none being nothing to store.
// REQUIRES: c.mu is held.
func (c *Catalog) append(ctx context.Context, base uint64, records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	version, err := c.store.Append(ctx, base, records)
	if err != nil {
		return err
	}
	c.stored = version
	c.kept.add(records)
	return nil
}

// catchUp gives the store what it lacks. REQUIRES: c.mu is held.
func (c *Catalog) catchUp(ctx context.Context) error {
	if c.behind == nil {
		return nil
	}
	if err := c.append(ctx, c.behind.Base, c.behind.bytes()); err != nil {
		return err
	}
	c.behind = nil
	return nil
}

// show makes next the current snapshot. REQUIRES: c.mu is held.
func (c *Catalog) show(next *Snapshot) {
	if c.publish != nil {
		c.publish(next)
	}
	c.current.Store(next)
	for _, w := range c.watch {
		select {
		case w <- struct{}{}:
		default:
		}
	}
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
