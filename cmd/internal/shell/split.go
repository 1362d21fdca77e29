package shell

import "strings"

// Splitter cuts text into statements at the semicolons that end them: not
// those in quotes, dollar quotes, comments or parentheses. The zero Splitter
// is ready.
type Splitter struct {
	text string
	line int // of the beginning of text, less one
	// What was looked at already: text[:seen] ends in depth open parentheses
	// and no quotes.
	seen, depth int
}

// Add appends text.
func (s *Splitter) Add(text string) { s.text += text }

// Next returns the next complete statement, without its semicolon, and the
// line it begins on; false: more text is needed. Empty statements are passed
// over.
func (s *Splitter) Next() (sql string, line int, ok bool) {
	for {
		n := s.end()
		if n < 0 {
			return "", 0, false
		}
		sql, line := s.cut(n, n+1)
		if sql != "" {
			return sql, line, true
		}
	}
}

// Rest returns what is left as a statement, false: nothing but blanks and
// comments.
func (s *Splitter) Rest() (sql string, line int, ok bool) {
	sql, line = s.cut(len(s.text), len(s.text))
	return sql, line, sql != ""
}

// Size is how many bytes are held.
func (s *Splitter) Size() int { return len(s.text) }

// Pending reports that a statement has begun.
func (s *Splitter) Pending() bool { return skipBlank(s.text) < len(s.text) }

// cut takes text[:n] as a statement and goes on at next. Blanks and comments
// before it are left out.
func (s *Splitter) cut(n, next int) (string, int) {
	from := min(skipBlank(s.text), n)
	line := s.line + strings.Count(s.text[:from], "\n") + 1
	sql := strings.TrimRight(s.text[from:n], " \t\r\n")
	s.line += strings.Count(s.text[:next], "\n")
	s.text, s.seen, s.depth = s.text[next:], 0, 0
	return sql, line
}

// skipBlank is where the first token of t begins. Comments with annotations
// (-- @name: value) belong to the statement after them.
func skipBlank(t string) int {
	for i := 0; i < len(t); {
		switch {
		case strings.IndexByte(" \t\r\n\f\v", t[i]) >= 0:
			i++
		case strings.HasPrefix(t[i:], "--"):
			if strings.HasPrefix(strings.TrimLeft(t[i+2:], " \t"), "@") {
				return i
			}
			i = lineEnd(t, i)
		case strings.HasPrefix(t[i:], "/*"):
			n := commentEnd(t, i)
			if n < 0 {
				return i
			}
			i = n
		default:
			return i
		}
	}
	return len(t)
}

// end is where the semicolon of the first statement is, -1: not there yet.
func (s *Splitter) end() int {
	for t := s.text; s.seen < len(t); {
		i := s.seen
		next := i + 1
		switch c := t[i]; {
		case c == ';' && s.depth <= 0:
			return i
		case c == '(':
			s.depth++
		case c == ')':
			s.depth--
		case c == '\'':
			next = quoteEnd(t, i, i > 0 && (t[i-1] == 'e' || t[i-1] == 'E') && (i < 2 || !wordByte(t[i-2])))
		case c == '"':
			next = quoteEnd(t, i, false)
		case strings.HasPrefix(t[i:], "--"):
			next = lineEnd(t, i)
		case strings.HasPrefix(t[i:], "/*"):
			next = commentEnd(t, i)
		case c == '$' && (i == 0 || !wordByte(t[i-1])):
			next = dollarEnd(t, i)
		}
		if next < 0 || next > len(t) {
			return -1 // to be looked at again when there is more
		}
		s.seen = next
	}
	return -1
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func lineEnd(t string, i int) int {
	if n := strings.IndexByte(t[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(t)
}

// commentEnd is after the comment at i, -1: it does not end. They nest.
func commentEnd(t string, i int) int {
	for depth := 0; i < len(t); {
		switch {
		case strings.HasPrefix(t[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(t[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

// quoteEnd is after the quoted text at i, -1: it does not end.
func quoteEnd(t string, i int, escapes bool) int {
	for q, j := t[i], i+1; j < len(t); j++ {
		switch {
		case escapes && t[j] == '\\':
			j++
		case t[j] == q:
			return j + 1 // a doubled quote begins another one: the same for us
		}
	}
	return -1
}

// dollarEnd is after the dollar-quoted text at i, after the dollar where there
// is none ($1), -1: it does not end.
func dollarEnd(t string, i int) int {
	j := i + 1
	for j < len(t) && wordByte(t[j]) {
		j++
	}
	if j >= len(t) || t[j] != '$' || t[i+1] >= '0' && t[i+1] <= '9' {
		return i + 1
	}
	tag := t[i : j+1]
	n := strings.Index(t[j+1:], tag)
	if n < 0 {
		return -1
	}
	return j + 1 + n + len(tag)
}
