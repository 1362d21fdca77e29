package enginetest

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
)

const copyTable = ` (id int PRIMARY KEY, t text, n numeric(10,3), f float8, b bool, ts timestamptz, d date, i interval, u uuid, j jsonb, by bytea)`

const copyRows = ` VALUES
  (1, 'plain', 1.5, 0.1, true, '2026-01-02 03:04:05.678+00', '2026-01-02', '1 day 02:00', '6f1c5d1e-4a3b-4c2d-9e8f-0a1b2c3d4e5f', '{"a": [1, 2]}', '\x00ff'),
  (2, E'tab\t newline\n back\\slash', -0.001, 'NaN', false, 'infinity', '-infinity', '-1 mon', NULL, 'null', '\x'),
  (3, 'quote " comma ,', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, '', 0, 'Infinity', true, NULL, NULL, '00:00', NULL, '"x"', NULL),
  (5, '\N', 99, 1e300, true, NULL, NULL, NULL, NULL, '1.50', NULL)`

// TestCopy checks that each format comes back as it went out.
func TestCopy(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE TABLE src" + copyTable)
	exec("INSERT INTO src" + copyRows)
	out := func(table, options string) []byte {
		t.Helper()
		var b bytes.Buffer
		if _, err := c.PgConn().CopyTo(ctx, &b, "COPY (SELECT * FROM "+table+" ORDER BY id) TO STDOUT "+options); err != nil {
			t.Fatalf("COPY TO %s: %v", options, err)
		}
		return b.Bytes()
	}
	want := out("src", "(FORMAT csv)")
	for i, options := range []string{
		"", "(FORMAT text)", "(FORMAT csv)", "(FORMAT csv, HEADER)", "(FORMAT csv, FORCE_QUOTE *)", "(FORMAT csv, DELIMITER '|', QUOTE '''')",
		"(FORMAT csv, NULL 'nil')", "(FORMAT text, NULL 'nil', DELIMITER '|')", "(FORMAT binary)", "(FORMAT csv, ESCAPE '\\')",
	} {
		dst := "dst" + string(rune('a'+i))
		exec("CREATE TABLE " + dst + copyTable)
		data := out("src", options)
		in := strings.ReplaceAll(options, ", FORCE_QUOTE *", "")
		if _, err := c.PgConn().CopyFrom(ctx, bytes.NewReader(data), "COPY "+dst+" FROM STDIN "+in); err != nil {
			t.Errorf("COPY FROM %s: %v\n%q", in, err, data)
			continue
		}
		if got := out(dst, "(FORMAT csv)"); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", options, got, want)
		}
	}
	n, err := c.CopyFrom(ctx, pgx.Identifier{"src"}, []string{"id", "t"}, pgx.CopyFromRows([][]any{{int32(10), "ten"}, {int32(11), nil}}))
	if err != nil || n != 2 {
		t.Errorf("pgx copy: %d, %v", n, err)
	}
}

// TestCopyErrors checks what wrong data gives, and that nothing is loaded.
func TestCopyErrors(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := c.Exec(ctx, "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ options, data, want string }{
		{"", "1\ta\n2\n", "missing data for column \"v\""},
		{"", "1\ta\tb\n", "extra data after last expected column"},
		{"", "1\ta\nx\tb\n", "invalid input syntax for type integer: \"x\""},
		{"", "1\ta\n1\tb\n", "duplicate key value violates unique constraint"},
		{"", "1\t\\N\n", "null value in column \"v\""},
		{"(FORMAT csv)", "1,\"a\n", "unterminated CSV quoted field"},
		{"(FORMAT csv, HEADER MATCH)", "id,w\n1,a\n", "column name mismatch in header line field 2"},
		{"(FORMAT binary)", "hello world, this is no copy", "COPY file signature not recognized"},
		{"(FORMAT binary)", "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "row field count is 1, expected 2"},
		{"(FORMAT binary)", "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00", "unexpected EOF in COPY data"},
		{"(FORMAT binary, HEADER)", "", "cannot specify"},
		{"(FORMAT xml)", "", "not recognized"},
	} {
		_, err := c.PgConn().CopyFrom(ctx, strings.NewReader(x.data), "COPY t FROM STDIN "+x.options)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s %q: got %v, want %s", x.options, x.data, err, x.want)
		}
	}
	var n int
	if err := c.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows loaded, %v", n, err)
	}
}
