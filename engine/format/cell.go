package format

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Cell is how one column takes values: compiled from a Field, it appends to a
// column of the field's type what a format found. For one goroutine. Nothing is appended when an
// error is returned (a list is cut back by Rows.Undo).
type Cell struct {
	Field
	Kind     types.Kind
	lo, hi   int64 // of KindInt numbers
	isTime   bool  // date, time, timestamp, timestamptz
	decimals decimalMod
	length   int   // of varchar(n), char(n); -1: any
	Elem     *Cell // of a list
	number   bool
	defs     *types.Format // of a user-made type

	lastDate [10]byte // see parseISO
	lastDays int64
}

// NewCell compiles f.
func NewCell(f Field) *Cell {
	c := &Cell{Field: f, Kind: f.Type.Kind(), lo: math.MinInt64, hi: math.MaxInt64, length: -1, decimals: modOf(f.Type)}
	c.number = c.Kind == types.KindInt || c.Kind == types.KindDecimal || c.Kind == types.KindFloat
	if f.Type.IsUser() {
		c.defs = &types.Format{ExtraFloatDigits: 1, Types: f.Types}
	}
	switch f.Type.OID {
	case types.OIDInt2:
		c.lo, c.hi = math.MinInt16, math.MaxInt16
	case types.OIDInt4:
		c.lo, c.hi = math.MinInt32, math.MaxInt32
	case types.OIDOid:
		c.lo, c.hi = 0, math.MaxUint32
	case types.OIDDate, types.OIDTime, types.OIDTimestamp, types.OIDTimestamptz:
		c.isTime = true
	case types.OIDVarchar, types.OIDBpchar:
		if f.Type.Mod >= 4 {
			c.length = int(f.Type.Mod) - 4
		}
	default:
	}
	if e, ok := f.Type.Elem(); ok {
		f.Type, f.NotNull, f.Whole = e, false, false
		c.Elem = NewCell(f)
	}
	return c
}

// Null appends NULL, or refuses it with 23502.
func (c *Cell) Null(col *column.Column) error {
	if c.NotNull {
		return pgerror.New(pgerror.NotNullViolation, "null value in column %q violates not-null constraint", c.Name)
	}
	col.AppendNull()
	return nil
}

// Bool appends a truth value.
func (c *Cell) Bool(col *column.Column, v bool) error {
	switch {
	case c.Kind == types.KindBool:
		col.Bools = append(col.Bools, v)
		return nil
	case c.takesText():
		return c.Text(col, strconv.AppendBool(nil, v))
	}
	return c.mismatch("a boolean")
}

// takesText reports whether the type holds any text as it is.
func (c *Cell) takesText() bool {
	switch c.Type.OID {
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName:
		return true
	default:
	}
	return false
}

// Number is a decimal number as a scanner met it.
type Number struct {
	Raw  []byte // its text
	Mant uint64 // the digits as a number, when Digits <= 18
	// Digits counts the significant digits of Raw before the exponent, Frac
	// those after the point. Exp is the exponent.
	Digits, Frac, Exp int
	Neg               bool
}

func (n *Number) small() bool { return n.Digits <= 18 }

// int returns the number if it is a whole one that fits.
func (n *Number) int() (int64, bool) {
	scale := n.Frac - n.Exp
	m := n.Mant
	switch {
	case !n.small():
		// 19 digits may fit an int64.
		v, err := strconv.ParseInt(bytesString(n.Raw), 10, 64)
		return v, err == nil
	case scale == 0:
	case m == 0:
	case scale > 0:
		if scale > 18 || m%pow10[scale] != 0 {
			return 0, false
		}
		m /= pow10[scale]
	default:
		if -scale > 18 || m > math.MaxInt64/pow10[-scale] {
			return 0, false
		}
		m *= pow10[-scale]
	}
	if n.Neg {
		return -int64(m), true
	}
	return int64(m), true
}

// IsNumber reports whether the type takes numbers as such.
func (c *Cell) IsNumber() bool {
	return c.number
}

