package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"velostream/engine/connector"
	"velostream/pgwire/pgerror"
)

const (
	// block is how much is read at a time: small enough that a block and what
	// is made of it stay in the processor's cache.
	block = 64 << 10
	// chunkLines bounds the records of a chunk.
	chunkLines = 8192
)

// input is a file being read.
type input struct {
	split  connector.Split
	path   string
	pos    int64 // of the first byte not yet handed out
	end    int64 // records that begin here or later are another part's; -1: none are
	codec  string
	file   *os.File
	data   io.Reader
	close  func()
	rest   []byte // read, but not a whole record yet; begins at pos
	skip   int    // lines to pass over
	ended  bool   // nothing more to come
	mtime  int64
	sawEnd bool // the last read met the end
	whole  bool // rest has whole records: the last chunk was full before it
}

// reader implements connector.Reader and Adder.
type reader struct {
	src   *source
	count int64

	mu     sync.Mutex // inputs, changed by Add
	inputs []*input
	at     int // the input to try first
}

// Open implements connector.Source.
func (s *source) Open(ctx context.Context, starts []connector.Start) (connector.Reader, error) {
	r := &reader{src: s}
	if err := r.Add(ctx, starts); err != nil {
		return nil, err
	}
	return r, nil
}

// Add implements connector.Adder.
func (r *reader) Add(_ context.Context, starts []connector.Start) error {
	var more []*input
	for _, st := range starts {
		in := r.src.input(st)
		info, err := os.Stat(in.path)
		if err != nil {
			return fileError(in.path, err)
		}
		if in.codec == "none" && info.Size() < in.pos {
			return truncated(in, info.Size())
		}
		more = append(more, in)
	}
	r.mu.Lock()
	r.inputs = append(r.inputs, more...)
	r.mu.Unlock()
	return nil
}

// input makes what reads st.
func (s *source) input(st connector.Start) *input {
	in := &input{split: st.Split, path: st.Split.ID, pos: max(0, st.Position), end: -1}
	from := int64(0)
	if at := strings.LastIndexByte(in.path, '#'); s.part > 0 && at >= 0 {
		if n, err := strconv.ParseInt(in.path[at+1:], 10, 64); err == nil {
			from, in.end, in.path = n*s.part, (n+1)*s.part, in.path[:at]
		}
	}
	in.codec = codec(s.compression, in.path)
	switch {
	case from > 0 && in.pos < from:
		// The line that the byte before belongs to is the part before's, even
		// if that byte ends it.
		in.pos, in.skip = from-1, 1
	case in.pos == 0:
		in.skip = s.skip
		if s.header {
			in.skip++
		}
	}
	return in
}

func truncated(in *input, size int64) error {
	return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "file %q was cut to %d bytes, %d were read already", in.path, size, in.pos).
		WithHint("Recreate the stream to read the file from its beginning.")
}

