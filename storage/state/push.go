package state

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// pushesMax is how many pushes may wait for the disk; Commit waits for one of
// them when there are more.
const pushesMax = 256

// pusher sees to it that a commit without fsync outlives the process. Pebble
// keeps the last block of its log in memory until it is full or an fsync is
// asked for, so that kill -9 takes back what readers have seen. push asks for
// that fsync without waiting for it: Pebble hands the block to the operating
// system at once, and fsyncs no more often than Options.PushInterval. push waits
// for the former: it writes a mark behind what is to be kept, and the fence,
// through which all writes go, tells when the mark has passed.
//
// Its goroutine gives back what Pebble needs until the fsync is done.
type pusher struct {
	db    *pebble.DB
	marks *marks
	reap  chan *pebble.Batch
	done  sync.WaitGroup
}

func newPusher(db *pebble.DB, m *marks) *pusher {
	p := &pusher{db: db, marks: m, reap: make(chan *pebble.Batch, pushesMax)}
	p.done.Go(func() {
		for b := range p.reap {
			// A log that cannot be written is the fence's to report.
			_ = b.SyncWait()
			_ = b.Close()
		}
	})
	return p
}

// push hands all commits so far to the operating system.
func (p *pusher) push() error {
	b := p.db.NewBatch()
	n, mark := p.marks.next()
	if err := b.LogData(mark, nil); err != nil {
		return err
	}
	if err := p.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	p.reap <- b
	p.marks.wait(n)
	return nil
}

// close waits for the fsyncs that were asked for. REQUIRES: no push is under way.
func (p *pusher) close() {
	close(p.reap)
	p.done.Wait()
}

// marks are numbered places in a log. Safe for concurrent use.
type marks struct {
	magic [16]byte // begins each; random, so that nothing else looks like it

	mu      sync.Mutex
	made    uint64
	written uint64
	moved   sync.Cond // written has grown
}

func newMarks() *marks {
	m := &marks{}
	m.moved.L = &m.mu
	_, _ = rand.Read(m.magic[:]) // does not fail
	return m
}

// next returns a new mark, and its number. It holds the same thing twice,
// because a block of the log may end within it, which takes one of the two apart.
func (m *marks) next() (n uint64, mark []byte) {
	m.mu.Lock()
	m.made++
	n = m.made
	m.mu.Unlock()
	for range 2 {
		mark = binary.BigEndian.AppendUint64(append(mark, m.magic[:]...), n)
	}
	return n, mark
}

// last is the number of the last mark in p, 0: it has none. Later marks lie
// behind earlier ones.
func (m *marks) last(p []byte) uint64 {
	n := uint64(0)
	for {
		i := bytes.Index(p, m.magic[:])
		if i < 0 || i+len(m.magic)+8 > len(p) {
			return n
		}
		p = p[i+len(m.magic):]
		n = max(n, binary.BigEndian.Uint64(p))
	}
}

// advance notes that all marks up to number to are written.
func (m *marks) advance(to uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to > m.written {
		m.written = to
		m.moved.Broadcast()
	}
}

// free ends all waiting, now and later.
func (m *marks) free() { m.advance(math.MaxUint64) }

// wait waits until mark n is written.
func (m *marks) wait(n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.written < n {
		m.moved.Wait()
	}
}
