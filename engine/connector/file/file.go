// Package file is the connector for files: lines, CSV records or JSON lines,
// plain or compressed.
//
// Reading: a split is a file of the path's glob, named by its path; a position
// is a byte offset in its (decompressed) content, so a record's position says
// where to look with an editor. With watch the files may grow and new ones may
// appear, and reading never ends. Writing: see sink.go.
package file

import (
	"compress/gzip"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// Connector returns the description of this connector.
func Connector() connector.Connector {
	return connector.Connector{
		Name:    "file",
		Aliases: []string{"file_source", "file_source_mmap", "file_sink", "filesystem"},
		Formats: []string{"json", "jsonl", "csv", "csv_no_header", "string", "raw", "bytes"},
		SourceOptions: []option.Spec{
			{Name: "path", Required: true, Help: "a file, or a glob such as /data/*.csv"},
			{Name: "header", Aliases: []string{"csv.header", "has_headers"}, Kind: option.Bool, Help: "the first line of each file has the columns' names (csv: true unless set)"},
			{Name: "skip_lines", Aliases: []string{"skip.lines", "csv.skip_lines"}, Kind: option.Int, Default: "0", Help: "lines to pass over at the beginning of each file"},
			{Name: "max_records", Aliases: []string{"max.records"}, Kind: option.Int, Help: "end after so many records"},
			{Name: "watch", Aliases: []string{"watching", "watch.mode"}, Kind: option.Bool, Default: "false", Help: "go on when the files grow and when new ones appear"},
			{Name: "poll.interval", Aliases: []string{"polling_interval", "polling_interval_ms", "polling.interval", "poll_interval"}, Kind: option.Duration, Default: "200ms"},
			{Name: "compression", Default: "auto", Enum: []string{"auto", "none", "gzip", "snappy", "zstd"}, Help: "auto goes by .gz, .sz and .zst"},
			{Name: "split.size", Kind: option.Size, Default: "0", Help: "cut files into parts of so many bytes that are read side by side (not with line ends in quotes, watch or compression); 0: whole files"},
			{Name: "max.record.bytes", Kind: option.Size, Default: "16MB"},
		},
		SinkOptions: sinkOptions(),
		NewSource:   func(o option.Options) (connector.Source, error) { return newSource(o) },
		NewSink:     func(o option.Options, job string) (connector.Sink, error) { return newSink(o, job) },
	}
}

type source struct {
	path        string
	quote       byte // 0: lines are records
	escape      byte
	delimiter   byte
	header      bool
	skip        int
	max         int64
	watch       bool
	poll        time.Duration
	compression string
	limit       int
	part        int64 // bytes of a part; 0: whole files
}

func newSource(o option.Options) (*source, error) {
	s := &source{
		path: o.Text("path"), skip: int(max(0, o.Int("skip_lines"))), max: o.Int("max_records"), watch: o.Bool("watch"),
		poll: max(time.Millisecond, o.Duration("poll.interval")), compression: o.Enum("compression"), limit: int(o.Size("max.record.bytes")),
		header: o.Bool("header"), part: o.Size("split.size"),
	}
	if s.part > 0 && s.watch {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "split.size does not go with watch").At(o.Pos("split.size"))
	}
	// format, delimiter, quote and escape are options of the format, which
	// matter here because a line end in quotes ends no record.
	format := o.Enum("format")
	if strings.HasPrefix(format, "csv") {
		s.quote, s.escape = '"', 0
		if q := o.Text("quote"); q != "" {
			s.quote = q[0]
		}
		s.delimiter = ','
		if d := o.Text("delimiter"); d != "" {
			s.delimiter = d[0]
		}
		s.escape = s.quote
		if e := o.Text("escape"); e != "" {
			s.escape = e[0]
		}
		if !o.Has("header") {
			s.header = format == "csv"
		}
	}
	if _, err := filepath.Match(s.path, ""); err != nil || s.path == "" {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid path %q", s.path).At(o.Pos("path"))
	}
	return s, nil
}