// Number appends a number.
func (c *Cell) Number(col *column.Column, n *Number) error {
	switch c.Kind {
	case types.KindInt:
		if c.isTime {
			return c.epoch(col, n)
		}
		if n.Frac|n.Exp == 0 && n.small() { // by far the most
			v := int64(n.Mant)
			if n.Neg {
				v = -v
			}
			if v < c.lo || v > c.hi {
				return c.outOfRange(n.Raw)
			}
			col.Ints = append(col.Ints, v)
			return nil
		}
		v, ok := n.int()
		if !ok || v < c.lo || v > c.hi {
			return c.badInt(n)
		}
		col.Ints = append(col.Ints, v)
		return nil
	case types.KindFloat:
		v, err := n.float(c.Type.OID == types.OIDFloat4)
		if err != nil {
			return c.outOfRange(n.Raw)
		}
		col.Floats = append(col.Floats, v)
		return nil
	case types.KindDecimal:
		d, err := c.decimal(n)
		if err != nil {
			return err
		}
		col.Decs = append(col.Decs, d)
		return nil
	case types.KindBytes:
		if c.takesText() {
			return c.Text(col, n.Raw)
		}
	default:
	}
	return c.mismatch("a number")
}

func (n *Number) float(single bool) (float64, error) {
	if single {
		return strconv.ParseFloat(bytesString(n.Raw), 32)
	}
	// Both operands are exact, so one rounding: Clinger's fast path.
	if n.Digits <= 15 && n.Exp == 0 && n.Frac <= 22 {
		f := float64(n.Mant) / floatPow10[n.Frac]
		if n.Neg {
			f = -f
		}
		return f, nil
	}
	return strconv.ParseFloat(bytesString(n.Raw), 64)
}

// Text appends a value from its text form, as PostgreSQL reads it.
func (c *Cell) Text(col *column.Column, b []byte) error {
	switch c.Type.OID {
	case types.OIDText, types.OIDName:
		col.AppendBytes(b)
		return nil
	case types.OIDVarchar, types.OIDBpchar:
		return c.limited(col, b)
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDFloat4, types.OIDFloat8, types.OIDNumeric:
		var n Number
		if ParseNumber(&n, trim(b)) {
			return c.Number(col, &n)
		}
	case types.OIDTimestamp, types.OIDTimestamptz, types.OIDDate, types.OIDTime:
		return c.timeText(col, b)
	case types.OIDBool:
		if v, ok := parseBool(b); ok {
			col.Bools = append(col.Bools, v)
			return nil
		}
	case types.OIDUUID:
		if u, ok := parseUUID(b); ok {
			col.AppendBytes(u[:])
			return nil
		}
	default:
	}
	return c.general(col, b)
}

func (c *Cell) limited(col *column.Column, b []byte) error {
	if c.length >= 0 {
		if n := utf8.RuneCount(b); n > c.length {
			cut := runePrefix(b, c.length)
			// Spaces beyond the limit are cut, as the standard wants.
			if len(bytes.TrimRight(b[cut:], " ")) > 0 {
				return pgerror.New(pgerror.StringDataRightTruncation, "field %q: value too long for type %s(%d)", c.Name, typeName(c.Type), c.length)
			}
			b = b[:cut]
		} else if c.Type.OID == types.OIDBpchar && n < c.length {
			col.AppendBytes(b)
			pad := c.length - n
			for range pad {
				col.Data = append(col.Data, ' ')
			}
			col.Offs[len(col.Offs)-1] += uint32(pad)
			return nil
		}
	}
	col.AppendBytes(b)
	return nil
}

func runePrefix(b []byte, runes int) int {
	i := 0
	for ; runes > 0 && i < len(b); runes-- {
		_, n := utf8.DecodeRune(b[i:])
		i += n
	}
	return i
}

func (c *Cell) mismatch(what string) error {
	return pgerror.New(pgerror.DatatypeMismatch, "field %q: %s is no value of type %s", c.Name, what, typeName(c.Type))
}

func (c *Cell) outOfRange(raw []byte) error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "field %q: value %q is out of range for type %s", c.Name, clip(raw), typeName(c.Type))
}

func (c *Cell) badInt(n *Number) error {
	if n.Frac-n.Exp > 0 {
		return c.Invalid(n.Raw)
	}
	return c.outOfRange(n.Raw)
}

// Invalid is the error of text that is no value of the type.
func (c *Cell) Invalid(raw []byte) error {
	return pgerror.New(pgerror.InvalidTextRepresentation, "field %q: invalid input syntax for type %s: %q", c.Name, typeName(c.Type), clip(raw))
}

// clip keeps an error message short.
func clip(b []byte) string {
	const most = 80
	if len(b) > most {
		return string(b[:most]) + "…"
	}
	return string(b)
}

// bytesString views b as a string for the time of a call that keeps nothing.
func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
