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

// fieldBits are the fields that a restricted interval has.
var fieldBits = map[ast.IntervalFields]uint16{
	ast.FieldsNone: 0,
	ast.Year:       types.IntervalYear, ast.Month: types.IntervalMonth, ast.Day: types.IntervalDay,
	ast.Hour: types.IntervalHour, ast.Minute: types.IntervalMinute, ast.Second: types.IntervalSecond,
	ast.YearToMonth:    types.IntervalYear | types.IntervalMonth,
	ast.DayToHour:      types.IntervalDay | types.IntervalHour,
	ast.DayToMinute:    types.IntervalDay | types.IntervalHour | types.IntervalMinute,
	ast.DayToSecond:    types.IntervalDay | types.IntervalHour | types.IntervalMinute | types.IntervalSecond,
	ast.HourToMinute:   types.IntervalHour | types.IntervalMinute,
	ast.HourToSecond:   types.IntervalHour | types.IntervalMinute | types.IntervalSecond,
	ast.MinuteToSecond: types.IntervalMinute | types.IntervalSecond,
}

// intervalOf is the interval type of some fields; mod is that of its precision, -1: none.
func intervalOf(fields ast.IntervalFields, mod int32) types.Type {
	precision := int32(-1)
	if mod >= 0 {
		precision = mod & 0xFFFF
	}
	return types.Type{OID: types.OIDInterval, Mod: types.IntervalMod(fieldBits[fields], precision)}
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
	cut := &expr.Cast{Arg: c, T: intervalOf(e.Fields, int32(min(e.Precision, 6))), Explicit: true, Pos: b.pos(e.Pos())}
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
