package expr

import (
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// CommonType is the type that the branches of CASE, COALESCE, GREATEST, VALUES,
// UNION or ARRAY are brought to, by
// https://www.postgresql.org/docs/15/typeconv-union-case.html. context names
// the construct in the message of 42804 ("CASE", "COALESCE", "UNION", …). The
// modifier survives if all types have the same.
func CommonType(context string, ts ...types.Type) (types.Type, error) {
	if len(ts) == 0 {
		return types.Text, nil
	}
	same := true
	for _, t := range ts[1:] {
		same = same && t.OID == ts[0].OID
	}
	if same && ts[0].OID != types.OIDUnknown {
		if slices.ContainsFunc(ts, func(t types.Type) bool { return t.Mod != ts[0].Mod }) {
			return types.Type{OID: ts[0].OID, Mod: -1}, nil
		}
		return ts[0], nil
	}
	best := types.OIDUnknown
	var cat types.Category
	preferred := false
	for _, t := range ts {
		if t.OID == types.OIDUnknown || t.OID == best {
			continue
		}
		c, p := category(t.OID)
		switch {
		case best == types.OIDUnknown:
			best, cat, preferred = t.OID, c, p
		case c != cat:
			return types.Type{}, mismatch(context, best, t.OID)
		case !preferred && canCoerce(best, t.OID) && !canCoerce(t.OID, best):
			best, preferred = t.OID, p
		}
	}
	if best == types.OIDUnknown {
		return types.Text, nil
	}
	for _, t := range ts {
		if !canCoerce(t.OID, best) {
			return types.Type{}, pgerror.New(pgerror.CannotCoerce,
				"%s could not convert type %s to %s", context, typeName(t.OID), typeName(best))
		}
	}
	return types.Type{OID: best, Mod: -1}, nil
}

func mismatch(context string, a, b types.OID) error {
	return pgerror.New(pgerror.DatatypeMismatch, "%s types %s and %s cannot be matched", context, typeName(a), typeName(b))
}

// implicitCast reports a cast that PostgreSQL applies by itself in any
// expression.
func implicitCast(from, to types.OID) bool {
	c, ok := types.FindCast(from, to)
	return ok && c.Context == types.CastImplicit
}
