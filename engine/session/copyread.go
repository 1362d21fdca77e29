package session

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// copyLineMax bounds one line of COPY data.
const copyLineMax = 64 << 20

// copySource gives the rows of COPY data.
type copySource interface {
	// next returns the fields of the next row, valid until the next call; nil
	// is NULL. io.EOF ends.
	next() ([][]byte, error)
	// value reads a field as a value of type t.
	value(t types.Type, b []byte, f *types.Format) (types.Datum, error)
	// number is the line of the row; where names it for an error's context, and
	// whereAt another.
	number() int
	where() string
	whereAt(line uint64) string
	bad(format string, args ...any) error
	// shown is a field as errors show it behind the column's name.
	shown(b []byte) string
}

// copyReader splits text and CSV data into lines and fields.
type copyReader struct {
	r      *bufio.Reader
	f      *copyFormat
	rel    string
	names  []string // of the columns
	line   int
	raw    []byte
	fields [][]byte // nil: NULL
	arena  []byte
	ended  bool
	eol    string // of the data, as its first line ends; "": none was read
	closed bool   // the last line had an end
	whole  bool   // raw is all of a line, to be shown with an error
}

func newCopyReader(r io.Reader, f *copyFormat, rel *catalog.Relation, columns []int) *copyReader {
	c := &copyReader{r: bufio.NewReaderSize(r, 64<<10), f: f, rel: rel.Name, arena: make([]byte, 0, 256)}
	for _, j := range columns {
		c.names = append(c.names, rel.Columns[j].Name)
	}
	return c
}

func (c *copyReader) value(t types.Type, b []byte, f *types.Format) (types.Datum, error) {
	return types.DecodeText(t, b, f)
}

// shown is a field as errors show it.
func (c *copyReader) shown(b []byte) string { return ": \"" + clip(b) + "\"" }

func (c *copyReader) number() int   { return c.line }
func (c *copyReader) where() string { return c.whereAt(uint64(c.line)) }

func (c *copyReader) whereAt(line uint64) string { return fmt.Sprintf("COPY %s, line %d", c.rel, line) }

func (c *copyReader) bad(format string, args ...any) error {
	e := pgerror.New(pgerror.BadCopyFileFormat, format, args...)
	if e.Where = c.where(); c.whole {
		e.Where += fmt.Sprintf(": \"%s\"", clip(c.raw))
	}
	return e
}

// broken adds the line to the error that ended the client's data.
func (c *copyReader) broken(err error) error {
	e := *pgerror.From(err)
	if e.Where == "" {
		e.Where = c.where()
	}
	return &e
}

