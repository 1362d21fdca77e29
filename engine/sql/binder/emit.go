package binder

import (
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// emitSpec is when results leave.
type emitSpec struct {
	mode  plan.Emit
	delay int64 // µs
	every int64 // µs, 0: with each epoch
	given bool
	late  plan.LateRows
	// lateAt is where it is said, nil: nowhere.
	lateAt ast.Node
}

// lateRetention is how long windows are corrected when nothing is said.
const lateRetention = 3600 * types.MicrosPerSecond

// bindLate reads LATE ROWS, or the option late.data.strategy in its place.
func (b *Binder) bindLate(q *ast.Query) error {
	s := b.Late
	if q.Late != nil {
		s, b.emit.lateAt = q.Late.Strategy, q.Late
	}
	switch strings.ToLower(s) {
	case "", "drop":
	case "include_in_next":
		b.emit.late = plan.LateNext
	case "update_previous":
		b.emit.late = plan.LateUpdate
	case "dead_letter":
		return b.missing(b.emit.lateAt, "late rows as dead letters are not supported").
			WithHint("There are drop, include_in_next and update_previous.")
	default:
		return pgerror.New(pgerror.InvalidParameterValue, "unknown strategy for late rows: %q", s).
			WithHint("There are drop, include_in_next and update_previous.").At(b.pos(q.Late.Pos()))
	}
	return nil
}

// lateRows makes n do with late rows what the query says.
func (k *block) lateRows(n *plan.Aggregate) error {
	n.Late = k.b.emit.late
	w := k.window
	switch {
	case n.Late == plan.LateDrop:
		return nil
	case n.WindowEnd < 0 || w == nil:
		n.Late = plan.LateDrop
		return nil
	case w.kind == plan.Session:
		return k.b.missing(k.b.emit.lateAt, "late rows of session windows other than dropped ones are not supported")
	case n.Late == plan.LateUpdate:
		if n.Retention = k.b.LateRetention; n.Retention == 0 {
			n.Retention = lateRetention
		}
		return nil
	case w.kind != plan.Tumbling:
		return k.b.missing(k.b.emit.lateAt, "LATE ROWS include_in_next of other than tumbling windows is not supported")
	}
	n.Window = w.node.Spec
	n.WindowStart = k.addGroup(w.startRef(), nil)
	return nil
}

// bindEmit reads the EMIT clause; without one the default depends on the
// query: windows give their rows when they close, unless it is for a view.
func (b *Binder) bindEmit(q *ast.Query) error {
	if err := b.bindLate(q); err != nil {
		return err
	}
	e := q.Emit
	if e == nil {
		b.emit.mode = plan.EmitChanges
		if !b.View && b.Continuous {
			b.emit.mode = plan.EmitFinal
		}
		return nil
	}
	b.emit.given = true
	switch e.Mode {
	case ast.EmitChanges:
		b.emit.mode = plan.EmitChanges
	case ast.EmitFinal, ast.EmitWindowClose:
		b.emit.mode = plan.EmitFinal
	case ast.EmitEvery:
		b.emit.mode = plan.EmitChanges
		var err error
		if b.emit.every, err = b.positive(e.Every, "the interval of EMIT EVERY"); err != nil {
			return err
		}
	}
	if e.Timeout != nil {
		return b.missing(e.Timeout, "EMIT … TIMEOUT is not supported")
	}
	if e.Delay != nil {
		d, err := b.duration(e.Delay, "the delay")
		if err != nil {
			return err
		}
		if d < 0 {
			return pgerror.New(pgerror.InvalidParameterValue, "the delay must not be negative").At(b.pos(e.Delay.Pos()))
		}
		b.emit.delay = d
	}
	return nil
}

// checkEmit refuses EMIT FINAL where nothing ever becomes final, and settles
// what the query's mode is.
func (b *Binder) checkEmit(q *ast.Query, p plan.Logical) error {
	windowed, grouped := aggregates(p)
	if !windowed {
		if b.finalAtEnd() && !b.inputsEnd() && grouped {
			return pgerror.New(pgerror.FeatureNotSupported, "EMIT FINAL without a time window never gives a row on unbounded input").
				WithHint("Add a window such as WINDOW TUMBLING(1m), or use EMIT CHANGES.").At(b.pos(q.Emit.Pos()))
		}
		if !b.emit.given {
			b.emit.mode = plan.EmitChanges
		}
	}
	return nil
}

// finalAtEnd reports that a continuous query asks for results that are final, so that what is in
// no time window leaves at the end of its input.
func (b *Binder) finalAtEnd() bool {
	return b.emit.given && b.emit.mode == plan.EmitFinal && b.Continuous
}

// inputsEnd reports that all relations read come to an end.
func (b *Binder) inputsEnd() bool {
	for _, id := range b.inputs {
		if r := b.Snapshot.ByID(id); r == nil || !r.Ends {
			return false
		}
	}
	return len(b.inputs) > 0
}

// aggregates says whether p has windowed and other groupings.
func aggregates(p plan.Logical) (windowed, grouped bool) {
	if a, ok := p.(*plan.Aggregate); ok {
		windowed, grouped = a.WindowEnd >= 0, a.WindowEnd < 0
	}
	for _, in := range p.Inputs() {
		w, g := aggregates(in)
		windowed, grouped = windowed || w, grouped || g
	}
	return windowed, grouped
}
