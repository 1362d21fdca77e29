package pgcatalog

import (
	"hash/fnv"
	"slices"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
)

// OIDs of what PostgreSQL gives fixed ones.
const (
	oidPGCatalog   = 11
	oidPublic      = 2200
	oidSuperuser   = 10
	oidDatabase    = 5 // postgres; the other databases follow
	oidTablespace  = 1663
	oidGlobalSpace = 1664
	oidHeap        = 2
	oidBtree       = 403
	oidHash        = 405
	oidCollDefault = 100
	oidCollC       = 950
	oidCollPOSIX   = 951
	oidInfoSchema  = 13000
	oidVeloSchema  = 15000
	oidServers     = 15100 // foreign servers: one a connector
	oidWrapper     = 15099
	oidSlow        = 13
)

// Catalogs that objects are rows of (classoid).
const (
	classClass      = 1259
	classNamespace  = 2615
	classType       = 1247
	classProc       = 1255
	classConstraint = 2606
	classDatabase   = 1262
	classAttrdef    = 2604
	classOperator   = 2617
	classExtension  = 3079
	classWrapper    = 2328
	classServer     = 1417
)

// Ranges of the OIDs of objects that exist with a relation, whose OID is added.
const (
	baseIndex      = 1_000_000_000
	baseConstraint = 1_100_000_000
	baseRowType    = uint32(types.BaseRow)
	baseRowArray   = uint32(types.BaseRowArray)
	baseDefault    = 1_400_000_000 // times columns
	baseRule       = 900_000_000
	baseSchema     = 800_000_000
	schemaRange    = 90_000_000
	maxColumns     = 1600
)

func constraintOID(r *catalog.Relation) uint32 { return baseConstraint + r.ID }
func rowTypeOID(r *catalog.Relation) uint32    { return baseRowType + r.ID }
func ruleOID(r *catalog.Relation) uint32       { return baseRule + r.ID }
func defaultOID(r *catalog.Relation, attr int) uint32 {
	return baseDefault + (r.ID-catalog.FirstID)%400_000*maxColumns + uint32(attr)
}

// superuser owns all that has no other owner.
const superuser = auth.Bootstrap

// schema is a schema with its OID.
type schema struct {
	name string
	oid  uint32
	doc  string
}

// allSchemas lists system and user schemas.
func (c *Catalog) allSchemas() []schema {
	if c.schemas != nil {
		return c.schemas
	}
	out := []schema{
		{schemaPG, oidPGCatalog, "system catalog schema"},
		{schemaInfo, oidInfoSchema, ""},
		{schemaVelo, oidVeloSchema, "Velostream's own catalog"},
	}
	used := map[uint32]bool{}
	for _, n := range c.Snapshot.Schemas() {
		oid := uint32(oidPublic)
		doc := "standard public schema"
		if n != catalog.DefaultSchema {
			doc = ""
			h := fnv.New32a()
			_, _ = h.Write([]byte(n)) // never fails
			for oid = baseSchema + h.Sum32()%schemaRange; used[oid]; oid++ {
			}
			used[oid] = true
		}
		if s := c.Snapshot.SchemaComment(n); s != "" {
			doc = s
		}
		out = append(out, schema{n, oid, doc})
	}
	c.schemas = out
	return out
}

func (c *Catalog) schemaOID(name string) uint32 {
	for _, s := range c.allSchemas() {
		if s.name == name {
			return s.oid
		}
	}
	return 0
}

func (c *Catalog) schemaName(oid uint32) (string, bool) {
	for _, s := range c.allSchemas() {
		if s.oid == oid {
			return s.name, true
		}
	}
	return "", false
}

// relation finds a relation of the snapshot or a system relation.
func (c *Catalog) relation(oid uint32) *catalog.Relation {
	if oid >= catalog.FirstID {
		if t := composite(c.Snapshot.UserType(oid)); t != nil {
			return t
		}
		return c.Snapshot.ByID(oid)
	}
	return ByID(oid)
}

// visibleColumn is a column that clients see, with its attribute number.
type visibleColumn struct {
	catalog.Column
	num int
}

// columnsOf lists the columns that clients see. Hidden ones are not part of a
// table for them; attribute numbers are positions, as in RowDescription.
func columnsOf(r *catalog.Relation) []visibleColumn {
	out := make([]visibleColumn, 0, len(r.Columns))
	for i, c := range r.Columns {
		if !c.Hidden {
			out = append(out, visibleColumn{c, i + 1})
		}
	}
	return out
}

// relkind is pg_class.relkind: connector streams and sinks are foreign tables.
func relkind(r *catalog.Relation) byte {
	switch r.Kind {
	case catalog.View:
		return 'v'
	case catalog.MaterializedView:
		return 'm'
	case catalog.Sink:
		return 'f'
	case compositeKind:
		return 'c'
	case catalog.Sequence:
		return 'S'
	case catalog.Stream:
		if r.Connector != "" {
			return 'f'
		}
	case catalog.Table:
		if i, ok := system().byID[r.ID]; ok {
			return system().all[i].kind
		}
	}
	return 'r'
}

// query is the SELECT that a view shows, "" for what is none.
func viewQuery(r *catalog.Relation) string {
	if r.Kind == catalog.View || r.Kind == catalog.MaterializedView {
		return r.Query
	}
	return ""
}

// collation of a type's columns.
func collationOf(t types.Type) uint32 {
	if e, ok := t.Elem(); ok && t.OID != types.OIDInt2Vector && t.OID != types.OIDOidVector {
		t = e
	}
	switch t.OID {
	case types.OIDText, types.OIDVarchar, types.OIDBpchar:
		return oidCollDefault
	case types.OIDName:
		return oidCollC
	default:
	}
	return 0
}

// owner is the role that owns r.
func (c *Catalog) owner(r *catalog.Relation) uint32 { return c.roleOID(r.Owner) }

// databases are the names of the databases; all are one and the same.
func (c *Catalog) databases() []string {
	out := []string{"postgres", "velostream"}
	for _, l := range c.Snapshot.LoginSettings() {
		if l.Database != "" && !slices.Contains(out, l.Database) {
			out = append(out, l.Database)
		}
	}
	if c.Database != "" && !slices.Contains(out, c.Database) {
		out = append(out, c.Database)
	}
	return out
}
