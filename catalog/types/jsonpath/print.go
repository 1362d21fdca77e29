package jsonpath

import (
	"fmt"
	"strings"
)

// String is the path as PostgreSQL prints it.
func (p *Path) String() string {
	var b strings.Builder
	if p.Strict {
		b.WriteString("strict ")
	}
	write(&b, p.Root, false, true)
	return b.String()
}

func priority(o Op) int {
	switch o {
	case Or:
		return 0
	case And:
		return 1
	case Eq, Ne, Lt, Gt, Le, Ge, StartsWith:
		return 2
	case Add, Sub:
		return 3
	case Mul, Div, Mod:
		return 4
	case Plus, Minus:
		return 5
	default:
	}
	return 6
}

// write adds the node and its accessors; member: it stands behind another, and
// brackets: an operation is put into parentheses.
func write(b *strings.Builder, n *Node, member, brackets bool) {
	open, shut := "", ""
	if brackets {
		open, shut = "(", ")"
	}
	inner := func(x *Node) { write(b, x, false, priority(x.Op) <= priority(n.Op)) }
	switch n.Op {
	case Null, True, False, Root, Current, Last:
		b.WriteString(n.Op.Name())
	case String:
		writeString(b, n.Text)
	case Var:
		b.WriteByte('$')
		writeString(b, n.Text)
	case Number:
		if n.Next != nil {
			b.WriteString("(" + n.Text + ")")
		} else {
			b.WriteString(n.Text)
		}
	case Or, And, Eq, Ne, Lt, Gt, Le, Ge, StartsWith, Add, Sub, Mul, Div, Mod:
		b.WriteString(open)
		inner(n.Left)
		b.WriteString(" " + n.Op.Name() + " ")
		inner(n.Right)
		b.WriteString(shut)
	case Plus, Minus:
		b.WriteString(open + n.Op.Name())
		inner(n.Left)
		b.WriteString(shut)
	case LikeRegex:
		b.WriteString(open)
		inner(n.Left)
		b.WriteString(" like_regex ")
		writeString(b, n.Text)
		if n.Flags != "" {
			b.WriteString(` flag "` + n.Flags + `"`)
		}
		b.WriteString(shut)
	case Not:
		b.WriteString("!(")
		write(b, n.Left, false, false)
		b.WriteByte(')')
	case IsUnknown:
		b.WriteByte('(')
		write(b, n.Left, false, false)
		b.WriteString(") is unknown")
	case Exists:
		b.WriteString("exists (")
		write(b, n.Left, false, false)
		b.WriteByte(')')
	default:
		writeAccessor(b, n, member)
	}
	if n.Next != nil {
		write(b, n.Next, true, true)
	}
}

func writeAccessor(b *strings.Builder, n *Node, member bool) {
	if member && (n.Op == Key || n.Op == AnyKey || n.Op == Any) {
		b.WriteByte('.')
	}
	switch n.Op {
	case Key:
		writeString(b, n.Text)
	case AnyKey:
		b.WriteByte('*')
	case Any:
		b.WriteString("**" + levelText(n.First, n.Last))
	case AnyArray:
		b.WriteString("[*]")
	case Index:
		b.WriteByte('[')
		for i, s := range n.Subs {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, s.From, false, false)
			if s.To != nil {
				b.WriteString(" to ")
				write(b, s.To, false, false)
			}
		}
		b.WriteByte(']')
	case Filter:
		b.WriteString("?(")
		write(b, n.Left, false, false)
		b.WriteByte(')')
	default:
		b.WriteString("." + n.Op.Name() + "(")
		if n.Left != nil {
			write(b, n.Left, false, false)
		}
		b.WriteByte(')')
	}
}

func levelText(first, last uint32) string {
	switch {
	case first == 0 && last == Unbounded:
		return ""
	case first == last && first == Unbounded:
		return "{last}"
	case first == last:
		return fmt.Sprintf("{%d}", first)
	case first == Unbounded:
		return fmt.Sprintf("{last to %d}", last)
	case last == Unbounded:
		return fmt.Sprintf("{%d to last}", first)
	}
	return fmt.Sprintf("{%d to %d}", first, last)
}

// writeString writes a string literal as JSON does.
func writeString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if c < ' ' {
				fmt.Fprintf(b, `\u%04x`, c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	b.WriteByte('"')
}
