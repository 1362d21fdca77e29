package regex

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// What patterns match is compared with PostgreSQL in ../testdata/regex.txt.

func TestWorkLimit(t *testing.T) {
	re, err := Compile(`^(a+)(a+)(a+)\1\2\3\3\2\1aab$`, Flags{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = re.Find(append(bytes.Repeat([]byte("a"), 5001), 'b'))
	if e, ok := errors.AsType[*pgerror.Error](err); !ok || e.Code != pgerror.ProgramLimitExceeded {
		t.Fatalf("got %v", err)
	}
}

func TestDepthLimit(t *testing.T) {
	_, err := Compile(strings.Repeat("(", 50_000)+strings.Repeat(")", 50_000), Flags{})
	if err == nil || !strings.Contains(err.Error(), tooComplex) {
		t.Fatalf("got %v", err)
	}
}

// TestLongText: the time of a search grows with the text, not with its square.
func TestLongText(t *testing.T) {
	s := []byte(strings.Repeat("lorem ipsum 12 ", 100_000))
	for pattern, want := range map[string]int{`\m(\d)(\d)\M`: 100_000, `(?<=ipsum )\d+`: 100_000, `(?:lorem|x)(?= ipsum)`: 100_000} {
		re, err := Compile(pattern, Flags{})
		if err != nil {
			t.Fatal(err)
		}
		search, n := re.Search(s), 0
		for at := 0; ; n++ {
			m, err := search.Find(at)
			if err != nil {
				t.Fatal(pattern, err)
			}
			if m == nil {
				break
			}
			at = m[1]
		}
		if n != want {
			t.Errorf("%s: %d matches, want %d", pattern, n, want)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add(`(a|b)*?\1{2,}(?!c)[[:alpha:]-]`, "abab", uint8(0))
	f.Add(`\(a\)\1*`, "aa", uint8(1))
	f.Fuzz(func(t *testing.T, pattern, text string, how uint8) {
		if len(pattern) > 100 || len(text) > 100 || !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return
		}
		re, err := Compile(pattern, Flags{Syntax: Syntax(how & 3), Fold: how&4 != 0, Expanded: how&8 != 0, LineStop: how&16 != 0, LineAnchors: how&32 != 0})
		if err != nil {
			return
		}
		m, err := re.Find([]byte(text))
		if err != nil {
			return
		}
		if re.fast != nil && re.fast.MatchString(text) != (m != nil) {
			t.Fatalf("%q in %q: Go's answer differs", pattern, text)
		}
		for i := 0; i+1 < len(m); i += 2 {
			if m[i] > m[i+1] || m[i+1] > len(text) || (m[i] < 0) != (m[i+1] < 0) {
				t.Fatalf("%q in %q: group %d is %v", pattern, text, i/2, m)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	s := []byte("2026-11-24 12:00:01 user=someone@example.com status=200 path=/index.html")
	for _, pattern := range []string{`status=[45]\d\d`, `\w+@\w+\.com`, `\mstatus\M`, `user=(\S+)`} {
		re, err := Compile(pattern, Flags{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(pattern, func(b *testing.B) {
			for b.Loop() {
				_, _ = re.Match(s)
			}
		})
		b.Run(pattern+" find", func(b *testing.B) {
			for b.Loop() {
				_, _ = re.Find(s)
			}
		})
	}
}
