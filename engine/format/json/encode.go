package json

import (
	"math"
	"strconv"

	"velostream/catalog/types"
	"velostream/engine/format"
	"velostream/storage/column"
)

// Encoder implements format.Encoder: a row as a JSON object. Numbers of
// numeric are written with all their digits, times in ISO 8601, bytea as
// PostgreSQL's hexadecimal, NaN and infinities as text, json as it is. For one
// goroutine.
type Encoder struct {
	names [][]byte // {"a": or ,"b":
	text  []byte
}

// NewEncoder makes an encoder of batches whose columns are the fields.
func NewEncoder(fields []format.Field) *Encoder {
	e := &Encoder{}
	for i, f := range fields {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		e.names = append(e.names, append(types.AppendJSONString([]byte{sep}, f.Name), ':'))
	}
	return e
}

// Encode implements format.Encoder.
func (e *Encoder) Encode(dst []byte, b *column.Batch, i int) ([]byte, error) {
	if len(e.names) == 0 {
		return append(dst, "{}"...), nil
	}
	for j, name := range e.names {
		dst = append(dst, name...)
		dst = e.value(dst, b.Cols[j], i)
	}
	return append(dst, '}'), nil
}

func (e *Encoder) value(dst []byte, c *column.Column, i int) []byte {
	if c.Null(i) {
		return append(dst, "null"...)
	}
	i = c.At(i)
	switch c.Type.OID {
	case types.OIDBool:
		return strconv.AppendBool(dst, c.Bools[i])
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDOid:
		return strconv.AppendInt(dst, c.Ints[i], 10)
	case types.OIDNumeric:
		if d := c.Decs[i]; d.IsFinite() {
			return d.Append(dst)
		}
	case types.OIDFloat4, types.OIDFloat8:
		if v := c.Floats[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			size := 64
			if c.Type.OID == types.OIDFloat4 {
				size = 32
			}
			return strconv.AppendFloat(dst, v, 'g', -1, size)
		}
	case types.OIDJSON, types.OIDJSONB:
		return append(dst, c.Data[c.Offs[i]:c.Offs[i+1]]...)
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDName:
		return types.AppendJSONString(dst, c.Data[c.Offs[i]:c.Offs[i+1]])
	default:
	}
	if c.Type.IsMap() {
		return append(dst, c.Data[c.Offs[i]:c.Offs[i+1]]...)
	}
	if c.Type.Kind() == types.KindList {
		return e.list(dst, c, i)
	}
	e.text = format.AppendISO(e.text[:0], c, i)
	return types.AppendJSONString(dst, e.text)
}
