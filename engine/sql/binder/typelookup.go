package binder

import (
	"velostream/catalog/types"
)

// Contexts of casts.
const (
	castImplicit   = types.CastImplicit
	castAssignment = types.CastAssignment
	castExplicitly = types.CastExplicit
)

// castAllowed reports that a cast exists and may happen in the context.
func castAllowed(from, to types.Type, in types.CastContext) bool {
	if from.OID == types.OIDRecord && to.IsComposite() {
		return true // if their columns can: recordTo
	}
	c, ok := types.FindCast(from.OID, to.OID)
	return ok && c.Context >= in
}

// TypeName is the name of t in messages, without its modifier.
func TypeName(t types.Type) string { return types.Type{OID: t.OID, Mod: -1}.String() }
