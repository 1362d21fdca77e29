package session

import (
	"context"
	"strings"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// loginSettingsMax bounds the parameters that are set for a role or database: every
// login reads them.
const loginSettingsMax = 1000

// alterSettings is ALTER ROLE … [IN DATABASE …] SET and RESET, and ALTER DATABASE … SET
// and RESET: the parameters that sessions begin with from their next login on.
func (s *Session) alterSettings(ctx context.Context, p ast.Parsed, n *ast.Alter) error {
	return s.applyRights(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		l, err := s.settingsTarget(snap, n)
		if err != nil {
			return nil, err
		}
		if l, err = s.altered(l, n.Actions[0].Set); err != nil {
			return nil, pgerror.From(err).At(p.Position(n.Actions[0].Pos()))
		}
		return []catalog.Change{{PutSettings: &l}}, nil
	})
}

// settingsTarget finds whose settings n is about, and whether they may be changed.
// Errors: 42704, 3D000, 42501, 42939.
func (s *Session) settingsTarget(snap *catalog.Snapshot, n *ast.Alter) (catalog.LoginSettings, error) {
	var role, database string
	if n.Kind == "DATABASE" {
		database = n.Object.Name.Last()
	} else if !n.Object.On.IsZero() {
		database = n.Object.On.Last()
	}
	if n.Kind == "ROLE" && n.Object.Raw != "ALL" {
		var err error
		if role, err = s.settingsRole(snap, n.Object.Name.Last()); err != nil {
			return catalog.LoginSettings{}, err
		}
	}
	l := snap.LoginSettingsOf(role, database)
	switch {
	case database != "" && database != s.database && database != "velostream" && database != "postgres" && !hasSettings(snap, database):
		return l, pgerror.New(pgerror.InvalidCatalogName, "database %q does not exist", database)
	case role != "":
	case database != "":
		if !s.acts(snap, snap.SchemaRights("").Owner) {
			return l, catalog.NotOwner("database", database)
		}
	case !snap.Roles().Superuser(s.who()):
		return l, denied("must be superuser to alter settings globally")
	}
	return l, nil
}

// settingsRole is a role whose settings this session may change.
func (s *Session) settingsRole(snap *catalog.Snapshot, name string) (string, error) {
	if strings.HasPrefix(name, "pg_") {
		return "", pgerror.New(pgerror.ReservedName, "role name %q is reserved", name).WithDetail("Cannot alter reserved roles.")
	}
	name, err := s.roleNamed(snap, name)
	switch {
	case err != nil:
		return "", err
	case snap.Roles().Superuser(s.who()):
	case snap.Role(name).Superuser:
		return "", denied("must be superuser to alter superusers")
	case name != s.who() && !s.mayManage(snap):
		return "", denied("permission denied")
	}
	return name, nil
}

// hasSettings reports that something is set for a database of that name.
func hasSettings(snap *catalog.Snapshot, database string) bool {
	for _, l := range snap.LoginSettings() {
		if l.Database == database {
			return true
		}
	}
	return false
}

// altered is l after SET or RESET. Errors: 22023, 42501, 42704, 55P02.
func (s *Session) altered(l catalog.LoginSettings, n *ast.Set) (catalog.LoginSettings, error) {
	key, super := strings.ToLower(n.Name), s.superuser()
	if n.Default && key == "" { // RESET ALL leaves what this role may not change
		return l.Without(func(key string) bool { return s.mayKeep(key, super) == nil }), nil
	}
	if err := s.mayKeep(key, super); err != nil {
		return l, err
	}
	if n.Default {
		return l.Without(func(k string) bool { return k == key }), nil
	}
	v := setText(key, n)
	if n.Current {
		v = s.settings.values[key]
	}
	if _, err := s.settings.check(key, v); err != nil {
		return l, err
	}
	if key == "role" && v != "none" && s.catalog().Role(v) == nil {
		s.notice("role %q does not exist", v)
	}
	name := key
	if d := s.settings.all[key]; d != nil {
		name = d.name
	}
	l = l.With(name, v)
	if len(l.Config) > loginSettingsMax {
		return l, pgerror.New(pgerror.ProgramLimitExceeded, "more than %d parameters are set", loginSettingsMax)
	}
	return l, nil
}

// mayKeep is the right to set a parameter for later sessions. A name with a dot that
// nobody knows is a superuser's to set, as in PostgreSQL: it may come to mean something.
// key is lower case.
func (s *Session) mayKeep(key string, superuser bool) error {
	d := s.settings.all[key]
	switch {
	case d == nil && !strings.Contains(key, "."):
		return s.settings.unknown(key)
	case d == nil && !superuser:
		return denied("permission denied to set parameter %q", key)
	case d == nil:
		return nil
	case d.fixed:
		return pgerror.New("55P02", "parameter %q cannot be changed", d.name)
	case key == "session_authorization":
		return pgerror.Unsupported("keeping session_authorization for later sessions is not supported").WithHint("Set role.")
	}
	return s.settings.permitted(key, superuser)
}

// takeLoginSettings begins a session with what is set for its role and database, the most
// particular last. What does not hold any more is passed over with a warning: a login
// that fails could not put it right.
func (s *Session) takeLoginSettings(role string) {
	snap := s.e.Catalog.Snapshot()
	if len(snap.LoginSettings()) == 0 {
		return
	}
	for _, from := range []struct{ role, database, source string }{
		{"", "", "global"}, {"", s.database, "database"}, {role, "", "user"}, {role, s.database, "database user"},
	} {
		for _, c := range snap.LoginSettingsOf(from.role, from.database).Config {
			name, v, _ := strings.Cut(c, "=")
			key := strings.ToLower(name)
			err := s.settings.assign(key, v)
			if err == nil && key == "role" {
				err = s.become(key, v)
			}
			if err != nil {
				s.settings.values[key] = s.settings.origin[key]
				s.warning(pgerror.Code(err), "%s", pgerror.From(err).Message)
				continue
			}
			s.settings.origin[key], s.settings.source[key] = s.settings.values[key], from.source
		}
	}
}

// start takes the parameters of the start-up packet, which win over those kept for the
// role and database.
func (s *Session) start(packet pgwire.Startup) error {
	if err := s.settings.start(packet); err != nil {
		return err
	}
	if r := s.settings.values["role"]; r != "none" {
		if err := s.become("role", r); err != nil {
			return err
		}
		s.showSuperuser()
	}
	return nil
}
