package column

import (
	"bytes"
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"

	"velostream/catalog/types"
)

// Hashes decide which shard a row belongs to, and shards own state on disk: the
// constants and the way values are folded in must never change. The golden
// values of TestHashStable say so.
const (
	hashStart = 0x9e3779b97f4a7c15
	hashMul   = 0xd6e8feb86659fd93
	hashNull  = 0xa0761d6478bd642f
	hashList  = 0xe7037ed1a0b428db
)

// Mix folds v into the hash h.
func Mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^hashStart, hashMul)
	return hi ^ lo ^ v>>32
}

// HashRows hashes the rows of cols, one column after the other, into dst, which
// is grown as needed and returned: dst[k] is the hash of physical row rows[k], or
// of row k when rows is nil (then n rows). Values that are equal as group keys
// hash equal: 0.0 and -0.0, all NaN, 1.5 and 1.50, '1 month' and '30 days', NULL and
// NULL. The hash is the same in every process.
func HashRows(dst []uint64, cols []*Column, rows []int32, n int) []uint64 {
	if rows != nil {
		n = len(rows)
	}
	if cap(dst) < n {
		dst = make([]uint64, n)
	}
	dst = dst[:n]
	for k := range dst {
		dst[k] = hashStart
	}
	for _, c := range cols {
		hashColumn(dst, c, rows)
	}
	return dst
}

func hashColumn(dst []uint64, c *Column, rows []int32) {
	if len(c.Nulls) == 0 && !c.Const {
		switch c.Type.Kind() {
		case types.KindInt:
			if rows == nil {
				for k, v := range c.Ints[:len(dst)] {
					dst[k] = Mix(dst[k], uint64(v))
				}
				return
			}
			for k, i := range rows {
				dst[k] = Mix(dst[k], uint64(c.Ints[i]))
			}
			return
		case types.KindBytes:
			if !PlainBytes(c.Type) {
				break
			}
			for k := range dst {
				i := rowAt(rows, k)
				dst[k] = Mix(dst[k], xxh3.Hash(c.Data[c.Offs[i]:c.Offs[i+1]]))
			}
			return
		default:
		}
	}
	if c.Const && len(dst) > 0 {
		h := c.hashAt(0)
		for k := range dst {
			dst[k] = Mix(dst[k], h)
		}
		return
	}
	for k := range dst {
		dst[k] = Mix(dst[k], c.hashAt(rowAt(rows, k)))
	}
}

func rowAt(rows []int32, k int) int {
	if rows == nil {
		return k
	}
	return int(rows[k])
}

// hashAt is what row i contributes to the hash of its row.
func (c *Column) hashAt(i int) uint64 {
	if c.Null(i) {
		return hashNull
	}
	i = c.At(i)
	switch c.Type.Kind() {
	case types.KindBool:
		if c.Bools[i] {
			return 1
		}
		return 0
	case types.KindInt:
		return uint64(c.Ints[i])
	case types.KindFloat:
		return math.Float64bits(CanonicalFloat(c.Floats[i]))
	case types.KindDecimal:
		return hashDecimal(c.Decs[i])
	case types.KindInterval:
		hi, lo := IntervalSpan(c.Ivs[i])
		return Mix(uint64(hi), lo)
	case types.KindBytes:
		return xxh3.Hash(KeyBytes(c.Type, c.Data[c.Offs[i]:c.Offs[i+1]]))
	case types.KindList:
		h := uint64(hashList)
		for j := c.Offs[i]; j < c.Offs[i+1]; j++ {
			h = Mix(h, c.Elem.hashAt(int(j)))
		}
		if s := c.Shape(i); s != nil {
			h = Mix(h, xxh3.Hash(s))
		}
		return h
	default:
	}
	return 0
}

// CanonicalFloat maps -0 to 0 and every NaN to one, so that equal floats have
// equal bits.
func CanonicalFloat(f float64) float64 {
	if f != f {
		return math.Float64frombits(0x7ff8000000000000)
	}
	return f + 0 // -0 + 0 is 0
}

// KeyBytes is the part of a KindBytes value that counts in comparisons: char(n)
// ignores trailing blanks, jsonb the zeros at the end of fractions, a row the names of its
// fields and what counts in none of them.
func KeyBytes(t types.Type, b []byte) []byte {
	switch {
	case t.PlainBytes():
		return b
	case t.OID == types.OIDBpchar:
		return bytes.TrimRight(b, " ")
	case t.IsRow():
		return types.RowKey(b)
	}
	return trimJSONNumbers(b)
}

// PlainBytes reports that all bytes of t's values count in comparisons:
// KeyBytes changes nothing.
func PlainBytes(t types.Type) bool { return t.PlainBytes() }

// trimJSONNumbers is canonical jsonb text in which equal numbers are written
// alike: 1.50 as 1.5, 1.0 as 1. Canonical numbers have no exponent.
func trimJSONNumbers(b []byte) []byte {
	if bytes.IndexByte(b, '.') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			out = append(out, c, b[i+1])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && c == '.':
			end := i + 1
			for end < len(b) && b[end] >= '0' && b[end] <= '9' {
				end++
			}
			out = append(out, bytes.TrimRight(bytes.TrimRight(b[i:end], "0"), ".")...)
			i = end - 1
			continue
		}
		out = append(out, b[i])
	}
	return out
}

// IntervalSpan is an interval as microseconds in 128 bits, a month counted as 30 days
// and a day as 24 hours: what PostgreSQL compares (interval_cmp_value).
func IntervalSpan(v types.Interval) (hi int64, lo uint64) {
	days := int64(v.Months)*30 + int64(v.Days)
	h, l := bits.Mul64(uint64(days), 86400_000_000)
	if days < 0 {
		h -= 86400_000_000
	}
	l, carry := bits.Add64(l, uint64(v.Micros), 0)
	return int64(h) + v.Micros>>63 + int64(carry), l
}

// hashDecimal hashes the value without the zeros at the end of its fraction.
func hashDecimal(d types.Decimal) uint64 {
	d = d.Normal()
	if coef, ok := d.Coef(); ok {
		return Mix(uint64(coef), uint64(d.Scale()))
	}
	return xxh3.HashString(d.String())
}
