package types

import (
	"bytes"
	"slices"

	"velostream/pgwire/pgerror"
)

// A map type, MAP(k, v), has the OID BaseMap + i*mapValues + v, where i is the place of k
// in mapKeys and v the OID of the values' type; arrays of it are at BaseMapArray. Its
// modifier is that of the values. So a map type needs no definition anywhere.
//
// A value is a JSON object in jsonb's canonical form: keys and values are written as
// to_jsonb does in UTC. It orders, groups and is hashed as jsonb; to clients the type is
// what a domain over jsonb is (docs/adr/0007-maps.md).
const (
	BaseMap      OID = 2_000_000_000
	BaseMapArray OID = 2_000_200_000
	mapValues    OID = 10_000
)

// mapKeys are the types of keys: those whose equal values have one text form. Their order
// is part of stored types.
var mapKeys = [...]OID{
	OIDText, OIDVarchar, OIDInt2, OIDInt4, OIDInt8, OIDBool, OIDUUID, OIDDate, OIDTimestamp, OIDTimestamptz,
}

const mapRange = OID(len(mapKeys)) * mapValues

// IsMap reports a map type.
func (t Type) IsMap() bool { return t.OID-BaseMap < mapRange }

// IsJSONB reports that t's values are jsonb's: jsonb, and maps.
func (t Type) IsJSONB() bool { return t.OID == OIDJSONB || t.IsMap() }

// MapTypes are the types of keys and values of a map type.
// REQUIRES: t.IsMap().
func (t Type) MapTypes() (key, value Type) {
	o := t.OID - BaseMap
	return Type{mapKeys[o/mapValues], -1}, Type{o % mapValues, t.Mod}
}

// MapType is MAP(key, value). Errors, 0A000: a type that keys or values cannot have.
func MapType(key, value Type) (Type, error) {
	i := slices.Index(mapKeys[:], key.OID)
	if i < 0 || key.Mod >= 0 {
		return Type{}, pgerror.Unsupported("map keys of type %s are not supported", key).
			WithHint("Keys can be text, varchar, integers, boolean, uuid, date, timestamp or timestamptz, without a modifier.")
	}
	if !mapValue(value) {
		e := pgerror.Unsupported("map values of type %s are not supported", value)
		if value.IsMap() || value.IsUser() || value.OID == OIDJSON || value.OID == OIDRecord {
			e = e.WithHint("Use jsonb for values that have a structure.")
		}
		return Type{}, e
	}
	return Type{BaseMap + OID(i)*mapValues + value.OID, value.Mod}, nil
}

// mapValue reports a type that values of maps can have.
func mapValue(t Type) bool {
	if elem, ok := t.Elem(); ok {
		return t.FirstSubscript() == 1 && mapValue(elem)
	}
	i, ok := infoByOID[t.OID]
	return ok && !i.Pseudo && t.OID < mapValues && t.OID != OIDJSON && i.Category != CategoryInternal &&
		(i.Category != CategoryNumeric || slices.Contains([]OID{OIDInt2, OIDInt4, OIDInt8, OIDFloat4, OIDFloat8, OIDNumeric, OIDOid}, t.OID))
}

// Wire is the type that clients are told: jsonb for a map, as a domain's base type is
// sent for a domain.
func (t Type) Wire() Type {
	switch {
	case t.IsMap():
		return JSONB
	case t.OID-BaseMapArray < mapRange:
		return Type{arrayOf[OIDJSONB], -1}
	}
	return t
}

// mapName is the name of a map type.
func mapName(t Type) string {
	k, v := t.MapTypes()
	return "map(" + k.String() + "," + v.String() + ")"
}

// MapEntry is one pair of a map.
type MapEntry struct{ Key, Value Datum }

// decodeMap reads the text of a JSON object as a map of type t. Modifiers are applied.
func decodeMap(t Type, b []byte) (Datum, error) {
	n, err := parseJSON(b)
	if err != nil {
		return Datum{}, err
	}
	if n.kind != jsonObject {
		return Datum{}, pgerror.InvalidText(t.String(), string(b)).WithDetail("A map is a JSON object.")
	}
	entries, err := n.entries(t)
	if err != nil {
		return Datum{}, err
	}
	return NewMap(t, entries)
}

// MapEntries are the pairs of d, a map of type t, in the order of keys: shorter ones
// first, then by bytes.
func MapEntries(t Type, d Datum) ([]MapEntry, error) {
	n, err := parseJSON(d.B)
	if err != nil {
		return nil, err
	}
	return n.entries(t)
}

func (n *jsonNode) entries(t Type) ([]MapEntry, error) {
	k, v := t.MapTypes()
	out := make([]MapEntry, len(n.keys))
	for i := range n.keys {
		key, err := DecodeText(k, n.keys[i], nil)
		if err != nil {
			return nil, err
		}
		value, err := n.items[i].datum(v)
		if err != nil {
			return nil, err
		}
		out[i] = MapEntry{key, value}
	}
	return out, nil
}

