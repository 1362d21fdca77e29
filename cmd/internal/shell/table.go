package shell

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A table is printed when it is complete, with columns as wide as they need
// be; or, when rows are long in coming or many, from then on row by row, with
// columns that only ever widen.
const (
	holdRows = 200                    // rows held back for their widths
	holdTime = 150 * time.Millisecond // after the first of them
	cellMax  = 200                    // a wider value does not widen its column
)

// table prints the rows of one result. add and end are called by one
// goroutine; the timer of held rows is another's, hence the lock.
type table struct {
	mu      sync.Mutex
	out     *bufio.Writer
	names   []string
	right   []bool
	width   []int
	held    [][]string
	timer   *time.Timer
	flowing bool // the header is out, rows go out at once
	ended   bool
	rows    int
}

func newTable(out io.Writer, fields []pgconn.FieldDescription) *table {
	t := &table{out: bufio.NewWriter(out)}
	for _, f := range fields {
		t.names = append(t.names, f.Name)
		t.width = append(t.width, width(f.Name))
		t.right = append(t.right, numeric(f.DataTypeOID))
	}
	return t
}

// numeric reports types that stand at the right of their column.
func numeric(oid uint32) bool {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID, pgtype.OIDOID:
		return true
	}
	return false
}

// width is how many columns of a terminal s takes.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// add takes a row; nil is NULL, shown as nothing.
func (t *table) add(values [][]byte) {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = printable(string(v))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows++
	for i, c := range cells {
		if w := width(c); w > t.width[i] && w <= cellMax {
			t.width[i] = w
		}
	}
	if t.flowing {
		t.row(cells)
		_ = t.out.Flush() // standard output gone: the next statement tells
		return
	}
	t.held = append(t.held, cells)
	switch {
	case len(t.held) >= holdRows:
		t.flow()
	case t.timer == nil:
		t.timer = time.AfterFunc(holdTime, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if !t.ended {
				t.flow()
			}
		})
	}
}

// printable shows control characters instead of obeying them.
func printable(s string) string {
	clean := func(r rune) bool { return r < ' ' || r == 0x7f }
	if strings.IndexFunc(s, clean) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case clean(r):
			fmt.Fprintf(&b, `\x%02X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// end prints what is held, and the count of rows if all went well.
func (t *table) end(ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.timer != nil {
		t.timer.Stop()
	}
	if ok || t.rows > 0 {
		t.flow()
	}
	if ok {
		s := "s"
		if t.rows == 1 {
			s = ""
		}
		t.print("(", strconv.Itoa(t.rows), " row", s, ")\n\n")
	}
	_ = t.out.Flush()
}

// flow prints the header, if it is not out, and all held rows.
// REQUIRES: t.mu is held.
func (t *table) flow() {
	if !t.flowing {
		t.flowing = true
		t.header()
	}
	for _, r := range t.held {
		t.row(r)
	}
	t.held = nil
	_ = t.out.Flush()
}

func (t *table) header() {
	var names, rule strings.Builder
	for i, n := range t.names {
		if i > 0 {
			names.WriteByte('|')
			rule.WriteByte('+')
		}
		free := t.width[i] - width(n)
		names.WriteString(" " + blanks(free/2) + n + blanks(free-free/2) + " ")
		rule.WriteString(strings.Repeat("-", t.width[i]+2))
	}
	t.print(strings.TrimRight(names.String(), " "), "\n", rule.String(), "\n")
}

func (t *table) row(cells []string) {
	for i, c := range cells {
		free := blanks(t.width[i] - width(c))
		if i > 0 {
			t.print(" |")
		}
		switch {
		case t.right[i]:
			t.print(" ", free, c)
		case i == len(cells)-1:
			t.print(" ", c)
		default:
			t.print(" ", c, free)
		}
	}
	t.print("\n")
}

// print writes parts; an output that is gone is noticed by whoever prints next.
func (t *table) print(parts ...string) {
	for _, p := range parts {
		_, _ = t.out.WriteString(p)
	}
}

func blanks(n int) string { return strings.Repeat(" ", max(0, n)) }
