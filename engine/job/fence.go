package job

import (
	"context"
	"sync"

	"velostream/storage/state"
)

// fence is one consistent read: all jobs it spans stop at the same commits,
// write what changed, and take a snapshot there.
//
// The commits are fixed under the lock of the native store (table.DB.Cut), in
// which moment the fence is also queued at every job: none can have gone
// beyond. A job that reads another learns that job's epoch from the fence, as
// soon as that job has passed it.
type fence struct {
	native uint64
	jobs   map[uint32]*passage
}

// passage is one job's way through a fence. seq, snap and err are set before
// done is closed.
type passage struct {
	done chan struct{}
	seq  uint64
	snap state.Snapshot
	err  error
	once sync.Once
}

func newFence(native uint64, jobs []*Job) *fence {
	f := &fence{native: native, jobs: map[uint32]*passage{}}
	for _, j := range jobs {
		f.jobs[j.id] = &passage{done: make(chan struct{})}
	}
	return f
}

// pass says that job id has passed the fence at epoch seq.
func (f *fence) pass(id uint32, seq uint64, snap state.Snapshot) {
	p := f.jobs[id]
	taken := false
	p.once.Do(func() {
		p.seq, p.snap, taken = seq, snap, true
		close(p.done)
	})
	if !taken {
		_ = snap.Close()
	}
}

// refuse says that job id won't pass the fence.
func (f *fence) refuse(id uint32, err error) {
	p := f.jobs[id]
	p.once.Do(func() {
		p.err = err
		close(p.done)
	})
}

// wait waits until all jobs have passed. On error the snapshots are freed.
func (f *fence) wait(ctx context.Context) error {
	var err error
	for id, p := range f.jobs {
		select {
		case <-p.done:
			if p.err != nil && err == nil {
				err = p.err
			}
		case <-ctx.Done():
			f.refuse(id, context.Cause(ctx))
			<-p.done
			if err == nil {
				err = context.Cause(ctx)
			}
		}
	}
	if err != nil {
		f.close()
	}
	return err
}

func (f *fence) close() {
	for _, p := range f.jobs {
		if p.snap != nil {
			_ = p.snap.Close()
		}
	}
}
