package regex

import (
	"fmt"
	"strings"
)

// translate writes n in Go's syntax, which says whether there is a match as well
// if n is regular and looks at no words.
func translate(n *node) (string, bool) {
	var b strings.Builder
	ok := write(&b, n)
	return b.String(), ok
}

func write(b *strings.Builder, n *node) bool {
	switch n.op {
	case opEmpty:
		b.WriteString("(?:)")
	case opSet:
		b.WriteByte('[')
		if len(n.set.ranges) == 0 {
			b.WriteString(`^\x00-\x{10FFFF}`)
		}
		for _, sp := range n.set.ranges {
			fmt.Fprintf(b, `\x{%x}-\x{%x}`, sp.lo, sp.hi)
		}
		b.WriteByte(']')
	case opAnchor:
		switch n.anchor {
		case textStart:
			b.WriteString(`\A`)
		case textEnd:
			b.WriteString(`\z`)
		case lineStart:
			b.WriteString(`(?m:^)`)
		case lineEnd:
			b.WriteString(`(?m:$)`)
		default:
			return false
		}
	case opCat, opCapture, opAlt:
		b.WriteString("(?:")
		for i, k := range n.kids {
			if n.op == opAlt && i > 0 {
				b.WriteByte('|')
			}
			if !write(b, k) {
				return false
			}
		}
		b.WriteByte(')')
	case opRepeat:
		b.WriteString("(?:")
		if !write(b, n.kids[0]) {
			return false
		}
		b.WriteByte(')')
		if n.max == infinite {
			fmt.Fprintf(b, "{%d,}", n.min)
		} else {
			fmt.Fprintf(b, "{%d,%d}", n.min, n.max)
		}
	default:
		return false
	}
	return true
}
