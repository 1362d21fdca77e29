package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// Temporary tables, views and sequences are ordinary ones in a schema that one session
// has: pg_temp_N, which it calls pg_temp and searches first. They are in the catalog
// that all see, but not in what the catalog stores, and commits that write to them
// alone do not wait for the disk. They go when the session ends; a server that is
// started finds rows that nobody knows, and deletes them.

// temporariesMax bounds how many temporary relations a session can have.
const temporariesMax = 10_000

// temps gives sessions the numbers of their schemas: the least that is free. Safe for
// concurrent use.
type temps struct {
	mu   sync.Mutex
	used []bool // by number - 1
}

func (t *temps) take() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.used, false)
	if i < 0 {
		i = len(t.used)
		t.used = append(t.used, false)
	}
	t.used[i] = true
	return i + 1
}

func (t *temps) give(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used[n-1] = false
}

// ownTemp is the name of the session's schema of temporary objects, there or not; "":
// it never had one.
func (s *Session) ownTemp() string {
	if s.temp == 0 {
		return ""
	}
	return catalog.TempSchema(s.temp)
}

// tempIn is ownTemp where it is there.
func (s *Session) tempIn(snap *catalog.Snapshot) string {
	if own := s.ownTemp(); own != "" && snap.HasSchema(own) {
		return own
	}
	return ""
}

// aliased is a schema's name, which pg_temp may stand for.
func (s *Session) aliased(schema string) string {
	if own := s.ownTemp(); schema == catalog.TempAlias && own != "" {
		return own
	}
	return schema
}

// foreignTemp refuses the temporary objects of others.
func (s *Session) foreignTemp(schema string) error {
	if catalog.IsTemp(schema) && schema != s.ownTemp() {
		return pgerror.Unsupported("cannot access temporary tables of other sessions")
	}
	return nil
}

func errMoveTemp() *pgerror.Error {
	return pgerror.Unsupported("cannot move objects into or out of temporary schemas")
}

// tempFirst reports that search_path begins with pg_temp: what is made goes there.
func (s *Session) tempFirst() bool {
	first, _, _ := strings.Cut(s.settings.values["search_path"], ",")
	return strings.Trim(strings.TrimSpace(first), `"`) == catalog.TempAlias
}

