package shell

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
		rest string
	}{
		{"select 1; select 2;", []string{"select 1", "select 2"}, ""},
		{";;  ; select 1;", []string{"select 1"}, ""},
		{"select ';'; x", []string{"select ';'"}, "x"},
		{`select 'it''s;', "a;""b";`, []string{`select 'it''s;', "a;""b"`}, ""},
		{`select e'\';', 1;`, []string{`select e'\';', 1`}, ""},
		{`select type'\'; x;`, []string{`select type'\'`, "x"}, ""},
		{"select $$a;b$$; select $q$;$$;$q$;", []string{"select $$a;b$$", "select $q$;$$;$q$"}, ""},
		{"select $1; x$y; z", []string{"select $1", "x$y"}, "z"},
		{"-- a; b\nselect 1 -- c;\n;", []string{"select 1 -- c;"}, ""},
		{"/* a; /* b; */ c; */ select /* ; */ 1;", []string{"select /* ; */ 1"}, ""},
		{"-- @name: x\nselect 1;", []string{"-- @name: x\nselect 1"}, ""},
		{"create rule (a; b); c", []string{"create rule (a; b)"}, "c"},
		{"select 'open;", nil, "select 'open;"},
		{"select $$open;", nil, "select $$open;"},
		{"select 1 /* open;", nil, "select 1 /* open;"},
		{" \n -- only a comment", nil, ""},
	} {
		var s Splitter
		s.Add(tt.text)
		var got []string
		for {
			sql, _, ok := s.Next()
			if !ok {
				break
			}
			got = append(got, sql)
		}
		rest, _, _ := s.Rest()
		if !reflect.DeepEqual(got, tt.want) || rest != tt.rest {
			t.Errorf("%q:\n got %q, %q\nwant %q, %q", tt.text, got, rest, tt.want, tt.rest)
		}
	}
}

func TestSplitLines(t *testing.T) {
	var s Splitter
	s.Add("-- head\n\nselect 1;\nselect\n")
	if sql, line, ok := s.Next(); sql != "select 1" || line != 3 || !ok {
		t.Errorf("%q %d", sql, line)
	}
	if _, _, ok := s.Next(); ok || !s.Pending() {
		t.Error("half a statement is one")
	}
	s.Add("2; x")
	if sql, line, _ := s.Next(); sql != "select\n2" || line != 4 {
		t.Errorf("%q %d", sql, line)
	}
	if sql, line, _ := s.Rest(); sql != "x" || line != 5 {
		t.Errorf("%q %d", sql, line)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"select 1; 2", "$a$;$a$;", "e'\\';';", "/*/**/;*/;", "--\n;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Splitter
		s.Add(text)
		n := 0
		for {
			sql, _, ok := s.Next()
			if !ok {
				break
			}
			if sql == "" || !strings.Contains(text, sql) {
				t.Fatalf("%q is not part of %q", sql, text)
			}
			if n++; n > len(text) {
				t.Fatal("no end")
			}
		}
		s.Rest()
	})
}

func TestCaret(t *testing.T) {
	long := strings.Repeat("a, ", 40)
	for _, tt := range []struct {
		sql      string
		position int
		want     string
	}{
		{"select x", 8, "LINE 1: select x\n               ^\n"},
		{"select\n  x,\n  y", 10, "LINE 2:   x,\n          ^\n"},
		{"select", 7, "LINE 1: select\n              ^\n"},
		{"select 1", 99, "LINE 1: select 1\n                ^\n"},
		{"a\tüb x", 6, "LINE 1: a üb x\n             ^\n"},
		{"select " + long + "x", 20, "LINE 1: select a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a,...\n                           ^\n"},
		{"select " + long + "x", 128, "LINE 1: ..., a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, x\n" + strings.Repeat(" ", 70) + "^\n"},
	} {
		if got := caret(tt.sql, tt.position); got != tt.want {
			t.Errorf("%q at %d:\n%q\n%q", tt.sql, tt.position, got, tt.want)
		}
	}
}

var fields = []pgconn.FieldDescription{
	{Name: "symbol", DataTypeOID: pgtype.TextOID},
	{Name: "n", DataTypeOID: pgtype.Int8OID},
	{Name: "note", DataTypeOID: pgtype.TextOID},
}

func row(cells ...string) [][]byte {
	out := make([][]byte, len(cells))
	for i, c := range cells {
		if c != "" {
			out[i] = []byte(c)
		}
	}
	return out
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	tab := newTable(&b, fields)
	tab.add(row("AAPL", "1", "a\nb"))
	tab.add(row("", "1234", ""))
	tab.add(row("日本", "5", "x"))
	tab.end(true)
	want := ` symbol |  n   | note
--------+------+------
 AAPL   |    1 | a\nb
        | 1234 | 
 日本   |    5 | x
(3 rows)

`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	tab = newTable(&b, fields[:1])
	tab.end(true)
	if want := " symbol\n--------\n(0 rows)\n\n"; b.String() != want {
		t.Errorf("empty: %q", b.String())
	}
}

// lockedBuffer is written by the table's timer and read by the test.
type lockedBuffer struct {
	t *table
	b bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) { return l.b.Write(p) }

func (l *lockedBuffer) String() string {
	l.t.mu.Lock()
	defer l.t.mu.Unlock()
	return l.b.String()
}

func TestTableFlows(t *testing.T) {
	var l lockedBuffer
	l.t = newTable(&l, fields[:2])
	l.t.add(row("AAPL", "1"))
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(l.String(), "AAPL"); {
		if time.Now().After(deadline) {
			t.Fatal("a row is held back for ever")
		}
		time.Sleep(time.Millisecond)
	}
	l.t.add(row("a longer one", "22"))
	l.t.add(row("b", "3"))
	want := " symbol | n\n--------+---\n AAPL   | 1\n a longer one | 22\n b            |  3\n"
	if got := l.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	l.t.end(false)
	if got := l.String(); got != want {
		t.Errorf("a cancelled query counted: %s", got)
	}
}

func TestTableBoundsWhatItHolds(t *testing.T) {
	var l lockedBuffer
	l.t = newTable(&l, fields[:1])
	for range 10 * holdRows {
		l.t.add(row("x"))
	}
	if len(l.t.held) > holdRows {
		t.Errorf("%d rows held", len(l.t.held))
	}
	l.t.end(true)
	if n := strings.Count(l.String(), "\n"); n != 2+10*holdRows+2 {
		t.Errorf("%d lines", n)
	}
}
