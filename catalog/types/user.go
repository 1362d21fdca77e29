package types

import (
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// Types that users make have OIDs in ranges of their own, each 100 million wide, at
// which the OID of their definition in the catalog is added. So the class of a type,
// and with it the shape of its values, is known from its OID alone; the definition is
// asked for only where text is read (Definitions).
const (
	BaseDomainArray OID = 400_000_000
	BaseEnum        OID = 500_000_000
	BaseEnumArray   OID = 600_000_000
	BaseDomain      OID = 700_000_000
	BaseRow         OID = 1_200_000_000 // composite types, and the row types of relations
	BaseRowArray    OID = 1_300_000_000
	userRange       OID = 100_000_000
)

// Categories of user-made types.
const (
	CategoryEnum      Category = 'E'
	CategoryComposite Category = 'C'
)

// Definitions are the user-made types as values are read by them. Errors of those who
// find no definition are theirs.
type Definitions interface {
	// Enum is the definition of an enum type, nil: there is none.
	Enum(o OID) *Enum
	// Row is what the columns of a composite type or of the row type of a relation are,
	// nil: there is none. The list is not changed.
	Row(o OID) []RowField
	// TypeName is a type's name, qualified where it needs to be.
	TypeName(o OID) string
}

func in(o, base OID) bool { return o >= base && o < base+userRange }

// IsEnum reports an enum type.
func (t Type) IsEnum() bool { return in(t.OID, BaseEnum) }

// IsUser reports a type that a user has made, or that goes with a relation, and arrays
// of these.
func (t Type) IsUser() bool {
	return t.OID >= BaseDomainArray && t.OID < BaseDomain+userRange || t.OID >= BaseRow && t.OID < BaseRowArray+userRange
}

// UserID is the OID in the catalog of the definition of t, or of the type of t's
// elements; 0: t is built in.
func (t Type) UserID() uint32 {
	if !t.IsUser() {
		return 0
	}
	return uint32(t.OID % userRange)
}

// userElem is Elem for types that are in no table: user-made ones, and maps.
func userElem(o OID) (OID, bool) {
	switch {
	case in(o, BaseEnumArray):
		return o - BaseEnumArray + BaseEnum, true
	case in(o, BaseRowArray):
		return o - BaseRowArray + BaseRow, true
	case in(o, BaseDomainArray):
		return o - BaseDomainArray + BaseDomain, true
	case o-BaseMapArray < mapRange:
		return o - BaseMapArray + BaseMap, true
	}
	return 0, false
}

// userArray is Array for types that are in no table: user-made ones, and maps.
func userArray(o OID) (OID, bool) {
	switch {
	case in(o, BaseEnum):
		return o - BaseEnum + BaseEnumArray, true
	case in(o, BaseRow):
		return o - BaseRow + BaseRowArray, true
	case o-BaseMap < mapRange:
		return o - BaseMap + BaseMapArray, true
	}
	return 0, false
}

// userInfo is what is known of a user-made type without its definition, and of a map.
func userInfo(o OID) Info {
	t := Type{o, -1}
	i := Info{OID: o, SQLName: t.String(), Len: -1, Category: CategoryUser}
	switch {
	case in(o, BaseEnum):
		i.Len, i.Category = 4, CategoryEnum
	case in(o, BaseRow):
		i.Category = CategoryComposite
	case t.IsMap():
		i.Name = i.SQLName
	default:
		if elem, ok := t.Elem(); ok {
			i.Category = CategoryArray
			if elem.IsMap() {
				i.Name = "_" + elem.String()
			}
		}
	}
	return i
}

// nameMark is what the number of a user-made type stands between where text names the
// type and its name is not at hand; Named puts the name there.
const nameMark = "\x1f"

func userName(o OID) string { return nameMark + strconv.FormatUint(uint64(o), 10) + nameMark }

// Named is text, a message or a description that was made without f, with the names of
// the user-made types in it.
func Named(text string, f *Format) string {
	if !strings.Contains(text, nameMark) {
		return text
	}
	parts := strings.Split(text, nameMark)
	for i := 1; i < len(parts); i += 2 {
		o, err := strconv.ParseUint(parts[i], 10, 32)
		if err != nil || f == nil || f.Types == nil {
			continue
		}
		parts[i] = f.Types.TypeName(OID(o))
	}
	return strings.Join(parts, "")
}

// NamedError is e with its texts Named.
func NamedError(e *pgerror.Error, f *Format) *pgerror.Error {
	if e == nil || !strings.Contains(e.Message+e.Detail+e.Hint+e.Where, nameMark) {
		return e
	}
	c := *e
	for _, text := range []*string{&c.Message, &c.Detail, &c.Hint, &c.Where} {
		*text = Named(*text, f)
	}
	return &c
}
