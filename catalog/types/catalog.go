package types

// Category is pg_type.typcategory.
type Category byte

// Categories of types (https://www.postgresql.org/docs/15/catalog-pg-type.html).
const (
	CategoryArray    Category = 'A'
	CategoryBool     Category = 'B'
	CategoryDateTime Category = 'D'
	CategoryNetwork  Category = 'I'
	CategoryNumeric  Category = 'N'
	CategoryPseudo   Category = 'P'
	CategoryString   Category = 'S'
	CategoryTimespan Category = 'T'
	CategoryUser     Category = 'U'
	CategoryBits     Category = 'V'
	CategoryUnknown  Category = 'X'
	CategoryInternal Category = 'Z'
)

// Info is what pg_type says about a type.
type Info struct {
	OID       OID
	Name      string // pg_type.typname
	SQLName   string // format_type's
	Len       int16  // pg_type.typlen: -1 varies
	Category  Category
	Preferred bool // preferred in its category
	Pseudo    bool // no column can have it
}

// builtins are the types in the order of their OIDs; arrays follow from them.
var builtins = []Info{
	{OIDBool, "bool", "boolean", 1, CategoryBool, true, false},
	{OIDBytea, "bytea", "bytea", -1, CategoryUser, false, false},
	{OIDChar1, "char", `"char"`, 1, CategoryInternal, false, false},
	{OIDName, "name", "name", 64, CategoryString, false, false},
	{OIDInt8, "int8", "bigint", 8, CategoryNumeric, false, false},
	{OIDInt2, "int2", "smallint", 2, CategoryNumeric, false, false},
	{OIDInt2Vector, "int2vector", "int2vector", -1, CategoryArray, false, false},
	{OIDInt4, "int4", "integer", 4, CategoryNumeric, false, false},
	{OIDRegproc, "regproc", "regproc", 4, CategoryNumeric, false, false},
	{OIDText, "text", "text", -1, CategoryString, true, false},
	{OIDOid, "oid", "oid", 4, CategoryNumeric, true, false},
	{OIDOidVector, "oidvector", "oidvector", -1, CategoryArray, false, false},
	{OIDJSON, "json", "json", -1, CategoryUser, false, false},
	{OIDCidr, "cidr", "cidr", -1, CategoryNetwork, false, false},
	{OIDFloat4, "float4", "real", 4, CategoryNumeric, false, false},
	{OIDFloat8, "float8", "double precision", 8, CategoryNumeric, true, false},
	{OIDUnknown, "unknown", "unknown", -2, CategoryUnknown, false, true},
	{OIDMacaddr, "macaddr", "macaddr", 6, CategoryUser, false, false},
	{OIDInet, "inet", "inet", -1, CategoryNetwork, true, false},
	{OIDBpchar, "bpchar", "character", -1, CategoryString, false, false},
	{OIDVarchar, "varchar", "character varying", -1, CategoryString, false, false},
	{OIDDate, "date", "date", 4, CategoryDateTime, false, false},
	{OIDTime, "time", "time without time zone", 8, CategoryDateTime, false, false},
	{OIDTimestamp, "timestamp", "timestamp without time zone", 8, CategoryDateTime, false, false},
	{OIDTimestamptz, "timestamptz", "timestamp with time zone", 8, CategoryDateTime, true, false},
	{OIDInterval, "interval", "interval", 16, CategoryTimespan, true, false},
	{OIDBit, "bit", "bit", -1, CategoryBits, false, false},
	{OIDVarbit, "varbit", "bit varying", -1, CategoryBits, true, false},
	{OIDNumeric, "numeric", "numeric", -1, CategoryNumeric, false, false},
	{OIDRegclass, "regclass", "regclass", 4, CategoryNumeric, false, false},
	{OIDRegtype, "regtype", "regtype", 4, CategoryNumeric, false, false},
	{OIDRecord, "record", "record", -1, CategoryPseudo, false, true},
	{OIDAnyArray, "anyarray", "anyarray", -1, CategoryPseudo, false, true},
	{OIDVoid, "void", "void", 4, CategoryPseudo, false, true},
	{OIDAnyElement, "anyelement", "anyelement", 4, CategoryPseudo, false, true},
	{OIDUUID, "uuid", "uuid", 16, CategoryUser, false, false},
	{OIDJSONB, "jsonb", "jsonb", -1, CategoryUser, false, false},
	{OIDJSONPath, "jsonpath", "jsonpath", -1, CategoryUser, false, false},
	{OIDRegnamespace, "regnamespace", "regnamespace", 4, CategoryNumeric, false, false},
	{OIDRegrole, "regrole", "regrole", 4, CategoryNumeric, false, false},
	{OIDRegprocedure, "regprocedure", "regprocedure", 4, CategoryNumeric, false, false},
	{OIDRegoper, "regoper", "regoper", 4, CategoryNumeric, false, false},
	{OIDRegoperator, "regoperator", "regoperator", 4, CategoryNumeric, false, false},
	{OIDRegcollation, "regcollation", "regcollation", 4, CategoryNumeric, false, false},
}

var infoByOID = func() map[OID]Info {
	m := make(map[OID]Info, 2*len(builtins))
	for _, i := range builtins {
		m[i.OID] = i
		if a, ok := arrayOf[i.OID]; ok {
			m[a] = Info{a, "_" + i.Name, i.SQLName + "[]", -1, CategoryArray, false, i.Pseudo}
		}
	}
	return m
}()

var oidByName = func() map[string]OID {
	m := make(map[string]OID, len(infoByOID))
	for oid, i := range infoByOID {
		m[i.Name] = oid
	}
	return m
}()

// Builtins lists all types, arrays behind the others, for pg_type.
func Builtins() []Info {
	all := append(make([]Info, 0, len(infoByOID)), builtins...)
	for _, i := range builtins {
		if a, ok := arrayOf[i.OID]; ok {
			all = append(all, infoByOID[a])
		}
	}
	return all
}

// ByOID returns the type with an OID, without modifier.
func ByOID(o OID) (Type, bool) {
	_, ok := infoByOID[o]
	return Type{o, -1}, ok
}

// Info returns what pg_type says about t.
func (t Type) Info() (Info, bool) {
	if t.IsUser() || t.Wire() != t {
		return userInfo(t.OID), true
	}
	i, ok := infoByOID[t.OID]
	return i, ok
}

// Category returns pg_type.typcategory, CategoryUser for a type that is not known.
func (t Type) Category() Category {
	if i, ok := t.Info(); ok {
		return i.Category
	}
	return CategoryUser
}

// Preferred reports the preferred type of a category.
func (t Type) Preferred() bool { return infoByOID[t.OID].Preferred }

// Len returns pg_type.typlen: bytes, -1 for a length that varies.
func (t Type) Len() int16 {
	if i, ok := t.Info(); ok {
		return i.Len
	}
	return -1
}

// IsString reports text, varchar, char and name.
func (t Type) IsString() bool { return t.Category() == CategoryString }

// IsNumeric reports the types of numbers.
func (t Type) IsNumeric() bool { return t.Category() == CategoryNumeric }
