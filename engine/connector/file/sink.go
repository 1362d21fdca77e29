package file

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

func sinkOptions() []option.Spec {
	return []option.Spec{
		{Name: "path", Required: true, Help: "the file to write"},
		{Name: "append", Kind: option.Bool, Default: "true", Help: "false: what the file holds when the sink is first used is dropped"},
		{Name: "compression", Default: "auto", Enum: []string{"auto", "none", "gzip", "snappy", "zstd"}, Help: "auto goes by .gz, .sz and .zst"},
		{Name: "rotation.size", Aliases: []string{"max.file.size", "rotate.size"}, Kind: option.Size, Help: "begin a new file when one has so many bytes"},
		{Name: "rotation.rows", Aliases: []string{"rotate.rows"}, Kind: option.Int, Help: "begin a new file after so many records"},
		{Name: "rotation.interval", Aliases: []string{"rotate.interval", "rotation.time"}, Kind: option.Duration, Help: "begin a new file after so long"},
	}
}

// sink implements connector.Sink.
//
// Exactly once: beside the file a small one named .<name>.position holds the
// position of the last Commit and how long the file was then. Open cuts off
// what a crash left beyond. Both are fsynced, the data first. A new file is
// begun only at a Commit, so there is never more than one to cut.
type sink struct {
	path        string
	append      bool
	compression string
	size, rows  int64
	interval    time.Duration
	header      []byte
}

func newSink(o option.Options, _ string) (*sink, error) {
	s := &sink{
		path: o.Text("path"), append: o.Bool("append"), size: o.Size("rotation.size"), rows: o.Int("rotation.rows"), interval: o.Duration("rotation.interval"),
	}
	if s.path == "" || strings.ContainsAny(s.path, "*?[") {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid path %q: a sink writes one file", s.path).At(o.Pos("path"))
	}
	s.compression = codec(o.Enum("compression"), s.path)
	return s, nil
}

// SetHeader gives the line that each file begins with.
func (s *sink) SetHeader(line []byte) { s.header = append([]byte(nil), line...) }

// Check implements connector.Checker.
func (s *sink) Check(context.Context) error {
	dir := filepath.Dir(s.path)
	info, err := os.Stat(dir)
	if err != nil {
		return fileError(dir, err)
	}
	if !info.IsDir() {
		return pgerror.New(pgerror.UndefinedFile, "%q is no directory", dir)
	}
	return nil
}

// mark is the content of the position file.
type mark struct {
	Position uint64 `json:"position"`
	Sequence int    `json:"sequence"` // of the current file; 0 is path itself
	Size     int64  `json:"size"`
	Rows     int64  `json:"rows"`
	Begun    int64  `json:"begun"` // ms since 1970
}

type writer struct {
	*sink
	mark  mark
	known bool // mark was read or written
	file  *os.File
	buf   *bufio.Writer
	codec io.WriteCloser // between Write and buf, while one is open
}

func (s *sink) marker() string {
	dir, name := filepath.Split(s.path)
	return dir + "." + name + ".position"
}

// name is the path of the n-th file: out.csv, out-1.csv, out-2.csv …
func (s *sink) name(n int) string {
	if n == 0 {
		return s.path
	}
	dir, name := filepath.Split(s.path)
	base, ext, _ := strings.Cut(name, ".")
	if ext != "" {
		ext = "." + ext
	}
	return fmt.Sprintf("%s%s-%d%s", dir, base, n, ext)
}

// Open implements connector.Sink.
func (s *sink) Open(ctx context.Context) (connector.Writer, error) {
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	w := &writer{sink: s}
	b, err := os.ReadFile(s.marker())
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &w.mark); err != nil {
			return nil, pgerror.New(pgerror.DataCorrupted, "%q is damaged: %v", s.marker(), err).
				WithHint("Remove it to write the sink's rows again from the beginning.")
		}
		w.known = true
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fileError(s.marker(), err)
	}
	if err := w.begin(); err != nil {
		return nil, err
	}
	return w, nil
}

