package regex

// op is what a node matches.
type op uint8

const (
	opEmpty   op = iota
	opSet        // one character of set
	opCat        // kids, one behind the other
	opAlt        // one of kids
	opRepeat     // kids[0], min to max times
	opCapture    // kids[0], which is group number
	opBackref    // what group number matched, min to max times; kids[0] is what that can be at most
	opLook       // a place where kids[0] begins, or ends (behind), or does not (negated)
	opAnchor     // a place
)

// infinite is the max of a repetition without one; repeatLimit the largest number in braces.
const (
	infinite    = -1
	repeatLimit = 255
)

// anchor is a kind of place.
type anchor uint8

const (
	textStart anchor = iota
	textEnd
	lineStart
	lineEnd
	wordStart
	wordEnd
	wordEdge
	notWordEdge
)

// node is a part of a pattern. A capturing group, a back reference, or a clash of
// preferences below make it messy: then a concatenation has two kids, and the
// match has to be taken apart by it.
type node struct {
	op       op
	kids     []*node
	traits   traits
	min, max int
	number   int
	set      *set
	anchor   anchor
	behind   bool
	negated  bool
}

// traits are what matters about a node above it.
type traits uint8

const (
	longer  traits = 1 << iota // it prefers the longest match
	shorter                    // it prefers the shortest
	mixed                      // both preferences occur below
	captures
	refers // it has back references

	preference = longer | shorter
)

func (n *node) prefers(t traits) bool { return n.traits&t != 0 }

func (t traits) messy() bool { return t&(mixed|captures|refers) != 0 }

// up is t as a node above sees it: a preference is a node's own, a clash is not.
func (t traits) up() traits {
	out := t &^ preference
	if t&preference == preference {
		out |= mixed
	}
	return out
}

// join is the traits of a thing made of two: the first preference counts.
func (t traits) join(u traits) traits {
	own := t & preference
	if own == 0 {
		own = u & preference
	}
	return (t | u).up() | own
}

// repeat is n from min to max times, without regard to groups.
func repeat(n *node, least, most int) *node {
	if least == 1 && most == 1 {
		return n
	}
	return &node{op: opRepeat, kids: []*node{n}, min: least, max: most, traits: n.traits}
}

// plain is n without its groups; places false: also without its places, so that it
// matches all that a back reference to it can.
func plain(n *node, places bool) *node {
	switch n.op {
	case opAnchor, opLook:
		if !places {
			return &node{op: opEmpty}
		}
	case opCapture, opBackref:
		return plain(n.kids[0], places)
	default:
	}
	out := *n
	out.traits = 0
	out.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		out.kids[i] = plain(k, places)
	}
	return &out
}
