package state

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// pushesMax is how many pushes may wait for the disk; Commit waits for one of
// them when there are more.
const pushesMax = 256

// pusher sees to it that a commit without fsync outlives the process. Pebble
// keeps the last block of its log in memory until it is full or an fsync is
// asked for, so that kill -9 takes back what readers have seen. push asks for
// that fsync without waiting for it: Pebble writes the block to the operating
// system at once, and fsyncs no more often than Options.PushInterval.
//
// Its goroutine gives back what Pebble needs until the fsync is done.
type pusher struct {
	db   *pebble.DB
	reap chan *pebble.Batch
	done sync.WaitGroup
}

func newPusher(db *pebble.DB) *pusher {
	p := &pusher{db: db, reap: make(chan *pebble.Batch, pushesMax)}
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
	if err := b.LogData(nil, nil); err != nil {
		return err
	}
	if err := p.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	p.reap <- b
	return nil
}

// close waits for the fsyncs that were asked for. REQUIRES: no push is under way.
func (p *pusher) close() {
	close(p.reap)
	p.done.Wait()
}
