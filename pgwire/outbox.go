package pgwire

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flushSize  = 64 << 10         // bytes gathered before a write
	flushDelay = time.Millisecond // how long a row may wait for company
	notifyMax  = 1 << 20          // bytes of unasked messages that may wait for a slow client
	spareMax   = 4 * flushSize    // larger buffers are left to the collector
)

// outBuffers holds the write buffers of idle connections' past. A buffer is
// taken with the first byte of an answer and given back when all is sent, so
// an idle connection has none.
type outBuffers struct{ pool sync.Pool }

func (p *outBuffers) get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, flushSize+flushSize/4)
}

func (p *outBuffers) put(b []byte) {
	if cap(b) >= flushSize && cap(b) <= spareMax {
		p.pool.Put(&b)
	}
}

// outbox gathers what goes to one client and writes it when 64 KiB are full,
// when the session says so, or flushDelay after the first waiting byte.
//
//	session goroutine ── lock, append to buf, unlock ──┐
//	timer goroutine   ── lock, flush, unlock ──────────┼─> connection
//	any goroutine     ── push to pending, arm ─────────┘
//
// A write to a slow client happens under mu and so stops the session and the
// timer of this connection, nothing else: push takes only pmu.
type outbox struct {
	nc      net.Conn
	buffers *outBuffers
	sent    *atomic.Int64 // bytes, for the metrics
	onError func(error)   // the connection broke while writing

	mu  sync.Mutex
	buf []byte
	err error

	pmu       sync.Mutex
	pending   []byte
	gone      bool // nobody will take what is pushed
	hasPushed atomic.Bool

	tmu    sync.Mutex
	timer  *time.Timer
	armed  bool
	closed bool
	firing sync.WaitGroup
}

// lock begins a stretch of appends to o.buf by the session. Unasked messages
// that wait are put before them.
func (o *outbox) lock() {
	o.mu.Lock()
	if o.buf == nil {
		o.buf = o.buffers.get()
	}
	if o.hasPushed.Load() {
		o.takePending()
	}
}

func (o *outbox) unlock() { o.mu.Unlock() }

// takePending moves the waiting unasked messages to buf. REQUIRES: mu.
func (o *outbox) takePending() {
	o.pmu.Lock()
	o.buf = append(o.buf, o.pending...)
	o.pending = nil
	o.hasPushed.Store(false)
	o.pmu.Unlock()
}

// write sends all of buf. REQUIRES: mu. After an error nothing is kept.
func (o *outbox) write() {
	if len(o.buf) == 0 {
		return
	}
	if o.err == nil {
		_, o.err = o.nc.Write(o.buf)
		if o.err != nil {
			o.onError(o.err)
		} else {
			o.sent.Add(int64(len(o.buf)))
		}
	}
	if cap(o.buf) > spareMax {
		o.buf = o.buffers.get()
	}
	o.buf = o.buf[:0]
}

// flush sends what waits and gives the buffer back: neither an idle session
// nor an endless query without news holds one.
func (o *outbox) flush() {
	o.disarm()
	o.flushAll()
}

func (o *outbox) flushAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hasPushed.Load() {
		o.takePending()
	}
	o.write()
	if o.buf != nil {
		o.buffers.put(o.buf)
		o.buf = nil
	}
}

// flushSoon sees to it that what waits now is sent within flushDelay.
func (o *outbox) flushSoon() {
	o.mu.Lock()
	waiting := len(o.buf) > 0
	o.mu.Unlock()
	if waiting {
		o.arm()
	}
}

// push queues an unasked message, safe from any goroutine and without waiting
// for the client. It reports false when too much waits already.
func (o *outbox) push(appendTo func([]byte) []byte) bool {
	o.pmu.Lock()
	if o.gone || len(o.pending) > notifyMax {
		defer o.pmu.Unlock()
		return o.gone
	}
	o.pending = appendTo(o.pending)
	o.hasPushed.Store(true)
	o.pmu.Unlock()
	o.arm()
	return true
}

func (o *outbox) arm() {
	o.tmu.Lock()
	defer o.tmu.Unlock()
	if o.armed || o.closed {
		return
	}
	o.armed = true
	o.firing.Add(1)
	if o.timer == nil {
		o.timer = time.AfterFunc(flushDelay, o.fire)
	} else {
		o.timer.Reset(flushDelay)
	}
}

func (o *outbox) disarm() {
	o.tmu.Lock()
	if o.armed && o.timer.Stop() {
		o.armed = false
		o.firing.Done()
	}
	o.tmu.Unlock()
}

// fire is the timer's goroutine.
func (o *outbox) fire() {
	defer o.firing.Done()
	o.tmu.Lock()
	o.armed = false
	o.tmu.Unlock()
	o.flushAll()
}

// close ends the timer and waits for its goroutine. REQUIRES: the connection
// is closed, so that a write under way returns.
func (o *outbox) close() {
	o.tmu.Lock()
	o.closed = true
	if o.armed && o.timer.Stop() {
		o.armed = false
		o.firing.Done()
	}
	o.tmu.Unlock()
	o.firing.Wait()
	o.pmu.Lock()
	o.gone, o.pending = true, nil
	o.pmu.Unlock()
	o.mu.Lock()
	if o.buf != nil {
		o.buffers.put(o.buf)
		o.buf = nil
	}
	o.mu.Unlock()
}
