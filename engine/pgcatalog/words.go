package pgcatalog

import (
	_ "embed"
	"strings"
	"sync"
)

// wordsText is pg_get_keywords() of PostgreSQL 15: word, category and whether it can
// be a label without AS.
//
//	psql -XAt -F ' ' -c 'SELECT word, catcode, barelabel FROM pg_get_keywords() ORDER BY word' > words.txt
//
//go:embed words.txt
var wordsText string

// keyword is a key word of SQL.
type keyword struct {
	category byte // U, C, T, R
	bare     bool
}

// keywords are the key words, read at first use.
var keywords = sync.OnceValue(func() map[string]keyword {
	m := map[string]keyword{}
	for line := range strings.Lines(wordsText) {
		if f := strings.Fields(line); len(f) == 3 {
			m[f[0]] = keyword{category: f[1][0], bare: f[2] == "t"}
		}
	}
	return m
})

// reserved reports a word that must be quoted as a name.
func reserved(word string) bool {
	k, ok := keywords()[word]
	return ok && k.category != 'U'
}

// categoryTexts and labelTexts explain key words.
var (
	categoryTexts = map[byte]string{
		'U': "unreserved", 'C': "unreserved (cannot be function or type name)",
		'T': "reserved (can be function or type name)", 'R': "reserved",
	}
	labelTexts = map[bool]string{true: "can be bare label", false: "requires AS"}
)
