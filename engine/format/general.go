package format

import (
	"bytes"
	"errors"
	"math/big"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// maxScale and maxWeight bound a numeric: digits after and before the point
// (https://www.postgresql.org/docs/15/datatype-numeric.html).
const (
	maxScale  = 16383
	maxWeight = 131072
)

// bigDecimal is decimal for numbers beyond a machine word.
func (c *Cell) bigDecimal(n *Number) (types.Decimal, error) {
	scale := n.Frac - n.Exp
	if scale > maxScale+n.Digits || -scale > maxWeight || len(n.Raw) > maxWeight+maxScale {
		return types.Decimal{}, c.outOfRange(n.Raw)
	}
	digits := make([]byte, 0, len(n.Raw))
	for _, b := range n.Raw {
		if b == 'e' || b == 'E' {
			break
		}
		if b >= '0' && b <= '9' {
			digits = append(digits, b)
		}
	}
	v, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return types.Decimal{}, c.Invalid(n.Raw)
	}
	want := min(max(scale, 0), maxScale)
	if c.decimals.limited {
		want = int(c.decimals.scale)
	}
	v, scale = rescale(v, scale, want), want
	if scale < 0 {
		// A negative scale rounds before the point; the value shows none.
		v, scale = rescale(v, scale, 0), 0
	}
	if c.decimals.limited {
		limit := power(int(c.decimals.precision - c.decimals.scale + int32(scale)))
		if v.Cmp(limit) >= 0 {
			return types.Decimal{}, c.overflow()
		}
	}
	if n.Neg {
		v.Neg(v)
	}
	return types.NewBigDecimal(v, int32(scale)), nil
}

func power(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, 0))), nil)
}

// rescale changes the scale of a coefficient that is not negative, half away
// from zero.
func rescale(v *big.Int, from, to int) *big.Int {
	if to >= from {
		return v.Mul(v, power(to-from))
	}
	p := power(from - to)
	q, r := new(big.Int).QuoRem(v, p, new(big.Int))
	if r.Lsh(r, 1).Cmp(p) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// general reads text of any type in any spelling PostgreSQL accepts: what the
// quick paths have no form for.
func (c *Cell) general(col *column.Column, b []byte) error {
	if c.Type.OID == types.OIDJSONB || c.Type.OID == types.OIDJSON {
		return c.JSON(col, b)
	}
	d, err := types.DecodeText(c.Type, b, c.defs)
	if err != nil {
		return c.named(err)
	}
	if c.Kind == types.KindDecimal && c.decimals.limited && d.Dec.IsInf(0) {
		return c.overflow()
	}
	col.Append(d)
	return nil
}

// JSON appends a JSON text to a json or jsonb column.
func (c *Cell) JSON(col *column.Column, b []byte) error {
	if c.Type.OID == types.OIDJSON {
		if err := types.ValidJSON(b); err != nil {
			return c.named(err)
		}
		col.AppendBytes(bytes.TrimSpace(b))
		return nil
	}
	if len(col.Offs) == 0 {
		col.Offs = append(col.Offs, 0)
	}
	data, err := types.CanonicalJSON(col.Data, b)
	if err != nil {
		return c.named(err)
	}
	col.Data = data
	col.Offs = append(col.Offs, uint32(len(data)))
	return nil
}

// named puts the field's name before an error's message.
func (c *Cell) named(err error) error {
	var e *pgerror.Error
	if !errors.As(err, &e) {
		return pgerror.New(pgerror.InvalidTextRepresentation, "field %q: %v", c.Name, err).WithCause(err)
	}
	named := *e
	named.Message = "field \"" + c.Name + "\": " + clip([]byte(e.Message))
	return &named
}

func trim(b []byte) []byte {
	if n := len(b); n > 0 && b[0] > ' ' && b[n-1] > ' ' {
		return b
	}
	return bytes.TrimSpace(b)
}

func parseBool(b []byte) (value, ok bool) {
	switch string(b) {
	case "true", "t", "TRUE", "True":
		return true, true
	case "false", "f", "FALSE", "False":
		return false, true
	}
	return false, false
}

// parseUUID reads the usual form with four hyphens.
func parseUUID(b []byte) (u [16]byte, ok bool) {
	if len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return u, false
	}
	j := 0
	for i := 0; i < 36; i += 2 {
		if b[i] == '-' {
			i++
		}
		hi, lo := unhex(b[i]), unhex(b[i+1])
		if hi|lo > 15 {
			return u, false
		}
		u[j] = hi<<4 | lo
		j++
	}
	return u, true
}

func unhex(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 0xff
}

var typeNames = map[types.OID]string{
	types.OIDBool: "boolean", types.OIDInt2: "smallint", types.OIDInt4: "integer", types.OIDInt8: "bigint",
	types.OIDFloat4: "real", types.OIDFloat8: "double precision", types.OIDNumeric: "numeric", types.OIDText: "text",
	types.OIDVarchar: "character varying", types.OIDBpchar: "character", types.OIDName: "name", types.OIDBytea: "bytea", types.OIDBit: "bit", types.OIDVarbit: "bit varying",
	types.OIDDate: "date", types.OIDTime: "time without time zone", types.OIDTimestamp: "timestamp without time zone",
	types.OIDTimestamptz: "timestamp with time zone", types.OIDInterval: "interval", types.OIDUUID: "uuid",
	types.OIDInet: "inet", types.OIDCidr: "cidr", types.OIDMacaddr: "macaddr",
	types.OIDJSON: "json", types.OIDJSONB: "jsonb", types.OIDOid: "oid",
}

func typeName(t types.Type) string {
	if n, ok := typeNames[t.OID]; ok {
		return n
	}
	if e, ok := t.Elem(); ok {
		return typeName(e) + "[]"
	}
	return "oid"
}
