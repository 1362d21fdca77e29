package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

func (s *Session) createSchema(ctx context.Context, n *ast.CreateSchema) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		name, owner := n.Name, n.Owner
		if owner == "" {
			owner = s.who()
		}
		owner, err := s.roleNamed(snap, owner)
		if err != nil {
			return nil, err
		}
		if name == "" {
			name = owner
		}
		if err := reservedSchema(name); err != nil {
			return nil, err
		}
		if err := s.mayCreateSchema(snap); err != nil {
			return nil, err
		}
		if err := s.mayGive(snap, owner, ""); err != nil {
			return nil, err
		}
		if snap.HasSchema(name) && n.IfNotExists {
			s.noticeOf(pgerror.DuplicateSchema, "schema %q already exists, skipping", name)
			return nil, nil
		}
		rights := catalog.Rights{Schema: name, Owner: owner, ACL: snap.NewACL(owner, "", auth.Schema)}
		return []catalog.Change{{CreateSchema: name}, {PutRights: &rights}}, nil
	})
	return err
}

// reservedSchema refuses the names that users cannot give to schemas.
func reservedSchema(name string) error {
	if !strings.HasPrefix(name, "pg_") {
		return nil
	}
	return pgerror.New("42939", "unacceptable schema name %q", name).WithDetail("The prefix \"pg_\" is reserved for system schemas.")
}

// dropKinds says which relations a kind word of DROP means.
var dropKinds = map[string][]catalog.Kind{
	"TABLE":             {catalog.Table},
	"STREAM":            {catalog.Stream},
	"SOURCE":            {catalog.Stream},
	"VIEW":              {catalog.View},
	"MATERIALIZED VIEW": {catalog.MaterializedView},
	"SINK":              {catalog.Sink},
	"SEQUENCE":          {catalog.Sequence},
	"SUBSCRIPTION":      {catalog.Stream},
	"JOB":               {catalog.Stream, catalog.Table, catalog.MaterializedView},
}

// drop is DROP of relations and schemas.
func (s *Session) drop(ctx context.Context, p ast.Parsed, n *ast.Drop) (string, error) {
	tag := "DROP " + n.Kind
	switch n.Kind {
	case "SCHEMA":
		return tag, s.dropSchemas(ctx, n)
	case "INDEX":
		return tag, s.dropIndexes(ctx, p, n)
	case "FUNCTION":
		return tag, s.dropFunctions(ctx, p, n)
	case "TYPE", "DOMAIN":
		return tag, s.dropTypes(ctx, p, n)
	case "ROLE", "USER", "GROUP":
		return "DROP ROLE", s.dropRoles(ctx, p, n)
	case "EXTENSION":
		return tag, s.dropExtensions(n)
	}
	kinds := dropKinds[n.Kind]
	if kinds == nil {
		return "", pgerror.Unsupported("%s is not supported yet", tag).At(p.Position(n.Pos()))
	}
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		var gone []*catalog.Relation
		for _, o := range n.Objects {
			r, err := s.relation(snap, p, o.Name)
			if err != nil {
				if pgerror.Code(err) == pgerror.InsufficientPrivilege {
					return nil, err
				}
				if n.IfExists {
					s.notice("%s %q does not exist, skipping", strings.ToLower(n.Kind), o.Name.Last())
					continue
				}
				if n.Kind != "JOB" {
					return nil, pgerror.New(pgerror.UndefinedTable, "%s %q does not exist", strings.ToLower(n.Kind), o.Name.Last())
				}
				return nil, err
			}
			if !slices.Contains(kinds, r.Kind) || (n.Kind == "SUBSCRIPTION") != (r.Subscription != nil) {
				return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a %s", r.Name, strings.ToLower(n.Kind)).
					WithHint("Use DROP %s to remove it.", strings.ToUpper(dropWord(r)))
			}
			if err := s.mayDrop(snap, r); err != nil {
				return nil, err
			}
			gone = append(gone, r)
		}
		return s.dropChanges(snap, gone, n.Behavior == ast.Cascade)
	})
	return tag, err
}

// dropWord is the word of DROP for a relation.
func dropWord(r *catalog.Relation) string {
	if r.Subscription != nil {
		return "subscription"
	}
	return string(r.Kind)
}

