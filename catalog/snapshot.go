package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	nextID  uint32
}

func emptySnapshot() *Snapshot {
	return &Snapshot{
		byID: map[uint32]*Relation{}, byName: map[string]*Relation{},
		schemas: map[string]bool{DefaultSchema: true}, nextID: FirstID,
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

// Relations lists all relations by OID.
func (s *Snapshot) Relations() []*Relation {
	out := slices.Collect(maps.Values(s.byID))
	slices.SortFunc(out, func(a, b *Relation) int { return int(a.ID) - int(b.ID) })
	return out
}

// HasSchema reports whether the schema exists.
func (s *Snapshot) HasSchema(name string) bool { return s.schemas[name] }

// Schemas lists the schemas by name.
func (s *Snapshot) Schemas() []string { return slices.Sorted(maps.Keys(s.schemas)) }

// NextID is the OID that the next relation should get.
func (s *Snapshot) NextID() uint32 { return s.nextID }

// Dependents lists the relations that read relation id, write it out, or are
// part of it.
func (s *Snapshot) Dependents(id uint32) []*Relation {
	var out []*Relation
	for _, r := range s.Relations() {
		if slices.Contains(r.Inputs, id) || r.SinkOf == id || r.PartOf == id {
			out = append(out, r)
		}
	}
	return out
}

// Change is one change of the catalog: exactly one field is set.
type Change struct {
	Put          *Relation `json:"put,omitempty"` // new, or in place of the one with its ID
	Drop         uint32    `json:"drop,omitempty"`
	CreateSchema string    `json:"create_schema,omitempty"`
	DropSchema   string    `json:"drop_schema,omitempty"`
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

// With returns the snapshot after changes, which is stored nowhere.
func (s *Snapshot) With(changes ...Change) (*Snapshot, error) {
	n := &Snapshot{
		Version: s.Version, byID: maps.Clone(s.byID), byName: maps.Clone(s.byName),
		schemas: maps.Clone(s.schemas), nextID: s.nextID,
	}
	for _, c := range changes {
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
		delete(s.byID, old.ID)
		delete(s.byName, old.Schema+"."+old.Name)
	case c.CreateSchema != "":
		if s.schemas[c.CreateSchema] {
			return pgerror.New(pgerror.DuplicateSchema, "schema %q already exists", c.CreateSchema)
		}
		s.schemas[c.CreateSchema] = true
	case c.DropSchema != "":
		delete(s.schemas, c.DropSchema)
	}
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
	if old := s.byID[r.ID]; old != nil {
		delete(s.byName, old.Schema+"."+old.Name)
	}
	s.byID[r.ID], s.byName[key] = r, r
	s.nextID = max(s.nextID, r.ID+1)
	return nil
}
