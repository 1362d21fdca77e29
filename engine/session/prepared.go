package session

import (
	"context"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

func (s *Session) prepareNamed(ctx context.Context, p ast.Parsed, n *ast.Prepare) error {
	if q, ok := n.Stmt.(*ast.Query); ok {
		if to, _ := into(q); to != nil {
			return pgerror.New("42P14", "utility statements cannot be prepared")
		}
	}
	var params []types.OID
	for _, t := range n.Types {
		typ, err := s.typeOf(p, t)
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
	for i := range st.Params() {
		if !strings.Contains(p.Text, "$"+itoa(i+1)) && i >= len(params) {
			return pgerror.New(pgerror.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
	}
	return s.names.PutStatement(n.Name, p.Text, st)
}

// prepareExecute is EXECUTE: its arguments are constants.
func (s *Session) prepareExecute(_ context.Context, p ast.Parsed, n *ast.Execute) (pgwire.Statement, error) {
	st, err := s.names.LookupStatement(n.Name)
	if err != nil {
		return nil, err
	}
	want := st.Params()
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
		columns: st.Columns(),
		run: func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
			return st.Query(ctx, args)
		},
	}, nil
}

func (s *Session) deallocate(n *ast.Deallocate) (string, error) {
	if n.All {
		s.names.DropStatements()
		return "DEALLOCATE ALL", nil
	}
	return "DEALLOCATE", s.names.DropStatement(n.Name)
}

func itoa(n int) string { return strconv.Itoa(n) }