// next returns the fields of the next line, valid until the next call; io.EOF
// at the end, also at the \. that psql sends.
func (c *copyReader) next() ([][]byte, error) {
	for {
		if c.ended {
			return nil, io.EOF
		}
		if err := c.readLine(); err != nil {
			return nil, err
		}
		if c.line == 1 && c.f.header {
			if err := c.checkHeader(); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.endMark(); err != nil {
			return nil, err
		}
		c.fields, c.arena = c.fields[:0], c.arena[:0]
		if c.f.csv {
			return c.fields, c.splitCSV()
		}
		return c.fields, c.splitText()
	}
}

// checkHeader compares the names of HEADER MATCH.
func (c *copyReader) checkHeader() error {
	if !c.f.match {
		return nil
	}
	split := c.splitText
	if c.f.csv {
		split = c.splitCSV
	}
	if err := split(); err != nil {
		return err
	}
	if len(c.fields) != len(c.names) {
		return c.bad("wrong number of fields in header line: got %d, expected %d", len(c.fields), len(c.names))
	}
	for i, v := range c.fields {
		if v == nil {
			return c.bad("column name mismatch in header line field %d: got null value (%q), expected %q", i+1, c.f.null, c.names[i])
		}
		if string(v) != c.names[i] {
			return c.bad("column name mismatch in header line field %d: got %q, expected %q", i+1, v, c.names[i])
		}
	}
	return nil
}

// readLine reads a line without its end; a CSV line ends outside of quotes.
func (c *copyReader) readLine() error {
	c.line++
	c.raw, c.whole = c.raw[:0], false
	q := quoteState{}
	end := byte('\n')
	if c.eol == "\r" {
		end = '\r'
	}
	for {
		part, err := c.r.ReadSlice(end)
		c.raw = append(c.raw, part...)
		if c.f.csv {
			q.scan(part, c.f)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(c.raw) > copyLineMax {
				return c.bad("line is longer than %d MB", copyLineMax>>20)
			}
			continue
		}
		if errors.Is(err, io.EOF) && len(c.raw) == 0 {
			return io.EOF
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return c.broken(err)
		}
		if err == nil && (q.open || !c.f.csv && openEscape(c.raw)) {
			if len(c.raw) > copyLineMax {
				return c.bad("line is longer than %d MB", copyLineMax>>20)
			}
			continue
		}
		if !q.open {
			if err := c.cutEnd(); err != nil {
				return err
			}
		}
		c.whole = true
		return nil
	}
}

// openEscape reports that a text line's end is escaped: it is a newline in the
// data.
func openEscape(line []byte) bool {
	n := len(line) - 1
	for n > 0 && line[n-1] == '\\' {
		n--
	}
	return (len(line)-1-n)%2 == 1
}

// cutEnd takes the line's end off. All lines must end as the first one did.
func (c *copyReader) cutEnd() error {
	line := c.raw
	var eol string
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")) && (c.f.csv || !openEscape(line[:len(line)-1])):
		eol = "\r\n"
	case bytes.HasSuffix(line, []byte("\n")):
		eol = "\n"
	case bytes.HasSuffix(line, []byte("\r")):
		eol = "\r"
	}
	c.closed = eol != ""
	line = line[:len(line)-len(eol)]
	if i := bytes.IndexByte(line, '\r'); i >= 0 {
		if i = c.bareReturn(line); i >= 0 {
			if c.eol != "" {
				return c.unexpectedEnd("carriage return", `\r`)
			}
			// The first line ends here: so do all.
			c.eol = "\r"
			c.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(c.raw[i+1:])), c.r), 64<<10)
			c.raw = line[:i]
			return nil
		}
	}
	switch {
	case c.eol == "":
		c.eol = eol
	case eol == "" || eol == c.eol:
	case c.eol == "\r\n" && eol == "\n":
		return c.unexpectedEnd("newline", `\n`)
	default:
		return c.unexpectedEnd("carriage return", `\r`)
	}
	c.raw = line
	return nil
}

// bareReturn is where a carriage return stands in line that is neither escaped
// nor in quotes, -1: nowhere.
func (c *copyReader) bareReturn(line []byte) int {
	q := quoteState{}
	for i, b := range line {
		if c.f.csv {
			q.scan(line[i:i+1], c.f)
			if b == '\r' && !q.open {
				return i
			}
			continue
		}
		if b == '\r' && !openEscape(line[:i+1]) {
			return i
		}
	}
	return -1
}

func (c *copyReader) unexpectedEnd(what, written string) error {
	if c.f.csv {
		e := *pgerror.From(c.bad("unquoted %s found in data", what))
		return e.WithHint("Use quoted CSV field to represent %s.", what)
	}
	e := *pgerror.From(c.bad("literal %s found in data", what))
	return e.WithHint("Use %q to represent %s.", written, what)
}

