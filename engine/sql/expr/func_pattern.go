package expr

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/engine/sql/expr/regex"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// patternFamily is the table of LIKE, SIMILAR TO and regular expressions
// (https://www.postgresql.org/docs/15/functions-matching.html). x LIKE p ESCAPE
// e is x ~~ like_escape(p, e); x SIMILAR TO p is x ~ similar_to_escape(p).
func patternFamily() []Function {
	var defs []def
	for _, t := range []string{"text", "bpchar", "name"} {
		defs = append(defs,
			def{sig: "~~(" + t + ",text) bool", kernel: likeKernel(false, false), doc: "LIKE"},
			def{sig: "!~~(" + t + ",text) bool", kernel: likeKernel(false, true), doc: "NOT LIKE"},
			def{sig: "~~*(" + t + ",text) bool", kernel: likeKernel(true, false), doc: "ILIKE"},
			def{sig: "!~~*(" + t + ",text) bool", kernel: likeKernel(true, true), doc: "NOT ILIKE"},
			def{sig: "~(" + t + ",text) bool", kernel: regexpKernel("", false), doc: "matches a regular expression"},
			def{sig: "!~(" + t + ",text) bool", kernel: regexpKernel("", true), doc: "does not match a regular expression"},
			def{sig: "~*(" + t + ",text) bool", kernel: regexpKernel("i", false), doc: "matches a regular expression, ignoring case"},
			def{sig: "!~*(" + t + ",text) bool", kernel: regexpKernel("i", true), doc: "does not match a regular expression, ignoring case"},
		)
	}
	return append(table(defs), table([]def{
		{sig: "~~(bytea,bytea) bool", kernel: likeKernel(false, false), doc: "LIKE"},
		{sig: "!~~(bytea,bytea) bool", kernel: likeKernel(false, true), doc: "NOT LIKE"},
		{sig: "like(text,text) bool", kernel: likeKernel(false, false), doc: "LIKE"},
		{sig: "notlike(text,text) bool", kernel: likeKernel(false, true), doc: "NOT LIKE"},
		{sig: "like_escape(text,text) text", scalar: likeEscape, doc: "pattern with backslash in the place of another escape"},
		{sig: "similar_to_escape(text) text", scalar: similarEscape, doc: "regular expression of a SIMILAR TO pattern"},
		{sig: "similar_to_escape(text,text) text", scalar: similarEscape, doc: "regular expression of a SIMILAR TO pattern"},
		{sig: "regexp(text,text) bool", kernel: regexpKernel("", false), doc: "matches a regular expression"},
		{sig: "regexp_like(text,text) bool", scalar: regexpLike, doc: "matches a regular expression"},
		{sig: "regexp_like(text,text,text) bool", scalar: regexpLike, doc: "matches a regular expression"},
		{sig: "regexp_match(text,text) text[]", scalar: regexpMatch, doc: "groups of the first match"},
		{sig: "regexp_match(text,text,text) text[]", scalar: regexpMatch, doc: "groups of the first match"},
		{sig: "regexp_replace(text,text,text) text", scalar: regexpReplace, doc: "replaces the first match"},
		{sig: "regexp_replace(text,text,text,text) text", scalar: regexpReplace, doc: "replaces the first match, or all with flag g"},
		{sig: "regexp_split_to_array(text,text) text[]", scalar: regexpSplit, doc: "splits at matches"},
		{sig: "regexp_split_to_array(text,text,text) text[]", scalar: regexpSplit, doc: "splits at matches"},
		{sig: "regexp_count(text,text) int4", scalar: regexpCount, doc: "number of matches"},
		{sig: "regexp_count(text,text,int4) int4", scalar: regexpCount, doc: "number of matches from a position"},
		{sig: "regexp_count(text,text,int4,text) int4", scalar: regexpCount, doc: "number of matches from a position"},
		{sig: "regexp_instr(text,text) int4", scalar: regexpInstr, doc: "position of a match"},
		{sig: "regexp_instr(text,text,int4) int4", scalar: regexpInstr, doc: "position of a match"},
		{sig: "regexp_instr(text,text,int4,int4) int4", scalar: regexpInstr, doc: "position of the n-th match"},
		{sig: "regexp_substr(text,text) text", scalar: regexpSubstr, doc: "text of a match"},
		{sig: "regexp_substr(text,text,int4) text", scalar: regexpSubstr, doc: "text of a match"},
		{sig: "regexp_substr(text,text,int4,int4) text", scalar: regexpSubstr, doc: "text of the n-th match"},
		{sig: "regexp_replace(text,text,text,int4) text", scalar: regexpReplaceNth, doc: "replaces the first match from a position"},
		{sig: "regexp_replace(text,text,text,int4,int4) text", scalar: regexpReplaceNth, doc: "replaces the n-th match from a position, or all (0)"},
		{sig: "regexp_replace(text,text,text,int4,int4,text) text", scalar: regexpReplaceNth, doc: "replaces the n-th match from a position, or all (0)"},
		{sig: "regexp_instr(text,text,int4,int4,int4) int4", scalar: regexpInstr, doc: "position of the n-th match, or behind it (1)"},
		{sig: "regexp_instr(text,text,int4,int4,int4,text) int4", scalar: regexpInstr, doc: "position of the n-th match, or behind it (1)"},
		{sig: "regexp_instr(text,text,int4,int4,int4,text,int4) int4", scalar: regexpInstr, doc: "position of a group of the n-th match, or behind it (1)"},
		{sig: "regexp_substr(text,text,int4,int4,text) text", scalar: regexpSubstr, doc: "text of the n-th match"},
		{sig: "regexp_substr(text,text,int4,int4,text,int4) text", scalar: regexpSubstr, doc: "text of a group of the n-th match"},
		{sig: "like(bytea,bytea) bool", kernel: likeKernel(false, false), doc: "LIKE"},
		{sig: "notlike(bytea,bytea) bool", kernel: likeKernel(false, true), doc: "NOT LIKE"},
		{sig: "like_escape(bytea,bytea) bytea", scalar: likeEscape, doc: "pattern with backslash in the place of another escape"},
		{sig: "similar_escape(text,text) text", scalar: similarEscape, nullCall: true, doc: "regular expression of a SIMILAR TO pattern"},
		{sig: "substring(text,text) text", scalar: substringRegexp, doc: "first group, or all, of the first match"},
		{sig: "substring(text,text,text) text", scalar: substringSimilar, doc: "part between escapes of a SIMILAR pattern"},
	})...)
}

