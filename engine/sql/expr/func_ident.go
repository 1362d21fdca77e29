package expr

import (
	"strings"

	"velostream/pgwire/pgerror"
)

// parseIdent takes a qualified name apart (parse_ident); the second argument
// says whether text after it is an error, true without it.
func parseIdent(_ *CallContext, a []datum) (datum, error) {
	s := string(a[0].B)
	strict := len(a) < 2 || a[1].Bool()
	bad := func() (datum, error) {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "string is not a valid identifier: \"%s\"", s))
	}
	var parts []string
	rest := strings.TrimLeft(s, " \t\n\r\f\v")
	for {
		part, after, ok := identPart(rest)
		if !ok {
			return bad()
		}
		parts = append(parts, part)
		rest = strings.TrimLeft(after, " \t\n\r\f\v")
		if !strings.HasPrefix(rest, ".") {
			break
		}
		rest = strings.TrimLeft(rest[1:], " \t\n\r\f\v")
	}
	if strict && rest != "" {
		return bad()
	}
	return listOf(parts), nil
}

// identPart reads an identifier, quoted or folded to lower case.
func identPart(s string) (part, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] != '"':
				b.WriteByte(s[i])
			case i+1 < len(s) && s[i+1] == '"':
				b.WriteByte('"')
				i++
			default:
				return b.String(), s[i+1:], b.Len() > 0
			}
		}
		return "", "", false
	}
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] >= 0x80 || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || n > 0 && (s[n] == '$' || s[n] >= '0' && s[n] <= '9')) {
		n++
	}
	folded := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r // as PostgreSQL in UTF-8
	}, s[:n])
	return folded, s[n:], n > 0
}
