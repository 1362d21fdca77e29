package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"velostream/engine/connector"
	"velostream/engine/connector/file"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/pgwire/pgerror"
)

// oneByOne gives the lines of a source as records.
type oneByOne struct{ connector.Source }

func (s oneByOne) Open(ctx context.Context, starts []connector.Start) (connector.Reader, error) {
	r, err := s.Source.Open(ctx, starts)
	return oneByOneReader{r}, err
}

type oneByOneReader struct{ connector.Reader }

func (r oneByOneReader) Read(ctx context.Context, c *connector.Chunk) error {
	err := r.Reader.Read(ctx, c)
	for i := range c.Lines {
		rec := connector.Record{Value: c.Line(i), Position: c.Base + int64(c.Lines[i][0]), Timestamp: c.Timestamp}
		c.Records = append(c.Records, rec)
	}
	c.Lines = c.Lines[:0]
	return err
}

// TestLines: lines that are decoded many at once give the rows, positions, system
// columns and dead letters that they give one by one, also after a restart anywhere.
func TestLines(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	var js, csv strings.Builder
	csv.WriteString("ts,id\n")
	for i := range 3000 {
		ends := []string{"\n", "\r\n", "\n\n"}[rng.IntN(3)]
		switch rng.IntN(20) {
		case 0:
			fmt.Fprintf(&js, "{\"id\":%d,%s", i, ends)
			fmt.Fprintf(&csv, "x,%d%s", i, ends)
		case 1:
			fmt.Fprintf(&js, "{\"id\":%d,\"ts\":\"\xff\"}%s", i, ends)
			fmt.Fprintf(&csv, "%d,\xff%s", i, ends)
		case 2:
			fmt.Fprintf(&js, "{\"ts\":%d, \"ä\":1, \"id\":%d}%s", 946684800000+i, i, ends)
			fmt.Fprintf(&csv, "%d,\"\n%d\"%s", 946684800000+i, i, ends)
		default:
			fmt.Fprintf(&js, "%s%s", row(i), ends)
			fmt.Fprintf(&csv, "%d,%d%s", 946684800000+i, i, ends)
		}
	}
	for name, text := range map[string]string{"json": js.String(), "csv": csv.String()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			from, rows, failing := rng.IntN(len(text)/2), 1+rng.IntN(500), rng.IntN(3) == 0
			from += strings.IndexByte(text[from:], '\n') + 1
			want := history(t, path, name, int64(from), rows, failing, func(s connector.Source) connector.Source { return oneByOne{s} })
			got := history(t, path, name, int64(from), rows, failing, func(s connector.Source) connector.Source { return s })
			if len(want) == 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%s from %d by %d:\n%v\nwant\n%v", name, from, rows, got, want)
			}
		}
	}
}

// history is what an input tells: its batches and dead letters.
func history(t *testing.T, path, format string, from int64, rows int, failing bool, wrap func(connector.Source) connector.Source) (out []string) {
	t.Helper()
	given := []option.Given{{Name: "path", Value: path}, {Name: "format", Value: format}}
	opts, err := option.Parse(given, nil, file.Connector().SourceOptions, formats.Options())
	if err != nil {
		t.Fatal(err)
	}
	src, err := file.Connector().NewSource(opts)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, wrap(src))
	if o.Decoder, err = formats.NewDecoder("format", opts, fields, []string{"ts", "id"}); err != nil {
		t.Fatal(err)
	}
	o.MaxRows, o.RowID = rows, true
	o.System = []source.System{source.Offset, source.Timestamp, source.Partition, source.Topic, source.Payload, source.KeyText, source.Headers}
	if o.OnError = source.SendElsewhere; failing {
		o.OnError = source.Fail
	}
	o.DeadLetter = func(d source.DeadLetter) error {
		out = append(out, fmt.Sprintf("dead %d %q %v %s", d.Record.Position, d.Record.Value, d.Err, pgerror.From(d.Err).Where))
		return nil
	}
	in := open(t, o, map[string]int64{path: from})
	for {
		c, err := in.Next(t.Context())
		if err != nil {
			if failing == errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			s := in.Stats()
			return append(out, fmt.Sprint(err, pgerror.From(err).Where, in.Positions(), s.Records, s.Rows, s.Bytes, s.Poisoned))
		}
		b := c.Batch
		for i := range b.N {
			line := fmt.Append(nil, c.Position, ":")
			for _, col := range b.Cols {
				if col.Len() != b.N {
					t.Fatal("a column has another length")
				}
				line = fmt.Appendf(line, " %v", col.Datum(i))
			}
			out = append(out, string(line))
		}
	}
}
