package auth

import (
	"math/bits"
	"slices"
	"strings"
)

// Bootstrap is the superuser of a fresh catalog; it owns the database and what
// has no other owner.
const Bootstrap = "velo"

// OIDs of roles that every catalog has.
const (
	BootstrapOID = 10
	ownerOID     = 6171
)

// Names of the predefined roles that are asked for here.
const (
	DatabaseOwner    = "pg_database_owner"
	ReadAllData      = "pg_read_all_data"
	WriteAllData     = "pg_write_all_data"
	ReadAllSettings  = "pg_read_all_settings"
	ReadAllStats     = "pg_read_all_stats"
	ReadServerFiles  = "pg_read_server_files"
	WriteServerFiles = "pg_write_server_files"
	SignalBackend    = "pg_signal_backend"
	Checkpoint       = "pg_checkpoint"
)

// Role is a user or group. Immutable once in a catalog snapshot.
type Role struct {
	ID          uint32 `json:"id"` // its OID
	Name        string `json:"name"`
	Superuser   bool   `json:"superuser,omitempty"`
	Inherit     bool   `json:"inherit,omitempty"`
	CreateRole  bool   `json:"create_role,omitempty"`
	CreateDB    bool   `json:"create_db,omitempty"`
	Login       bool   `json:"login,omitempty"`
	Replication bool   `json:"replication,omitempty"`
	BypassRLS   bool   `json:"bypass_rls,omitempty"`
	// ConnectionLimit is how many sessions it may have, -1: as many as there are.
	ConnectionLimit int `json:"connection_limit"`
	// ValidUntil is when its password ends to count, in µs since 2000-01-01 UTC;
	// nil: never.
	ValidUntil *int64 `json:"valid_until,omitempty"`
	// Password is the stored verifier, "": none.
	Password string `json:"password,omitempty"`
	Comment  string `json:"comment,omitempty"`
	// MemberOf are the roles that it is a member of.
	MemberOf []Membership `json:"member_of,omitempty"`
	// Implied: nobody has made the role by a statement; it came with the first
	// login of its name, while roles were not in use.
	Implied bool `json:"implied,omitempty"`
}

// Membership of a role in another.
type Membership struct {
	Role    string `json:"role"`
	Grantor string `json:"grantor"`
	Admin   bool   `json:"admin,omitempty"`
}

// Clone returns a copy whose lists may be changed.
func (r *Role) Clone() *Role {
	c := *r
	c.MemberOf = slices.Clone(r.MemberOf)
	return &c
}

// Membership returns r's membership in role, nil: it has none of its own.
func (r *Role) Membership(role string) *Membership {
	for i := range r.MemberOf {
		if r.MemberOf[i].Role == role {
			return &r.MemberOf[i]
		}
	}
	return nil
}

// Reserved reports that a role cannot have the name.
func Reserved(name string) bool {
	return name == "public" || name == "none" || strings.HasPrefix(name, "pg_")
}

// Roles are all roles by name. The zero value has none. Treat it as immutable.
type Roles map[string]*Role

// Predefined are the roles of a fresh catalog: PostgreSQL's, and Bootstrap.
func Predefined() Roles {
	out := Roles{}
	for oid, name := range map[uint32]string{
		ownerOID: DatabaseOwner, 6181: ReadAllData, 6182: WriteAllData, 3373: "pg_monitor", 3374: ReadAllSettings, 3375: ReadAllStats,
		3377: "pg_stat_scan_tables", 4569: ReadServerFiles, 4570: WriteServerFiles, 4571: "pg_execute_server_program",
		4200: SignalBackend, 4544: Checkpoint,
	} {
		out[name] = &Role{ID: oid, Name: name, Inherit: true, ConnectionLimit: -1}
	}
	for _, n := range []string{ReadAllSettings, ReadAllStats, "pg_stat_scan_tables"} {
		m := out["pg_monitor"]
		m.MemberOf = append(m.MemberOf, Membership{Role: n, Grantor: Bootstrap})
	}
	out[Bootstrap] = &Role{
		ID: BootstrapOID, Name: Bootstrap, Superuser: true, Inherit: true, CreateRole: true, CreateDB: true, Login: true,
		Replication: true, BypassRLS: true, ConnectionLimit: -1,
	}
	return out
}

