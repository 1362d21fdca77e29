package binder

import (
	"slices"
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
	// timeout is that of ON WINDOW CLOSE, µs, 0: none; timeoutAt its position.
	timeout   int64
	timeoutAt int
	given     bool
	late      plan.LateRows
	// lateAt is the position where a strategy for late rows is said, 0: none known; lateGiven that
	// it is said, windowed that a time window was bound, which tells which rows are late.
	lateAt              int
	lateGiven, windowed bool
}

// lateRetention is how long windows are corrected when nothing is said.
const lateRetention = 3600 * types.MicrosPerSecond

// bindLate reads LATE ROWS, or the option late.data.strategy in its place.
func (b *Binder) bindLate(q *ast.Query) error {
	s := b.Late.Strategy
	b.emit.lateAt = b.Late.Pos
	if q.Late != nil {
		s, b.emit.lateAt = q.Late.Strategy, b.pos(q.Late.Pos())
	}
	b.emit.lateGiven = s != ""
	switch strings.ToLower(s) {
	case "", "drop":
	case "include_in_next":
		b.emit.late = plan.LateNext
	case "update_previous":
		b.emit.late = plan.LateUpdate
	case "dead_letter":
		if !b.Late.Letters {
			return b.lateUnsupported("late rows as dead letters are not supported here").
				WithHint("Statements that make a stream, table or materialized view of a query have a place for them.")
		}
		b.emit.late = plan.LateLetters
	default:
		return pgerror.New(pgerror.InvalidParameterValue, "unknown strategy for late rows: %q", s).
			WithHint("There are drop, dead_letter, include_in_next and update_previous.").At(b.emit.lateAt)
	}
	if b.Late.Retention > 0 && b.emit.late != plan.LateUpdate {
		return pgerror.New(pgerror.InvalidParameterValue, "late.data.retention needs LATE ROWS update_previous").At(b.Late.RetentionPos)
	}
	return nil
}

// lateUnsupported refuses what is asked for late rows, where it is asked.
func (b *Binder) lateUnsupported(format string, args ...any) *pgerror.Error {
	return pgerror.Unsupported(format, args...).At(b.emit.lateAt)
}

// lateRows makes n do with late rows what the query says.
func (k *block) lateRows(n *plan.Aggregate) error {
	late, w := k.b.emit.late, k.window
	switch {
	case late == plan.LateDrop || late == plan.LateLetters || n.WindowEnd < 0:
		n.Late = plan.LateDrop
		return nil
	case w == nil:
		return k.b.lateUnsupported("late rows of window functions in FROM other than dropped ones are not supported").
			WithHint("Write the window as a WINDOW clause or in GROUP BY.")
	case w.kind == plan.Session:
		return k.b.lateUnsupported("late rows of session windows other than dropped ones are not supported")
	}
	n.Late = late
	if late == plan.LateUpdate {
		if n.Retention = k.b.Late.Retention; n.Retention == 0 {
			n.Retention = lateRetention
		}
		return nil
	}
	if w.kind != plan.Tumbling {
		return k.b.lateUnsupported("LATE ROWS include_in_next of other than tumbling windows is not supported")
	}
	n.Window = w.node.Spec
	n.WindowStart = k.addGroup(w.startRef(), nil)
	return nil
}

// checkLate refuses a strategy for late rows that nothing in p keeps to: rows are late for time
// windows, and where they are dropped, for joins.
func (b *Binder) checkLate(p plan.Logical) error {
	kept := b.emit.windowed || joins(p)
	if b.emit.late != plan.LateDrop && b.emit.late != plan.LateLetters {
		kept = keepsLate(p, b.emit.late)
	}
	if !b.emit.lateGiven || kept {
		return nil
	}
	return b.lateUnsupported("a strategy for late rows needs a time window with groups").
		WithHint("Add a window such as WINDOW TUMBLING(1m) and GROUP BY, or leave the strategy out.")
}

// keepsLate reports that an aggregate of p does with late rows what late says.
func keepsLate(p plan.Logical, late plan.LateRows) bool {
	if a, ok := p.(*plan.Aggregate); ok && a.Late == late {
		return true
	}
	return slices.ContainsFunc(p.Inputs(), func(in plan.Logical) bool { return keepsLate(in, late) })
}

// joins reports that p joins.
func joins(p plan.Logical) bool {
	if _, ok := p.(*plan.Join); ok {
		return true
	}
	return slices.ContainsFunc(p.Inputs(), joins)
}

// nestedClauses refuses what only the end of a whole statement may say, which b.end is. Stored
// queries (without a text) are past that.
func (b *Binder) nestedClauses(q *ast.Query) error {
	if q == b.end || b.SQL == "" {
		return nil
	}
	if q.Emit != nil {
		return b.missing(q.Emit, "EMIT is not supported here").WithHint("Write it at the end of a statement that is a query or makes a relation of one.")
	}
	if q.Late != nil {
		return b.missing(q.Late, "LATE ROWS is not supported here").WithHint("Write it at the end of a statement that is a query or makes a relation of one.")
	}
	if len(q.Options) > 0 {
		return b.missing(q.Options[0], "WITH (…) options are not supported here").WithHint("Write them at the end of a statement that is a query or makes a relation of one.")
	}
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
		var err error
		if b.emit.timeout, err = b.positive(e.Timeout, "the timeout"); err != nil {
			return err
		}
		b.emit.timeoutAt = b.pos(e.Timeout.Pos())
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
	if b.emit.timeout > 0 && !windowed && !b.emit.windowed {
		return pgerror.New(pgerror.InvalidParameterValue, "TIMEOUT needs a time window").
			WithHint("Add a window such as WINDOW TUMBLING(1m).").At(b.emit.timeoutAt)
	}
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