// NewMap is the map of type t with the entries, of equal keys the last one; values are
// brought to the type's modifier, as an assignment does. Error 22004: a key is NULL.
func NewMap(t Type, entries []MapEntry) (Datum, error) {
	k, v := t.MapTypes()
	out := []byte{'{'}
	for i, e := range entries {
		if e.Key.Null {
			return Datum{}, pgerror.New(pgerror.NullValueNotAllowed, "map key must not be null")
		}
		value, err := Coerce(v, e.Value, false)
		if err != nil {
			return Datum{}, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(AppendJSONString(out, AppendText(nil, k, e.Key, nil)), ':')
		out = AppendJSON(out, v, value, nil)
	}
	out, err := CanonicalJSON(nil, append(out, '}'))
	return BytesDatum(out), err
}

// MapValue reads v, the JSON text of one value of a map of type t.
func MapValue(t Type, v []byte) (Datum, error) {
	n, err := parseJSON(v)
	if err != nil {
		return Datum{}, err
	}
	_, value := t.MapTypes()
	return n.datum(value)
}

// datum is n as a value of t, whose modifier is not applied.
func (n *jsonNode) datum(t Type) (Datum, error) {
	if n.kind == jsonNull {
		return NullDatum, nil
	}
	if t.OID == OIDJSONB {
		b, err := n.append(nil)
		return BytesDatum(b), err
	}
	var text []byte
	var err error
	_, list := t.Elem()
	if list && n.kind == jsonArray {
		text, err = n.arrayLiteral(nil)
	} else {
		text, err = n.plain()
	}
	if err != nil {
		return Datum{}, err
	}
	if list && n.kind == jsonObject { // whose braces are not an array's
		return Datum{}, pgerror.InvalidText(t.String(), string(text))
	}
	return DecodeText(t, text, nil)
}

// plain is n's text: a string's without its quotes.
func (n *jsonNode) plain() ([]byte, error) {
	if n.kind == jsonString {
		return n.str, nil
	}
	return n.append(nil)
}

// arrayLiteral adds n, an array, in the text form of arrays.
func (n *jsonNode) arrayLiteral(dst []byte) ([]byte, error) {
	dst = append(dst, '{')
	for i := range n.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		e := &n.items[i]
		switch e.kind {
		case jsonNull:
			dst = append(dst, "NULL"...)
		case jsonArray:
			var err error
			if dst, err = e.arrayLiteral(dst); err != nil {
				return nil, err
			}
		default:
			b, err := e.plain()
			if err != nil {
				return nil, err
			}
			b = bytes.ReplaceAll(b, []byte(`\`), []byte(`\\`))
			dst = append(append(append(dst, '"'), bytes.ReplaceAll(b, []byte(`"`), []byte(`\"`))...), '"')
		}
	}
	return append(dst, '}'), nil
}

// coerceMap is Coerce for a map, whose values have t's modifier.
func coerceMap(t Type, d Datum) (Datum, error) {
	entries, err := MapEntries(t, d)
	if err != nil {
		return d, err
	}
	return NewMap(t, entries)
}

// castMap makes a map of another type of d: keys and values are cast.
func castMap(from, to Type, d Datum, f *Format) (Datum, error) {
	entries, err := MapEntries(from, d)
	if err != nil {
		return Datum{}, err
	}
	fk, fv := from.MapTypes()
	tk, tv := to.MapTypes()
	for i, e := range entries {
		if e.Key, err = CastDatum(fk, tk, e.Key, f); err == nil {
			e.Value, err = CastDatum(fv, tv, e.Value, f)
		}
		if err != nil {
			return Datum{}, err
		}
		entries[i] = e
	}
	return NewMap(to, entries)
}

// findMapCast is FindCast where one of the types is a map: between maps as between their
// keys and values, to jsonb by itself, from jsonb on assignment.
func findMapCast(from, to Type) (c Cast, ok bool) {
	switch {
	case from.IsMap() && to.IsMap():
		fk, fv := from.MapTypes()
		tk, tv := to.MapTypes()
		k, ok := FindCast(fk.OID, tk.OID)
		if !ok {
			return Cast{}, false
		}
		v, ok := FindCast(fv.OID, tv.OID)
		return Cast{min(k.Context, v.Context), CastFunction}, ok
	case to.OID == OIDJSONB:
		return Cast{CastImplicit, CastBinary}, true
	case to.OID == OIDJSON:
		return Cast{CastAssignment, CastIO}, true
	case from.OID == OIDJSONB, from.OID == OIDJSON:
		return Cast{CastAssignment, CastIO}, true
	}
	return Cast{}, false
}
