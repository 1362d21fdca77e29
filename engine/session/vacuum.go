package session

import (
	"context"
	"slices"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// vacuumOptions are PostgreSQL's, by statement.
var (
	vacuumOptions = []string{
		"full", "freeze", "verbose", "analyze", "disable_page_skipping", "skip_locked", "index_cleanup", "process_toast", "truncate", "parallel",
	}
	analyzeOptions = []string{"verbose", "skip_locked"}
)

// prepareVacuum is VACUUM and ANALYZE. Of VACUUM the names are checked, and there is
// nothing to do: the stores compact themselves.
func (s *Session) prepareVacuum(p ast.Parsed, n *ast.Vacuum) (pgwire.Statement, error) {
	known, verb, analyze := vacuumOptions, "VACUUM", n.Analyze
	if n.Analyze {
		known, verb = analyzeOptions, "ANALYZE"
	}
	for _, o := range n.Options {
		if !slices.Contains(known, o.Name) {
			return nil, pgerror.New(pgerror.SyntaxError, "unrecognized %s option %q", verb, o.Name).At(p.Position(o.Pos()))
		}
		if v, err := checkBool(orTrue(lower(o.Value))); o.Name == "analyze" && err == nil {
			analyze = v == "on"
		}
	}
	for _, t := range n.Tables {
		r, err := s.relation(s.catalog(), p, t.Name)
		if err != nil {
			return nil, err
		}
		for _, c := range t.Columns {
			if i := r.ColumnIndex(c.Name); i < 0 || r.Columns[i].Hidden {
				return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", c.Name, r.Name).At(p.Position(c.Pos()))
			}
		}
	}
	if analyze {
		return s.prepareAnalyze(p, n)
	}
	return s.command(p, func(context.Context) (string, error) { return p.Tag(), nil }), nil
}

// noProcedure is the error of CALL: there are functions only.
func (s *Session) noProcedure(p ast.Parsed, n *ast.Call) error {
	if expr.HasFunction(n.Func.Name.Last()) {
		return pgerror.New(pgerror.WrongObjectType, "%s is not a procedure", n.Func.Name.Last()).
			WithHint("To call a function, use SELECT.").At(p.Position(n.Func.Pos()))
	}
	return pgerror.New(pgerror.UndefinedFunction, "procedure %s does not exist", ast.String(n.Func)).
		WithHint("There are no procedures. To call a function, use SELECT.").At(p.Position(n.Func.Pos()))
}
