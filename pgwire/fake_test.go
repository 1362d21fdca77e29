package pgwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// fakeBackend is an engine of a few commands, one per statement:
//
//	rows N               N rows of (id int8, name text, f float8, ts timestamptz, ok bool)
//	same N               like rows, but the first thousand over and over
//	cols TYPE…           one row: the arguments $1… of these types, as columns
//	insert N             no rows; tag INSERT 0 N
//	begin commit rollback
//	error CODE TEXT      fails in Query; "late" fails after one row; "internal", "panic"
//	wait                 one column, no row until ctx ends
//	tick MS              endless: a row each MS ms
//	burst N              continuous: N rows, an empty batch, and so on
//	copyout N, copyin    COPY both ways; copytick MS is an endless one
//	notice TEXT, set NAME VALUE, notify CHANNEL PAYLOAD
//	failsync             Sync fails
type fakeBackend struct {
	mu       sync.Mutex
	sessions []*fakeSession
	closed   int
	copied   strings.Builder
	ended    chan error
}

func newFakeBackend() *fakeBackend { return &fakeBackend{ended: make(chan error, 1000)} }

func (b *fakeBackend) Connect(_ context.Context, s Startup, n Notifier) (Session, error) {
	if s.Database == "nowhere" {
		return nil, pgerror.New(pgerror.InvalidCatalogName, "database %q does not exist", s.Database)
	}
	fs := &fakeSession{b: b, startup: s, n: n, tx: 'I'}
	b.mu.Lock()
	b.sessions = append(b.sessions, fs)
	b.mu.Unlock()
	return fs, nil
}

type fakeSession struct {
	b        *fakeBackend
	startup  Startup
	n        Notifier
	tx       byte
	failSync bool
	asked    atomic.Bool // a statement has come, so that the client is past its start-up
}

func (s *fakeSession) Params() []Param {
	return []Param{
		{"server_version", "15.0"},
		{"server_encoding", "UTF8"},
		{"client_encoding", "UTF8"},
		{"DateStyle", "ISO, MDY"},
		{"integer_datetimes", "on"},
		{"standard_conforming_strings", "on"},
		{"TimeZone", "UTC"},
	}
}
func (s *fakeSession) Format() *types.Format { return &types.Format{ExtraFloatDigits: 1} }
func (s *fakeSession) TxStatus() byte        { return s.tx }
func (s *fakeSession) Close() error {
	s.b.mu.Lock()
	s.b.closed++
	s.b.mu.Unlock()
	return nil
}

func (s *fakeSession) Sync(_ context.Context, failed bool) error {
	if s.failSync {
		s.failSync = false
		if !failed {
			return pgerror.New(pgerror.SerializationFailure, "could not serialize access")
		}
	}
	if failed && s.tx == 'T' {
		s.tx = 'E'
	}
	return nil
}

type fakeParsed struct {
	text string
	pos  int
}

func (p fakeParsed) Tag() string { return strings.ToUpper(strings.SplitN(p.text, " ", 2)[0]) }
func (p fakeParsed) Empty() bool { return p.text == "" }

func (s *fakeSession) Parse(sql string) ([]Parsed, error) {
	s.asked.Store(true)
	var out []Parsed
	pos := 1
	for part := range strings.SplitSeq(sql, ";") {
		text := strings.TrimSpace(part)
		if i := strings.Index(text, "--"); i >= 0 {
			text = strings.TrimSpace(text[:i])
		}
		if strings.HasPrefix(text, "syntax") {
			return nil, pgerror.New(pgerror.SyntaxError, "syntax error at or near %q", "syntax").At(pos)
		}
		out = append(out, fakeParsed{text, pos})
		pos += len(part) + 1
	}
	return out, nil
}

var fakeTypes = map[string]types.Type{
	"int2": types.Int2, "int4": types.Int4, "int8": types.Int8, "text": types.Text, "float4": types.Float4, "float8": types.Float8,
	"bool": types.Bool, "bytea": types.Bytea, "numeric": types.Numeric, "date": types.Date, "time": types.Time,
	"timestamp": types.Timestamp, "timestamptz": types.Timestamptz, "interval": types.IntervalT, "uuid": types.UUID,
	"jsonb": types.JSONB, "json": types.JSON, "int4[]": {OID: 1007, Mod: -1}, "text[]": {OID: 1009, Mod: -1}, "varchar": types.Varchar,
}

