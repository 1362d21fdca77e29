package format

import (
	"strconv"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// AppendISO appends the text of the value at place i of c (see Column.At),
// which is not NULL: PostgreSQL's, but times in ISO 8601, with a T, and Z for
// timestamptz.
func AppendISO(dst []byte, c *column.Column, i int) []byte {
	switch c.Type.OID {
	case types.OIDTimestamp, types.OIDTimestamptz:
		v := c.Ints[i]
		if v == maxInt64 || v == -maxInt64-1 {
			return types.AppendTimestamp(dst, v) // infinity
		}
		at := len(dst)
		dst = types.AppendTimestamp(dst, v)
		for j := at; j < len(dst); j++ {
			if dst[j] == ' ' {
				dst[j] = 'T'
				break
			}
		}
		if c.Type.OID == types.OIDTimestamptz {
			dst = append(dst, 'Z')
		}
		return dst
	case types.OIDInt2, types.OIDInt4, types.OIDInt8:
		return strconv.AppendInt(dst, c.Ints[i], 10)
	case types.OIDNumeric:
		return c.Decs[i].Append(dst)
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDJSON, types.OIDJSONB, types.OIDName:
		return append(dst, c.Data[c.Offs[i]:c.Offs[i+1]]...)
	default:
	}
	one := *c
	one.Const = false
	return types.AppendText(dst, c.Type, one.Datum(i), nil)
}

const maxInt64 = 1<<63 - 1
