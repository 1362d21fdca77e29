package types

// arrayOf maps an element type to its array type (pg_type.typarray).
var arrayOf = map[OID]OID{
	OIDBool: 1000, OIDBytea: 1001, OIDChar1: 1002, OIDName: 1003, OIDInt2: 1005, OIDInt2Vector: 1006,
	OIDInt4: 1007, OIDRegproc: 1008, OIDText: 1009, OIDOidVector: 1013, OIDBpchar: 1014, OIDVarchar: 1015,
	OIDInt8: 1016, OIDFloat4: 1021, OIDFloat8: 1022, OIDOid: 1028, OIDTimestamp: 1115, OIDDate: 1182,
	OIDTime: 1183, OIDTimestamptz: 1185, OIDInterval: 1187, OIDNumeric: 1231, OIDBit: 1561, OIDVarbit: 1563, OIDJSON: 199,
	OIDCidr: 651, OIDMacaddr: 1040, OIDInet: 1041, OIDUUID: 2951, OIDJSONB: 3807, OIDJSONPath: 4073, OIDRegclass: 2210, OIDRegtype: 2211, OIDRecord: 2287, OIDRegnamespace: 4090, OIDRegrole: 4097,
	OIDRegprocedure: 2207, OIDRegoper: 2208, OIDRegoperator: 2209, OIDRegcollation: 4192,
}

var elemOf = func() map[OID]OID {
	m := make(map[OID]OID, len(arrayOf)+2)
	for e, a := range arrayOf {
		m[a] = e
	}
	m[OIDInt2Vector], m[OIDOidVector] = OIDInt2, OIDOid
	return m
}()

// Elem returns the element type of an array type, and whether t is one.
func (t Type) Elem() (Type, bool) {
	if t.OID >= BaseDomainArray {
		e, ok := userElem(t.OID)
		return Type{e, t.Mod}, ok
	}
	e, ok := elemOf[t.OID]
	return Type{e, t.Mod}, ok
}

// Array returns the array type of t's values, and whether there is one.
func (t Type) Array() (Type, bool) {
	if t.OID >= BaseDomainArray {
		a, ok := userArray(t.OID)
		return Type{a, t.Mod}, ok
	}
	a, ok := arrayOf[t.OID]
	return Type{a, t.Mod}, ok
}