func (s *fakeSession) Prepare(_ context.Context, p Parsed, params []types.OID) (Statement, error) {
	fp := p.(fakeParsed)
	words := strings.Fields(fp.text)
	st := &fakeStatement{s: s, words: words}
	if s.tx == 'E' && words[0] != "rollback" && words[0] != "commit" {
		return nil, pgerror.New(pgerror.InFailedTransaction, "current transaction is aborted, commands ignored until end of transaction block")
	}
	switch words[0] {
	case "rows", "same", "burst", "late", "tick":
		st.cols = []ResultColumn{
			{Name: "id", Type: types.Int8, Table: 4711, Attr: 1},
			{Name: "name", Type: types.Text},
			{Name: "f", Type: types.Float8},
			{Name: "ts", Type: types.Timestamptz},
			{Name: "ok", Type: types.Bool},
		}
	case "wait", "panic":
		st.cols = []ResultColumn{{Name: "x", Type: types.Int4}}
	case "cols":
		for i, w := range words[1:] {
			t := fakeTypes[w]
			st.params = append(st.params, t.OID)
			st.cols = append(st.cols, ResultColumn{Name: fmt.Sprintf("c%d", i+1), Type: t})
		}
	case "fetch":
		rows, cols, err := s.n.(Names).FetchCursor(words[2], int64(st.num()))
		if err != nil {
			return nil, err
		}
		st.fetched, st.cols = rows, cols
	case "execute":
		return s.n.(Names).LookupStatement(words[1])
	case "list":
		st.cols = []ResultColumn{{Name: "name", Type: types.Text}}
	case "prepare", "deallocate", "declare", "close", "move":
	case "noprepare":
		return nil, pgerror.NoSuchRelation("x").At(fp.pos)
	case "begin", "commit", "rollback", "insert", "error", "internal", "copyout", "copytick", "notice", "set", "notify", "failsync":
	case "copyin":
		return &fakeCopyIn{st}, nil
	default:
		return nil, pgerror.New(pgerror.SyntaxError, "syntax error at or near %q", words[0]).At(fp.pos)
	}
	return st, nil
}

type fakeStatement struct {
	s      *fakeSession
	words  []string
	params []types.OID
	cols   []ResultColumn

	fetched Rows
}

func (st *fakeStatement) Params() []types.OID     { return st.params }
func (st *fakeStatement) Columns() []ResultColumn { return st.cols }

func (st *fakeStatement) num() int {
	if len(st.words) < 2 {
		return 1
	}
	n, _ := strconv.Atoi(st.words[1])
	return n
}

func (st *fakeStatement) Query(ctx context.Context, args []types.Datum) (Rows, error) {
	s, rest := st.s, strings.Join(st.words[min(2, len(st.words)):], " ")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r := &fakeRows{st: st, args: args, left: st.num(), tag: strings.ToUpper(st.words[0])}
	switch st.words[0] {
	case "rows", "same", "cols", "late", "burst", "wait", "tick", "panic":
		r.tag = "SELECT "
	case "insert":
		r.tag = "INSERT 0 " + st.words[1]
	case "begin":
		s.tx = 'T'
	case "commit", "rollback":
		if s.tx == 'E' {
			r.tag = "ROLLBACK"
		}
		s.tx = 'I'
	case "error":
		e := pgerror.New(st.words[1], "%s", rest).WithDetail("the detail").WithHint("the hint").OnConstraint("s", "t", "n").At(3)
		e.Column, e.Where = "c", "somewhere"
		return nil, e
	case "internal":
		return nil, errors.New("something broke")
	case "copyout", "copytick":
		r.tag = "COPY "
		return &fakeCopyOut{r}, nil
	case "notice":
		s.n.Notice(&pgerror.Error{Severity: "NOTICE", Code: "00000", Message: strings.Join(st.words[1:], " ")})
	case "set":
		s.n.Parameter(st.words[1], rest)
	case "notify":
		s.n.Notification(s.startup.PID, st.words[1], rest)
	case "failsync":
		s.failSync = true
	case "fetch":
		return st.fetched, nil
	case "prepare", "deallocate", "declare", "close", "move", "list":
		return st.queryNames(ctx, r)
	}
	return r, nil
}

// fakeRows makes the rows; batches carry a selection vector and a constant
// column, so that these are always part of the tests.
type fakeRows struct {
	st    *fakeStatement
	args  []types.Datum
	left  int
	made  int
	pause bool
	kept  *column.Batch
	tag   string
}

func (r *fakeRows) Tag() string      { return r.tag }
func (r *fakeRows) Close() error     { return nil }
func (r *fakeRows) Continuous() bool { return r.st.words[0] == "burst" }

// end tells a test why a statement ended, if there is room: a stress test does
// not listen.
func (b *fakeBackend) end(ctx context.Context) {
	select {
	case b.ended <- context.Cause(ctx):
	default:
	}
}

