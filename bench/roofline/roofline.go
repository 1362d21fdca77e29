// Package roofline does by hand what the engine does from SQL: the same work on
// the same input, with nothing general in it. It is the measure that the
// engine's speed is a ratio of.
//
// One goroutine per pipeline, records taken by partition, a scanner that knows
// the schema, typed slices, a table of plain structs with open addressing.
package roofline

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"unicode/utf8"
)

// Trades is a batch of decoded trades, a slice a column. Only the wanted
// fields are filled.
type Trades struct {
	Symbol  []uint32 // number in Symbols
	Price   []int64  // hundredths
	Qty     []int64
	Order   []int64
	Account []int64
	Time    []int64 // µs since the Unix epoch
	Symbols *Dictionary
}

// Want says which fields a Decode fills.
type Want uint8

// The fields.
const (
	Symbol Want = 1 << iota
	Price
	Qty
	Order
	Account
	Time
)

// Reset empties the batch and keeps its memory.
func (t *Trades) Reset() {
	t.Symbol, t.Price, t.Qty = t.Symbol[:0], t.Price[:0], t.Qty[:0]
	t.Order, t.Account, t.Time = t.Order[:0], t.Account[:0], t.Time[:0]
}

var errSyntax = errors.New("roofline: not a trade")

// Decode appends the JSON object in b. Any order of fields, white space and
// unknown fields are taken; strings with escapes are refused.
func (t *Trades) Decode(b []byte, want Want) error {
	i := skip(b, 0)
	if i >= len(b) || b[i] != '{' {
		return errSyntax
	}
	for i = skip(b, i+1); i < len(b) && b[i] == '"'; {
		end := bytes.IndexByte(b[i+1:], '"')
		if end < 0 {
			return errSyntax
		}
		key := b[i+1 : i+1+end]
		i = skip(b, i+end+2)
		if i >= len(b) || b[i] != ':' {
			return errSyntax
		}
		i = skip(b, i+1)
		from := i
		if i >= len(b) {
			return errSyntax
		}
		var value []byte
		if b[i] == '"' {
			end := bytes.IndexByte(b[i+1:], '"')
			if end < 0 {
				return errSyntax
			}
			value = b[i+1 : i+1+end]
			if bytes.IndexByte(value, '\\') >= 0 {
				return errSyntax
			}
			i += end + 2
		} else {
			for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ' ' {
				i++
			}
			value = b[from:i]
		}
		if err := t.field(key, value, want); err != nil {
			return err
		}
		if i = skip(b, i); i < len(b) && b[i] == ',' {
			i = skip(b, i+1)
		}
	}
	if i >= len(b) || b[i] != '}' {
		return errSyntax
	}
	return nil
}

func (t *Trades) field(key, v []byte, want Want) error {
	var err error
	switch string(key) {
	case "symbol":
		if want&Symbol != 0 {
			if !utf8.Valid(v) {
				return errSyntax
			}
			t.Symbol = append(t.Symbol, t.Symbols.Number(v))
		}
	case "price":
		if want&Price != 0 {
			t.Price, err = number(t.Price, v, 2)
		}
	case "qty":
		if want&Qty != 0 {
			t.Qty, err = number(t.Qty, v, 0)
		}
	case "ord":
		if want&Order != 0 {
			t.Order, err = number(t.Order, v, 0)
		}
	case "account":
		if want&Account != 0 {
			t.Account, err = number(t.Account, v, 0)
		}
	case "ts":
		if want&Time != 0 {
			var at int64
			at, err = timestamp(v)
			t.Time = append(t.Time, at)
		}
	}
	return err
}

