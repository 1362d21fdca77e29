package binder

import (
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
}

// bindEmit reads the EMIT clause; without one the default depends on the
// query: windows give their rows when they close, unless it is for a view.
func (b *Binder) bindEmit(q *ast.Query) error {
	if q.Late != nil && q.Late.Strategy != "drop" {
		return b.missing(q.Late, "LATE ROWS %s is not supported", q.Late.Strategy)
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
		if b.emit.given && b.emit.mode == plan.EmitFinal && b.Continuous && grouped {
			return pgerror.New(pgerror.FeatureNotSupported, "EMIT FINAL without a time window never gives a row on unbounded input").
				WithHint("Add a window such as WINDOW TUMBLING(1m), or use EMIT CHANGES.").At(b.pos(q.Emit.Pos()))
		}
		if !b.emit.given {
			b.emit.mode = plan.EmitChanges
		}
	}
	return nil
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