func likeKernel(fold, negate bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		s, p := args[0], args[1]
		get := func(i int) (*likePattern, error) {
			return memo(c, p.Bytes(i), func(p string) (*likePattern, error) { return compileLike(p, fold) })
		}
		if p.Const {
			l, err := get(0)
			if err != nil {
				return err
			}
			return c.each(func(i int) error {
				out.Bools[i] = l.match(s.Bytes(i)) != negate
				return nil
			})
		}
		return c.each(func(i int) error {
			l, err := get(i)
			if err != nil {
				return err
			}
			out.Bools[i] = l.match(s.Bytes(i)) != negate
			return nil
		})
	}
}

func regexpKernel(flags string, negate bool) Kernel {
	return func(c *CallContext, args []*column.Column, out *column.Column) error {
		s, p := args[0], args[1]
		return c.each(func(i int) error {
			// A constant pattern is found in the memo by its own text.
			re, err := memo(c, p.Bytes(i), func(p string) (*regex.Regexp, error) { return compileRegexp(p, flags) })
			if err != nil {
				return err
			}
			matches, err := re.Match(s.Bytes(i))
			out.Bools[i] = matches != negate
			return err
		})
	}
}

func likeEscape(_ *CallContext, a []datum) (datum, error) {
	p, esc := string(a[0].B), string(a[1].B)
	if utf8.RuneCountInString(esc) > 1 {
		return fail(pgerror.New(pgerror.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character."))
	}
	if esc == `\` {
		return a[0], nil
	}
	var b strings.Builder
	after := false
	for len(p) > 0 {
		_, size := utf8.DecodeRuneInString(p) // 1 of a byte that is no character's
		r := p[:size]
		p = p[size:]
		switch {
		case !after && esc != "" && r == esc:
			b.WriteByte('\\')
			after = true
			continue
		case r == `\`:
			if !after {
				b.WriteByte('\\')
			}
		}
		b.WriteString(r)
		after = false
	}
	return str(b.String())
}

func similarEscape(_ *CallContext, a []datum) (datum, error) {
	esc := `\`
	if a[0].Null {
		return null()
	}
	if len(a) == 2 && !a[1].Null {
		esc = string(a[1].B)
	}
	s, err := similarPattern(string(a[0].B), esc)
	return types.StringDatum(s), err
}

// pattern compiles argument 1 with the flags in argument at (if there is one);
// without g, which it reports.
func pattern(c *CallContext, a []datum, at int) (re *regex.Regexp, global bool, err error) {
	flags := ""
	if at < len(a) {
		flags = string(a[at].B)
		global = strings.Contains(flags, "g")
		flags = strings.ReplaceAll(flags, "g", "")
	}
	key := append(append([]byte(flags), 0), a[1].B...)
	re, err = memo(c, key, func(string) (*regex.Regexp, error) { return compileRegexp(string(a[1].B), flags) })
	return re, global, err
}

func noGlobal(name string, global bool) error {
	if global {
		return pgerror.New(pgerror.InvalidParameterValue, "%s does not support the \"global\" option", name)
	}
	return nil
}

func regexpLike(c *CallContext, a []datum) (datum, error) {
	re, global, err := pattern(c, a, 2)
	if err == nil {
		err = noGlobal("regexp_like()", global)
	}
	if err != nil {
		return fail(err)
	}
	matches, err := re.Match(a[0].B)
	return types.BoolDatum(matches), err
}

// groups makes a list of the groups of a match, or of the whole if it has none.
func groups(s []byte, m []int) datum {
	if len(m) > 2 {
		m = m[2:]
	}
	var d datum
	for i := 0; i < len(m); i += 2 {
		if m[i] < 0 {
			d.List = append(d.List, types.NullDatum)
		} else {
			d.List = append(d.List, types.BytesDatum(s[m[i]:m[i+1]]))
		}
	}
	return d
}

func regexpMatch(c *CallContext, a []datum) (datum, error) {
	re, global, err := pattern(c, a, 2)
	if err == nil && global {
		err = pgerror.New(pgerror.InvalidParameterValue, "regexp_match() does not support the \"global\" option").
			WithHint("Use the regexp_matches function instead.")
	}
	if err != nil {
		return fail(err)
	}
	m, err := re.Find(a[0].B)
	if err != nil || m == nil {
		return types.NullDatum, err
	}
	return groups(a[0].B, m), nil
}

func regexpReplace(c *CallContext, a []datum) (datum, error) {
	re, global, err := pattern(c, a, 3)
	if err != nil {
		return fail(err)
	}
	n := 1
	if global {
		n = -1
	}
	s, out, last := a[0].B, []byte{}, 0
	all, err := allMatches(re, s, 0, n)
	if err != nil {
		return fail(err)
	}
	for _, m := range all {
		out = append(out, s[last:m[0]]...)
		out = expand(out, a[2].B, s, m)
		last = m[1]
	}
	return raw(append(out, s[last:]...))
}

// allMatches are up to n matches (-1: all) from byte start on. An empty match may
// stand right behind another match.
func allMatches(re *regex.Regexp, s []byte, start, n int) ([][]int, error) {
	var all [][]int
	search := re.Search(s)
	for at := start; at <= len(s) && len(all) != n; {
		m, err := search.Find(at)
		if err != nil || m == nil {
			return all, err
		}
		all = append(all, m)
		if at = m[1]; m[0] == m[1] {
			_, w := utf8.DecodeRune(s[at:])
			at += max(w, 1)
		}
	}
	return all, nil
}

// expand adds the replacement with \1 … \9 and \& for parts of the match m.
func expand(out, by, s []byte, m []int) []byte {
	for i := 0; i < len(by); i++ {
		if by[i] != '\\' || i+1 == len(by) {
			out = append(out, by[i])
			continue
		}
		i++
		switch c := by[i]; {
		case c == '&':
			out = append(out, s[m[0]:m[1]]...)
		case c >= '1' && c <= '9':
			if g := 2 * int(c-'0'); g+1 < len(m) && m[g] >= 0 {
				out = append(out, s[m[g]:m[g+1]]...)
			}
		case c == '\\':
			out = append(out, '\\')
		default:
			out = append(out, '\\', c)
		}
	}
	return out
}

func regexpSplit(c *CallContext, a []datum) (datum, error) {
	re, global, err := pattern(c, a, 2)
	if err == nil {
		err = noGlobal("regexp_split_to_array()", global)
	}
	if err != nil {
		return fail(err)
	}
	s, last := a[0].B, 0
	var d datum
	all, err := allMatches(re, s, 0, -1)
	if err != nil {
		return fail(err)
	}
	for _, m := range all {
		// An empty match at the start, at the end or right after a match splits nothing.
		if m[0] == len(s) || m[1] == last {
			continue
		}
		d.List = append(d.List, types.BytesDatum(s[last:m[0]]))
		last = m[1]
	}
	d.List = append(d.List, types.BytesDatum(s[last:]))
	return d, nil
}

// from is argument at as a start position: the bytes before it are skipped; -1:
// it lies beyond the end.
func from(a []datum, at int) (int, error) {
	if at >= len(a) {
		return 0, nil
	}
	if a[at].I < 1 {
		return 0, pgerror.New(pgerror.InvalidParameterValue, "invalid value for parameter \"start\": %d", a[at].I)
	}
	if a[at].I > int64(utf8.RuneCount(a[0].B))+1 {
		return -1, nil
	}
	return runeOffset(a[0].B, int(a[at].I-1)), nil
}

func regexpCount(c *CallContext, a []datum) (datum, error) {
	start, err := from(a, 2)
	if err != nil {
		return fail(err)
	}
	re, global, err := pattern(c, a, 3)
	if err == nil {
		err = noGlobal("regexp_count()", global)
	}
	if err == nil && start < 0 {
		return integer(0)
	}
	if err != nil {
		return fail(err)
	}
	all, err := allMatches(re, a[0].B, start, -1)
	return types.IntDatum(int64(len(all))), err
}

// nthMatch finds match number a[3] (1 if absent) from position a[2] with the flags
// and the group that are the arguments at flags and flags+1, if there are; nil:
// there is none.
func nthMatch(c *CallContext, a []datum, name string, flags int) ([]int, error) {
	bad := func(what string, v int64) error {
		return pgerror.New(pgerror.InvalidParameterValue, "invalid value for parameter \"%s\": %d", what, v)
	}
	start, err := from(a, 2)
	if err != nil {
		return nil, err
	}
	n, group := 1, 0
	if len(a) > 3 {
		if n = int(a[3].I); n < 1 {
			return nil, bad("n", int64(n))
		}
	}
	if flags == 5 && len(a) > 4 && (a[4].I < 0 || a[4].I > 1) {
		return nil, bad("endoption", a[4].I)
	}
	if len(a) > flags+1 {
		if group = int(a[flags+1].I); group < 0 {
			return nil, bad("subexpr", int64(group))
		}
	}
	re, global, err := pattern(c, a, flags)
	if err == nil {
		err = noGlobal(name, global)
	}
	if err != nil || start < 0 {
		return nil, err
	}
	if group == 1 && re.Groups() == 0 {
		group = 0 // a pattern without groups is its own first
	}
	all, err := allMatches(re, a[0].B, start, n)
	if err != nil || len(all) < n || 2*group >= len(all[n-1]) || all[n-1][2*group] < 0 {
		return nil, err
	}
	return all[n-1][2*group:][:2], nil
}

func regexpInstr(c *CallContext, a []datum) (datum, error) {
	m, err := nthMatch(c, a, "regexp_instr()", 5)
	if err != nil || m == nil {
		return types.IntDatum(0), err
	}
	at := m[0]
	if len(a) > 4 && a[4].I == 1 {
		at = m[1]
	}
	return integer(int64(utf8.RuneCount(a[0].B[:at])) + 1)
}

func regexpSubstr(c *CallContext, a []datum) (datum, error) {
	m, err := nthMatch(c, a, "regexp_substr()", 4)
	if err != nil || m == nil {
		return types.NullDatum, err
	}
	return raw(a[0].B[m[0]:m[1]])
}

// regexpReplaceNth replaces match number a[4] from position a[3], or all.
func regexpReplaceNth(c *CallContext, a []datum) (datum, error) {
	start, err := from(a, 3)
	if err != nil {
		return fail(err)
	}
	n := int64(1)
	if len(a) > 4 {
		if n = a[4].I; n < 0 {
			return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid value for parameter \"n\": %d", n))
		}
	}
	re, _, err := pattern(c, a, 5)
	if err != nil {
		return fail(err)
	}
	if start < 0 {
		return a[0], nil
	}
	all, err := allMatches(re, a[0].B, start, cmp.Or(int(n), -1))
	if err != nil {
		return fail(err)
	}
	s, last := a[0].B, 0
	var out []byte
	for i, m := range all {
		if n > 0 && int64(i)+1 != n {
			continue
		}
		out = append(out, s[last:m[0]]...)
		out = expand(out, a[2].B, s, m)
		last = m[1]
	}
	return raw(append(out, s[last:]...))
}

func substringRegexp(c *CallContext, a []datum) (datum, error) {
	re, _, err := pattern(c, a, 9)
	if err != nil {
		return fail(err)
	}
	m, err := re.Find(a[0].B)
	if err != nil || m == nil {
		return types.NullDatum, err
	}
	return groups(a[0].B, m).List[0], nil
}

// substringSimilar is substring(s SIMILAR p ESCAPE e): p is a SIMILAR pattern
// in three parts, separated by escape and double quote.
func substringSimilar(c *CallContext, a []datum) (datum, error) {
	key := append(append(append([]byte{}, a[2].B...), 0), a[1].B...)
	re, err := memo(c, key, func(string) (*regex.Regexp, error) {
		esc := string(a[2].B)
		parts := []string{string(a[1].B)}
		if esc != "" {
			parts = strings.Split(parts[0], esc+`"`)
		}
		switch len(parts) {
		case 1:
			parts = []string{"", parts[0], ""}
		case 3:
		default:
			return nil, pgerror.New("2200C", "SQL regular expression may not contain more than two escape-double-quote separators")
		}
		var out strings.Builder
		for i, p := range parts {
			s, err := similarPattern(p, esc)
			if err != nil {
				return nil, err
			}
			s = strings.TrimSuffix(strings.TrimPrefix(s, "^"), "$")
			// The first part is as short as may be: its quantifier says so.
			out.WriteString([]string{"^(?:", "){1,1}?(", "){1,1}(?:"}[i] + s)
		}
		return compileRegexp(out.String()+")$", "")
	})
	if err != nil {
		return fail(err)
	}
	m, err := re.Find(a[0].B)
	if err != nil || m == nil || m[2] < 0 {
		return types.NullDatum, err
	}
	return raw(a[0].B[m[2]:m[3]])
}
