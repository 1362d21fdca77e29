package session

import (
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

func (s *Session) prepareMerge(p ast.Parsed, n *ast.Merge, _ []types.OID) (pgwire.Statement, error) {
	return nil, pgerror.Unsupported("MERGE is not supported yet").At(p.Position(n.Pos()))
}
