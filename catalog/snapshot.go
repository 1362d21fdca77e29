package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"velostream/catalog/auth"
	"velostream/pgwire/pgerror"
)

// FirstID is the first OID given to a relation (PostgreSQL's FirstNormalObjectId).
const FirstID = 16384

// DefaultSchema is where relations go that name no schema.
const DefaultSchema = "public"

// Snapshot is everything that exists at one version. Immutable.
type Snapshot struct {
	Version uint64
	byID    map[uint32]*Relation
	byName  map[string]*Relation // schema + "." + name
	schemas map[string]bool
	ids     *identifiers

	indexes   map[string]uint32 // schema + "." + name → relation that has the index
	functions map[uint32]*Function
	types     map[uint32]*UserType
	typeNames map[string]uint32 // schema + "." + name
	comments  map[string]string // of schemas

	derived  *derived
	roles    auth.Roles
	rights   map[string]Rights // of schemas, "": of the database
	defaults []DefaultRights
	settings []LoginSettings

	statistics map[uint32]*Statistics
}

func emptySnapshot() *Snapshot {
	return &Snapshot{
		byID: map[uint32]*Relation{}, byName: map[string]*Relation{},
		schemas: map[string]bool{DefaultSchema: true}, ids: newIdentifiers(FirstID),
		indexes: map[string]uint32{}, functions: map[uint32]*Function{}, comments: map[string]string{},
		types: map[uint32]*UserType{}, typeNames: map[string]uint32{},
		derived: &derived{},
		roles:   auth.Predefined(), rights: map[string]Rights{DefaultSchema: publicRights()},
		statistics: map[uint32]*Statistics{},
	}
}

// Relation returns the relation schema.name; schema "" is searched as public.
// nil: there is none.
func (s *Snapshot) Relation(schema, name string) *Relation {
	if schema == "" {
		schema = DefaultSchema
	}
	return s.byName[schema+"."+name]
}

// ByID returns the relation with the OID id, nil: none.
func (s *Snapshot) ByID(id uint32) *Relation { return s.byID[id] }

// HasSchema reports whether the schema exists.
func (s *Snapshot) HasSchema(name string) bool { return s.schemas[name] }

// Schemas lists the schemas by name.
func (s *Snapshot) Schemas() []string { return slices.Sorted(maps.Keys(s.schemas)) }

// SchemaComment is the comment on a schema, "": none.
func (s *Snapshot) SchemaComment(name string) string { return s.comments[name] }

// IndexNamed returns the relation that has the index schema.name, and the
// index; nil, nil: there is none. Primary keys are no indexes here.
func (s *Snapshot) IndexNamed(schema, name string) (*Relation, *Index) {
	r := s.byID[s.indexes[schema+"."+name]]
	if r == nil {
		return nil, nil
	}
	for i := range r.Indexes {
		if r.Indexes[i].Name == name {
			return r, &r.Indexes[i]
		}
	}
	return nil, nil
}

// Stored lists the storages that the rows of relations, and the entries of
// indexes, are kept in.
func (s *Snapshot) Stored() (rows, entries map[uint32]bool) {
	rows, entries = map[uint32]bool{}, map[uint32]bool{}
	for _, r := range s.byID {
		rows[r.RowStorage()] = true
		for i := range r.Indexes {
			entries[r.Indexes[i].EntryStorage()] = true
		}
	}
	return rows, entries
}

// Named reports that a relation, an index or a primary key has the name.
func (s *Snapshot) Named(schema, name string) bool {
	key := schema + "." + name
	return s.byName[key] != nil || s.indexes[key] != 0
}

// NextID gives out an OID for a relation, index, constraint, function, type or storage.
// None is given out twice, whatever becomes of it: transactions that know nothing
// of each other make relations at the same time.
func (s *Snapshot) NextID() uint32 { return s.ids.take() }

// Change is one change of the catalog: exactly one field is set.
type Change struct {
	Put          *Relation `json:"put,omitempty"` // new, or in place of the one with its ID
	Drop         uint32    `json:"drop,omitempty"`
	CreateSchema string    `json:"create_schema,omitempty"`
	DropSchema   string    `json:"drop_schema,omitempty"`
	RenameSchema []string  `json:"rename_schema,omitempty"` // from, to
	// CommentSchema is a schema's name and the comment on it, "" for none.
	CommentSchema []string  `json:"comment_schema,omitempty"`
	PutFunction   *Function `json:"put_function,omitempty"` // new, or in place of the one with its ID
	DropFunction  uint32    `json:"drop_function,omitempty"`
	PutType       *UserType `json:"put_type,omitempty"` // new, or in place of the one with its ID
	DropType      uint32    `json:"drop_type,omitempty"`

	PutRole    *auth.Role `json:"put_role,omitempty"`    // new, or in place of the one with its ID
	DropRole   string     `json:"drop_role,omitempty"`   // memberships in it go with it
	RenameRole []string   `json:"rename_role,omitempty"` // from, to
	// PutRights are the owner and privileges of a schema, or of the database.
	PutRights *Rights `json:"put_rights,omitempty"`
	// PutDefaults are default privileges, in place of those of its role, schema
	// and kind.
	PutDefaults *DefaultRights `json:"put_defaults,omitempty"`
	// PutSettings are parameters that sessions begin with, in place of those of its
	// role and database.
	PutSettings *LoginSettings `json:"put_settings,omitempty"`
	// PutStatistics are what ANALYZE found, in place of what was known.
	PutStatistics *Statistics `json:"put_statistics,omitempty"`
	// NextID says that lower OIDs were given out, though nothing may have them any more.
	NextID uint32 `json:"next_id,omitempty"`
}

