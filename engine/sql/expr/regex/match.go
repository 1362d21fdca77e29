package regex

import (
	"slices"
	"unicode/utf8"
)

// matcher holds one text and what is known about it. Sets of positions are
// ascending, in bytes.
type matcher struct {
	re     *Regexp
	s      []byte
	budget int // positions that may still be visited; below 0: given up
	groups []int
	looks  map[*node][]int // where each lookaround holds
	free   []bitmap
}

// bitmap marks positions.
type bitmap []uint64

func (b bitmap) add(p int) bool {
	was := b[p>>6]&(1<<(p&63)) != 0
	b[p>>6] |= 1 << (p & 63)
	return !was
}

// all are the positions between the characters, and at both ends.
func (m *matcher) all() []int {
	out := make([]int, 0, len(m.s)+1)
	for p := 0; p < len(m.s); {
		out = append(out, p)
		_, w := utf8.DecodeRune(m.s[p:])
		p += w
	}
	return append(out, len(m.s))
}

// forward are the positions where n may end if it begins at one of in.
func (m *matcher) forward(n *node, in []int) []int { return m.reach(n, in, true) }

// backward are the positions where n may begin if it ends at one of in.
func (m *matcher) backward(n *node, in []int) []int { return m.reach(n, in, false) }

func (m *matcher) reach(n *node, in []int, ahead bool) []int {
	if m.budget -= len(in) + 1; len(in) == 0 || m.budget < 0 {
		return nil
	}
	switch n.op {
	case opEmpty:
		return in
	case opSet:
		out := make([]int, 0, len(in))
		for _, p := range in {
			if q := m.step(n.set, p, ahead); q >= 0 {
				out = append(out, q)
			}
		}
		return out
	case opCat:
		for i := range n.kids {
			k := i
			if !ahead {
				k = len(n.kids) - 1 - i
			}
			in = m.reach(n.kids[k], in, ahead)
		}
		return in
	case opAlt:
		var out []int
		for _, k := range n.kids {
			out = union(out, m.reach(k, in, ahead))
		}
		return out
	case opRepeat:
		return m.repeat(n.kids[0], n.min, n.max, in, ahead)
	case opCapture, opBackref:
		return m.reach(n.kids[0], in, ahead)
	case opLook:
		look := m.look(n)
		at, _ := slices.BinarySearch(look, in[0])
		end, _ := slices.BinarySearch(look, in[len(in)-1]+1)
		return intersect(in, look[at:end])
	case opAnchor:
		out := make([]int, 0, len(in))
		for _, p := range in {
			if m.at(n.anchor, p) {
				out = append(out, p)
			}
		}
		return out
	}
	return nil
}

// step is the position behind (before) the character at p if set has it, else -1.
func (m *matcher) step(set *set, p int, ahead bool) int {
	if ahead {
		if p == len(m.s) {
			return -1
		}
		if c := m.s[p]; c < utf8.RuneSelf {
			if set.ascii[c>>6]&(1<<(c&63)) != 0 {
				return p + 1
			}
			return -1
		}
		if r, w := utf8.DecodeRune(m.s[p:]); set.has(r) {
			return p + w
		}
		return -1
	}
	if p == 0 {
		return -1
	}
	if r, w := utf8.DecodeLastRune(m.s[:p]); set.has(r) {
		return p - w
	}
	return -1
}

// repeat reaches from in by least to most times n.
func (m *matcher) repeat(n *node, least, most int, in []int, ahead bool) []int {
	for range least {
		out := m.reach(n, in, ahead)
		if slices.Equal(out, in) {
			break
		}
		in = out
	}
	if most == infinite && n.op == opSet {
		return m.run(n.set, in, ahead)
	}
	if most == least || len(in) == 0 {
		return in
	}
	seen := m.bitmap()
	for _, p := range in {
		seen.add(p)
	}
	out, front := slices.Clone(in), in
	for i := least; (most == infinite || i < most) && len(front) > 0; i++ {
		var fresh []int
		for _, p := range m.reach(n, front, ahead) {
			if seen.add(p) {
				fresh = append(fresh, p)
			}
		}
		out, front = append(out, fresh...), fresh
	}
	for _, p := range out {
		seen[p>>6] = 0
	}
	m.free = append(m.free, seen)
	slices.Sort(out)
	return out
}

func (m *matcher) bitmap() bitmap {
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	return make(bitmap, len(m.s)>>6+1)
}

// run reaches from in over any number of characters of set.
func (m *matcher) run(set *set, in []int, ahead bool) []int {
	var out []int
	for i := range in {
		p := in[i]
		if !ahead {
			p = in[len(in)-1-i]
		}
		if n := len(out); n > 0 && (ahead && p <= out[n-1] || !ahead && p >= out[n-1]) {
			continue // within the last run
		}
		for ; p >= 0; p = m.step(set, p, ahead) {
			out = append(out, p)
			m.budget--
		}
	}
	if !ahead {
		slices.Reverse(out)
	}
	return out
}

// look are the positions where a lookaround holds.
func (m *matcher) look(n *node) []int {
	if at, ok := m.looks[n]; ok {
		return at
	}
	all := m.all()
	at := m.reach(n.kids[0], all, n.behind)
	if n.negated {
		at = slices.DeleteFunc(all, func(p int) bool { _, has := slices.BinarySearch(at, p); return has })
	}
	if m.looks == nil {
		m.looks = map[*node][]int{}
	}
	m.looks[n] = at
	return at
}

func (m *matcher) at(a anchor, p int) bool {
	word := func(ahead bool) bool { return m.step(wordSet(), p, ahead) >= 0 }
	switch a {
	case textStart:
		return p == 0
	case textEnd:
		return p == len(m.s)
	case lineStart:
		return p == 0 || m.s[p-1] == '\n'
	case lineEnd:
		return p == len(m.s) || m.s[p] == '\n'
	case wordStart:
		return !word(false) && word(true)
	case wordEnd:
		return word(false) && !word(true)
	case wordEdge:
		return word(false) != word(true)
	case notWordEdge:
		return word(false) == word(true)
	}
	return false
}

func union(a, b []int) []int {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	out := make([]int, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] > b[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

func intersect(a, b []int) []int {
	var out []int
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return out
}
