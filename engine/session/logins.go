package session

import (
	"sync"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/pgwire/pgerror"
)

// logins counts the sessions of roles, for their connection limits.
type logins struct {
	mu   sync.Mutex
	open map[uint32]int // by the role's OID
}

// enter counts a session of role. Error: 53300.
func (l *logins) enter(role *auth.Role) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if role.ConnectionLimit >= 0 && l.open[role.ID] >= role.ConnectionLimit && !role.Superuser {
		return pgerror.New(pgerror.TooManyConnections, "too many connections for role %q", role.Name)
	}
	if l.open == nil {
		l.open = map[uint32]int{}
	}
	l.open[role.ID]++
	return nil
}

func (l *logins) leave(role uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[role]--; l.open[role] <= 0 {
		delete(l.open, role)
	}
}

// mayConnectTo is the right to connect to the database, which everybody has until
// it is taken away.
func mayConnectTo(snap *catalog.Snapshot, role *auth.Role, database string) error {
	r := snap.SchemaRights("")
	if snap.Roles().Allowed(r.ACL, auth.Database, r.Owner, role.Name, auth.Connect) != auth.None {
		return nil
	}
	return pgerror.New(pgerror.InsufficientPrivilege, "permission denied for database %q", database).
		WithDetail("User does not have CONNECT privilege.")
}

// reload is pg_reload_conf.
func (s *Session) reload() (bool, error) {
	if !s.superuser() {
		return false, catalog.Denied("function", "pg_reload_conf")
	}
	if s.e.Reload == nil {
		return true, nil
	}
	if err := s.e.Reload(); err != nil {
		s.warning("01000", "not reloaded: %v", err)
		return false, nil
	}
	return true, nil
}
