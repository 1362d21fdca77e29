package types

import (
	"bytes"
	"slices"

	"velostream/pgwire/pgerror"
)

// CanonicalJSON adds src, JSON text, to dst in the form that jsonb prints:
// keys by length, then bytes, the last of equal ones kept; one blank after
// each colon and comma; numbers without exponent, all their digits kept. It is
// the form of jsonb in memory.
func CanonicalJSON(dst, src []byte) ([]byte, error) {
	n, err := parseJSON(src)
	if err != nil {
		return nil, err
	}
	return n.append(dst)
}

// jsonStringMax is the longest key that jsonb can store.
const jsonStringMax = 0x0FFFFFFF

func (n *jsonNode) append(dst []byte) ([]byte, error) {
	switch n.kind {
	case jsonNull:
		return append(dst, "null"...), nil
	case jsonString:
		return AppendJSONString(dst, n.str), nil
	case jsonNumber:
		return n.num.Append(dst), nil
	case jsonBool:
		if n.flag {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case jsonArray:
		dst = append(dst, '[')
		for i := range n.items {
			if i > 0 {
				dst = append(dst, ',', ' ')
			}
			var err error
			if dst, err = n.items[i].append(dst); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	default:
	}
	return n.appendObject(dst)
}

func (n *jsonNode) appendObject(dst []byte) ([]byte, error) {
	n.sortKeys()
	dst = append(dst, '{')
	for i, key := range n.keys {
		if len(key) > jsonStringMax {
			return nil, pgerror.New(pgerror.ProgramLimitExceeded, "string too long to represent as jsonb string")
		}
		if i > 0 {
			dst = append(dst, ',', ' ')
		}
		dst = append(AppendJSONString(dst, key), ':', ' ')
		var err error
		if dst, err = n.items[i].append(dst); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// sortKeys brings an object's pairs into jsonb's order, without duplicates.
func (n *jsonNode) sortKeys() {
	sorted := true
	for i := 1; i < len(n.keys) && sorted; i++ {
		sorted = compareJSONKeys(n.keys[i-1], n.keys[i]) < 0
	}
	if sorted {
		return
	}
	order := make([]int, len(n.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareJSONKeys(n.keys[a], n.keys[b]) })
	keys, items := make([][]byte, 0, len(order)), make([]jsonNode, 0, len(order))
	for i, at := range order {
		if i+1 < len(order) && bytes.Equal(n.keys[at], n.keys[order[i+1]]) {
			continue // a later pair of this key wins
		}
		keys, items = append(keys, n.keys[at]), append(items, n.items[at])
	}
	n.keys, n.items = keys, items
}

func compareJSONKeys(a, b []byte) int {
	if len(a) != len(b) {
		return cmpInt(len(a), len(b))
	}
	return bytes.Compare(a, b)
}

// AppendJSONString adds s as a JSON string, quotes and escapes included.
func AppendJSONString[T string | []byte](dst []byte, s T) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			if c < 0x20 {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// CompareJSON orders two canonical jsonb texts as PostgreSQL's jsonb does:
// object > array > boolean > number > string > null, more members > fewer,
// then member by member; an empty array at the top sorts below all scalars.
func CompareJSON(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	x, errX := parseJSON(a)
	y, errY := parseJSON(b)
	if errX != nil || errY != nil {
		return bytes.Compare(a, b) // not jsonb; any fixed order will do
	}
	if x.kind < jsonArray && y.kind == jsonArray && len(y.items) == 0 {
		return 1
	}
	if y.kind < jsonArray && x.kind == jsonArray && len(x.items) == 0 {
		return -1
	}
	return x.compare(&y)
}

func (n *jsonNode) compare(o *jsonNode) int {
	if n.kind != o.kind {
		return cmpInt(int(n.kind), int(o.kind))
	}
	switch n.kind {
	case jsonString:
		return bytes.Compare(n.str, o.str)
	case jsonNumber:
		return n.num.Cmp(o.num)
	case jsonBool:
		return cmpBool(n.flag, o.flag)
	default:
	}
	if c := cmpInt(len(n.items), len(o.items)); c != 0 {
		return c
	}
	for i := range n.items {
		if n.kind == jsonObject {
			if c := bytes.Compare(n.keys[i], o.keys[i]); c != 0 {
				return c
			}
		}
		if c := n.items[i].compare(&o.items[i]); c != 0 {
			return c
		}
	}
	return 0
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// normalize cuts the trailing zeros of numbers, so that equal jsonb values
// have one text.
func (n *jsonNode) normalize() {
	if n.kind == jsonNumber {
		n.num = n.num.Normal()
	}
	for i := range n.items {
		n.items[i].normalize()
	}
}