// dropChanges lists the drops of gone and, with cascade, of all that depends
// on them; without, dependents are an error 2BP01.
func (s *Session) dropChanges(snap *catalog.Snapshot, gone []*catalog.Relation, cascade bool) ([]catalog.Change, error) {
	seen := map[uint32]bool{}
	var order []*catalog.Relation
	var visit func(r *catalog.Relation) error
	visit = func(r *catalog.Relation) error {
		if seen[r.ID] {
			return nil
		}
		seen[r.ID] = true
		for _, d := range snap.Dependents(r.ID) {
			own := d.PartOf == r.ID
			if slices.Contains(gone, d) || own {
				if err := visit(d); err != nil {
					return err
				}
				continue
			}
			if !cascade {
				return pgerror.New(pgerror.DependentObjectsStillExist,
					"cannot drop %s %s because other objects depend on it", kindOf(r), r.Name).
					WithDetail("%s %s depends on %s %s", kindOf(d), d.Name, kindOf(r), r.Name).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			s.notice("drop cascades to %s %s", kindOf(d), d.Name)
			if err := visit(d); err != nil {
				return err
			}
		}
		order = append(order, r)
		return nil
	}
	for _, r := range gone {
		if err := visit(r); err != nil {
			return nil, err
		}
	}
	keys, err := s.dropKeysTo(snap, order, cascade)
	if err != nil {
		return nil, err
	}
	rows, err := s.dropRowTypes(snap, order, cascade)
	if err != nil {
		return nil, err
	}
	keys = append(keys, rows...)
	var out []catalog.Change
	for _, r := range order {
		if err := s.notPending("DROP TABLE", r); err != nil {
			return nil, err
		}
		out = append(out, catalog.Change{Drop: r.ID})
	}
	return append(keys, out...), nil
}

// dropKeysTo takes the foreign keys that refer to relations that go out of those
// that stay, and defaults that need a sequence that goes.
func (s *Session) dropKeysTo(snap *catalog.Snapshot, gone []*catalog.Relation, cascade bool) ([]catalog.Change, error) {
	changed := map[uint32]*catalog.Relation{}
	stays := func(r *catalog.Relation) *catalog.Relation {
		if slices.Contains(gone, r) {
			return nil
		}
		if changed[r.ID] == nil {
			changed[r.ID] = r.Clone()
		}
		return changed[r.ID]
	}
	refuse := func(r *catalog.Relation, what string) error {
		return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop %s %s because other objects depend on it", kindOf(r), r.Name).
			WithDetail("%s depends on %s %s", what, kindOf(r), r.Name).
			WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	for _, r := range gone {
		for _, child := range snap.References(r.ID) {
			c := stays(child)
			if c == nil {
				continue
			}
			for _, k := range child.Constraints {
				if k.Kind != catalog.ForeignKey || k.Ref != r.ID {
					continue
				}
				what := "constraint " + k.Name + " on table " + c.Name
				if !cascade {
					return nil, refuse(r, what)
				}
				s.notice("drop cascades to %s", what)
				c.Constraints = slices.DeleteFunc(c.Constraints, func(o catalog.Constraint) bool { return o.ID == k.ID })
			}
		}
		if r.Kind != catalog.Sequence {
			continue
		}
		for _, user := range snap.Relations() {
			for i, col := range user.Columns {
				if col.Sequence != r.ID || slices.Contains(gone, user) {
					continue
				}
				if col.Identity != "" {
					return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop sequence %s because column %s of table %s requires it",
						r.Name, col.Name, user.Name).WithHint("You can drop column %s of table %s instead.", col.Name, user.Name)
				}
				what := "default value for column " + col.Name + " of table " + user.Name
				if !cascade {
					return nil, refuse(r, what)
				}
				s.notice("drop cascades to %s", what)
				c := stays(user)
				c.Columns[i].Default, c.Columns[i].Sequence = "", 0
			}
		}
	}
	return puts(changed), nil
}

func (s *Session) dropSchemas(ctx context.Context, n *ast.Drop) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		var out []catalog.Change
		for _, o := range n.Objects {
			name := o.Name.Last()
			if !snap.HasSchema(name) {
				if n.IfExists {
					s.notice("schema %q does not exist, skipping", name)
					continue
				}
				return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
			}
			if err := s.ownsSchema(snap, name); err != nil {
				return nil, err
			}
			var in []*catalog.Relation
			for _, r := range snap.Relations() {
				if r.Schema == name {
					in = append(in, r)
				}
			}
			if len(in) > 0 && n.Behavior != ast.Cascade {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop schema %s because other objects depend on it", name).
					WithDetail("%s %s depends on schema %s", kindOf(in[0]), in[0].Name, name).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			fns := snap.Functions(name, "")
			if len(fns) > 0 && n.Behavior != ast.Cascade {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop schema %s because other objects depend on it", name).
					WithDetail("function %s depends on schema %s", fns[0].Signature(), name).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			types := snap.UserTypes(name)
			if len(types) > 0 && n.Behavior != ast.Cascade {
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop schema %s because other objects depend on it", name).
					WithDetail("type %s depends on schema %s", types[0].Type(), name).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			for _, f := range fns {
				users, _ := snap.FunctionUsers(f.ID)
				in = append(in, users...)
			}
			changes, err := s.dropChanges(snap, in, true)
			if err != nil {
				return nil, err
			}
			for _, f := range fns {
				changes = append(changes, catalog.Change{DropFunction: f.ID})
			}
			left, err := snap.With(changes...)
			if err != nil {
				return nil, err
			}
			drops, err := (&typeDrop{s: s, snap: left, cascade: true, gone: types}).changes()
			if err != nil {
				return nil, err
			}
			changes = append(changes, drops...)
			out = append(append(out, changes...), catalog.Change{DropSchema: name})
		}
		return out, nil
	})
	return err
}

// jobCommand is PAUSE, RESUME, STOP and CANCEL JOB.
func (s *Session) jobCommand(ctx context.Context, p ast.Parsed, n *ast.Job) (string, error) {
	tag := string(n.Action)
	var pause bool
	switch n.Action {
	case ast.JobPause, ast.JobStop:
		pause = true
	case ast.JobResume:
	default:
		return "", pgerror.Unsupported("%s is not supported yet", tag).At(p.Position(n.Pos()))
	}
	if err := s.noTransaction(tag); err != nil {
		return "", err
	}
	var id uint32
	next, err := s.applyNow(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		r, err := s.owned(snap, p, n.Name)
		if err != nil {
			return nil, err
		}
		if !r.Persistent() {
			return nil, pgerror.New(pgerror.WrongObjectType, "%q has no job", r.Name)
		}
		id = r.ID
		if r.Overrun != "" && !pause {
			return nil, s.e.Jobs.Overrun(r)
		}
		if r.Paused == pause {
			return nil, nil
		}
		c := *r
		c.Paused = pause
		return []catalog.Change{{Put: &c}}, nil
	})
	// Once it stands, or runs: a read right after would else find it in between.
	if err == nil && next != nil {
		err = s.e.Jobs.WaitSeen(ctx, next.Version)
	}
	if err == nil && !pause {
		err = s.e.Jobs.Resume(id)
	}
	return tag, err
}