// begin opens the current file at its marked length.
func (w *writer) begin() error {
	path := w.name(w.mark.Sequence)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return fileError(path, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	want := w.mark.Size
	if !w.known && w.append {
		want = size
	}
	if err == nil && size < want {
		err = fmt.Errorf("it has %d bytes, %d were written", size, want)
	}
	if err == nil {
		err = f.Truncate(want)
	}
	if err == nil {
		_, err = f.Seek(want, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return fileError(path, err)
	}
	w.file, w.buf = f, bufio.NewWriterSize(f, 256<<10)
	w.mark.Size = want
	if w.mark.Begun == 0 {
		w.mark.Begun = time.Now().UnixMilli()
	}
	return nil
}

// Write implements connector.Writer: each record is a line.
func (w *writer) Write(_ context.Context, records []connector.Record) error {
	out := w.out()
	for i := range records {
		if w.header != nil && w.mark.Size == 0 && w.mark.Rows == 0 && i == 0 {
			if err := w.line(out, w.header); err != nil {
				return err
			}
		}
		if err := w.line(out, records[i].Value); err != nil {
			return err
		}
		w.mark.Rows++
	}
	return nil
}

func (w *writer) line(out io.Writer, b []byte) error {
	_, err := out.Write(b)
	if err == nil {
		_, err = out.Write([]byte{'\n'})
	}
	if err != nil {
		return fileError(w.file.Name(), err)
	}
	return nil
}

// out is where lines go: compressed ones form one frame per Commit, which all
// three formats allow to follow each other.
func (w *writer) out() io.Writer {
	if w.codec == nil {
		switch w.compression {
		case "gzip":
			w.codec = gzip.NewWriter(w.buf)
		case "snappy":
			w.codec = s2.NewWriter(w.buf, s2.WriterSnappyCompat(), s2.WriterConcurrency(1))
		case "zstd":
			// The only error is of options, and there are no others.
			w.codec, _ = zstd.NewWriter(w.buf, zstd.WithEncoderConcurrency(1))
		default:
			return w.buf
		}
	}
	return w.codec
}

// Commit implements connector.Writer.
func (w *writer) Commit(_ context.Context, position uint64) error {
	err := w.flush()
	if err == nil {
		err = w.file.Sync()
	}
	var size int64
	if err == nil {
		size, err = w.file.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		return fileError(w.file.Name(), err)
	}
	next := w.mark
	next.Position, next.Size = position, size
	full := w.size > 0 && size >= w.size || w.rows > 0 && next.Rows >= w.rows ||
		w.interval > 0 && size > 0 && time.Now().UnixMilli()-next.Begun >= w.interval.Milliseconds()
	if full {
		next = mark{Position: position, Sequence: next.Sequence + 1}
	}
	if err := w.save(next); err != nil {
		return err
	}
	w.mark, w.known = next, true
	if !full {
		return nil
	}
	if err := w.file.Close(); err != nil {
		return fileError(w.file.Name(), err)
	}
	return w.begin()
}

func (w *writer) flush() error {
	if w.codec != nil {
		if err := w.codec.Close(); err != nil {
			return err
		}
		w.codec = nil
	}
	return w.buf.Flush()
}

// save replaces the position file at once: written, fsynced, renamed.
func (w *writer) save(m mark) error {
	b, err := json.Marshal(m)
	if err != nil {
		return pgerror.From(err)
	}
	path := w.marker()
	err = replace(path, append(b, '\n'))
	if err != nil {
		return fileError(path, err)
	}
	return nil
}

func replace(path string, b []byte) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Position implements connector.Positioner.
func (w *writer) Position(context.Context) (uint64, bool, error) {
	return w.mark.Position, w.known, nil
}

// Close implements connector.Writer. What was not committed is cut off again
// by the next Open.
func (w *writer) Close() error {
	return w.file.Close()
}
