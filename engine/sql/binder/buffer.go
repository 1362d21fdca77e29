package binder

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// maxBuffer is how many rows ROWS WINDOW BUFFER may hold.
const maxBuffer = 1_000_000

// bufferFrame makes the frame of ROWS WINDOW BUFFER n ROWS: what the frame clause says of
// the last n rows, the current one among them.
func (b *Binder) bufferFrame(c *plan.OverCall, f *plan.Frame, s *ast.WindowSpec) error {
	buf := s.Buffer
	switch {
	case buf.EmitFull:
		return b.missing(buf, "EMIT ON BUFFER FULL is not supported").WithHint("EMIT EVERY RECORD gives a row for each row.")
	case buf.ExpireAfter != nil:
		return b.missing(buf.ExpireAfter, "EXPIRE AFTER an interval is not supported").WithHint("EXPIRE AFTER NEVER is.")
	}
	x, err := b.expr(buf.Rows, &context{clause: "ROWS WINDOW BUFFER"})
	if err != nil {
		return err
	}
	if x, err = b.castTo(x, types.Int8, false, leftmost(buf.Rows)); err != nil {
		return err
	}
	k, ok := expr.Fold(x).(*expr.Const)
	if !ok || k.Value.Null || k.Value.I < 1 || k.Value.I > maxBuffer {
		return pgerror.New(pgerror.InvalidParameterValue, "the buffer must have 1 to %d rows", maxBuffer).At(b.pos(leftmost(buf.Rows)))
	}
	before := k.Value.I - 1
	switch {
	case c.Name == "lag":
		return b.bufferLag(c, before, buf)
	case !c.Aggregate && c.Name != "first_value" && c.Name != "last_value" && c.Name != "nth_value":
		return b.missing(buf, "%s over ROWS WINDOW BUFFER is not supported", c.Name)
	case s.Frame == nil:
		f.Mode = plan.FrameRows
		f.Start = plan.FrameBound{Kind: plan.UnboundedPreceding}
		f.End = plan.FrameBound{Kind: plan.CurrentRow}
	case f.Mode != plan.FrameRows || !f.Preceding():
		return b.missing(s.Frame, "this frame over ROWS WINDOW BUFFER is not supported").
			WithHint("ROWS frames that end at the current row or before it are.")
	}
	f.Start = bounded(f.Start, before)
	return nil
}

// bounded is the start of a frame that goes back no further than before rows.
func bounded(s plan.FrameBound, before int64) plan.FrameBound {
	limit := plan.FrameBound{Kind: plan.OffsetPreceding, Offset: &expr.Const{Value: types.IntDatum(before), T: types.Int8}}
	if s.Kind == plan.UnboundedPreceding {
		return limit
	}
	if k, ok := s.Offset.(*expr.Const); s.Kind == plan.OffsetPreceding && (!ok || !k.Value.Null && k.Value.I > before) {
		return limit
	}
	return s
}

// bufferLag refuses lag beyond the buffer, where it is NULL for every row.
func (b *Binder) bufferLag(c *plan.OverCall, before int64, buf *ast.RowsBuffer) error {
	by := int64(1)
	if len(c.Args) > 1 {
		k, ok := expr.Fold(c.Args[1]).(*expr.Const)
		if !ok || k.Value.Null {
			return b.missing(buf, "lag over ROWS WINDOW BUFFER needs a constant offset")
		}
		by = k.Value.I
	}
	if by < 0 || by > before {
		return pgerror.New(pgerror.InvalidParameterValue, "lag looks %d rows back, beyond the buffer of %d rows", by, before+1).At(b.pos(buf.Pos()))
	}
	return nil
}