// endMark looks for the end of the data that psql sends, \.; it is io.EOF on a
// line of its own. In text it may also follow a line's data.
func (c *copyReader) endMark() error {
	i := -1
	if c.f.csv {
		if string(c.raw) == `\.` {
			i = 0
		}
	} else if bytes.Contains(c.raw, []byte(`\.`)) {
		for i = 0; i < len(c.raw) && !bytes.HasPrefix(c.raw[i:], []byte(`\.`)); i++ {
			if c.raw[i] == '\\' {
				i++
			}
		}
		if i >= len(c.raw) {
			i = -1
		}
	}
	if i < 0 {
		return nil
	}
	if i+2 != len(c.raw) || i > 0 && !c.closed {
		c.whole = false
		return c.bad("end-of-copy marker corrupt")
	}
	// What follows the end mark is not data, but must be read.
	c.ended = true
	if _, err := io.Copy(io.Discard, c.r); err != nil {
		return err
	}
	if i == 0 {
		return io.EOF
	}
	c.raw = c.raw[:i]
	return nil
}

// quoteState says whether a line end is inside of quotes.
type quoteState struct{ open, escaped bool }

func (q *quoteState) scan(b []byte, f *copyFormat) {
	for _, c := range b {
		if q.open && c == f.escape && f.escape != f.quote {
			q.escaped = !q.escaped
		}
		if c == f.quote && !q.escaped {
			q.open = !q.open
		}
		if c != f.escape {
			q.escaped = false
		}
	}
}

// splitText takes a text line apart and undoes its escapes.
func (c *copyReader) splitText() error {
	line := c.raw
	for {
		end := c.fieldEnd(line)
		field := line[:end]
		if string(field) == c.f.null {
			c.fields = append(c.fields, nil)
		} else {
			from := len(c.arena)
			c.arena = unescapeCopy(c.arena, field)
			c.fields = append(c.fields, c.arena[from:len(c.arena):len(c.arena)])
		}
		if end == len(line) {
			return nil
		}
		line = line[end+1:]
	}
}

func (c *copyReader) fieldEnd(line []byte) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case c.f.delimiter:
			return i
		}
	}
	return len(line)
}

