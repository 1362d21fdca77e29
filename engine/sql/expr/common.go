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
	var cat byte
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

// implicitCasts are PostgreSQL's implicit casts between the types we have
// (pg_cast, castcontext i).
var implicitCasts = map[types.OID][]types.OID{
	types.OIDChar1:    {types.OIDText},
	types.OIDName:     {types.OIDText},
	types.OIDInt2:     {types.OIDInt4, types.OIDInt8, types.OIDFloat4, types.OIDFloat8, types.OIDNumeric, types.OIDOid, types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace},
	types.OIDInt4:     {types.OIDInt8, types.OIDFloat4, types.OIDFloat8, types.OIDNumeric, types.OIDOid, types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace},
	types.OIDInt8:     {types.OIDFloat4, types.OIDFloat8, types.OIDNumeric, types.OIDOid, types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace},
	types.OIDNumeric:  {types.OIDFloat4, types.OIDFloat8},
	types.OIDFloat4:   {types.OIDFloat8},
	types.OIDText:     {types.OIDName, types.OIDBpchar, types.OIDVarchar, types.OIDRegclass},
	types.OIDBpchar:   {types.OIDName, types.OIDText, types.OIDVarchar},
	types.OIDVarchar:  {types.OIDName, types.OIDText, types.OIDBpchar, types.OIDRegclass},
	types.OIDOid:      {types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace},
	types.OIDRegclass: {types.OIDOid}, types.OIDRegtype: {types.OIDOid},
	types.OIDRegproc: {types.OIDOid}, types.OIDRegnamespace: {types.OIDOid},
	types.OIDDate:       {types.OIDTimestamp, types.OIDTimestamptz},
	types.OIDTime:       {types.OIDInterval},
	types.OIDTimestamp:  {types.OIDTimestamptz},
	types.OIDInt2Vector: {1005},
	types.OIDOidVector:  {1028},
}

// implicitCast reports a cast that PostgreSQL applies by itself in any
// expression. Arrays convert where their elements do.
func implicitCast(from, to types.OID) bool {
	if slices.Contains(implicitCasts[from], to) {
		return true
	}
	fe, ok1 := types.Type{OID: from, Mod: -1}.Elem()
	te, ok2 := types.Type{OID: to, Mod: -1}.Elem()
	return ok1 && ok2 && (fe.OID == te.OID || implicitCast(fe.OID, te.OID))
}
