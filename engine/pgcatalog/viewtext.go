package pgcatalog

import "strings"

// clauses are what begins a line of a laid out query, and how it is indented.
// Longer ones come first where one begins another.
var clauses = []struct{ words, indent string }{
	{"SELECT", " "},
	{"FROM", "   "},
	{"WHERE", "  "},
	{"GROUP BY", "  "},
	{"HAVING", " "},
	{"ORDER BY", "  "},
	{"WINDOW", "  "},
	{"LIMIT", " "},
	{"OFFSET", " "},
	{"EMIT", "  "},
	{"UNION", ""},
	{"INTERSECT", ""},
	{"EXCEPT", ""},
	{"LEFT OUTER JOIN", "     "},
	{"RIGHT OUTER JOIN", "     "},
	{"FULL OUTER JOIN", "     "},
	{"LEFT JOIN", "     "},
	{"RIGHT JOIN", "     "},
	{"FULL JOIN", "     "},
	{"CROSS JOIN", "     "},
	{"INNER JOIN", "     "},
	{"NATURAL JOIN", "     "},
	{"JOIN", "     "},
}

// layOut breaks the outermost SELECT of a query into lines, a clause and an item
// of the select list each. Text in parentheses and quotes stays as it is.
func layOut(q string) string {
	var b strings.Builder
	depth, list, word := 0, false, true
	if !clauseAt(q, "SELECT") {
		b.WriteByte(' ')
	}
	for i := 0; i < len(q); {
		if depth == 0 && word {
			if c, ok := clauseOf(q[i:]); ok {
				text := strings.TrimRight(b.String(), " \n\t")
				b.Reset()
				b.WriteString(text)
				if text != "" {
					b.WriteByte('\n')
				}
				b.WriteString(c.indent + q[i:i+len(c.words)])
				i += len(c.words)
				list, word = c.words == "SELECT", false
				continue
			}
		}
		n := quoted(q[i:])
		if n > 1 {
			b.WriteString(q[i : i+n])
			i, word = i+n, false
			continue
		}
		switch ch := q[i]; ch {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		}
		b.WriteByte(q[i])
		if q[i] == ',' && depth == 0 && list {
			b.WriteString("\n    ")
			for i+1 < len(q) && isSpace(q[i+1]) {
				i++
			}
		}
		word = !isWord(q[i])
		i++
	}
	return b.String()
}

func clauseOf(q string) (struct{ words, indent string }, bool) {
	for _, c := range clauses {
		if clauseAt(q, c.words) {
			return c, true
		}
	}
	return struct{ words, indent string }{}, false
}

// clauseAt reports that q begins with the words, which end there.
func clauseAt(q, words string) bool {
	return len(q) >= len(words) && strings.EqualFold(q[:len(words)], words) && (len(q) == len(words) || !isWord(q[len(words)]))
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quoted is the length of the quoted text or comment that q begins with, 1
// where there is none.
func quoted(q string) int {
	var end string
	switch {
	case q[0] == '\'' || q[0] == '"':
		end = q[:1]
	case strings.HasPrefix(q, "--"):
		end = "\n"
	case strings.HasPrefix(q, "/*"):
		end = "*/"
	default:
		return 1
	}
	skip := len(end)
	if n := strings.Index(q[skip:], end); n >= 0 {
		return skip + n + len(end)
	}
	return len(q)
}
