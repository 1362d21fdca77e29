package expr

import "velostream/catalog/types"

// shortNames are the names that function tables and stored signatures use.
var shortNames = map[string]types.OID{
	"bool": types.OIDBool, "int2": types.OIDInt2, "int4": types.OIDInt4, "int8": types.OIDInt8,
	"float4": types.OIDFloat4, "float8": types.OIDFloat8, "numeric": types.OIDNumeric,
	"text": types.OIDText, "varchar": types.OIDVarchar, "bpchar": types.OIDBpchar, "name": types.OIDName,
	"char": types.OIDChar1, "bytea": types.OIDBytea, "uuid": types.OIDUUID, "json": types.OIDJSON,
	"jsonb": types.OIDJSONB, "date": types.OIDDate, "time": types.OIDTime, "timestamp": types.OIDTimestamp,
	"timestamptz": types.OIDTimestamptz, "interval": types.OIDInterval, "oid": types.OIDOid,
	"regclass": types.OIDRegclass, "regtype": types.OIDRegtype, "regproc": types.OIDRegproc,
	"regnamespace": types.OIDRegnamespace, "unknown": types.OIDUnknown, "record": types.OIDRecord,
	"void": types.OIDVoid, "any": OIDAny, "anyelement": types.OIDAnyElement, "anyarray": types.OIDAnyArray,
	"anynonarray": OIDAnyNonArray, "anycompatible": OIDAnyCompatible, "anycompatiblearray": OIDAnyCompatibleArray,
}

// longNames are the SQL names where they differ from the short ones
// (format_type in PostgreSQL).
var longNames = map[types.OID]string{
	types.OIDBool: "boolean", types.OIDInt2: "smallint", types.OIDInt4: "integer", types.OIDInt8: "bigint",
	types.OIDFloat4: "real", types.OIDFloat8: "double precision", types.OIDVarchar: "character varying",
	types.OIDBpchar: "character", types.OIDChar1: `"char"`, types.OIDTime: "time without time zone",
	types.OIDTimestamp: "timestamp without time zone", types.OIDTimestamptz: "timestamp with time zone",
	OIDAny: `"any"`,
}

var typeNames = func() map[types.OID]string {
	m := make(map[types.OID]string, len(shortNames))
	for n, o := range shortNames {
		m[o] = n
	}
	for o, n := range longNames {
		m[o] = n
	}
	return m
}()

// typeName is the name of a type in messages.
func typeName(o types.OID) string {
	if n, ok := typeNames[o]; ok {
		return n
	}
	if e, ok := (types.Type{OID: o, Mod: -1}).Elem(); ok {
		return typeName(e.OID) + "[]"
	}
	return "???"
}

// Type categories (pg_type.typcategory) as far as we have types for them.
const (
	catArray   = 'A'
	catBool    = 'B'
	catTime    = 'D'
	catNumeric = 'N'
	catPseudo  = 'P'
	catString  = 'S'
	catSpan    = 'T'
	catUser    = 'U'
	catUnknown = 'X'
	catChar    = 'Z'
)

// category returns a type's category and whether it is preferred there.
func category(o types.OID) (byte, bool) {
	switch o {
	case types.OIDBool:
		return catBool, true
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDFloat4, types.OIDNumeric,
		types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegnamespace:
		return catNumeric, false
	case types.OIDFloat8, types.OIDOid:
		return catNumeric, true
	case types.OIDText:
		return catString, true
	case types.OIDVarchar, types.OIDBpchar, types.OIDName:
		return catString, false
	case types.OIDDate, types.OIDTime, types.OIDTimestamp:
		return catTime, false
	case types.OIDTimestamptz:
		return catTime, true
	case types.OIDInterval:
		return catSpan, true
	case types.OIDUnknown:
		return catUnknown, false
	case types.OIDChar1:
		return catChar, false
	case OIDAny, types.OIDAnyElement, types.OIDAnyArray, OIDAnyNonArray, OIDAnyCompatible,
		OIDAnyCompatibleArray, types.OIDRecord, types.OIDVoid:
		return catPseudo, false
	}
	if isArray(o) {
		return catArray, false
	}
	return catUser, false
}

func isArray(o types.OID) bool {
	_, ok := types.Type{OID: o, Mod: -1}.Elem()
	return ok
}