// Ends implements connector.Ender.
func (s *source) Ends() bool { return !s.watch }

// Bound implements connector.Bounded.
func (s *source) Bound() connector.Source {
	b := *s
	b.watch = false
	return &b
}

// Check implements connector.Checker: there must be a file that can be read,
// unless files are waited for.
func (s *source) Check(ctx context.Context) error {
	splits, err := s.Splits(ctx)
	if err != nil || len(splits) == 0 {
		return err
	}
	f, err := os.Open(splits[0].Place)
	if err != nil {
		return fileError(splits[0].Place, err)
	}
	return f.Close()
}

// Splits implements connector.Source.
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	paths, err := filepath.Glob(s.path)
	if err != nil {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid path %q: %v", s.path, err)
	}
	paths = slices.DeleteFunc(paths, func(p string) bool {
		info, err := os.Stat(p)
		return err == nil && info.IsDir()
	})
	if len(paths) == 0 && !s.watch {
		return nil, pgerror.New(pgerror.UndefinedFile, "no file matches %q", s.path).
			WithHint("Correct the option \"path\", or set watch = true to wait for files.")
	}
	slices.Sort(paths)
	var out []connector.Split
	for i, p := range paths {
		h := fnv.New64a()
		_, _ = h.Write([]byte(p)) // never fails
		sp := connector.Split{ID: p, Partition: int32(i), Number: int64(h.Sum64() >> 1), Place: p}
		info, err := os.Stat(p)
		if s.part == 0 || err != nil || codec(s.compression, p) != "none" {
			out = append(out, sp)
			continue
		}
		// Parts are of a fixed size, so that they stay the same when a file
		// has grown by the next time.
		for n := int64(0); n == 0 || n*s.part < info.Size(); n++ {
			sp.ID = p + "#" + strconv.FormatInt(n, 10)
			out = append(out, sp)
		}
	}
	return out, nil
}

// Header returns the first file's line of column names, nil when the files
// have none or there is no file yet.
func (s *source) Header(ctx context.Context) ([]byte, error) {
	if !s.header {
		return nil, nil
	}
	splits, err := s.Splits(ctx)
	if err != nil || len(splits) == 0 {
		return nil, err
	}
	plain := *s
	plain.header, plain.max, plain.watch = false, 1, false
	r, err := plain.Open(ctx, []connector.Start{{Split: splits[0], Position: connector.Unset}})
	if err != nil {
		return nil, err
	}
	var c connector.Chunk
	for c.Len() == 0 && err == nil {
		err = r.Read(ctx, &c)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	err = errors.Join(err, r.Close())
	if err != nil || c.Len() == 0 {
		return nil, err
	}
	return c.Line(0), nil
}

// fileError is what the system says about a file.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pgerror.New(pgerror.UndefinedFile, "file %q does not exist", path).WithCause(err)
	case errors.Is(err, fs.ErrPermission):
		return pgerror.New(pgerror.InsufficientPrivilege, "permission denied for file %q", path).WithCause(err)
	}
	return pgerror.New(pgerror.IOError, "file %q: %v", path, err).WithCause(err)
}

// codec is the compression of a file of that name.
func codec(option, path string) string {
	if option != "auto" && option != "" {
		return option
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz":
		return "gzip"
	case ".sz", ".snappy":
		return "snappy"
	case ".zst", ".zstd":
		return "zstd"
	}
	return "none"
}

// decompress wraps f.
func decompress(codec string, f io.Reader) (io.Reader, func(), error) {
	switch codec {
	case "gzip":
		r, err := gzip.NewReader(f)
		if err != nil {
			return nil, nil, err
		}
		return r, func() { _ = r.Close() }, nil
	case "snappy":
		return s2.NewReader(f), func() {}, nil
	case "zstd":
		r, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		return r, r.Close, nil
	}
	return f, func() {}, nil
}
