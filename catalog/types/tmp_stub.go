package types

func regtypeName(o OID) string { return "" }
func parseRegtype(s string) (int64, error) {
	return parseOID(s)
}