func skip(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// number appends the decimal number in v times 10^scale.
func number(dst []int64, v []byte, scale int) ([]int64, error) {
	n, neg, i := int64(0), false, 0
	if len(v) > 0 && v[0] == '-' {
		neg, i = true, 1
	}
	if i == len(v) || len(v) > 18 {
		return dst, errSyntax
	}
	point := -1
	for ; i < len(v); i++ {
		c := v[i] - '0'
		if c > 9 {
			if v[i] != '.' || point >= 0 {
				return dst, errSyntax
			}
			point = i
			continue
		}
		n = n*10 + int64(c)
	}
	have := 0
	if point >= 0 {
		have = len(v) - 1 - point
	}
	if have > scale {
		return dst, errSyntax
	}
	for ; have < scale; have++ {
		n *= 10
	}
	if neg {
		n = -n
	}
	return append(dst, n), nil
}

// timestamp reads 2026-01-02T15:04:05.000000Z.
func timestamp(v []byte) (int64, error) {
	if len(v) != 27 || v[26] != 'Z' || v[10] != 'T' || v[19] != '.' {
		return 0, errSyntax
	}
	ok := true
	digits := func(from, to int) int64 {
		n := int64(0)
		for _, c := range v[from:to] {
			ok = ok && c-'0' <= 9
			n = n*10 + int64(c-'0')
		}
		return n
	}
	y, m, d := digits(0, 4), digits(5, 7), digits(8, 10)
	if m <= 2 {
		y, m = y-1, m+12
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
	s := digits(11, 13)*3600 + digits(14, 16)*60 + digits(17, 19)
	at := (days*86400+s)*1e6 + digits(20, 26)
	if !ok {
		return 0, errSyntax
	}
	return at, nil
}

// Dictionary numbers strings in the order they first come.
type Dictionary struct {
	seed  maphash.Seed
	slots []uint32 // number + 1
	Names [][]byte
}

// NewDictionary makes an empty one.
func NewDictionary() *Dictionary {
	return &Dictionary{seed: maphash.MakeSeed(), slots: make([]uint32, 1024)}
}

// Number gives the number of name.
func (d *Dictionary) Number(name []byte) uint32 {
	mask := uint64(len(d.slots) - 1)
	for h := maphash.Bytes(d.seed, name) & mask; ; h = (h + 1) & mask {
		n := d.slots[h]
		if n == 0 {
			d.Names = append(d.Names, bytes.Clone(name))
			d.slots[h] = uint32(len(d.Names))
			if 2*len(d.Names) > len(d.slots) {
				d.grow()
			}
			return uint32(len(d.Names) - 1)
		}
		if bytes.Equal(d.Names[n-1], name) {
			return n - 1
		}
	}
}

func (d *Dictionary) grow() {
	d.slots = make([]uint32, 2*len(d.slots))
	mask := uint64(len(d.slots) - 1)
	for n, name := range d.Names {
		h := maphash.Bytes(d.seed, name) & mask
		for d.slots[h] != 0 {
			h = (h + 1) & mask
		}
		d.slots[h] = uint32(n + 1)
	}
}

// Group is what is kept of a window of a symbol, or of a key.
type Group struct {
	Key                    int64
	Open, High, Low, Close int64
	Volume, Count          int64
	used, dirty            bool
}

// Groups is a table of groups by key, by open addressing.
type Groups struct {
	slots []Group
	n     int
	dirty []int32 // slots changed since the last Changes
}

// NewGroups makes a table for about size groups.
func NewGroups(size int) *Groups {
	n := 1024
	for n < 2*size {
		n *= 2
	}
	return &Groups{slots: make([]Group, n)}
}

// At is the group of key, new ones zero, marked as changed.
func (g *Groups) At(key int64) *Group {
	mask := uint64(len(g.slots) - 1)
	for h := hash(key) & mask; ; h = (h + 1) & mask {
		s := &g.slots[h]
		if !s.used {
			if 2*g.n > len(g.slots) {
				g.grow()
				return g.At(key)
			}
			*s = Group{Key: key, used: true}
			g.n++
		}
		if s.Key == key {
			if !s.dirty {
				s.dirty = true
				g.dirty = append(g.dirty, int32(h))
			}
			return s
		}
	}
}

func hash(key int64) uint64 {
	h := uint64(key) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func (g *Groups) grow() {
	old := g.slots
	g.slots, g.n, g.dirty = make([]Group, 2*len(old)), 0, nil
	for i := range old {
		if old[i].used {
			s := g.At(old[i].Key)
			*s = old[i]
			s.dirty = true
		}
	}
}

// Changes appends the groups changed since the last call, in order of key, as
// bytes for whoever takes them.
func (g *Groups) Changes(dst []byte) []byte {
	slices.SortFunc(g.dirty, func(a, b int32) int {
		if g.slots[a].Key < g.slots[b].Key {
			return -1
		}
		return 1
	})
	for _, i := range g.dirty {
		s := &g.slots[i]
		s.dirty = false
		for _, v := range [...]int64{s.Key, s.Open, s.High, s.Low, s.Close, s.Volume, s.Count} {
			dst = binary.BigEndian.AppendUint64(dst, uint64(v))
		}
	}
	g.dirty = g.dirty[:0]
	return dst
}

// Len is the number of groups.
func (g *Groups) Len() int { return g.n }

// Each calls f for each group.
func (g *Groups) Each(f func(*Group)) {
	for i := range g.slots {
		if g.slots[i].used {
			f(&g.slots[i])
		}
	}
}