func (r *fakeRows) Next(ctx context.Context) (*column.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch r.st.words[0] {
	case "wait":
		<-ctx.Done()
		r.st.s.b.end(ctx)
		return nil, ctx.Err()
	case "tick":
		select {
		case <-ctx.Done():
			r.st.s.b.end(ctx)
			return nil, ctx.Err()
		case <-time.After(time.Duration(r.st.num()) * time.Millisecond):
			return r.batch(1), nil
		}
	case "late":
		if r.made > 0 {
			return nil, pgerror.DivideByZero()
		}
		return r.batch(1), nil
	case "burst":
		if r.pause = !r.pause; !r.pause {
			return &column.Batch{}, nil
		}
		return r.batch(min(r.st.num(), 1000)), nil
	case "panic":
		panic("the fake panics")
	case "same":
		if r.left <= 0 {
			return nil, io.EOF
		}
		if r.kept == nil {
			r.kept = r.batch(1000)
		}
		r.left -= 1000
		return r.kept, nil
	case "rows":
		if r.left == 0 {
			return nil, io.EOF
		}
		n := min(r.left, 100)
		r.left -= n
		return r.batch(n), nil
	case "cols":
		if r.made > 0 {
			return nil, io.EOF
		}
		r.made++
		b := &column.Batch{N: 1}
		for i, c := range r.st.cols {
			b.Cols = append(b.Cols, column.Constant(c.Type, r.args[i]))
		}
		return b, nil
	}
	return nil, io.EOF
}

func (r *fakeRows) batch(n int) *column.Batch {
	var ts []types.Type
	for _, c := range r.st.cols[:4] {
		ts = append(ts, c.Type)
	}
	bld := column.NewBuilder(ts, 2*n)
	var sel []int32
	for i := range 2 * n { // every second row counts
		id := int64(-1)
		if i%2 == 1 {
			r.made++
			id = int64(r.made)
			sel = append(sel, int32(i))
		}
		bld.Col(0).Append(types.IntDatum(id))
		if id%10 == 0 {
			bld.Col(1).AppendNull()
		} else {
			bld.Col(1).Append(types.StringDatum("row " + strconv.FormatInt(id, 10)))
		}
		bld.Col(2).Append(types.FloatDatum(float64(id) / 2))
		bld.Col(3).Append(types.IntDatum(id * 1_000_000))
		bld.Row(column.Insert)
	}
	b := bld.Take()
	b.Sel = sel
	b.Cols = append(b.Cols, column.Constant(types.Bool, types.BoolDatum(true)))
	return b
}

type fakeCopyOut struct{ *fakeRows }

func (r *fakeCopyOut) CopyFormat() (byte, int) { return 0, 2 }
func (r *fakeCopyOut) Next(ctx context.Context) (*column.Batch, error) {
	if r.st.words[0] == "copytick" {
		select {
		case <-ctx.Done():
			r.st.s.b.end(ctx)
			return nil, ctx.Err()
		case <-time.After(time.Duration(r.st.num()) * time.Millisecond):
		}
		r.made++
		c := column.New(types.Bytea, 0)
		c.AppendBytes(fmt.Appendf(nil, "%d\n", r.made))
		return &column.Batch{N: 1, Cols: []*column.Column{c}}, nil
	}
	if r.left == 0 {
		return nil, io.EOF
	}
	c := column.New(types.Bytea, 0)
	n := min(r.left, 64)
	for range n {
		r.made++
		c.AppendBytes(fmt.Appendf(nil, "%d\tline\n", r.made))
	}
	r.left -= n
	return &column.Batch{N: n, Cols: []*column.Column{c}}, nil
}

type fakeCopyIn struct{ *fakeStatement }

func (st *fakeCopyIn) CopyFormat() (byte, int) { return 0, 2 }
func (st *fakeCopyIn) CopyFrom(_ context.Context, r io.Reader) (string, error) {
	if len(st.words) > 1 && st.words[1] == "early" { // stops at an end-of-data marker
		if _, err := r.Read(make([]byte, 1)); err != nil {
			return "", err
		}
		return "COPY 0", nil
	}
	if len(st.words) > 1 && st.words[1] == "bad" {
		if _, err := r.Read(make([]byte, 1)); err != nil {
			return "", err
		}
		return "", pgerror.New(pgerror.BadCopyFileFormat, "missing data for column")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	st.s.b.mu.Lock()
	st.s.b.copied.Write(data)
	st.s.b.mu.Unlock()
	return fmt.Sprintf("COPY %d", strings.Count(string(data), "\n")), nil
}
