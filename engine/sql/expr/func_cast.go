package expr

import "velostream/catalog/types"

// castNames are the types whose casts can be written as function calls:
// int4(x), text(x), date(x).
var castNames = []string{
	"bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "name", "bpchar", "varchar",
	"date", "time", "timestamp", "timestamptz", "interval", "oid",
}

// castFamily is the table of casts as functions, named like their type
// (pg_proc has one for each cast that is a function; from text they read the
// text form).
func castFamily() []Function {
	var defs []def
	for _, to := range castNames {
		for _, from := range castNames {
			c, ok := types.FindCast(shortNames[from], shortNames[to])
			if !ok || from == to || from != "text" && c.Method != types.CastFunction {
				continue
			}
			d := def{sig: to + "(" + from + ") " + to, scalar: castScalar, doc: "cast to " + to}
			if !immutableCast(types.Type{OID: shortNames[from], Mod: -1}, types.Type{OID: shortNames[to], Mod: -1}) {
				d.volatility = Stable
			}
			defs = append(defs, d)
		}
	}
	for _, to := range []string{"text", "varchar", "name"} {
		defs = append(defs,
			def{sig: to + "(anyelement) " + to, scalar: castScalar, volatility: Stable, doc: "text form"})
	}
	defs = append(defs,
		def{sig: "text(inet) text", scalar: castScalar, doc: "address and mask"},
		def{sig: "cidr(inet) cidr", scalar: castScalar, doc: "network"})
	defs = append(defs, def{sig: "text(text) text", scalar: castScalar, doc: "the text itself"})
	return table(defs)
}
