package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// shape is a lookup by key that was prepared from a text lately, kept so that the
// same text, or the same but for the number at its end, needs not be parsed and
// planned again:
//
//	SELECT abalance FROM pgbench_accounts WHERE aid = 12345;
//	└────────────────── head ──────────────────────┘└hole┘└ tail
//
// It holds as long as the plan's basis and the declared types of parameters are the
// same. Only statements whose whole text is such a lookup have a shape, since others
// may hold what is evaluated while planning. A session has up to shapesMax of them,
// their text is bounded by shapeTextMax.
type shape struct {
	head, tail string
	hole       bool // false: head is the whole text
	declared   []types.OID

	st   selectStatement // a copy: it is never planned again
	read *pointRead      // made with the first use; the number in the hole is its $1
}

const (
	shapeTextMax = 4096
	// holeDigitsMax is how many digits are an integer, whatever they are.
	holeDigitsMax = 9
)

// keepShape remembers a statement that was prepared, if it has a shape.
func (s *Session) keepShape(p ast.Parsed, declared []types.OID, prepared pgwire.Statement) {
	st, ok := prepared.(*selectStatement)
	if !ok || st.point == nil || st.warned || len(p.SQL) > shapeTextMax || p.Start != 0 || len(p.Annotations) > 0 {
		return
	}
	if len(declared) > 1 { // there is one value; types of others would be kept for nothing
		return
	}
	if len(st.guard.access) != 1 || st.guard.access[0].Via != 0 || len(st.guard.functions) > 0 {
		return
	}
	sh := &shape{head: p.SQL}
	switch v := lookupValue(st.q).(type) {
	case *ast.Param:
	case *ast.Literal:
		key := st.point.cols[0].Type.OID
		at := v.Pos()
		end := at + len(v.Text)
		if v.Kind != ast.LitInteger || len(st.point.cols) != 1 || (key != types.OIDInt4 && key != types.OIDInt8) ||
			end > p.End || p.SQL[at:end] != v.Text || !plainNumber(v.Text) {
			return
		}
		sh.head, sh.tail, sh.hole = p.SQL[:at], p.SQL[end:], true
	default:
		return
	}
	if strings.Trim(p.SQL[p.End:], "; \t\r\n") != "" || strings.Trim(sh.tail, "; \t\r\n") != "" {
		return
	}
	sh.declared = append(sh.declared, declared...)
	sh.st = *st
	s.shapes.keep(sh)
}

// shapes are the last shapes of a session.
type shapes struct {
	list [shapesMax]*shape
	next int // the one that goes when another comes
}

const shapesMax = 4

func (l *shapes) keep(sh *shape) {
	for i, old := range l.list {
		if old != nil && old.head == sh.head && old.tail == sh.tail && old.hole == sh.hole {
			l.list[i] = sh
			return
		}
	}
	l.list[l.next] = sh
	l.next = (l.next + 1) % shapesMax
}

// match is sql as a statement of one of the shapes, nil if it is of none.
func (l *shapes) match(s *Session, sql string) *lookup {
	for _, sh := range l.list {
		if sh == nil {
			return nil
		}
		if p := sh.match(s, sql); p != nil {
			return p
		}
	}
	return nil
}

// lookupValue is what a column is compared with where q is
// SELECT columns FROM table WHERE column = value and nothing else, else nil.
func lookupValue(q *ast.Query) ast.Expr {
	sel, ok := q.Body.(*ast.Select)
	if !ok || q.With != nil || len(q.OrderBy) > 0 || q.Limit != nil || len(q.Locking) > 0 ||
		q.Emit != nil || q.Sink != nil || len(q.Options) > 0 || q.Late != nil {
		return nil
	}
	if sel.Distinct || len(sel.DistinctOn) > 0 || sel.Into != nil || sel.GroupBy != nil || sel.Having != nil ||
		sel.Window != nil || len(sel.Windows) > 0 || len(sel.From) != 1 {
		return nil
	}
	for i := range sel.Items {
		if _, ok := sel.Items[i].X.(*ast.ColumnRef); !ok {
			return nil
		}
	}
	from, ok := sel.From[0].(*ast.TableName)
	if !ok || from.AsOf != nil || from.Sample != nil {
		return nil
	}
	where, ok := sel.Where.(*ast.Binary)
	if !ok || where.Op.Symbol != "=" || where.Op.Schema != "" {
		return nil
	}
	if _, ok := where.L.(*ast.ColumnRef); !ok {
		return nil
	}
	return where.R
}