func encodeChange(c Change) ([]byte, error) { return json.Marshal(c) }

func decodeChange(b []byte) (Change, error) {
	var c Change
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields() // a record of a later version must not be half understood
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("catalog: record: %w", err)
	}
	return c, nil
}

// With returns the snapshot after changes, which is stored nowhere. Errors, 42P16 among
// them: a relation would have its own row type in its rows; 0A000: what lasts would
// have the row type of a temporary one.
func (s *Snapshot) With(changes ...Change) (*Snapshot, error) {
	n := &Snapshot{
		Version: s.Version, byID: maps.Clone(s.byID), byName: maps.Clone(s.byName),
		schemas: maps.Clone(s.schemas), ids: s.ids,
		indexes: maps.Clone(s.indexes), functions: s.functions, comments: s.comments,
		types: s.types, typeNames: s.typeNames,
		derived: &derived{},
		roles:   s.roles, rights: s.rights, defaults: s.defaults, settings: s.settings, statistics: s.statistics,
	}
	for _, c := range changes {
		if c.Put != nil {
			if err := n.notInItself(c.Put); err != nil {
				return nil, err
			}
		}
		if err := n.notTemporaryTypes(&c); err != nil {
			return nil, err
		}
		if err := n.change(c); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (s *Snapshot) change(c Change) error {
	switch {
	case c.Put != nil:
		return s.put(c.Put)
	case c.Drop != 0:
		old := s.byID[c.Drop]
		if old == nil {
			return pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", c.Drop)
		}
		s.forget(old)
		s.forgetStatistics(old.ID)
	case c.CreateSchema != "":
		if s.schemas[c.CreateSchema] {
			return pgerror.New(pgerror.DuplicateSchema, "schema %q already exists", c.CreateSchema)
		}
		s.schemas[c.CreateSchema] = true
	case c.DropSchema != "":
		if !s.schemas[c.DropSchema] {
			return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", c.DropSchema)
		}
		delete(s.schemas, c.DropSchema)
		s.forgetRights(c.DropSchema)
	case len(c.RenameSchema) == 2:
		return s.renameSchema(c.RenameSchema[0], c.RenameSchema[1])
	case len(c.CommentSchema) == 2:
		s.comments = maps.Clone(s.comments)
		s.comments[c.CommentSchema[0]] = c.CommentSchema[1]
	case c.PutFunction != nil:
		return s.putFunction(c.PutFunction)
	case c.DropFunction != 0:
		s.dropFunction(c.DropFunction)
	case c.PutStatistics != nil:
		s.putStatistics(c.PutStatistics)
	case c.PutType != nil:
		return s.putType(c.PutType)
	case c.DropType != 0:
		s.dropType(c.DropType)
	case c.NextID != 0:
		s.ids.used(c.NextID - 1)
	default:
		return s.changeRights(c)
	}
	return nil
}

func (s *Snapshot) forget(r *Relation) {
	delete(s.byID, r.ID)
	delete(s.byName, r.Schema+"."+r.Name)
	s.forgetIndexes(r)
}

// indexNames are the names that r's indexes take, the primary key's among them.
func (r *Relation) indexNames() []string {
	var out []string
	for _, x := range r.Indexes {
		out = append(out, x.Name)
	}
	if r.PrimaryKey && r.Native() {
		out = append(out, r.KeyConstraint())
	}
	return out
}

func (s *Snapshot) forgetIndexes(r *Relation) {
	for _, n := range r.indexNames() {
		delete(s.indexes, r.Schema+"."+n)
	}
}

// renameSchema gives a schema, and all in it, another name.
func (s *Snapshot) renameSchema(from, to string) error {
	if s.schemas[to] {
		return pgerror.New(pgerror.DuplicateSchema, "schema %q already exists", to)
	}
	s.schemas[to] = true
	for _, r := range sortedRelations(s.byID) { // s is being made: nothing may be derived yet
		if r.Schema == from {
			c := *r
			c.Schema = to
			if err := s.put(&c); err != nil {
				return err
			}
		}
	}
	for _, f := range s.Functions(from, "") {
		c := *f
		c.Schema = to
		if err := s.putFunction(&c); err != nil {
			return err
		}
	}
	for _, t := range s.UserTypes(from) {
		c := *t
		c.Schema = to
		if err := s.putType(&c); err != nil {
			return err
		}
	}
	delete(s.schemas, from)
	s.renameRights(from, to)
	return nil
}

func (s *Snapshot) put(r *Relation) error {
	if !s.schemas[r.Schema] {
		return pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", r.Schema)
	}
	key := r.Schema + "." + r.Name
	if other := s.byName[key]; other != nil && other.ID != r.ID {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", r.Name)
	}
	if s.typeNames[key] != 0 && r.Kind != Sequence {
		return pgerror.New(pgerror.DuplicateObject, "type %q already exists", r.Name).
			WithHint("A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.")
	}
	if owner := s.indexes[key]; owner != 0 && owner != r.ID {
		return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", r.Name)
	}
	if old := s.byID[r.ID]; old != nil {
		s.forget(old)
	}
	for _, n := range r.indexNames() {
		if k := r.Schema + "." + n; s.byName[k] != nil || s.indexes[k] != 0 || n == r.Name {
			return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", n)
		}
		s.indexes[r.Schema+"."+n] = r.ID
	}
	s.byID[r.ID], s.byName[key] = r, r
	s.ids.used(r.ID, r.Storage)
	for _, x := range r.Indexes {
		s.ids.used(x.ID, x.Storage)
	}
	for _, c := range r.Constraints {
		s.ids.used(c.ID)
	}
	return nil
}
