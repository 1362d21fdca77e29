package query

import (
	"iter"
	"time"

	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/spool"
	"velostream/storage/state"
)

// Measure finds out what the nodes of a plan do while it runs: rows, and how long each
// takes. At any moment one node is at work, and the time goes to it. For the goroutine
// that pulls the rows.
type Measure struct {
	nodes  map[*plan.Physical]*work
	shared map[int]*work
	now    *work // nil: nobody, the client has the rows
	since  time.Time
	disk   *spool.Disk // nil: none
	before int64       // bytes on disk at since
}

// work is what a node has done so far.
type work struct {
	inputs      []*work
	rows, loops int64
	self        time.Duration
	disk        int64         // bytes written
	startup     time.Duration // of it and its inputs until its first row
	began       bool
}

// NewMeasure makes a Measure for a run of p.
func NewMeasure(p *plan.Physical) *Measure {
	m := &Measure{nodes: map[*plan.Physical]*work{}, shared: map[int]*work{}}
	m.add(p)
	return m
}

func (m *Measure) add(p *plan.Physical) *work {
	w := m.shared[p.Shared]
	if p.Shared == 0 || w == nil {
		w = &work{}
		for _, in := range p.Inputs {
			w.inputs = append(w.inputs, m.add(in))
		}
		if p.Shared != 0 {
			m.shared[p.Shared] = w
		}
	}
	m.nodes[p] = w
	return w
}

// Actual is what the node p did, its inputs' time included; nil: p is not of the plan.
func (m *Measure) Actual(p *plan.Physical) *plan.Actual {
	w := m.nodes[p]
	if w == nil {
		return nil
	}
	total := w.total()
	startup := w.startup
	if !w.began {
		startup = total
	}
	return &plan.Actual{Rows: w.rows, Loops: w.loops, Startup: startup, Total: total, Timing: true, Disk: w.disk}
}

func (w *work) total() time.Duration {
	d := w.self
	for _, in := range w.inputs {
		d += in.total()
	}
	return d
}

// same says that c is p rewritten while the plan runs.
func (m *Measure) same(c, p *plan.Physical) {
	if m != nil && m.nodes[p] != nil {
		m.nodes[c] = m.nodes[p]
	}
}

// enter gives the time from now on to w, and returns who had it.
func (m *Measure) enter(w *work) *work {
	now, written := time.Now(), int64(0)
	if m.disk != nil {
		written = m.disk.Written()
	}
	if m.now != nil {
		m.now.self += now.Sub(m.since)
		m.now.disk += written - m.before
	}
	was := m.now
	m.now, m.since, m.before = w, now, written
	return was
}

// gave counts rows that w, which is at work, gives.
func (m *Measure) gave(w *work, b *column.Batch) {
	w.rows += int64(b.Rows())
	if !w.began && b.Rows() > 0 {
		m.enter(w)
		w.began, w.startup = true, w.total()
	}
}

// scan measures the rows of a leaf.
func (m *Measure) scan(p *plan.Physical, rows iter.Seq2[*column.Batch, error]) iter.Seq2[*column.Batch, error] {
	if m == nil || m.nodes[p] == nil {
		return rows
	}
	w := m.nodes[p]
	return func(yield func(*column.Batch, error) bool) {
		w.loops++
		was := m.enter(w)
		defer func() { m.enter(was) }()
		for b, err := range rows {
			if err == nil {
				m.gave(w, b)
			}
			m.enter(was)
			ok := yield(b, err)
			m.enter(w)
			if !ok {
				return
			}
		}
	}
}

// root measures what reaches the client, whose own time is nobody's.
func (m *Measure) root(yield func(*column.Batch) error) func(*column.Batch) error {
	if m == nil {
		return yield
	}
	return func(b *column.Batch) error {
		was := m.enter(nil)
		defer m.enter(was)
		return yield(b)
	}
}

// operator is op, measured as the node p.
func (m *Measure) operator(p *plan.Physical, op dataflow.Operator) dataflow.Operator {
	if m == nil || m.nodes[p] == nil {
		return op
	}
	m.nodes[p].loops++
	return &measured{op: op, m: m, w: m.nodes[p]}
}

// measured is an operator whose work is measured.
type measured struct {
	op dataflow.Operator
	m  *Measure
	w  *work
}

func (o *measured) during(out dataflow.Output, f func(out dataflow.Output) error) error {
	was := o.m.enter(o.w)
	defer o.m.enter(was)
	return f(dataflow.OutputFunc(func(b *column.Batch) error {
		o.m.gave(o.w, b)
		return out.Emit(b)
	}))
}

// Process implements dataflow.Operator.
func (o *measured) Process(port int, in *column.Batch, out dataflow.Output) error {
	return o.during(out, func(out dataflow.Output) error { return o.op.Process(port, in, out) })
}

// Watermark implements dataflow.Operator.
func (o *measured) Watermark(w dataflow.Watermark, out dataflow.Output) error {
	return o.during(out, func(out dataflow.Output) error { return o.op.Watermark(w, out) })
}

// Barrier implements dataflow.Operator.
func (o *measured) Barrier(e state.Epoch, out dataflow.Output) error {
	return o.during(out, func(out dataflow.Output) error { return o.op.Barrier(e, out) })
}

// End implements dataflow.Ender.
func (o *measured) End(port int, out dataflow.Output) error {
	x, ok := o.op.(dataflow.Ender)
	if !ok {
		return nil
	}
	return o.during(out, func(out dataflow.Output) error { return x.End(port, out) })
}

// Done implements operator.Done.
func (o *measured) Done() bool {
	d, ok := o.op.(operator.Done)
	return ok && d.Done()
}
