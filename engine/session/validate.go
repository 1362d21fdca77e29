package session

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// Finding is what the validator says about a text.
type Finding struct {
	Severity string `json:"severity"` // error, warning
	Code     string `json:"code"`     // SQLSTATE
	Line     int    `json:"line"`     // from 1
	Column   int    `json:"column"`   // in characters, from 1
	Message  string `json:"message"`
	Detail   string `json:"detail,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

// Validate checks the statements of a text in order, each against what those before
// define on top of snap (nil: an empty database). Nothing is stored, nothing runs,
// no connector is contacted. A syntax error ends the check: what follows cannot be
// told apart.
func Validate(ctx context.Context, snap *catalog.Snapshot, conns *connector.Registry, sql string) []Finding {
	return validateAs(ctx, auth.Bootstrap, snap, conns, sql)
}

// validateAs is Validate with the rights of role.
func validateAs(ctx context.Context, role string, snap *catalog.Snapshot, conns *connector.Registry, sql string) []Finding {
	v := &validator{sql: sql}
	list, err := parser.Parse(sql)
	if err != nil {
		v.report("error", pgerror.From(err), 0)
		return v.out
	}
	e := &Engine{Catalog: catalog.Dry(snap), Connectors: conns, Version: "15.0", Shards: 1, dry: true}
	s := &Session{e: e, database: "velostream", settings: newSettings(e), notify: v}
	who := e.Catalog.Snapshot().Role(role)
	if who == nil {
		v.report("error", denied("the current role is gone"), 0)
		return v.out
	}
	s.logIn(who)
	s.settings.regs = &names{s: s}
	for _, p := range list {
		if ctx.Err() != nil {
			return v.out
		}
		v.at = p.Start
		v.annotated(p)
		if err := s.validate(ctx, p); err != nil {
			v.report("error", types.NamedError(pgerror.From(err), s.settings.format()), p.Start)
		}
		v.lint(s, p)
	}
	return v.out
}

// validate prepares a statement, and runs it if it only changes the catalog or settings.
func (s *Session) validate(ctx context.Context, p ast.Parsed) error {
	defines := false
	switch n := p.Stmt.(type) {
	case *ast.CreateRelation, *ast.CreateView, *ast.CreateSink, *ast.CreateSchema, *ast.CreateIndex, *ast.CreateSequence,
		*ast.CreateFunction, *ast.CreateType, *ast.Alter, *ast.Drop, *ast.Comment, *ast.Set:
		defines = true
	case *ast.Execute, *ast.Fetch, *ast.Transaction, *ast.CloseCursor, *ast.Deallocate, *ast.DeclareCursor, *ast.Prepare, *ast.Show:
		return nil // about what is there when they run
	default:
		_ = n
	}
	st, err := s.prepare(ctx, p, nil)
	if err != nil || !defines {
		return err
	}
	_, err = st.Query(ctx, nil)
	return err
}

// validator collects findings; it is the Notifier of the session that it drives.
type validator struct {
	sql string
	at  int // offset of the statement
	out []Finding
}

// Notice implements pgwire.Notifier: what a statement warns of.
func (v *validator) Notice(n *pgerror.Error) { v.report("warning", n, v.at) }

// Parameter implements pgwire.Notifier.
func (*validator) Parameter(string, string) {}

// Notification implements pgwire.Notifier.
func (*validator) Notification(uint32, string, string) {}

func (v *validator) report(severity string, e *pgerror.Error, start int) {
	offset := start
	if e.Position > 0 {
		offset = 0
		for n := e.Position - 1; n > 0 && offset < len(v.sql); n-- {
			_, size := utf8.DecodeRuneInString(v.sql[offset:])
			offset += size
		}
	} else {
		for offset < len(v.sql) && strings.ContainsRune(" \t\r\n", rune(v.sql[offset])) {
			offset++
		}
	}
	v.add(severity, e.Code, offset, e.Message, e.Detail, e.Hint)
}

func (v *validator) add(severity, code string, offset int, message, detail, hint string) {
	offset = min(max(offset, 0), len(v.sql))
	before := v.sql[:offset]
	line := strings.Count(before, "\n") + 1
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	v.out = append(v.out, Finding{severity, code, line, col, message, detail, hint})
}

func (v *validator) warn(n ast.Node, hint, format string, args ...any) {
	v.add("warning", "01000", n.Pos(), fmt.Sprintf(format, args...), "", hint)
}

// lint warns of queries that are right and yet seldom meant.
func (v *validator) lint(s *Session, p ast.Parsed) {
	switch n := p.Stmt.(type) {
	case *ast.CreateView:
		v.lintQuery(s, n.Query, n.Materialized)
	case *ast.CreateRelation:
		if n.Query != nil {
			v.lintQuery(s, n.Query, true)
		}
	case *ast.CreateSink:
		if n.Query != nil {
			v.lintQuery(s, n.Query, true)
		}
	case *ast.Query:
		v.lintQuery(s, n, n.Emit != nil)
	}
}

func (v *validator) lintQuery(s *Session, q *ast.Query, continuous bool) {
	if q == nil {
		return
	}
	v.lintBody(s, q.Body, continuous)
}

// lintJoin warns of a join on a condition that is always true.
func (v *validator) lintJoin(r ast.TableRef) {
	j, ok := r.(*ast.Join)
	if !ok {
		return
	}
	v.lintJoin(j.L)
	v.lintJoin(j.R)
	if l, ok := j.On.(*ast.Literal); ok && l.Kind == ast.LitBool && l.Text == "true" {
		if _, lateral := j.R.(*ast.SubqueryRef); !lateral {
			v.warn(j.On, "Join on a condition, or write CROSS JOIN.", "every row of one relation is joined with every row of the other (Cartesian product)")
		}
	}
}

func (v *validator) lintBody(s *Session, b ast.SelectBody, continuous bool) {
	switch n := b.(type) {
	case *ast.SetOp:
		v.lintBody(s, n.L, continuous)
		v.lintBody(s, n.R, continuous)
	case *ast.Select:
		if len(n.From) > 1 && n.Where == nil {
			v.warn(n.From[1], "Join on a condition, or write CROSS JOIN.", "every row of one relation is joined with every row of the other (Cartesian product)")
		}
		for _, f := range n.From {
			v.lintJoin(f)
		}
		if !continuous || !v.readsStream(s, n) {
			return
		}
		switch {
		case n.GroupBy != nil && n.Window == nil && !windowed(n):
			v.warn(n.GroupBy, "Use a time window, or a condition on now().", "the state of GROUP BY over a stream grows with the number of groups: it is unbounded")
		case n.Distinct:
			v.warn(n, "Use a time window, or a condition on now().", "the state of DISTINCT over a stream grows with the number of different rows: it is unbounded")
		}
		for _, f := range n.From {
			if sub, ok := f.(*ast.SubqueryRef); ok {
				v.lintQuery(s, sub.Query, continuous)
			}
		}
	}
}

// windowed reports that the groups are those of time windows: a window function as
// grouping item or in FROM.
func windowed(n *ast.Select) bool {
	for _, f := range n.From {
		if _, ok := f.(*ast.WindowRef); ok {
			return true
		}
	}
	text := strings.ToUpper(ast.String(n.GroupBy))
	for _, w := range []string{"TUMBL", "HOP", "SLIDING", "SESSION", "CUMULATE", "WINDOW_START", "WINDOW_END"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// readsStream reports that FROM names a stream.
func (v *validator) readsStream(s *Session, b ast.SelectBody) bool {
	switch n := b.(type) {
	case *ast.SetOp:
		return v.readsStream(s, n.L) || v.readsStream(s, n.R)
	case *ast.Select:
		for _, f := range n.From {
			if v.refsStream(s, f) {
				return true
			}
		}
	}
	return false
}

func (v *validator) refsStream(s *Session, r ast.TableRef) bool {
	switch n := r.(type) {
	case *ast.TableName:
		rel, err := s.relation(s.e.Catalog.Snapshot(), ast.Parsed{SQL: v.sql}, n.Name)
		return err == nil && rel.Kind == catalog.Stream
	case *ast.Join:
		return v.refsStream(s, n.L) || v.refsStream(s, n.R)
	case *ast.SubqueryRef:
		return v.readsStream(s, n.Query.Body)
	}
	return false
}

// prepareValidate is VALIDATE 'sql'.
func (s *Session) prepareValidate(n *ast.Validate) pgwire.Statement {
	t := newTextRows("severity", "code", "line", "column", "message", "hint")
	return t.statement("VALIDATE", func(ctx context.Context, t *textRows) error {
		for _, f := range validateAs(ctx, s.who(), s.catalog(), s.e.Connectors, n.SQL) {
			t.add(f.Severity, f.Code, itoa(f.Line), itoa(f.Column), f.Message, f.Hint)
		}
		return nil
	})
}
