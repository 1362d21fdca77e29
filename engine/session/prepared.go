package session

import (
	"context"
	"strconv"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// preparedMax bounds the statements that PREPARE keeps in a session.
const preparedMax = 1000

// prepared is a statement of PREPARE.
type prepared struct {
	stmt pgwire.Statement
}

func (s *Session) prepareNamed(ctx context.Context, p ast.Parsed, n *ast.Prepare) error {
	if s.prepared[n.Name] != nil {
		return pgerror.New(pgerror.DuplicatePreparedStatement, "prepared statement %q already exists", n.Name)
	}
	if len(s.prepared) >= preparedMax {
		return pgerror.New(pgerror.ConfigurationLimitExceeded, "too many prepared statements: %d", preparedMax).
			WithHint("DEALLOCATE the ones that are done.")
	}
	var params []types.OID
	for _, t := range n.Types {
		typ, err := binder.TypeOf(p.SQL, t)
		if err != nil {
			return err
		}
		params = append(params, typ.OID)
	}
	inner := p
	inner.Stmt = n.Stmt
	st, err := s.prepare(ctx, inner, params)
	if err != nil {
		return err
	}
	s.prepared[n.Name] = &prepared{st}
	return nil
}

// prepareExecute is EXECUTE: its arguments are constants.
func (s *Session) prepareExecute(_ context.Context, p ast.Parsed, n *ast.Execute) (pgwire.Statement, error) {
	pr := s.prepared[n.Name]
	if pr == nil {
		return nil, noPrepared(n.Name)
	}
	want := pr.stmt.Params()
	if len(n.Args) != len(want) {
		return nil, pgerror.New(pgerror.SyntaxError, "wrong number of parameters for prepared statement %q", n.Name).
			WithDetail("Expected %d parameters but got %d.", len(want), len(n.Args))
	}
	args := make([]types.Datum, len(want))
	for i, a := range n.Args {
		e, err := binder.BindConstant(s.bindOptions(p, nil), a, types.Type{OID: want[i], Mod: -1})
		if err != nil {
			return nil, err
		}
		if args[i], err = expr.EvalConst(e, s.env()); err != nil {
			return nil, err
		}
	}
	return &rowsStatement{
		columns: pr.stmt.Columns(),
		run: func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
			return pr.stmt.Query(ctx, args)
		},
	}, nil
}

func noPrepared(name string) error {
	return pgerror.New(pgerror.InvalidStatementName, "prepared statement %q does not exist", name)
}

func (s *Session) deallocate(n *ast.Deallocate) (string, error) {
	if n.All {
		clear(s.prepared)
		return "DEALLOCATE ALL", nil
	}
	if s.prepared[n.Name] == nil {
		return "", noPrepared(n.Name)
	}
	delete(s.prepared, n.Name)
	return "DEALLOCATE", nil
}

func itoa(n int) string { return strconv.Itoa(n) }
