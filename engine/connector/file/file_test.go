package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"velostream/engine/connector"
	"velostream/engine/connector/connectortest"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, specs []option.Spec, kv ...string) option.Options {
	t.Helper()
	var given []option.Given
	for i := 0; i < len(kv); i += 2 {
		given = append(given, option.Given{Name: kv[i], Value: kv[i+1]})
	}
	o, err := option.Parse(given, nil, specs, []option.Spec{{Name: "format"}, {Name: "quote"}, {Name: "escape"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func open(t *testing.T, positions map[string]int64, kv ...string) (connector.Reader, *source) {
	t.Helper()
	s, err := newSource(parse(t, Connector().SourceOptions, kv...))
	if err != nil {
		t.Fatal(err)
	}
	splits, err := s.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var starts []connector.Start
	for _, sp := range splits {
		at, ok := positions[sp.ID]
		if !ok {
			at = connector.Unset
		}
		starts = append(starts, connector.Start{Split: sp, Position: at})
	}
	r, err := s.Open(t.Context(), starts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, s
}

func read(t *testing.T, r connector.Reader, most int) (lines []string, positions map[string]int64) {
	t.Helper()
	positions = map[string]int64{}
	var c connector.Chunk
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for most < 0 || len(lines) < most {
		err := r.Read(ctx, &c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err, lines)
		}
		for i := range c.Len() {
			lines = append(lines, string(c.Record(i).Value))
		}
		positions[c.Split.ID] = c.Next
	}
	return lines, positions
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    []string
		want       []string
	}{
		{"lines", "a\nb\r\n\nc", nil, []string{"a", "b", "c"}},
		{"header", "x,y\n1,2\n", []string{"format", "csv"}, []string{"1,2"}},
		{"no header", "x,y\n1,2\n", []string{"format", "csv_no_header"}, []string{"x,y", "1,2"}},
		{"skip", "#\n#\n1\n", []string{"skip_lines", "2"}, []string{"1"}},
		{"max", "1\n2\n3\n", []string{"max_records", "2"}, []string{"1", "2"}},
		{"quotes", "h\n\"a\nb\",1\nc,\"d\"\"\n\"\n", []string{"format", "csv"}, []string{"\"a\nb\",1", "c,\"d\"\"\n\""}},
		{"a quote inside", "1,a\"b\n2,\"c\nd\"\n", []string{"format", "csv_no_header"}, []string{"1,a\"b", "2,\"c\nd\""}},
		{"escape", "\"a\\\"\nb\"\nc\n", []string{"format", "csv_no_header", "escape", "\\"}, []string{"\"a\\\"\nb\"", "c"}},
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, c.text)
		r, _ := open(t, nil, append(c.options, "path", path)...)
		if got, _ := read(t, r, -1); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestManyBlocksAndResume(t *testing.T) {
	dir := t.TempDir()
	var plain bytes.Buffer
	for i := range 60000 {
		fmt.Fprintf(&plain, "line %d %s\n", i, strings.Repeat("x", i%50))
	}
	write(t, filepath.Join(dir, "a.txt"), plain.String())
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	g.Write(plain.Bytes())
	g.Close()
	write(t, filepath.Join(dir, "b.gz"), z.String())
	r, _ := open(t, nil, "path", filepath.Join(dir, "*"))
	first, positions := read(t, r, 70000)
	r, _ = open(t, positions, "path", filepath.Join(dir, "*"))
	rest, _ := read(t, r, -1)
	all := append(first, rest...)
	if len(all) != 120000 {
		t.Fatal(len(all))
	}
	for i, l := range all {
		if !strings.HasPrefix(l, fmt.Sprintf("line %d ", i%60000)) {
			t.Fatalf("%d: %q", i, l)
		}
	}
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	r, s := open(t, nil, "path", filepath.Join(dir, "*.log"), "watch", "true", "poll.interval", "5ms")
	write(t, filepath.Join(dir, "1.log"), "a\nb")
	splits, err := s.Splits(t.Context())
	if err != nil || len(splits) != 1 {
		t.Fatal(splits, err)
	}
	if err := r.(connector.Adder).Add(t.Context(), []connector.Start{{Split: splits[0], Position: connector.Earliest}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, r, 1); got[0] != "a" {
		t.Fatal(got)
	}
	write(t, filepath.Join(dir, "1.log"), "c\n")
	if got, _ := read(t, r, 1); got[0] != "bc" {
		t.Fatal(got)
	}
	if err := os.Truncate(filepath.Join(dir, "1.log"), 1); err != nil {
		t.Fatal(err)
	}
	var c connector.Chunk
	if err := r.Read(t.Context(), &c); pgerror.Code(err) != pgerror.ObjectNotInPrerequisiteState {
		t.Fatal(err)
	}
}

func TestNoFile(t *testing.T) {
	s, err := newSource(parse(t, Connector().SourceOptions, "path", "/nowhere/*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); pgerror.Code(err) != pgerror.UndefinedFile {
		t.Error(err)
	}
}

func records(lines ...string) (out []connector.Record) {
	for _, l := range lines {
		out = append(out, connector.Record{Value: []byte(l)})
	}
	return out
}

func TestSinkExactlyOnce(t *testing.T) {
	for _, ext := range []string{".csv", ".csv.gz", ".csv.zst", ".csv.sz"} {
		path := filepath.Join(t.TempDir(), "out"+ext)
		s, err := newSink(parse(t, Connector().SinkOptions, "path", path, "rotation.rows", "3"), "j")
		if err != nil {
			t.Fatal(err)
		}
		s.SetHeader([]byte("h"))
		step := func(position uint64, commit bool, lines ...string) {
			w, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.Write(t.Context(), records(lines...)); err != nil {
				t.Fatal(err)
			}
			if !commit {
				w.(*writer).flush() // it reached the file, but was not committed
				return
			}
			if err := w.Commit(t.Context(), position); err != nil {
				t.Fatal(err)
			}
			if p, ok, _ := w.(connector.Positioner).Position(t.Context()); !ok || p != position {
				t.Fatal(p, ok)
			}
		}
		step(1, true, "a", "b")
		step(0, false, "lost")
		step(2, true, "c")
		step(3, true, "d")
		r, _ := open(t, nil, "path", filepath.Join(filepath.Dir(path), "out*"))
		if got, _ := read(t, r, -1); fmt.Sprint(got) != "[h d h a b c]" {
			t.Errorf("%s: %v", ext, got)
		}
	}
}

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.csv"), "h\n"+strings.Repeat("x,\"y\nz\"\n1,2\n", 1000)+"last")
	write(t, filepath.Join(dir, "b.csv"), "h\n1\n2\n")
	s, err := newSource(parse(t, Connector().SourceOptions, "path", filepath.Join(dir, "*.csv"), "format", "csv"))
	if err != nil {
		t.Fatal(err)
	}
	connectortest.Bounded(t, s)
	if h, err := s.Header(t.Context()); string(h) != "h" || err != nil {
		t.Fatal(string(h), err)
	}
}

func TestParts(t *testing.T) {
	for _, text := range []string{"a\nbb\nccc\n\nddddddddddddddd\ne", "h\n1\n22\n333\n4444\n", strings.Repeat("xy\n", 100)} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, text)
		r, _ := open(t, nil, "path", path)
		want, _ := read(t, r, -1)
		for size := 1; size < 20; size++ {
			r, s := open(t, nil, "path", path, "split.size", strconv.Itoa(size))
			got, _ := read(t, r, -1)
			slices.Sort(got)
			slices.Sort(want)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("size %d: %q, want %q", size, got, want)
			}
			if size == 7 {
				connectortest.Bounded(t, s)
			}
		}
	}
}