// List is the roles by OID.
func (rs Roles) List() []*Role {
	out := make([]*Role, 0, len(rs))
	for _, r := range rs {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Role) int { return int(int64(a.ID) - int64(b.ID)) })
	return out
}

// ByID returns the role with the OID id, nil: none.
func (rs Roles) ByID(id uint32) *Role {
	for _, r := range rs {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Superuser reports that role may do everything.
func (rs Roles) Superuser(role string) bool {
	r := rs[role]
	return r != nil && r.Superuser
}

// reach lists role and the roles that it is a member of, directly or through
// others; with inherited only those whose privileges it has by itself.
func (rs Roles) reach(role string, inherited bool) []string {
	out := []string{role}
	for i := 0; i < len(out); i++ {
		r := rs[out[i]]
		if r == nil || inherited && !r.Inherit {
			continue
		}
		for _, m := range r.MemberOf {
			if !slices.Contains(out, m.Role) {
				out = append(out, m.Role)
			}
		}
		if out[i] == Bootstrap && !slices.Contains(out, DatabaseOwner) {
			out = append(out, DatabaseOwner) // of whom the database is
		}
	}
	return out
}

// Acts reports that role has the privileges of other by itself: it is that
// role, inherits from it, or is superuser.
func (rs Roles) Acts(role, other string) bool {
	return role == other || rs.Superuser(role) || slices.Contains(rs.reach(role, true), other)
}

// Member reports that role is a member of other, or superuser: it may SET ROLE.
func (rs Roles) Member(role, other string) bool {
	return role == other || rs.Superuser(role) || slices.Contains(rs.reach(role, false), other)
}

// IsIn is Member without what superusers are by right.
func (rs Roles) IsIn(role, other string) bool { return slices.Contains(rs.reach(role, false), other) }

// Admin reports that role may make others members of other.
func (rs Roles) Admin(role, other string) bool {
	if rs.Superuser(role) {
		return true
	}
	if role == other {
		return false
	}
	for _, n := range rs.reach(role, false) {
		if r := rs[n]; r != nil {
			if m := r.Membership(other); m != nil && m.Admin {
				return true
			}
		}
	}
	return false
}

// Allowed is what of want role may do with an object of owner, by its list: who
// acts as the owner has the grant options but, like anybody, only the privileges
// that the list gives.
func (rs Roles) Allowed(a ACL, kind Kind, owner, role string, want Privilege) Privilege {
	if rs.Superuser(role) {
		return want
	}
	if a == nil {
		a = kind.Default(owner)
	}
	var got Privilege
	reach := rs.reach(role, true)
	for _, x := range a {
		if x.Grantee == "" || slices.Contains(reach, x.Grantee) {
			got |= x.Privileges & want
		}
	}
	return got
}

// Grantable is what of want role may grant on.
func (rs Roles) Grantable(a ACL, kind Kind, owner, role string, want Privilege) Privilege {
	if rs.Acts(role, owner) {
		return want
	}
	if a == nil {
		a = kind.Default(owner)
	}
	var got Privilege
	reach := rs.reach(role, true)
	for _, x := range a {
		if slices.Contains(reach, x.Grantee) {
			got |= x.Options & want
		}
	}
	return got
}

// optionsOf are the grant options of role by a.
func (rs Roles) optionsOf(a ACL, role, owner string) Privilege {
	return rs.Grantable(append(ACL{}, a...), Table, owner, role, ^None)
}

// Grantor chooses as whom role grants privileges: the owner where it acts as
// him, else the role it acts as that has most of the options. options are those
// that the grantor has.
func (rs Roles) Grantor(a ACL, kind Kind, owner, role string, want Privilege) (grantor string, options Privilege) {
	if rs.Acts(role, owner) {
		return owner, want
	}
	if a == nil {
		a = kind.Default(owner)
	}
	grantor = role
	for _, n := range rs.reach(role, true) {
		var got Privilege
		for _, x := range a {
			if x.Grantee == n {
				got |= x.Options & want
			}
		}
		if got == want {
			return n, got
		}
		if bits.OnesCount16(uint16(got)) > bits.OnesCount16(uint16(options)) {
			grantor, options = n, got
		}
	}
	return grantor, options
}

// InUse reports that somebody has made roles: from then on a login needs one.
func (rs Roles) InUse() bool {
	for _, r := range rs {
		if r.ID != BootstrapOID && !r.Implied && !strings.HasPrefix(r.Name, "pg_") {
			return true
		}
	}
	return false
}