// placeTable is place of a relation that may be temporary: because the statement says so
// (temp), or by its schema.
func (s *Session) placeTable(snap *catalog.Snapshot, p ast.Parsed, name ast.Name, temp bool) (placed, error) {
	schema, rel := s.split(name)
	named := schema == catalog.TempAlias || catalog.IsTemp(schema)
	switch {
	case temp && schema != "" && !named:
		return placed{}, pgerror.New(pgerror.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema").At(p.Position(name.Pos()))
	case !temp && !named && (schema != "" || !s.tempFirst()):
		return s.place(snap, p, name)
	case catalog.IsTemp(schema) && schema != s.ownTemp():
		if !snap.HasSchema(schema) {
			return placed{}, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", schema).At(p.Position(name.Pos()))
		}
		return placed{}, pgerror.New(pgerror.InvalidTableDefinition, "cannot create relations in temporary schemas of other sessions").At(p.Position(name.Pos()))
	}
	return s.placeTemp(snap, rel)
}

// placeTemp is the place of a temporary relation; its schema is made with it where it is
// not there yet.
func (s *Session) placeTemp(snap *catalog.Snapshot, rel string) (placed, error) {
	r := snap.SchemaRights("")
	if snap.Roles().Allowed(r.ACL, auth.Database, r.Owner, s.who(), auth.Temporary) == auth.None {
		return placed{}, denied("permission denied to create temporary tables in database %q", s.database)
	}
	if s.temp == 0 {
		s.temp = s.e.temps.take()
	}
	at := placed{schema: s.ownTemp(), name: rel}
	if !snap.HasSchema(at.schema) {
		at.first = []catalog.Change{{CreateSchema: at.schema}}
		return at, nil
	}
	at.exists = snap.Relation(at.schema, rel)
	if len(temporaries(snap, at.schema)) >= temporariesMax {
		return at, pgerror.New(pgerror.ProgramLimitExceeded, "a session can have %d temporary relations", temporariesMax).
			WithHint("Drop those that are no longer needed, or run DISCARD TEMP.")
	}
	return at, nil
}

// lasting reports that something among rels is not temporary: a read-only transaction does not
// change it.
func lasting(rels ...*catalog.Relation) bool {
	return slices.ContainsFunc(rels, func(r *catalog.Relation) bool { return !r.Temporary() })
}

// temporaries are the relations of a schema.
func temporaries(snap *catalog.Snapshot, schema string) []*catalog.Relation {
	var out []*catalog.Relation
	for _, r := range snap.Relations() {
		if r.Schema == schema {
			out = append(out, r)
		}
	}
	return out
}

// notTemporary refuses temporary relations among those that something which lasts, or runs
// beside the session, reads. what is its kind, in the plural.
func notTemporary(snap *catalog.Snapshot, inputs []uint32, what string) error {
	for _, id := range inputs {
		if r := snap.ByID(id); r != nil && r.Temporary() {
			return pgerror.Unsupported("%s must not use temporary tables or views", what).WithDetail("%q is temporary.", r.Name)
		}
	}
	return nil
}

// viewPlace is where a view goes: one that reads something temporary is temporary too, as in
// PostgreSQL.
func (s *Session) viewPlace(snap *catalog.Snapshot, at placed, inputs []uint32) (placed, error) {
	reads := notTemporary(snap, inputs, "views")
	switch {
	case reads == nil || catalog.IsTemp(at.schema):
		return at, nil
	case at.exists != nil:
		return at, reads
	}
	s.notice("view %q will be a temporary view", at.name)
	next, err := s.placeTemp(snap, at.name)
	if err == nil && next.exists != nil {
		_, err = s.taken(next, false)
	}
	return next, err
}

// temporaryTable makes r, of CREATE TABLE, what the clauses about that say.
func temporaryTable(p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation) error {
	switch {
	case r.Temporary() && (n.Kind != ast.KindTable || len(n.Options) > 0 && !onlyStorage(n.Options)):
		return pgerror.Unsupported("temporary streams, sources and tables with a connector are not supported").At(p.Position(n.Pos()))
	case n.OnCommit != "" && !r.Temporary():
		return pgerror.New(pgerror.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	if n.OnCommit != "PRESERVE ROWS" {
		r.OnCommit = n.OnCommit
	}
	return nil
}

// sameLife refuses a foreign key between a temporary table and one that is not, or one whose
// rows end before those that refer to them.
func sameLife(child, parent *catalog.Relation) error {
	if child == parent || parent == nil {
		return nil
	}
	switch {
	case child.Temporary() && !parent.Temporary():
		return pgerror.New(pgerror.InvalidTableDefinition, "constraints on temporary tables may reference only temporary tables")
	case !child.Temporary() && parent.Temporary():
		return pgerror.New(pgerror.InvalidTableDefinition, "constraints on permanent tables may reference only permanent tables")
	case parent.OnCommit == catalog.OnCommitDelete && child.OnCommit != catalog.OnCommitDelete:
		return pgerror.Unsupported("unsupported ON COMMIT and foreign key combination").
			WithDetail("Table %q references %q, but they do not have the same ON COMMIT setting.", child.Name, parent.Name)
	}
	return nil
}

// onCommit does what ON COMMIT says of the temporary tables that t has made or, where
// their rows are not in its writes alone, changed.
func (s *Session) onCommit(t *transaction) error {
	if t.defs == nil || s.temp == 0 {
		return nil
	}
	snap := t.defs.snap
	var gone, emptied []*catalog.Relation
	for _, r := range temporaries(snap, s.ownTemp()) {
		switch r.OnCommit {
		case catalog.OnCommitDrop:
			gone = append(gone, r)
		case catalog.OnCommitDelete:
			emptied = append(emptied, r)
		}
	}
	if err := empty(t.tx, emptied); err != nil || len(gone) == 0 {
		return err
	}
	changes, err := s.quietly(func() ([]catalog.Change, error) { return s.dropChanges(snap, gone, true) })
	if err != nil {
		return err
	}
	d, err := newDefinitions(t.defs.base, slices.Concat(t.defs.changes, changes), t.defs.jobs)
	if err == nil {
		t.defs = d
	}
	return err
}

// quietly runs f, of whose notices the client hears nothing.
func (s *Session) quietly(f func() ([]catalog.Change, error)) ([]catalog.Change, error) {
	was := s.quiet
	s.quiet = true
	defer func() { s.quiet = was }()
	return f()
}

// discardTemp drops all that is temporary in the session.
func (s *Session) discardTemp(ctx context.Context) error {
	if s.tempIn(s.catalog()) == "" {
		return nil
	}
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) { return s.endTemp(snap) })
	return err
}

// endTemp are the drops of all that is temporary in the session, and of its schema.
func (s *Session) endTemp(snap *catalog.Snapshot) ([]catalog.Change, error) {
	own := s.tempIn(snap)
	if own == "" {
		return nil, nil
	}
	changes, err := s.quietly(func() ([]catalog.Change, error) { return s.dropChanges(snap, temporaries(snap, own), true) })
	return append(changes, catalog.Change{DropSchema: own}), err
}

// closeTemp is endTemp of a session that ends. Nobody is waited for: a transaction of
// another that is about to drop one of these with CASCADE is the one that has to give way.
func (s *Session) closeTemp() error {
	if s.temp == 0 {
		return nil
	}
	for {
		snap := s.e.Catalog.Snapshot()
		changes, err := s.endTemp(snap)
		if err == nil && len(changes) > 0 {
			_, err = s.e.Catalog.Apply(context.Background(), snap, changes...)
		}
		if errors.Is(err, catalog.ErrConflict) {
			continue
		}
		if err == nil { // else the name stays taken
			s.e.temps.give(s.temp)
			s.temp = 0
		}
		return err
	}
}
