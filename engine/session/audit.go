package session

import (
	"context"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// audited reports that a statement is logged with who ran it: what changes definitions
// and rights, who a session is, and what empties tables.
func audited(stmt ast.Statement) bool {
	switch n := stmt.(type) {
	case *ast.CreateRelation, *ast.CreateView, *ast.CreateSink, *ast.CreateIndex, *ast.CreateSequence, *ast.CreateFunction, *ast.CreateType, *ast.CreateSchema,
		*ast.CreateRole, *ast.Alter, *ast.AlterDefaultPrivileges, *ast.Drop, *ast.Grant, *ast.Owned, *ast.Comment, *ast.Truncate, *ast.Job:
		return true
	case *ast.Set:
		return n.Name == "role" || n.Name == "session_authorization"
	}
	return false
}

// audit has a statement logged when it has run, if it is of those that are. The text
// is logged without secrets.
func (s *Session) audit(p ast.Parsed, st pgwire.Statement) pgwire.Statement {
	if s.e.dry || s.e.Logger == nil || !audited(p.Stmt) {
		return st
	}
	return &auditedStatement{st, s, p}
}

type auditedStatement struct {
	pgwire.Statement
	s *Session
	p ast.Parsed
}

// auditTextMax bounds how much of a statement is logged, in bytes.
const auditTextMax = 4096

// Query implements pgwire.Statement.
func (a *auditedStatement) Query(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
	who := a.s.who()
	rows, err := a.Statement.Query(ctx, args)
	text := ast.Redact(a.p.Text)
	if len(text) > auditTextMax {
		text = text[:auditTextMax] + "…"
	}
	out := []any{
		"audit", "ddl", "tag", a.p.Tag(), "user", who, "login", a.s.identity.login, "database", a.s.database, "pid", a.s.pid,
		"remote_addr", a.s.remote, "statement", text,
	}
	if err != nil {
		out = append(out, "sqlstate", pgerror.Code(err))
	}
	a.s.e.Logger.InfoContext(ctx, "statement", out...)
	return rows, err
}