func unescapeCopy(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' || i+1 == len(v) {
			dst = append(dst, v[i])
			continue
		}
		i++
		switch b := v[i]; {
		case bytes.IndexByte([]byte("bfnrtv"), b) >= 0:
			dst = append(dst, "\b\f\n\r\t\v"[bytes.IndexByte([]byte("bfnrtv"), b)])
		case b >= '0' && b <= '7':
			n := 0
			for k := 0; k < 3 && i < len(v) && v[i] >= '0' && v[i] <= '7'; k++ {
				n = n*8 + int(v[i]-'0')
				i++
			}
			i--
			dst = append(dst, byte(n))
		case b == 'x' && i+1 < len(v) && hexDigit(v[i+1]) >= 0:
			n := 0
			for k := 0; k < 2 && i+1 < len(v) && hexDigit(v[i+1]) >= 0; k++ {
				i++
				n = n*16 + hexDigit(v[i])
			}
			dst = append(dst, byte(n))
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

// splitCSV takes a CSV line apart.
func (c *copyReader) splitCSV() error {
	i, quoted := 0, false
	from := len(c.arena)
	end := func() {
		v := c.arena[from:len(c.arena):len(c.arena)]
		if c.isNull(v, quoted) {
			v = nil
		}
		c.fields = append(c.fields, v)
		from, quoted = len(c.arena), false
	}
	line := c.raw
	for i < len(line) {
		switch b := line[i]; b {
		case c.f.quote:
			quoted = true
			n, ok := c.quoted(line[i+1:])
			if !ok {
				return c.bad("unterminated CSV quoted field")
			}
			i += n + 1
		case c.f.delimiter:
			end()
			i++
		default:
			c.arena = append(c.arena, b)
			i++
		}
	}
	end()
	return nil
}

// isNull reports that the CSV value v of the next field means NULL.
func (c *copyReader) isNull(v []byte, quoted bool) bool {
	if string(v) != c.f.null {
		return false
	}
	name := ""
	if k := len(c.fields); k < len(c.names) {
		name = c.names[k]
	}
	if quoted {
		return slices.Contains(c.f.forceNull, name)
	}
	return !slices.Contains(c.f.forceNotNull, name)
}

// quoted reads up to the closing quote and returns how much that was.
func (c *copyReader) quoted(v []byte) (int, bool) {
	for i := 0; i < len(v); i++ {
		switch b := v[i]; {
		case b == c.f.escape && i+1 < len(v) && (v[i+1] == c.f.quote || v[i+1] == c.f.escape):
			i++
			c.arena = append(c.arena, v[i])
		case b == c.f.quote:
			return i + 1, true
		default:
			c.arena = append(c.arena, b)
		}
	}
	return 0, false
}

// filler makes full rows of a relation from some of its columns as text:
// defaults and computed columns are filled in.
type filler struct {
	rel      *catalog.Relation
	columns  []int
	b        *column.Builder
	defaults []*expr.Evaluator // by column, nil: NULL or given
	computed []*expr.Evaluator // by column, nil: not computed
	env      *expr.Env
}

func (s *Session) filler(rel *catalog.Relation, columns []int) (*filler, error) {
	f := &filler{
		rel: rel, columns: columns, b: column.NewBuilder(rel.Types(), scanRows), env: s.env(),
		defaults: make([]*expr.Evaluator, len(rel.Columns)), computed: make([]*expr.Evaluator, len(rel.Columns)),
	}
	given := map[int]bool{}
	for _, j := range columns {
		given[j] = true
	}
	b := binder.New(binder.Options{Snapshot: s.reading(), Format: s.settings.format(), Session: s.sessionFunction})
	exprs, err := b.Computed(rel)
	if err != nil {
		return nil, err
	}
	for j, c := range rel.Columns {
		e := exprs[j]
		to := f.computed
		if e == nil {
			if given[j] || (binder.DefaultOf(s.reading(), c) == "" && c.Sequence == 0) {
				continue
			}
			if e, err = b.Default(c); err != nil {
				return nil, err
			}
			to = f.defaults
		}
		if to[j], err = expr.Compile(e); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *filler) n() int { return f.b.Len() }
func (f *filler) reset() { f.b.Reset() }

// add appends a row of text fields.
func (f *filler) add(fields [][]byte, at copySource) error {
	if len(fields) > len(f.columns) {
		return at.bad("extra data after last expected column")
	}
	given := make([]types.Datum, len(f.rel.Columns))
	for j := range given {
		given[j] = types.NullDatum
	}
	for k, j := range f.columns {
		if k == len(fields) {
			return at.bad("missing data for column %q", f.rel.Columns[j].Name)
		}
		if fields[k] == nil {
			continue
		}
		c := f.rel.Columns[j]
		d, err := at.value(c.Type, fields[k], f.env.Format)
		if err == nil {
			d, err = types.Coerce(c.Type, d, false)
		}
		if err != nil {
			e := *pgerror.From(err)
			if e.Where = at.where(); e.Code != pgerror.InvalidByteSequence {
				e.Where += ", column " + c.Name + at.shown(fields[k])
			}
			return &e
		}
		given[j] = d
	}
	for j := range given {
		f.b.Col(j).Append(given[j])
	}
	f.b.Row(column.Insert)
	return nil
}

// clip is what errors show of data.
func clip(b []byte) string {
	const most = 100
	if len(b) <= most {
		return strings.ToValidUTF8(string(b), "?")
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "..."
}

// batch returns the rows with defaults and computed columns.
func (f *filler) batch() (*column.Batch, error) {
	b := *f.b.Batch()
	b.Cols = append([]*column.Column(nil), b.Cols...)
	for _, evals := range [][]*expr.Evaluator{f.defaults, f.computed} {
		for j, ev := range evals {
			if ev == nil {
				continue
			}
			c, err := ev.Eval(f.env, &b, nil)
			if err != nil {
				return nil, err
			}
			b.Cols[j] = c
		}
	}
	return &b, nil
}
