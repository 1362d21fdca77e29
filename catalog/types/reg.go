package types

import "strconv"

// Names reads and writes values of the reg types (regclass, regtype,
// regproc, regprocedure, regoper, regoperator, regnamespace, regrole,
// regcollation), which clients see as the names of objects.
type Names interface {
	// Name is the text form of the OID oid: a name, qualified where it needs to
	// be, "-" for 0 and the number for what does not exist.
	Name(kind OID, oid uint32) string
	// Number is the OID of a name or number. Errors are PostgreSQL's: 42P01,
	// 42704, 42883, 3F000, 42602.
	Number(kind OID, text string) (uint32, error)
}

func appendReg(dst []byte, kind OID, v int64, f *Format) []byte {
	switch {
	case f != nil && f.Names != nil:
		return append(dst, f.Names.Name(kind, uint32(v))...)
	case kind == OIDRegtype:
		return append(dst, regtypeName(OID(v))...)
	}
	return strconv.AppendInt(dst, v, 10)
}

func parseReg(kind OID, s string, f *Format) (int64, error) {
	switch {
	case f != nil && f.Names != nil:
		v, err := f.Names.Number(kind, s)
		return int64(v), err
	case kind == OIDRegtype:
		return parseRegtype(s)
	}
	return parseOID(s)
}
