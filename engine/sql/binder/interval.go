package binder

import (
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// unitOf is the unit of a bare number before the fields of an interval.
var unitOf = map[ast.IntervalFields]string{
	ast.Year: " years", ast.Month: " months", ast.Day: " days", ast.Hour: " hours", ast.Minute: " minutes",
	ast.Second: " seconds", ast.YearToMonth: " months", ast.DayToHour: " hours", ast.DayToMinute: " minutes",
	ast.DayToSecond: " seconds", ast.HourToMinute: " minutes", ast.HourToSecond: " seconds", ast.MinuteToSecond: " seconds",
}

// fieldBits are the fields in the upper half of an interval's modifier
// (INTERVAL_MASK in PostgreSQL's datetime.h).
var fieldBits = map[ast.IntervalFields]int32{
	ast.Year: 1 << 2, ast.Month: 1 << 1, ast.Day: 1 << 3, ast.Hour: 1 << 10, ast.Minute: 1 << 11, ast.Second: 1 << 12,
	ast.YearToMonth: 1<<2 | 1<<1, ast.DayToHour: 1<<3 | 1<<10, ast.DayToMinute: 1<<3 | 1<<10 | 1<<11,
	ast.DayToSecond: 1<<3 | 1<<10 | 1<<11 | 1<<12, ast.HourToMinute: 1<<10 | 1<<11,
	ast.HourToSecond: 1<<10 | 1<<11 | 1<<12, ast.MinuteToSecond: 1<<11 | 1<<12,
}

// interval binds an interval constant.
func (b *Binder) interval(e *ast.Interval) (expr.Expr, error) {
	text := strings.TrimSpace(e.Text)
	bare := text != "" && strings.Trim(text, "+-.0123456789") == "" && !strings.Contains(text[1:], "-")
	if bare {
		text += unitOf[e.Fields]
	}
	iv, err := types.ParseInterval(text, b.Format)
	if err != nil {
		at := e.Pos()
		if b.SQL != "" && at < len(b.SQL) { // the literal behind the keyword
			at += max(0, strings.IndexByte(b.SQL[at:], '\''))
		}
		return nil, b.at(err, ast.At(at))
	}
	c := &expr.Const{Value: types.Datum{Iv: iv}, T: types.IntervalT}
	if e.Fields == ast.FieldsNone && e.Precision < 0 || bare && e.Precision < 0 {
		return c, nil
	}
	const allFields, noPrecision = 0x7fff, 0xffff
	mod := int32(allFields)
	if e.Fields != ast.FieldsNone {
		mod = fieldBits[e.Fields]
	}
	precision := int32(noPrecision)
	if e.Precision >= 0 {
		precision = int32(min(e.Precision, 6))
	}
	cut := &expr.Cast{Arg: c, T: types.Type{OID: types.OIDInterval, Mod: mod<<16 | precision}, Explicit: true, Pos: b.pos(e.Pos())}
	return expr.Fold(cut), nil
}

// duration evaluates a constant span of time, in µs.
func (b *Binder) duration(e ast.Expr, what string) (int64, error) {
	x, err := b.expr(e, &context{clause: what})
	if err != nil {
		return 0, err
	}
	if x.Type().OID == types.OIDUnknown {
		if x, err = b.castTo(x, types.IntervalT, false, leftmost(e)); err != nil {
			return 0, err
		}
	}
	c, ok := expr.Fold(x).(*expr.Const)
	at := b.pos(leftmost(e))
	switch {
	case !ok || c.Value.Null:
		return 0, pgerror.New(pgerror.InvalidParameterValue, "%s must be a constant interval", what).At(at)
	case c.T.OID == types.OIDInt4 || c.T.OID == types.OIDInt8:
		return c.Value.I * types.MicrosPerSecond, nil
	case c.T.OID != types.OIDInterval:
		return 0, pgerror.New(pgerror.DatatypeMismatch, "%s must be an interval, not %s", what, TypeName(c.T)).At(at)
	case c.Value.Iv.Months != 0:
		return 0, pgerror.Unsupported("%s in months or years is not supported", what).
			WithHint("Months differ in length; give days or less.").At(at)
	}
	return int64(c.Value.Iv.Days)*types.MicrosPerDay + c.Value.Iv.Micros, nil
}

// positive is a duration greater than 0.
func (b *Binder) positive(e ast.Expr, what string) (int64, error) {
	d, err := b.duration(e, what)
	if err == nil && d <= 0 {
		err = pgerror.New(pgerror.InvalidParameterValue, "%s must be greater than zero", what).At(b.pos(leftmost(e)))
	}
	return d, err
}
