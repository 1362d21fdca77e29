package ast

import "strings"

// secretWords are parts of names whose values are not to be seen.
var secretWords = []string{"password", "passwd", "secret", "token", "credential", "private", "jaas", "api_key", "api.key", "apikey", "key.pem"}

// Secret reports that the value of an option or parameter called name is not to
// be shown.
func Secret(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

const redacted = "'********'"

// Redact is sql, which need not be right, with the values of what is secret
// blanked out: string literals that follow a name of that kind (PASSWORD 'x',
// 'sasl.password' = 'x'), and SCRAM verifiers anywhere.
func Redact(sql string) string {
	lowered := strings.ToLower(sql)
	if !Secret(lowered) && !strings.Contains(lowered, "scram-sha-256$") {
		return sql
	}
	var b strings.Builder
	hide := false // the last name was a secret's, and nothing but = stood between
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '$' && dollarTag(sql[i:]) != "":
			end := literalEnd(sql, i)
			text := sql[i:end]
			switch tag := dollarTag(text); {
			case hide, Secret(text) && strings.Contains(text[1:], "''"), strings.Contains(strings.ToLower(text), "scram-sha-256$"):
				b.WriteString(redacted)
				hide = false
			case c == '$' && len(text) >= 2*len(tag): // perhaps a body with statements
				b.WriteString(tag + Redact(text[len(tag):len(text)-len(tag)]) + tag)
			default:
				b.WriteString(text)
				hide = Secret(text) && strings.HasPrefix(strings.TrimLeft(sql[end:], " \t\r\n"), "=")
			}
			i = end
		case c == '"':
			end := i + 1 + strings.IndexByte(sql[i+1:], '"') + 1
			if end == i+1 {
				end = len(sql)
			}
			hide = Secret(sql[i:end])
			b.WriteString(sql[i:end])
			i = end
		case wordByte(c):
			end := i
			for end < len(sql) && (wordByte(sql[end]) || sql[end] == '.') {
				end++
			}
			// The E or N before a literal, and TO, belong to the value.
			if w := strings.ToLower(sql[i:end]); !hide || w != "e" && w != "n" && w != "u" && w != "to" && w != "as" {
				hide = Secret(w)
			}
			b.WriteString(sql[i:end])
			i = end
		default:
			if hide && !strings.ContainsRune(" \t\r\n=&(,", rune(c)) {
				hide = false
			}
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// dollarTag is the opening tag of a dollar-quoted literal at the start of s.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		if s[i] == '$' {
			return s[:i+1]
		}
		if !wordByte(s[i]) || i == 1 && s[i] >= '0' && s[i] <= '9' {
			return ""
		}
	}
	return ""
}

// literalEnd is where the literal that begins at i ends. Backslashes before a quote
// are taken as part of it: better too much is hidden than too little.
func literalEnd(s string, i int) int {
	if tag := dollarTag(s[i:]); s[i] == '$' {
		if n := strings.Index(s[i+len(tag):], tag); n >= 0 {
			return i + len(tag) + n + len(tag)
		}
		return len(s)
	}
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\' && i > 0 && (s[i-1] == 'E' || s[i-1] == 'e'):
			j++
		case s[j] == '\'' && j+1 < len(s) && s[j+1] == '\'':
			j++
		case s[j] == '\'':
			return j + 1
		}
	}
	return len(s)
}
