package operator

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is the state of the process's memory, of which budgets depend: as the
// live heap nears the limit all budgets shrink together, so that the operators
// that keep most write it out to their tables or, without tables, end with
// 53200, while small ones go on. Thus any number of queries and jobs stays
// within the machine. Safe for concurrent use; nil means no limit.
//
//	budget  1 ┤────────────╮
//	          │             ╲
//	     1/16 ┤              ╰──────
//	          └────────────┬──┬────── live heap / limit
//	                      0.4 0.7
//
// The live heap is what the last collection left. The runtime collects before
// the heap doubles and before it passes its own limit (debug.SetMemoryLimit),
// so 0.4 of that limit may be twice as much by the time it is noticed.
type Memory struct {
	limit int64
	parts atomic.Int64 // sixteenths of a budget that may be used
	stop  chan struct{}
	// collecting is held by the one that collects garbage.
	collecting sync.Mutex
	done       sync.WaitGroup
}

const (
	memoryTick  = 20 * time.Millisecond
	memoryParts = 16
	// budgetMin is what a budget never shrinks below: a small query always runs.
	budgetMin = 1 << 20
)

// WatchMemory watches the heap until Close. limit is in bytes.
func WatchMemory(limit int64) *Memory {
	m := &Memory{limit: limit, stop: make(chan struct{})}
	m.parts.Store(memoryParts)
	m.done.Go(m.watch)
	return m
}

// Close ends the watching.
func (m *Memory) Close() {
	close(m.stop)
	m.done.Wait()
}

func (m *Memory) watch() {
	tick := time.NewTicker(memoryTick)
	defer tick.Stop()
	for {
		m.measure()
		select {
		case <-m.stop:
			return
		case <-tick.C:
		}
	}
}

func (m *Memory) measure() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	m.parts.Store(partsOf(int64(sample[0].Value.Uint64()), m.limit))
}

// collect collects garbage. One after another: when a query ends for want of
// memory, the next that comes finds what it has left, and need not end too.
func (m *Memory) collect() {
	m.collecting.Lock()
	defer m.collecting.Unlock()
	runtime.GC()
	m.measure()
}

// partsOf is how many sixteenths of their budgets operators may use.
func partsOf(live, limit int64) int64 {
	lo, hi := limit*4/10, limit*7/10
	switch {
	case live <= lo:
		return memoryParts
	case live >= hi:
		return 1
	}
	return 1 + (memoryParts-1)*(hi-live)/(hi-lo)
}

// budget is what one operator may keep, in bytes, at present.
type budget struct {
	bytes  int64
	memory *Memory
}

func (b budget) now() int64 {
	if b.memory == nil {
		return b.bytes
	}
	p := b.memory.parts.Load()
	if p == memoryParts {
		return b.bytes
	}
	return max(b.bytes/memoryParts*p, min(b.bytes, budgetMin))
}

// half is for what shares a budget with as much again.
func (b budget) half() budget { return budget{b.bytes / 2, b.memory} }

// exceeded is the error of an operator that keeps n bytes, beyond its budget, and
// has no table to spill to. nil: it may go on, because what was short is free
// again.
func (b budget) exceeded(what string, n int64) error {
	if n > b.bytes {
		return outOfMemory(what, b.bytes)
	}
	if b.memory != nil {
		b.memory.collect()
	}
	if now := b.now(); n > now {
		return memoryShort(what, now)
	}
	return nil
}
