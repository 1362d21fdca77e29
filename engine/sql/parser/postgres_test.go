package parser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/pgwire/pgerror"
)

var (
	postgresDSN = flag.String("postgres", "", "DSN of a PostgreSQL 15 to take the expected errors from")
	mutations   = flag.Int("mutations", 2000, "with -postgres: broken statements to make up and compare")
	seed        = flag.Int64("seed", 3, "with -postgres: which ones")
)

// failure is an error as the test files show it.
func failure(code string, pos int, msg string) string { return fmt.Sprintf("%s %d %s", code, pos, msg) }

// ours is the outcome of our parser.
func ours(sql string) string {
	_, err := Parse(sql)
	if err == nil {
		return "accepted"
	}
	var e *pgerror.Error
	if !errors.As(err, &e) {
		return "not a pgerror: " + err.Error()
	}
	return failure(e.Code, e.Position, e.Message)
}

// theirs is the outcome of PostgreSQL's parser: an error of another class
// than syntax means that the syntax was right.
func theirs(ctx context.Context, c *pgconn.PgConn, sql string) string {
	_, err := c.Prepare(ctx, "", sql, nil)
	var e *pgconn.PgError
	switch {
	case err == nil:
		return "accepted"
	case !errors.As(err, &e):
		return "lost: " + err.Error()
	case e.Code == "42601" && !strings.HasPrefix(e.Message, "cannot insert multiple commands"), e.Code[:2] == "22", e.Code == "42P20" && e.Position > 0:
		return failure(e.Code, int(e.Position), e.Message)
	}
	return "accepted"
}

// TestErrors compares what we say about broken statements with what
// PostgreSQL 15 said. A case of testdata/errors.txt is a statement, then
//
//	=> SQLSTATE position message     PostgreSQL's, taken with -postgres
//	ours: …                          where we differ on purpose
func TestErrors(t *testing.T) {
	path := filepath.Join("testdata", "errors.txt")
	cases := corpus(t, "errors.txt")
	if *postgresDSN != "" {
		recapture(t, path, cases)
		cases = corpus(t, "errors.txt")
	}
	if len(cases) < 150 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		sql, want, ok := strings.Cut(c, "\n=> ")
		if !ok {
			t.Errorf("case without expectation:\n%s", c)
			continue
		}
		if _, own, ok := strings.Cut(want, "\nours: "); ok {
			want = own
		}
		if got := ours(sql); got != want {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
	}
}

// recapture writes PostgreSQL's outcomes into the file.
func recapture(t *testing.T, path string, cases []string) {
	ctx := t.Context()
	conn, err := pgconn.Connect(ctx, *postgresDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var b strings.Builder
	for i, c := range cases {
		sql, want, _ := strings.Cut(c, "\n=> ")
		_, own, differs := strings.Cut(want, "\nours: ")
		if i > 0 {
			b.WriteString("\n----\n")
		}
		fmt.Fprintf(&b, "%s\n=> %s", sql, theirs(ctx, conn, sql))
		if differs {
			fmt.Fprintf(&b, "\nours: %s", own)
		}
	}
	b.WriteByte('\n')
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestMutations breaks statements of the corpus at random and compares the
// outcome with PostgreSQL's. What we take beyond PostgreSQL is not counted. A
// syntax error may be at another token in 1 of 200: an LALR parser without
// actions reads on where ours decides for a rule, or the other way about.
func TestMutations(t *testing.T) {
	if *postgresDSN == "" {
		t.Skip("needs -postgres")
	}
	ctx := t.Context()
	conn, err := pgconn.Connect(ctx, *postgresDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	stmts := slices.DeleteFunc(append(corpus(t, "postgres.sql"), corpus(t, "psql15.sql")...), func(sql string) bool {
		return theirs(ctx, conn, sql) != "accepted" // such as IGNORE NULLS, which PostgreSQL 15 does not have
	})
	rnd := rand.New(rand.NewSource(*seed))
	same, extra, known, elsewhere := 0, 0, 0, 0
	for range *mutations {
		sql := mutate(rnd, stmts[rnd.Intn(len(stmts))], stmts)
		us, them := ours(sql), theirs(ctx, conn, sql)
		switch {
		case us == them:
			same++
		case us == "accepted":
			t.Logf("beyond PostgreSQL: %s", sql)
			extra++
		case onPurpose(sql, us, them):
			known++
		case strings.HasPrefix(us, "42601 ") && strings.HasPrefix(them, "42601 "):
			t.Logf("%s\n got %s\nwant %s", sql, us, them)
			elsewhere++
		default:
			t.Errorf("%s\n got %s\nwant %s", sql, us, them)
		}
	}
	t.Logf("%d same, %d accepted beyond PostgreSQL, %d different on purpose, %d with another position", same, extra, known, elsewhere)
	if elsewhere > *mutations/200 {
		t.Errorf("%d of %d syntax errors at another token than PostgreSQL's", elsewhere, *mutations)
	}
}

// bareWord is a word of an operator where PostgreSQL takes it for a column's label without AS.
var bareWord = regexp.MustCompile(`(?i) (and|or|is|not|like|ilike|in|between|similar|collate) +(,|from\b|;|$)`)

// onPurpose reports a difference that testdata/slt/DIFFERENCES.md names.
func onPurpose(sql, us, them string) bool {
	if !strings.HasPrefix(us, "42601 ") {
		return false
	}
	if !strings.HasPrefix(them, "42601 ") {
		return them == "accepted" && bareWord.MatchString(sql)
	}
	words := tokens(sql)
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	switch words[0] {
	case "create", "alter", "drop": // of what is refused by name, wherever its text ends
		_, other := otherObjects[words[1]]
		return other || words[1] == "subscription"
	case "cluster", "reindex", "security", "import":
		return true
	}
	return strings.Contains(sql, " N'")
}

// mutate removes, doubles, swaps or borrows a token.
func mutate(rnd *rand.Rand, sql string, stmts []string) string {
	toks := tokens(sql)
	if len(toks) < 2 || strings.Contains(sql, "--") || len(toks) > 60 {
		return sql
	}
	i := rnd.Intn(len(toks))
	switch rnd.Intn(4) {
	case 0:
		toks = append(toks[:i:i], toks[i+1:]...)
	case 1:
		toks = append(toks[:i+1:i+1], toks[i:]...)
	case 2:
		j := rnd.Intn(len(toks))
		toks[i], toks[j] = toks[j], toks[i]
	case 3:
		other := tokens(stmts[rnd.Intn(len(stmts))])
		toks[i] = other[rnd.Intn(len(other))]
	}
	return strings.Join(toks, " ")
}

// tokens is the text of a statement's tokens.
func tokens(sql string) []string {
	l := lexer{src: sql}
	var out []string
	for {
		t := l.next()
		if t.kind == tEOF {
			return out
		}
		out = append(out, sql[t.pos:t.end])
	}
}
