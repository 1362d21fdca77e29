package pgwire

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// rowMax is the largest row a client gets, PostgreSQL's own limit.
const rowMax = 1 << 30

// rowEncoder appends rows of one result as DataRow messages. What depends on
// the columns' types and formats is settled once, in newRowEncoder; per value
// there is one indirect call.
type rowEncoder struct {
	cols []columnEncoder
}

// columnEncoder appends row i of c, which is not NULL, with its length before.
type columnEncoder struct {
	typ    types.Type
	format *types.Format
	loc    *time.Location
	digits int
	append func(e *columnEncoder, dst []byte, c *column.Column, i int) []byte
}

// newRowEncoder makes the encoder of cols in formats (none, one for all, or
// one for each) under the settings f.
func newRowEncoder(cols []ResultColumn, formats []int16, f *types.Format) *rowEncoder {
	if f == nil {
		f = &types.Format{ExtraFloatDigits: 1}
	}
	e := &rowEncoder{cols: make([]columnEncoder, len(cols))}
	for i, c := range cols {
		ce := columnEncoder{typ: c.Type, format: f, loc: f.Loc(), digits: f.ExtraFloatDigits}
		if formatOf(formats, i) == 1 {
			ce.append = binaryAppender(c.Type.OID)
		} else {
			ce.append = textAppender(c.Type.OID, f)
		}
		e.cols[i] = ce
	}
	return e
}

// appendRow appends physical row i of b.
func (e *rowEncoder) appendRow(dst []byte, b *column.Batch, i int) ([]byte, error) {
	start := len(dst)
	n := len(e.cols)
	dst = append(dst, 'D', 0, 0, 0, 0, byte(n>>8), byte(n))
	for j := range e.cols {
		c := b.Cols[j]
		at := i
		if c.Const {
			at = 0
		}
		if c.Nulls != nil && c.Nulls.Get(at) {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		ce := &e.cols[j]
		dst = ce.append(ce, dst, c, at)
	}
	size := len(dst) - start - 1
	if size > rowMax {
		return dst[:start], pgerror.New(pgerror.ProgramLimitExceeded, "row of %d bytes exceeds the limit of %d bytes", size, rowMax)
	}
	binary.BigEndian.PutUint32(dst[start+1:], uint32(size))
	return dst, nil
}

// prefixed writes the length of the value that begins at mark, after the four
// bytes kept for it.
func prefixed(dst []byte, mark int) []byte {
	binary.BigEndian.PutUint32(dst[mark-4:], uint32(len(dst)-mark))
	return dst
}

// room keeps four bytes for a length and returns where the value begins.
func room(dst []byte) ([]byte, int) {
	dst = append(dst, 0, 0, 0, 0)
	return dst, len(dst)
}

func textAppender(oid types.OID, f *types.Format) func(*columnEncoder, []byte, *column.Column, int) []byte {
	layout, _ := f.Dates()
	iso := layout == types.DateISO
	switch oid {
	case types.OIDBool:
		return boolText
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDOid:
		return intText
	case types.OIDFloat8:
		return float8Text
	case types.OIDNumeric:
		return numericText
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName, types.OIDJSON, types.OIDJSONB, types.OIDJSONPath, types.OIDUnknown, types.OIDBit, types.OIDVarbit:
		return bytesRaw
	case types.OIDTimestamp:
		if iso {
			return timestampText
		}
	case types.OIDTimestamptz:
		if iso {
			return timestamptzText
		}
	case types.OIDDate:
		if iso {
			return dateText
		}
	default:
	}
	return anyText
}

func binaryAppender(oid types.OID) func(*columnEncoder, []byte, *column.Column, int) []byte {
	switch oid {
	case types.OIDBool:
		return boolBinary
	case types.OIDInt2:
		return int2Binary
	case types.OIDInt4, types.OIDDate, types.OIDOid, types.OIDRegproc, types.OIDRegclass, types.OIDRegtype, types.OIDRegnamespace, types.OIDRegrole, types.OIDRegprocedure, types.OIDRegoper, types.OIDRegoperator, types.OIDRegcollation:
		return int4Binary
	case types.OIDInt8, types.OIDTime, types.OIDTimestamp, types.OIDTimestamptz:
		return int8Binary
	case types.OIDFloat4:
		return float4Binary
	case types.OIDFloat8:
		return float8Binary
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName, types.OIDJSON, types.OIDUnknown, types.OIDBytea, types.OIDUUID:
		return bytesRaw
	default:
		return anyBinary
	}
}

func boolText(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	if c.Bools[i] {
		return append(dst, 0, 0, 0, 1, 't')
	}
	return append(dst, 0, 0, 0, 1, 'f')
}

func intText(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(strconv.AppendInt(dst, c.Ints[i], 10), mark)
}

func float8Text(e *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendFloat8(dst, c.Floats[i], e.digits), mark)
}

func numericText(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(c.Decs[i].Append(dst), mark)
}

func timestampText(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendTimestamp(dst, c.Ints[i]), mark)
}

func timestamptzText(e *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendTimestamptz(dst, c.Ints[i], e.loc), mark)
}

func dateText(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendDate(dst, c.Ints[i]), mark)
}

// bytesRaw serves the types whose text form, or binary form, is their bytes.
func bytesRaw(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	v := c.Data[c.Offs[i]:c.Offs[i+1]]
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v)))
	return append(dst, v...)
}

func anyText(e *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendText(dst, e.typ, c.Datum(i), e.format), mark)
}

func anyBinary(e *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	dst, mark := room(dst)
	return prefixed(types.AppendBinary(dst, e.typ, c.Datum(i)), mark)
}

func boolBinary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	if c.Bools[i] {
		return append(dst, 0, 0, 0, 1, 1)
	}
	return append(dst, 0, 0, 0, 1, 0)
}

func int2Binary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	v := c.Ints[i]
	return append(dst, 0, 0, 0, 2, byte(v>>8), byte(v))
}

func int4Binary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	v := c.Ints[i]
	return append(dst, 0, 0, 0, 4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func int8Binary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	return appendEight(dst, uint64(c.Ints[i]))
}

func float8Binary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	v := math.Float64bits(c.Floats[i])
	if c.Floats[i] != c.Floats[i] {
		v = 0x7FF8 << 48 // PostgreSQL's NaN; there are others
	}
	return appendEight(dst, v)
}

func appendEight(dst []byte, v uint64) []byte {
	return append(dst, 0, 0, 0, 8, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32),
		byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func float4Binary(_ *columnEncoder, dst []byte, c *column.Column, i int) []byte {
	v := math.Float32bits(float32(c.Floats[i]))
	return append(dst, 0, 0, 0, 4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// appendCopyData appends row i of the one bytes column of a COPY TO STDOUT.
func appendCopyData(dst []byte, c *column.Column, i int) []byte {
	v := c.Bytes(i)
	dst = append(dst, 'd')
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v)+4))
	return append(dst, v...)
}
