package types

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/pgwire/pgerror"
)

// The files in testdata hold PostgreSQL 15's answers, a case a line: quoted
// fields, then => and the answer, or ! with SQLSTATE and message. They are
// written from the lists and generators in cases_test.go by
//
//	go test ./catalog/types -run Postgres -rewrite-postgres='host=127.0.0.1 port=54329 user=postgres'
//
// against a server whose lc_messages is C.
var rewritePostgres = flag.String("rewrite-postgres", "", "DSN of a PostgreSQL 15 that answers the cases anew")

// pgCase is one case: its settings ("DateStyle=SQL, DMY"), the SQL that asks
// PostgreSQL, and what identifies it in the file.
type pgCase struct {
	fields []string
	sql    string
	set    string
}

func (c pgCase) key() string {
	quoted := make([]string, len(c.fields))
	for i, f := range c.fields {
		quoted[i] = strconv.Quote(f)
	}
	return strings.Join(quoted, "\t")
}

// checkPostgres compares run's answers with the file's. run returns text, and
// binary in hex if the file has it.
func checkPostgres(t *testing.T, file string, cases []pgCase, run func(c pgCase) (string, error)) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *rewritePostgres != "" {
		rewriteAnswers(t, path, cases)
	}
	want := readAnswers(t, path)
	if len(want) == 0 {
		t.Fatalf("%s has no answers", path)
	}
	bad := 0
	for _, c := range cases {
		expect, ok := want[c.key()]
		if !ok {
			t.Errorf("%s has no answer for %s; rewrite it", path, c.key())
			continue
		}
		got := answerOf(run(c))
		if got != expect {
			if bad++; bad <= 60 {
				t.Errorf("%s\n got %s\nwant %s", c.key(), got, expect)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d cases differ", bad, len(cases))
	}
}

func answerOf(text string, err error) string {
	if err == nil {
		return "=>\t" + strconv.Quote(text)
	}
	e, ok := errors.AsType[*pgerror.Error](err)
	if !ok {
		return "!\tnot a pgerror: " + err.Error()
	}
	out := "!\t" + e.Code + "\t" + strconv.Quote(e.Message)
	if e.Detail != "" {
		out += "\t" + strconv.Quote(e.Detail)
	}
	if strings.HasPrefix(e.Where, "JSON data") {
		out += "\t" + strconv.Quote(e.Where)
	}
	return out
}

func readAnswers(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := make(map[string]string)
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		for _, mark := range []string{"\t=>\t", "\t!\t"} {
			if i := strings.Index(line, mark); i > 0 {
				m[line[:i]] = line[i+1:]
				break
			}
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return m
}

func rewriteAnswers(t *testing.T, path string, cases []pgCase) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, *rewritePostgres)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	out := make([]string, 0, len(cases))
	seen := make(map[string]bool)
	for _, c := range cases {
		if seen[c.key()] {
			continue
		}
		seen[c.key()] = true
		applySettings(t, ctx, conn, c.set)
		text, err := ask(ctx, conn, c.sql)
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
			e := pgerror.New(pgErr.Code, "%s", pgErr.Message)
			e.Detail, e.Where = pgErr.Detail, pgErr.Where
			err = e
		} else if err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		out = append(out, c.key()+"\t"+answerOf(text, err)+"\n")
	}
	if err := os.WriteFile(path, []byte(strings.Join(out, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

func applySettings(t *testing.T, ctx context.Context, conn *pgconn.PgConn, set string) {
	t.Helper()
	var sql strings.Builder
	sql.WriteString("RESET ALL; SET timezone = 'UTC'; SET lc_messages = 'C';")
	for s := range strings.SplitSeq(set, ";") {
		if k, v, ok := strings.Cut(s, "="); ok {
			fmt.Fprintf(&sql, "SET %s = '%s';", k, v)
		}
	}
	if _, err := conn.Exec(ctx, sql.String()).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// ask returns the text of the one value of a query and, if it is of a type
// with a plain binary form, that in hex.
func ask(ctx context.Context, conn *pgconn.PgConn, sql string) (string, error) {
	text := conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read()
	if text.Err != nil {
		return "", text.Err
	}
	if len(text.Rows) != 1 {
		return "", fmt.Errorf("%d rows", len(text.Rows))
	}
	if text.Rows[0][0] == nil {
		return "NULL", nil
	}
	bin := conn.ExecParams(ctx, sql, nil, nil, nil, []int16{1}).Read()
	if bin.Err != nil {
		return "", bin.Err
	}
	return string(text.Rows[0][0]) + "|" + hex.EncodeToString(bin.Rows[0][0]), nil
}

// formatOf turns settings into a Format.
func formatOf(set string) *Format {
	f := &Format{ExtraFloatDigits: 1}
	for s := range strings.SplitSeq(set, ";") {
		k, v, _ := strings.Cut(s, "=")
		switch k {
		case "DateStyle":
			f.DateStyle = v
		case "IntervalStyle":
			f.IntervalStyle = v
		case "timezone":
			f.Location, _ = FindZone(v)
		case "extra_float_digits":
			f.ExtraFloatDigits, _ = strconv.Atoi(v)
		case "bytea_output":
			f.ByteaEscape = v == "escape"
		}
	}
	return f
}

func sqlQuote(s string) string {
	return " E'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\n", `\n`, "\t", `\t`).Replace(s) + "'"
}

func both(t Type, d Datum, f *Format) string {
	if d.Null {
		return "NULL"
	}
	return string(AppendText(nil, t, d, f)) + "|" + hex.EncodeToString(AppendBinary(nil, t, d))
}

// parseTypeName reads "numeric(10,2)", "interval minute to second", "int4[]".
func parseTypeName(t *testing.T, name string) Type {
	t.Helper()
	if rest, ok := strings.CutPrefix(name, "interval "); ok {
		for _, r := range intervalRanges {
			if strings.TrimSpace(r.name) == rest {
				return Type{OIDInterval, IntervalMod(uint16(r.fields), -1)}
			}
		}
		t.Fatalf("no type %q", name)
	}
	var mods []int32
	if i := strings.IndexByte(name, '('); i >= 0 {
		j := strings.IndexByte(name, ')')
		for m := range strings.SplitSeq(name[i+1:j], ",") {
			v, err := strconv.ParseInt(strings.TrimSpace(m), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			mods = append(mods, int32(v))
		}
		name = name[:i] + name[j+1:]
	}
	typ, err := Lookup(name, mods)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestPostgresText(t *testing.T) {
	checkPostgres(t, "text.txt", textCases(), func(c pgCase) (string, error) {
		typ, f := parseTypeName(t, c.fields[0]), formatOf(c.set)
		d, err := DecodeText(typ, []byte(c.fields[1]), f)
		if err == nil {
			d, err = Coerce(typ, d, true)
		}
		if err != nil {
			return "", err
		}
		bin := AppendBinary(nil, typ, d)
		back, err := DecodeBinary(typ, bin)
		if err != nil {
			t.Errorf("%s: own binary form: %v", c.key(), err)
		} else if again := AppendBinary(nil, typ, back); string(again) != string(bin) {
			t.Errorf("%s: binary %x becomes %x", c.key(), bin, again)
		}
		return both(typ, d, f), nil
	})
}
