package regex

import (
	"cmp"
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

// set is a set of characters: ranges, ascending and apart from each other.
type set struct {
	ranges []span
	ascii  [2]uint64
}

// span is the characters from lo to hi.
type span struct{ lo, hi rune }

func (s *set) has(r rune) bool {
	_, ok := slices.BinarySearchFunc(s.ranges, r, func(sp span, r rune) int {
		switch {
		case sp.hi < r:
			return -1
		case sp.lo > r:
			return 1
		}
		return 0
	})
	return ok
}

// newSet is the union of the spans, in any order.
func newSet(spans []span) *set {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	s := &set{}
	for _, sp := range spans {
		if n := len(s.ranges); n > 0 && sp.lo <= s.ranges[n-1].hi+1 {
			s.ranges[n-1].hi = max(s.ranges[n-1].hi, sp.hi)
			continue
		}
		s.ranges = append(s.ranges, sp)
	}
	for r := range rune(utf8.RuneSelf) {
		if s.has(r) {
			s.ascii[r>>6] |= 1 << (r & 63)
		}
	}
	return s
}

// complement are the spans of the characters that s has not.
func (s *set) complement() []span {
	var out []span
	next := rune(0)
	for _, sp := range s.ranges {
		if sp.lo > next {
			out = append(out, span{next, sp.lo - 1})
		}
		next = sp.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out
}

// folded are the spans with the other case of each character.
func folded(spans []span) []span {
	out := slices.Clone(spans)
	for _, sp := range spans {
		for r := sp.lo; r <= sp.hi; r++ {
			if l := lower(r); l != r {
				out = append(out, span{l, l})
			}
			if u := unicode.ToUpper(r); u != r {
				out = append(out, span{u, u})
			}
		}
	}
	return out
}

func lower(r rune) rune { return unicode.ToLower(r) }

func decode(s []byte) (rune, int) { return utf8.DecodeRune(s) }

// classes are POSIX's, over Unicode as the C library's C.UTF-8 has them.
var classes = map[string]func() *set{
	"alpha": class(isAlpha),
	"digit": class(isDigit),
	"alnum": class(func(r rune) bool { return isAlpha(r) || isDigit(r) }),
	"word":  class(func(r rune) bool { return isAlpha(r) || isDigit(r) || r == '_' }),
	"upper": class(func(r rune) bool { return unicode.ToLower(r) != r || unicode.IsUpper(r) && unicode.ToUpper(r) == r }),
	"lower": class(func(r rune) bool {
		return unicode.ToUpper(r) != r || unicode.In(r, unicode.Ll, unicode.Other_Lowercase)
	}),
	"space":  class(isSpace),
	"blank":  class(func(r rune) bool { return r == '\t' || r == ' ' }),
	"cntrl":  class(func(r rune) bool { return unicode.Is(unicode.Cc, r) }),
	"print":  class(isPrint),
	"graph":  class(func(r rune) bool { return isPrint(r) && !isSpace(r) }),
	"punct":  class(func(r rune) bool { return isPrint(r) && !isSpace(r) && !isAlpha(r) && !isDigit(r) }),
	"xdigit": class(func(r rune) bool { return isDigit(r) || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F' }),
	"ascii":  class(func(r rune) bool { return r < utf8.RuneSelf }),
}

// class is the set of the characters for which is holds, made when it is first wanted.
func class(is func(rune) bool) func() *set {
	return sync.OnceValue(func() *set {
		var spans []span
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if is(r) {
				if n := len(spans); n > 0 && spans[n-1].hi == r-1 {
					spans[n-1].hi = r
				} else {
					spans = append(spans, span{r, r})
				}
			}
		}
		return newSet(spans)
	})
}

// wordSet are the characters of words.
func wordSet() *set { return classes["word"]() }

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isAlpha(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic) || r > unicode.MaxASCII && unicode.Is(unicode.Nd, r)
}

// isSpace leaves out the spaces that do not break lines.
func isSpace(r rune) bool {
	return unicode.Is(unicode.White_Space, r) && r != 0x85 && r != 0xa0 && r != 0x2007 && r != 0x202f
}

func isPrint(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs, unicode.Cf, unicode.Co)
}

// collating are the names of characters in [. .], POSIX's of the portable set.
var collating = map[string]rune{
	"NUL": 0, "SOH": 1, "STX": 2, "ETX": 3, "EOT": 4, "ENQ": 5, "ACK": 6, "BEL": 7, "alert": 7, "BS": 8, "backspace": 8,
	"HT": 9, "tab": 9, "LF": 10, "newline": 10, "VT": 11, "vertical-tab": 11, "FF": 12, "form-feed": 12, "CR": 13,
	"carriage-return": 13, "SO": 14, "SI": 15, "DLE": 16, "DC1": 17, "DC2": 18, "DC3": 19, "DC4": 20, "NAK": 21, "SYN": 22,
	"ETB": 23, "CAN": 24, "EM": 25, "SUB": 26, "ESC": 27, "IS4": 28, "FS": 28, "IS3": 29, "GS": 29, "IS2": 30, "RS": 30,
	"IS1": 31, "US": 31, "space": ' ', "exclamation-mark": '!', "quotation-mark": '"', "number-sign": '#', "dollar-sign": '$',
	"percent-sign": '%', "ampersand": '&', "apostrophe": '\'', "left-parenthesis": '(', "right-parenthesis": ')', "asterisk": '*',
	"plus-sign": '+', "comma": ',', "hyphen": '-', "hyphen-minus": '-', "period": '.', "full-stop": '.', "slash": '/',
	"solidus": '/', "zero": '0', "one": '1', "two": '2', "three": '3', "four": '4', "five": '5', "six": '6', "seven": '7',
	"eight": '8', "nine": '9', "colon": ':', "semicolon": ';', "less-than-sign": '<', "equals-sign": '=',
	"greater-than-sign": '>', "question-mark": '?', "commercial-at": '@', "left-square-bracket": '[', "backslash": '\\',
	"reverse-solidus": '\\', "right-square-bracket": ']', "circumflex": '^', "circumflex-accent": '^', "underscore": '_',
	"low-line": '_', "grave-accent": '`', "left-brace": '{', "left-curly-bracket": '{', "vertical-line": '|',
	"right-brace": '}', "right-curly-bracket": '}', "tilde": '~', "DEL": 127,
}
