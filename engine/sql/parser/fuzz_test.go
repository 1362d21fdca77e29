package parser

import (
	"errors"
	"testing"

	"velostream/pgwire/pgerror"
)

func seeds(f *testing.F) {
	for _, file := range []string{"psql15.sql", "dialect.sql", "postgres.sql", "errors.txt"} {
		for _, sql := range corpus(f, file) {
			f.Add(sql)
		}
	}
}

// FuzzLex checks that tokens cover the text in order and that the lexer ends.
func FuzzLex(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		l := lexer{src: sql}
		end := int32(0)
		for n := 0; ; n++ {
			tok := l.next()
			if tok.kind == tEOF {
				return
			}
			if tok.pos < end || tok.end <= tok.pos || int(tok.end) > len(sql) {
				t.Fatalf("token %q at %d..%d behind %d", tok.text, tok.pos, tok.end, end)
			}
			end = tok.end
			if n > len(sql) {
				t.Fatal("more tokens than bytes")
			}
		}
	})
}

// FuzzParse checks that any text gives trees or an error in place.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		if err != nil {
			var e *pgerror.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T is no pgerror", err)
			}
			if len(e.Code) != 5 || e.Message == "" || e.Position < 0 || e.Position > len(sql)+1 {
				t.Fatalf("bad error: %+v", e)
			}
			return
		}
		for _, s := range stmts {
			if s.Stmt == nil || s.Text != sql[s.Start:s.End] || s.Position(s.Stmt.Pos()) > len(sql)+1 {
				t.Fatalf("bad statement %+v", s)
			}
			_ = s.Tag()
		}
	})
}

// FuzzRoundTrip checks that what was parsed prints as text that parses to the
// same tree.
func FuzzRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		if err != nil {
			return
		}
		for _, s := range stmts {
			roundTrip(t, s.Stmt, sql)
		}
	})
}
