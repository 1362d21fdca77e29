package expr

import "velostream/catalog/types"

// castDatum converts one value; casts that have no function of their own go
// through the text form, as in PostgreSQL.
func castDatum(d types.Datum, from, to types.Type, explicit bool, f *types.Format) (types.Datum, error) {
	return types.DecodeText(types.Type{OID: to.OID, Mod: -1}, types.AppendText(nil, from, d, f), f)
}
