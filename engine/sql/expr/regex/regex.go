// Package regex matches regular expressions as PostgreSQL does: advanced,
// extended and basic POSIX ones with back references and lookaround, Unicode
// classes, and PostgreSQL's rules which of several matches is taken
// (https://www.postgresql.org/docs/15/functions-matching.html#POSIX-MATCHING-RULES):
// the earliest, then the longest or the shortest as the whole expression prefers,
// then each part by its own preference, earlier parts first.
//
// A pattern is a tree. Whether and where it matches is found with sets of
// positions: a node maps the positions where it may begin to those where it
// may end, and the other way round, in time linear in the text for each node.
// Groups are found in a second pass that takes the match apart.
package regex

import (
	"regexp"

	"velostream/pgwire/pgerror"
)

// Flags are how a pattern is read and compared.
type Flags struct {
	Syntax      Syntax
	Fold        bool // upper and lower case are the same
	Expanded    bool // white space and comments in the pattern are left out
	LineStop    bool // . and [^…] do not match a newline
	LineAnchors bool // ^ and $ also match beside a newline
}

// Syntax is the language of a pattern.
type Syntax uint8

// The languages of patterns.
const (
	Advanced Syntax = iota // PostgreSQL's own
	Extended               // of POSIX
	Basic                  // of POSIX
	Literal                // each character is itself
)

// Regexp is a compiled pattern. It is immutable: any number of goroutines may use it.
type Regexp struct {
	root   *node
	groups int
	fold   bool
	// fast says whether there is a match, where the pattern is regular; it is Go's.
	fast *regexp.Regexp
}

// workLimit bounds the positions that one search may visit: patterns and texts
// that need more are refused. It is a second or two.
const workLimit = 1 << 28

// Compile reads a pattern. Options at its start ((?i), ***=) go before flags. Errors
// are those of PostgreSQL, with SQLSTATE 2201B.
func Compile(pattern string, flags Flags) (*Regexp, error) {
	p := parser{src: []rune(pattern), flags: flags}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	re := &Regexp{root: root, groups: p.groups, fold: p.flags.Fold}
	if src, ok := translate(root); ok {
		// Go refuses what would make too large a program: then there is none.
		re.fast, _ = regexp.Compile(src)
	}
	return re, nil
}

// Groups is how many capturing groups the pattern has.
func (re *Regexp) Groups() int { return re.groups }

// Match reports whether the pattern occurs in s.
func (re *Regexp) Match(s []byte) (bool, error) {
	if re.fast != nil {
		return re.fast.Match(s), nil
	}
	m, err := re.Search(s).Find(0)
	return m != nil, err
}

// Find returns the first match in s: start and end in bytes, then those of each
// group, -1 where it took no part; nil: there is none.
func (re *Regexp) Find(s []byte) ([]int, error) {
	if re.fast != nil && !re.fast.Match(s) {
		return nil, nil
	}
	return re.Search(s).Find(0)
}

// Search begins a search for several matches in s, which must not change
// meanwhile. A Search belongs to one goroutine.
func (re *Regexp) Search(s []byte) *Search {
	return &Search{matcher: matcher{re: re, s: s, budget: workLimit}}
}

// Search finds matches in one text.
type Search struct {
	matcher
	starts []int // where matches may begin, ascending, from the last call on
	begun  bool
}

// Find returns the first match that begins at byte from or later, in the form of
// Regexp.Find. What stands before from is seen by ^, \m and lookbehind.
func (s *Search) Find(from int) ([]int, error) {
	if !s.begun {
		s.begun = true
		s.starts = s.backward(s.re.root, s.all())
	}
	for len(s.starts) > 0 && s.starts[0] < from {
		s.starts = s.starts[1:]
	}
	root := s.re.root
	for _, start := range s.starts {
		ends := s.forward(root, []int{start})
		for k := range ends {
			end := ends[len(ends)-1-k]
			if root.prefers(shorter) {
				end = ends[k]
			}
			s.groups = s.groups[:0]
			for range 2 * (s.re.groups + 1) {
				s.groups = append(s.groups, -1)
			}
			if s.dissect(root, start, end) {
				s.groups[0], s.groups[1] = start, end
				return append([]int(nil), s.groups...), nil
			}
		}
		if s.budget < 0 {
			break
		}
	}
	if s.budget < 0 {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "regular expression failed: regular expression is too complex").
			WithHint("The text is too long for this pattern; fewer back references, groups or nested repetitions take less work.")
	}
	return nil, nil
}

func invalid(reason string) error {
	return pgerror.New(pgerror.InvalidRegularExpression, "invalid regular expression: %s", reason)
}