// Read implements connector.Reader.
func (r *reader) Read(ctx context.Context, c *connector.Chunk) error {
	for {
		c.Reset()
		if err := ctx.Err(); err != nil {
			return err
		}
		r.mu.Lock()
		n, at := len(r.inputs), r.at
		r.mu.Unlock()
		ended := true
		for i := range n {
			in := r.input((at + i) % n)
			if r.src.max > 0 && r.count >= r.src.max {
				break
			}
			if in.ended {
				continue
			}
			ended = false
			some, err := r.fill(in, c)
			if err != nil {
				return err
			}
			if some {
				// A file is read to its end before the next; one that only
				// grows must not keep the others waiting.
				if in.sawEnd {
					r.at = (at + i + 1) % n
				} else {
					r.at = (at + i) % n
				}
				return nil
			}
		}
		if ended && (!r.src.watch || r.src.max > 0 && r.count >= r.src.max) {
			return io.EOF
		}
		if r.src.watch {
			select {
			case <-time.After(r.src.poll):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (r *reader) input(i int) *input {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inputs[i]
}

// fill reads one block of in and cuts it into records. It reports whether
// there is something to tell.
func (r *reader) fill(in *input, c *connector.Chunk) (bool, error) {
	if in.file == nil {
		if err := in.open(); err != nil {
			return false, err
		}
	}
	buf := append(c.Buf[:0], in.rest...)
	had := len(buf)
	if cap(buf) < had+block {
		buf = append(make([]byte, 0, had+block), buf...)
	}
	n := 0
	if !in.whole {
		var err error
		n, err = in.read(buf[had : had+block])
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fileError(in.path, err)
		}
		in.sawEnd = err != nil
	}
	buf = buf[:had+n]
	c.Buf = buf
	final := in.sawEnd && (!r.src.watch || in.codec != "none")
	if n == 0 && !final && !in.whole {
		if err := in.grown(); err != nil {
			return false, err
		}
		return false, nil
	}
	used := r.cut(in, c, buf, final)
	in.whole = len(c.Lines) == chunkLines
	if len(buf)-used > r.src.limit {
		return false, pgerror.New(pgerror.ProgramLimitExceeded, "file %q: the record at byte %d is longer than %d bytes", in.path, in.pos+int64(used), r.src.limit).
			WithHint("A quote that is never closed looks like that too. max.record.bytes sets the limit.")
	}
	in.rest = append(in.rest[:0], buf[used:]...)
	moved := used > 0
	in.pos += int64(used)
	if final && len(in.rest) == 0 || in.end >= 0 && in.pos >= in.end {
		in.ended = true
		in.shut()
	}
	c.Split, c.Next = in.split, in.pos
	return moved, nil
}

// cut appends the records of buf to c and returns how many bytes they take.
// final: what has no line end at the end is a record too.
func (r *reader) cut(in *input, c *connector.Chunk, buf []byte, final bool) (used int) {
	quotes := r.src.quote != 0 && bytes.IndexByte(buf, r.src.quote) >= 0
	most := chunkLines
	if r.src.max > 0 {
		most = int(min(int64(most), r.src.max-r.count))
	}
	// Records that begin at stop or later are another part's.
	stop := len(buf)
	if in.end >= 0 {
		stop = int(min(int64(stop), in.end-in.pos))
	}
	c.Base, c.Timestamp = in.pos, in.mtime
	lines := c.Lines
	for used < stop && len(lines) < most {
		end := bytes.IndexByte(buf[used:], '\n')
		if quotes {
			end = r.line(buf[used:], end)
		}
		from, to := used, used+end
		used = to + 1
		if end < 0 {
			if !final {
				used = from
				break
			}
			to, used = len(buf), len(buf)
		}
		if in.skip > 0 {
			in.skip--
			continue
		}
		if to > from && buf[to-1] == '\r' {
			to--
		}
		if to > from {
			lines = append(lines, [2]uint32{uint32(from), uint32(to)})
		}
	}
	c.Lines = lines
	r.count += int64(len(lines))
	return used
}

// line returns where the CSV record that b begins with ends, -1 when it does
// not: at end, b's first line end, unless that is in quotes.
func (r *reader) line(b []byte, end int) int {
	q := r.src.quote
	if end < 0 || bytes.IndexByte(b[:end], q) < 0 {
		return end
	}
	// A quote means something only in a value that begins with one.
	start, quoted, in := true, false, false
	for i := 0; i < len(b); i++ {
		ch := b[i]
		switch {
		case in && ch == r.src.escape && ch != q:
			i++
		case ch == q && (start || quoted):
			quoted, in = true, !in
		case ch == '\n' && !in:
			return i
		}
		if start = ch == r.src.delimiter && !in; start {
			quoted = false
		}
	}
	return -1
}

// open opens the file at pos.
func (in *input) open() error {
	f, err := os.Open(in.path)
	if err != nil {
		return fileError(in.path, err)
	}
	info, err := f.Stat()
	if err == nil {
		in.mtime = info.ModTime().UnixMicro()
		in.data, in.close, err = decompress(in.codec, f)
	}
	if err == nil && in.pos > 0 {
		if in.codec == "none" {
			_, err = f.Seek(in.pos, io.SeekStart)
		} else {
			_, err = io.CopyN(io.Discard, in.data, in.pos)
		}
	}
	if err != nil {
		_ = f.Close()
		return fileError(in.path, err)
	}
	in.file = f
	return nil
}

// read fills b as far as it goes.
func (in *input) read(b []byte) (int, error) {
	n, err := io.ReadFull(in.data, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// grown checks that a watched file did not shrink.
func (in *input) grown() error {
	info, err := os.Stat(in.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed or renamed: what is open stays readable
	}
	if err != nil {
		return fileError(in.path, err)
	}
	if info.Size() < in.pos+int64(len(in.rest)) {
		return truncated(in, info.Size())
	}
	in.mtime = info.ModTime().UnixMicro()
	return nil
}

func (in *input) shut() {
	if in.file != nil {
		in.close()
		_ = in.file.Close() // only read from
		in.file, in.data = nil, nil
	}
}

// Close implements connector.Reader.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range r.inputs {
		in.shut()
	}
	return nil
}