// plainNumber reports that text is an integer that needs no thought: its type is
// integer, and it begins with no zero that could mean another base.
func plainNumber(text string) bool {
	if text == "" || len(text) > holeDigitsMax || (text[0] == '0' && len(text) > 1) {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// match is sql as a statement of the shape, nil if it is another.
func (sh *shape) match(s *Session, sql string) *lookup {
	if !sh.hole {
		if sql != sh.head {
			return nil
		}
		return &lookup{s: s, shape: sh, sql: sql}
	}
	n := len(sql) - len(sh.head) - len(sh.tail)
	if n <= 0 || !strings.HasPrefix(sql, sh.head) || !strings.HasSuffix(sql, sh.tail) {
		return nil
	}
	digits := sql[len(sh.head) : len(sh.head)+n]
	if !plainNumber(digits) {
		return nil
	}
	v := int64(0)
	for i := range len(digits) {
		v = v*10 + int64(digits[i]-'0')
	}
	l := &lookup{s: s, shape: sh, sql: sql}
	l.value[0] = types.IntDatum(v)
	return l
}

// holds reports that planning would give the same again.
func (sh *shape) holds(s *Session, declared []types.OID) bool {
	return sh.st.basis == s.basis(s.reading()) && slices.Equal(declared, sh.declared)
}

// reader is the shape's point read. snap is the catalog it was planned at.
func (sh *shape) reader(snap *catalog.Snapshot) *pointRead {
	if sh.read == nil {
		sh.read = newPointRead(&sh.st, sh.st.physical, snap)
		if sh.hole && sh.read != nil {
			sh.read.from = []expr.Expr{&expr.Param{Number: 1}}
		}
	}
	return sh.read
}

// lookup is a statement of a shape: as parsed, and as prepared.
type lookup struct {
	s     *Session
	shape *shape
	sql   string
	value [1]types.Datum   // in the hole
	long  *selectStatement // nil until the short way was closed
}

// Tag implements pgwire.Parsed.
func (l *lookup) Tag() string { return l.shape.st.p.Tag() }

// Empty implements pgwire.Parsed.
func (*lookup) Empty() bool { return false }

// Params implements pgwire.Statement.
func (l *lookup) Params() []types.OID { return l.shape.st.params }

// Columns implements pgwire.Statement.
func (l *lookup) Columns() []pgwire.ResultColumn { return l.shape.st.columns }

// Query implements pgwire.Statement.
func (l *lookup) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	st := &l.shape.st
	if snap := l.s.reading(); l.long == nil && st.basis == l.s.basis(snap) {
		if err := st.guard.permit(l.s); err != nil {
			return nil, err
		}
		given := args
		if l.shape.hole {
			given = l.value[:]
		}
		if r := l.shape.reader(snap); r != nil {
			if rows, err := r.open(ctx, given); rows != nil || err != nil {
				return rows, err
			}
		}
	}
	if l.long == nil {
		p, err := l.parse()
		if err != nil {
			return nil, err
		}
		q, ok := p.Stmt.(*ast.Query)
		if !ok {
			return nil, pgerror.New(pgerror.InternalError, "a lookup by key is another statement now")
		}
		long := &selectStatement{s: l.s, p: p, q: q, params: st.params, columns: st.columns}
		if err := long.plan(); err != nil {
			return nil, err
		}
		l.long = long
	}
	return l.long.Query(ctx, args)
}

// parse is the statement's syntax.
func (l *lookup) parse() (ast.Parsed, error) {
	list, err := parser.Parse(l.sql)
	if err != nil {
		return ast.Parsed{}, err
	}
	if len(list) != 1 {
		return ast.Parsed{}, pgerror.New(pgerror.InternalError, "a lookup by key is another statement now")
	}
	return list[0], nil
}

var _ interface {
	pgwire.Parsed
	pgwire.Statement
} = (*lookup)(nil)
