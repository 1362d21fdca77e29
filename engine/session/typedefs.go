package session

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
)

// typeDefs are the user-made types of one moment, as the session's statements see them.
// Safe for concurrent use. It implements types.Definitions.
type typeDefs struct {
	snap *catalog.Snapshot
	// defs are what the open transaction has defined, nil: nothing.
	defs *definitions
}

func (s *Session) typeDefs() *typeDefs {
	return &typeDefs{snap: s.catalog(), defs: s.defs()}
}

// Enum implements types.Definitions. Values that the open transaction has added cannot
// be used yet.
func (t *typeDefs) Enum(o types.OID) *types.Enum {
	e := t.snap.Enum(o)
	if e == nil || t.defs == nil {
		return e
	}
	was := t.defs.base.Enum(o)
	for _, c := range t.defs.changes {
		if was == nil && c.PutType != nil && c.PutType.OID() == o {
			was = c.PutType.Enum() // as it was made
		}
	}
	if was != nil {
		e.Unsafe = func(l *types.EnumLabel) bool { return was.Find(l.Label) == nil }
	}
	return e
}

// Row implements types.Definitions.
func (t *typeDefs) Row(o types.OID) []types.RowField { return t.snap.Row(o) }

// TypeName implements types.Definitions.
func (t *typeDefs) TypeName(o types.OID) string { return t.snap.TypeName(o) }

// Enum implements types.Definitions.
func (n *names) Enum(o types.OID) *types.Enum { return n.s.typeDefs().Enum(o) }

// Row implements types.Definitions.
func (n *names) Row(o types.OID) []types.RowField { return n.s.typeDefs().Row(o) }

// TypeName implements types.Definitions.
func (n *names) TypeName(o types.OID) string { return n.catalog().Name(types.OIDRegtype, uint32(o)) }

// typeOf is the type that a name in a statement means.
func (s *Session) typeOf(p ast.Parsed, n *ast.TypeName) (types.Type, error) {
	return binder.New(s.bindOptions(p, nil)).Type(n)
}

// evalFormat is the session's format for the evaluation of one statement, which may be
// spread over goroutines: the types are those of now.
func (s *Session) evalFormat() *types.Format {
	f := *s.settings.format()
	f.Types = s.typeDefs()
	return &f
}
