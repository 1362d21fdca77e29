package expr

import (
	"bytes"
	"errors"
	"strings"

	"velostream/catalog/types"
	"velostream/catalog/types/jsonpath"
	"velostream/engine/sql/expr/regex"
	"velostream/pgwire/pgerror"
)

// truth is the value of a predicate.
type truth uint8

const (
	pathFalse truth = iota
	pathTrue
	pathUnknown
)

func truthOf(b bool) truth {
	if b {
		return pathTrue
	}
	return pathFalse
}

// passes reports errors that a predicate does not turn into unknown.
func passes(err error) bool {
	c := pgerror.Code(err)
	return errors.Is(err, errFound) || c == pgerror.UndefinedObject || c == pgerror.FeatureNotSupported || c == pgerror.InvalidRegularExpression
}

// predicate evaluates n; errors of what it works on make it unknown.
func (p *pathRun) predicate(n *jsonpath.Node, jb jsonItem) (truth, error) {
	switch n.Op {
	case jsonpath.And, jsonpath.Or:
		return p.junction(n, jb)
	case jsonpath.Not:
		t, err := p.predicate(n.Left, jb)
		if t != pathUnknown {
			t ^= 1
		}
		return t, err
	case jsonpath.IsUnknown:
		t, err := p.predicate(n.Left, jb)
		return truthOf(t == pathUnknown), err
	case jsonpath.Exists:
		return p.exists(n.Left, jb)
	default:
	}
	left, err := p.collect(n.Left, jb, true)
	if err != nil {
		return unknownFor(err)
	}
	right := []jsonItem{{}}
	if n.Right != nil {
		if right, err = p.collect(n.Right, jb, n.Op != jsonpath.StartsWith); err != nil {
			return unknownFor(err)
		}
	}
	return p.some(n, left, right)
}

func unknownFor(err error) (truth, error) {
	if passes(err) {
		return pathUnknown, err
	}
	return pathUnknown, nil
}

func (p *pathRun) junction(n *jsonpath.Node, jb jsonItem) (truth, error) {
	decides := truthOf(n.Op == jsonpath.Or)
	l, err := p.predicate(n.Left, jb)
	if err != nil || l == decides {
		return l, err
	}
	r, err := p.predicate(n.Right, jb)
	if err != nil || r == decides || l != pathUnknown {
		return r, err
	}
	return pathUnknown, nil
}

func (p *pathRun) exists(n *jsonpath.Node, jb jsonItem) (truth, error) {
	found := false
	if p.lax && unneeded(n) {
		return pathTrue, nil
	}
	err := p.item(n, jb, func(jsonItem) error {
		found = true
		if p.lax {
			return errFound
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) {
		return unknownFor(err)
	}
	return truthOf(found), nil
}

// unneeded reports a lone variable: that it exists is known without its value,
// so it need not be there.
func unneeded(n *jsonpath.Node) bool { return n.Op == jsonpath.Var && n.Next == nil }

// some is true where the predicate holds for some pair; in strict mode any
// unknown pair before makes it unknown.
func (p *pathRun) some(n *jsonpath.Node, left, right []jsonItem) (truth, error) {
	unknown, found := false, false
	for _, l := range left {
		for _, r := range right {
			t, err := p.test(n, l, r)
			switch {
			case err != nil:
				return pathUnknown, err
			case t == pathUnknown && !p.lax:
				return pathUnknown, nil
			case t == pathUnknown:
				unknown = true
			case t == pathTrue && p.lax:
				return pathTrue, nil
			case t == pathTrue:
				found = true
			}
		}
	}
	switch {
	case found:
		return pathTrue, nil
	case unknown:
		return pathUnknown, nil
	}
	return pathFalse, nil
}

func (p *pathRun) test(n *jsonpath.Node, l, r jsonItem) (truth, error) {
	switch n.Op {
	case jsonpath.LikeRegex:
		if l.first() != '"' {
			return pathUnknown, nil
		}
		re, err := likeRegex(n)
		if err != nil {
			return pathUnknown, err
		}
		matches, err := re.Match(jsonUnquote(jsonTrim(l.b)))
		return truthOf(matches), err
	case jsonpath.StartsWith:
		if l.first() != '"' || r.first() != '"' {
			return pathUnknown, nil
		}
		return truthOf(bytes.HasPrefix(jsonUnquote(jsonTrim(l.b)), jsonUnquote(jsonTrim(r.b)))), nil
	default:
	}
	return p.compare(n.Op, l, r)
}

// likeRegex compiles the pattern of like_regex with XQuery's flags.
func likeRegex(n *jsonpath.Node) (*regex.Regexp, error) {
	flags := ""
	if !strings.Contains(n.Flags, "s") {
		flags = "p" // the dot stops at the end of a line
	}
	for _, f := range n.Flags {
		switch f {
		case 'i', 'q':
			flags += string(f)
		case 'm':
			flags += "w"
		}
	}
	return compileRegexp(n.Text, flags)
}

func kindOf(i jsonItem) byte {
	switch c := i.first(); c {
	case 't', 'f':
		return 't'
	case '{', '[', '"', 'n', 'd':
		return c
	}
	return '0'
}

func (p *pathRun) compare(op jsonpath.Op, l, r jsonItem) (truth, error) {
	k := kindOf(l)
	if other := kindOf(r); k != other {
		if k == 'n' || other == 'n' {
			return truthOf(op == jsonpath.Ne), nil
		}
		return pathUnknown, nil
	}
	cmp := 0
	switch k {
	case 'n':
	case '{', '[':
		return pathUnknown, nil
	case 'd':
		c, ok, err := p.compareTimes(l, r)
		if err != nil || !ok {
			return pathUnknown, err
		}
		cmp = c
	case '"':
		cmp = bytes.Compare(jsonUnquote(jsonTrim(l.b)), jsonUnquote(jsonTrim(r.b)))
	case '0':
		a, _ := l.number()
		b, _ := r.number()
		cmp = a.Cmp(b)
	default:
		cmp = types.CompareJSON(l.b, r.b)
	}
	switch op {
	case jsonpath.Eq:
		return truthOf(cmp == 0), nil
	case jsonpath.Ne:
		return truthOf(cmp != 0), nil
	case jsonpath.Lt:
		return truthOf(cmp < 0), nil
	case jsonpath.Gt:
		return truthOf(cmp > 0), nil
	case jsonpath.Le:
		return truthOf(cmp <= 0), nil
	default:
	}
	return truthOf(cmp >= 0), nil
}
