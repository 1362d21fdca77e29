package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/option"
	"velostream/engine/pgcatalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// permit is the one check of what a planned statement does: relations with their
// columns, and functions, as the binder has listed them, against what is granted
// now. It is asked each time the statement is run, since rights and the current user
// may have changed since it was prepared. Error: 42501.
func (s *Session) permit(snap *catalog.Snapshot, list []catalog.Access, functions []uint32) error {
	who := s.who()
	if err := snap.Check(who, list); err != nil {
		return err
	}
	if snap.Roles().Superuser(who) {
		return nil
	}
	for i := range list {
		if r := pgcatalog.ByID(list[i].Relation); r != nil && list[i].Via == 0 && pgcatalog.Secret(r) {
			return catalog.Denied(r.Word(), r.Name)
		}
	}
	for _, id := range functions {
		if f := snap.Function(id); f != nil && !snap.MayCall(who, f) {
			return catalog.Denied("function", f.Name)
		}
	}
	return nil
}

// guard remembers for whom and at which version a statement was permitted, so that
// running it again costs a comparison.
type guard struct {
	access    []catalog.Access
	functions []uint32
	version   uint64
	who       string
}

func (g *guard) set(access []catalog.Access, functions []uint32) {
	*g = guard{access: access, functions: functions}
}

// permit asks s.permit where something may have changed.
func (g *guard) permit(s *Session) error {
	snap := s.catalog()
	who := s.who()
	if g.who == who && g.version == snap.Version && who != "" {
		return nil
	}
	if err := s.permit(snap, g.access, g.functions); err != nil {
		return err
	}
	g.who, g.version = who, snap.Version
	return nil
}

// guarded are rows that have no end: they end when the right to see them does. The
// role that opened them counts.
func (g *guard) guarded(s *Session, rows pgwire.Rows, err error) (pgwire.Rows, error) {
	if err != nil {
		return nil, err
	}
	return &guardedRows{Rows: rows, s: s, guard: *g}, nil
}

type guardedRows struct {
	pgwire.Rows
	s *Session
	guard
}

// Next implements pgwire.Rows.
func (r *guardedRows) Next(ctx context.Context) (*column.Batch, error) {
	b, err := r.Rows.Next(ctx)
	if err != nil {
		return nil, err
	}
	if snap := r.s.catalog(); snap.Version != r.version {
		if err := snap.Check(r.who, r.access); err != nil {
			return nil, err
		}
		r.version = snap.Version
	}
	return b, nil
}

// Continuous says whether the rows have no end.
func (r *guardedRows) Continuous() bool {
	k, ok := r.Rows.(interface{ Continuous() bool })
	return ok && k.Continuous()
}

// usable refuses a schema whose objects the current user may not look up.
func (s *Session) usable(schema string) error {
	snap := s.catalog()
	if err := s.foreignTemp(schema); err != nil && snap.HasSchema(schema) {
		return err
	}
	if !snap.HasSchema(schema) || catalog.IsTemp(schema) || snap.MayUseSchema(s.who(), schema, auth.Usage) {
		return nil
	}
	return catalog.Denied("schema", schema)
}

// searchPath is what search_path means on a basis.
type searchPath struct {
	on      basis
	schemas []string
	implied bool // the first is that of temporary objects, which search_path does not name
}

