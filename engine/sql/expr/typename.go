package expr

import "velostream/catalog/types"

// shortNames are the names that function tables and stored signatures use.
var shortNames = map[string]types.OID{
	"bool": types.OIDBool, "int2": types.OIDInt2, "int4": types.OIDInt4, "int8": types.OIDInt8,
	"float4": types.OIDFloat4, "float8": types.OIDFloat8, "numeric": types.OIDNumeric,
	"text": types.OIDText, "varchar": types.OIDVarchar, "bpchar": types.OIDBpchar, "name": types.OIDName,
	"char": types.OIDChar1, "bytea": types.OIDBytea, "bit": types.OIDBit, "varbit": types.OIDVarbit, "uuid": types.OIDUUID, "inet": types.OIDInet, "cidr": types.OIDCidr, "macaddr": types.OIDMacaddr, "json": types.OIDJSON,
	"jsonb": types.OIDJSONB, "jsonpath": types.OIDJSONPath, "date": types.OIDDate, "time": types.OIDTime, "timestamp": types.OIDTimestamp,
	"timestamptz": types.OIDTimestamptz, "interval": types.OIDInterval, "oid": types.OIDOid,
	"regclass": types.OIDRegclass, "regtype": types.OIDRegtype, "regproc": types.OIDRegproc,
	"regnamespace": types.OIDRegnamespace, "regrole": types.OIDRegrole, "regprocedure": types.OIDRegprocedure,
	"regoper": types.OIDRegoper, "regoperator": types.OIDRegoperator, "regcollation": types.OIDRegcollation, "unknown": types.OIDUnknown, "record": types.OIDRecord,
	"void": types.OIDVoid, "any": OIDAny, "anyelement": types.OIDAnyElement, "anyarray": types.OIDAnyArray,
	"anynonarray": OIDAnyNonArray, "anyenum": OIDAnyEnum, "anycompatible": OIDAnyCompatible, "anycompatiblearray": OIDAnyCompatibleArray,
	"anymap": OIDAnyMap, "mapkey": OIDMapKey, "mapvalue": OIDMapValue, "mapkeys": OIDMapKeys, "mapvalues": OIDMapValues,
}

// typeName is the name of a type in messages.
func typeName(o types.OID) string {
	switch o {
	case OIDAny:
		return `"any"`
	case OIDAnyNonArray:
		return "anynonarray"
	case OIDAnyEnum:
		return "anyenum"
	case OIDAnyCompatible:
		return "anycompatible"
	case OIDAnyCompatibleArray:
		return "anycompatiblearray"
	case OIDAnyMap:
		return "anymap"
	case OIDMapKey:
		return "mapkey"
	case OIDMapValue:
		return "mapvalue"
	case OIDMapKeys:
		return "mapkey[]"
	case OIDMapValues:
		return "mapvalue[]"
	default:
	}
	return types.Type{OID: o, Mod: -1}.String()
}

// category returns a type's category and whether it is preferred there.
func category(o types.OID) (types.Category, bool) {
	switch o {
	case OIDAny, OIDAnyNonArray, OIDAnyEnum, OIDAnyCompatible, OIDAnyCompatibleArray,
		OIDAnyMap, OIDMapKey, OIDMapValue, OIDMapKeys, OIDMapValues:
		return types.CategoryPseudo, false
	default:
	}
	t := types.Type{OID: o, Mod: -1}
	return t.Category(), t.Preferred()
}

func isArray(o types.OID) bool {
	_, ok := types.Type{OID: o, Mod: -1}.Elem()
	return ok
}
