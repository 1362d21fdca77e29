package regex

import (
	"bytes"
	"slices"
)

// dissect sets the groups of n, which matches from i to j as far as is known
// without back references; false: it does not, because of them.
func (m *matcher) dissect(n *node, i, j int) bool {
	if n.traits&(captures|refers) == 0 {
		return true
	}
	if m.budget--; m.budget < 0 {
		return false
	}
	switch n.op {
	case opCapture:
		if !m.dissect(n.kids[0], i, j) {
			return false
		}
		m.groups[2*n.number], m.groups[2*n.number+1] = i, j
		return true
	case opCat:
		return m.dissectCat(n.kids[0], n.kids[1], i, j)
	case opAlt:
		for _, k := range n.kids {
			if has(m.forward(k, []int{i}), j) && m.dissect(k, i, j) {
				return true
			}
		}
		return false
	case opRepeat:
		if n.traits&refers == 0 {
			return m.dissectPlainRepeat(n, i, j)
		}
		return m.dissectRepeat(n, 1, i, j) || n.min == 0 && i == j
	case opBackref:
		return m.dissectBackref(n, i, j)
	default: // has no groups
	}
	return true
}

func has(at []int, p int) bool {
	_, ok := slices.BinarySearch(at, p)
	return ok
}

// forget unsets the groups within n.
func (m *matcher) forget(n *node) {
	if n.traits&captures == 0 {
		return
	}
	if n.op == opCapture {
		m.groups[2*n.number], m.groups[2*n.number+1] = -1, -1
	}
	for _, k := range n.kids {
		m.forget(k)
	}
}

// order turns positions the way n prefers them.
func order(n *node, at []int) []int {
	if !n.prefers(shorter) {
		at = slices.Clone(at)
		slices.Reverse(at)
	}
	return at
}

func (m *matcher) dissectCat(left, right *node, i, j int) bool {
	for _, mid := range order(left, intersect(m.forward(left, []int{i}), m.backward(right, []int{j}))) {
		if m.dissect(left, i, mid) {
			if m.dissect(right, mid, j) {
				return true
			}
			m.forget(left)
		}
	}
	return false
}

// dissectPlainRepeat takes a repetition apart that has no back references: the
// first way of cutting it is right, and only the last part sets groups.
func (m *matcher) dissectPlainRepeat(n *node, i, j int) bool {
	kid := n.kids[0]
	if i == j && kid.prefers(shorter) {
		return true
	}
	var rest [][]int // rest[k]: from where j is reached by at most k more parts
	if n.max == infinite {
		rest = [][]int{m.repeat(kid, 0, infinite, []int{j}, false)}
	} else {
		rest = append(rest, []int{j})
		for k := 1; k < n.max; k++ {
			rest = append(rest, union(rest[k-1], m.backward(kid, rest[k-1])))
		}
	}
	for part := 1; ; part++ {
		left := rest[0]
		if n.max != infinite {
			if part > n.max {
				return false
			}
			left = rest[n.max-part]
		}
		next := -1
		for _, p := range order(kid, m.forward(kid, []int{i})) {
			if p <= j && (p > i || p == j) && has(left, p) {
				next = p
				break
			}
		}
		if next < 0 {
			return i == j // no part can be empty: then there is none
		}
		if next == j {
			return m.dissect(kid, i, j)
		}
		i = next
	}
}

// dissectRepeat takes apart a repetition with back references, from its part'th part on.
func (m *matcher) dissectRepeat(n *node, part, i, j int) bool {
	kid := n.kids[0]
	least, most := max(n.min, 1), n.max
	if most != infinite && part > max(most, least) {
		return false
	}
	for _, p := range order(kid, m.forward(kid, []int{i})) {
		if p > j || p == i && p != j && part >= least {
			continue
		}
		if p == j && part < least && p != i {
			continue
		}
		saved := slices.Clone(m.groups)
		m.forget(kid)
		if m.dissect(kid, i, p) && (p == j && part >= least || m.dissectRepeat(n, part+1, p, j)) {
			return true
		}
		m.groups = saved
	}
	return false
}

func (m *matcher) dissectBackref(n *node, i, j int) bool {
	from, to := m.groups[2*n.number], m.groups[2*n.number+1]
	if from < 0 {
		return false
	}
	text := m.s[from:to]
	if len(text) == 0 {
		return i == j
	}
	if i == j {
		return n.min == 0
	}
	count := 0
	for i < j {
		w := m.same(text, m.s[i:j])
		if w == 0 {
			return false
		}
		i += w
		count++
	}
	return count >= n.min && (n.max == infinite || count <= n.max)
}

// same is how many bytes of s are text, 0: it does not begin so.
func (m *matcher) same(text, s []byte) int {
	if !m.re.fold {
		if bytes.HasPrefix(s, text) {
			return len(text)
		}
		return 0
	}
	n := 0
	for _, r := range string(text) {
		if n == len(s) {
			return 0
		}
		q, w := decode(s[n:])
		if lower(q) != lower(r) {
			return 0
		}
		n += w
	}
	return n
}