// path is the schemas of search_path that are there and that the current user may
// use, in order, that of the session's temporary objects before others. The list is
// not to be changed.
func (s *Session) path() []string {
	snap := s.catalog()
	on := s.basis(snap)
	if s.searched.on == on {
		return s.searched.schemas
	}
	who := s.who()
	var out []string
	for p := range strings.SplitSeq(on.path, ",") {
		p = strings.Trim(strings.TrimSpace(p), `"`)
		if p == "$user" {
			p = who
		}
		if p = s.aliased(p); s.foreignTemp(p) != nil {
			continue
		}
		there := snap.HasSchema(p) && catalog.IsTemp(p) || snap.HasSchema(p) && snap.MayUseSchema(who, p, auth.Usage) || pgcatalog.HasSchema(p)
		if there && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	s.searched = searchPath{on: on, schemas: out}
	if own := s.tempIn(snap); own != "" && !slices.Contains(out, own) {
		s.searched.schemas, s.searched.implied = append([]string{own}, out...), true
	}
	return s.searched.schemas
}

// namedPath is path without what search_path does not name.
func (s *Session) namedPath() []string {
	path := s.path()
	if s.searched.implied {
		return path[1:]
	}
	return path
}

// currentSchema is the first schema of the path, "": there is none.
func (s *Session) currentSchema() string {
	if path := s.namedPath(); len(path) > 0 {
		return path[0]
	}
	return ""
}

// applyRights is apply for changes of who may do what: when it returns, jobs whose
// owners lost the right to their inputs stand still.
func (s *Session) applyRights(ctx context.Context, f func(snap *catalog.Snapshot) ([]catalog.Change, error)) error {
	snap, err := s.apply(ctx, f)
	if err != nil || s.e.dry || s.defs() != nil { // in a transaction COMMIT waits
		return err
	}
	return s.e.Jobs.WaitSeen(ctx, snap.Version)
}

// owned finds a relation that a statement changes the definition of, which is its
// owner's to do. Errors: 42P01, 42501.
func (s *Session) owned(snap *catalog.Snapshot, p ast.Parsed, name ast.Name) (*catalog.Relation, error) {
	r, err := s.relation(snap, p, name)
	if err != nil {
		return nil, err
	}
	return r, s.owns(snap, r)
}

func (s *Session) owns(snap *catalog.Snapshot, r *catalog.Relation) error {
	if s.acts(snap, r.Owner) {
		return nil
	}
	return catalog.NotOwner(r.Word(), r.Name)
}

func (s *Session) ownsFunction(snap *catalog.Snapshot, f *catalog.Function) error {
	if s.acts(snap, f.Owner) {
		return nil
	}
	return catalog.NotOwner("function", f.Name)
}

func (s *Session) ownsSchema(snap *catalog.Snapshot, name string) error {
	if s.acts(snap, snap.SchemaRights(name).Owner) {
		return nil
	}
	return catalog.NotOwner("schema", name)
}

// mayDrop is ownership of a relation or of its schema.
func (s *Session) mayDrop(snap *catalog.Snapshot, r *catalog.Relation) error {
	if s.ownsSchema(snap, r.Schema) == nil {
		return nil
	}
	return s.owns(snap, r)
}

// mayCreate is the right to make objects in a schema. That of the session's temporary
// objects is its own.
func (s *Session) mayCreate(snap *catalog.Snapshot, schema string) error {
	if schema != "" && schema == s.ownTemp() || snap.MayUseSchema(s.who(), schema, auth.Create) {
		return nil
	}
	return catalog.Denied("schema", schema)
}

// mayCreateSchema is the right to make schemas.
func (s *Session) mayCreateSchema(snap *catalog.Snapshot) error {
	r := snap.SchemaRights("")
	if snap.Roles().Allowed(r.ACL, auth.Database, r.Owner, s.who(), auth.Create) != auth.None {
		return nil
	}
	return catalog.Denied("database", s.database)
}

// mayGive checks a change of owner: the current user acts as the old one, is a member
// of the new one, and the new one may have objects in the schema ("": does not count).
func (s *Session) mayGive(snap *catalog.Snapshot, to, schema string) error {
	if snap.Role(to) == nil {
		return pgerror.New(pgerror.UndefinedObject, "role %q does not exist", to)
	}
	who := s.who()
	if snap.Roles().Superuser(who) {
		return nil
	}
	if !snap.Roles().Member(who, to) {
		return pgerror.New(pgerror.InsufficientPrivilege, "must be member of role %q", to)
	}
	if schema != "" && schema != s.ownTemp() && !snap.MayUseSchema(to, schema, auth.Create) {
		return catalog.Denied("schema", schema)
	}
	return nil
}

// mayUse checks privileges on a relation that a statement names but does not plan
// with: those of its table, not of columns.
func (s *Session) mayUse(snap *catalog.Snapshot, r *catalog.Relation, want auth.Privilege) error {
	if snap.Granted(r, s.who(), want) == want {
		return nil
	}
	return catalog.Denied(r.Word(), r.Name)
}

// mayConnect refuses sources and sinks that reach into the server's machine: files,
// and values that are taken from files or from its environment.
func (s *Session) mayConnect(name string, sink bool, given []option.Given) error {
	snap := s.catalog()
	if name == "file" && sink {
		if s.has(snap, auth.WriteServerFiles) {
			return nil
		}
		return denied("must be superuser or have privileges of the %s role to write files of the server", auth.WriteServerFiles)
	}
	if s.has(snap, auth.ReadServerFiles) {
		return nil
	}
	if name == "file" {
		return denied("must be superuser or have privileges of the %s role to read files of the server", auth.ReadServerFiles)
	}
	for _, g := range given {
		n := lower(g.Name)
		if strings.Contains(g.Value, "${") {
			return denied("must be superuser or have privileges of the %s role to use the environment of the server", auth.ReadServerFiles).
				WithDetail("Option %q does.", g.Name).At(g.Pos)
		}
		if strings.Contains(n, "location") || strings.Contains(n, "file") || strings.HasSuffix(n, "path") {
			return denied("must be superuser or have privileges of the %s role to read files of the server", auth.ReadServerFiles).
				WithDetail("Option %q names one.", g.Name).At(g.Pos)
		}
	}
	return nil
}

// withoutRow takes out of an error of a constraint what rows hold, where the current
// user may not read them.
func (s *Session) withoutRow(err error, r *catalog.Relation) error {
	if err == nil || !strings.HasPrefix(pgerror.Code(err), "23") || s.mayUse(s.catalog(), r, auth.Select) == nil {
		return err
	}
	e := *pgerror.From(err)
	e.Detail = ""
	return &e
}

// mayRefer is the right to make a foreign key of child to another relation.
func (s *Session) mayRefer(snap *catalog.Snapshot, child *catalog.Relation, c *binder.Constraint) error {
	r := snap.ByID(c.Ref)
	if c.Kind == catalog.ForeignKey && !c.Self && r != nil {
		if err := sameLife(child, r); err != nil {
			return err
		}
	}
	if c.Kind != catalog.ForeignKey || c.Self || r == nil || s.mayUse(snap, r, auth.References) == nil {
		return nil
	}
	for _, i := range c.RefColumns {
		if snap.GrantedOn(r, i, s.who(), auth.References) == auth.None {
			return catalog.Denied(r.Word(), r.Name)
		}
	}
	return nil
}

// has reports that the current user is superuser or acts as a predefined role.
func (s *Session) has(snap *catalog.Snapshot, role string) bool {
	return snap.Roles().Acts(s.who(), role)
}
