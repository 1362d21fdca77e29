package auth

import (
	"strings"
	"testing"

	"velostream/pgwire/pgerror"
)

// testRoles are an owner, a, b, c, and d, a member of group that inherits, and e, a
// member of group that does not.
func testRoles() Roles {
	out := Predefined()
	for i, n := range []string{"owner", "a", "b", "c", "group", "d", "e"} {
		out[n] = &Role{ID: uint32(20000 + i), Name: n, Inherit: n != "e"}
	}
	out["d"].MemberOf = []Membership{{Role: "group"}}
	out["e"].MemberOf = []Membership{{Role: "group", Admin: true}}
	return out
}

func TestUpdate(t *testing.T) {
	roles := testRoles()
	grant := func(from, to string, p Privilege, option bool) Change {
		return Change{Grantor: from, Grantee: to, Privileges: p, Option: option}
	}
	revoke := func(from, to string, p Privilege, option, cascade bool) Change {
		return Change{Revoke: true, Grantor: from, Grantee: to, Privileges: p, Option: option, Cascade: cascade}
	}
	for _, tt := range []struct {
		name    string
		changes []Change
		want    string
		code    string // of the last change
	}{
		{"grants add up", []Change{grant("owner", "a", Select, false), grant("owner", "a", Insert|Update, false)}, "owner=arwdDxt/owner a=arw/owner", ""},
		{"everybody", []Change{grant("owner", "", Select, false)}, "owner=arwdDxt/owner =r/owner", ""},
		{"everybody has no options", []Change{grant("owner", "", Select, true)}, "", pgerror.InvalidGrantOperation},
		{"revoke", []Change{grant("owner", "a", Select|Insert, false), revoke("owner", "a", Select, false, false)}, "owner=arwdDxt/owner a=a/owner", ""},
		{"revoke of what is not there", []Change{revoke("owner", "a", Select, false, false)}, "owner=arwdDxt/owner", ""},
		{"the last goes", []Change{grant("owner", "a", Select, false), revoke("owner", "a", Select, false, false)}, "owner=arwdDxt/owner", ""},
		{"of the owner himself", []Change{revoke("owner", "owner", Table.All(), false, false)}, "", ""},
		{"option", []Change{grant("owner", "a", Select, true), grant("a", "b", Select, false)}, "owner=arwdDxt/owner a=r*/owner b=r/a", ""},
		{"dependents", []Change{grant("owner", "a", Select, true), grant("a", "b", Select, false), revoke("owner", "a", Select, false, false)}, "", pgerror.DependentObjectsStillExist},
		{"cascade", []Change{grant("owner", "a", Select, true), grant("a", "b", Select, true), grant("b", "c", Select, false), revoke("owner", "a", Select, true, true)}, "owner=arwdDxt/owner a=r/owner", ""},
		{"another option holds", []Change{
			grant("owner", "a", Select, true), grant("owner", "b", Select, true), grant("b", "a", Select, true), grant("a", "c", Select, false),
			revoke("owner", "a", Select, false, false),
		}, "owner=arwdDxt/owner b=r*/owner a=r*/b c=r/a", ""},
		{"in a circle", []Change{grant("owner", "a", Select, true), grant("a", "b", Select, true), grant("b", "a", Select, true)}, "", pgerror.InvalidGrantOperation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			acl := Table.Default("owner")
			for i, c := range tt.changes {
				next, err := acl.Update(roles, "owner", c)
				if err != nil || i == len(tt.changes)-1 {
					if (err != nil || tt.code != "") && pgerror.Code(err) != tt.code {
						t.Fatalf("change %d: %v, want %q", i, err, tt.code)
					}
				}
				if err == nil {
					acl = next
				}
			}
			if got := strings.Join(acl.Strings(), " "); tt.code == "" && got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	roles := testRoles()
	acl := ACL{{Grantee: "group", Grantor: "owner", Privileges: Select, Options: Select}, {Grantor: "owner", Privileges: Insert}}
	for role, want := range map[string]Privilege{"d": Select | Insert, "e": Insert, "a": Insert, "nobody": Insert, "owner": Insert, Bootstrap: Table.All()} {
		if got := roles.Allowed(acl, Table, "owner", role, Table.All()); got != want {
			t.Errorf("%s: %v, want %v", role, got.Words(), want.Words())
		}
	}
	for role, want := range map[string]Privilege{"d": Select, "e": None, "a": None, "owner": Table.All()} {
		if got := roles.Grantable(acl, Table, "owner", role, Table.All()); got != want {
			t.Errorf("%s grants %v, want %v", role, got.Words(), want.Words())
		}
	}
	if g, p := roles.Grantor(acl, Table, "owner", "d", Select|Insert); g != "group" || p != Select {
		t.Errorf("grantor %s %v", g, p.Words())
	}
	if g, _ := roles.Grantor(acl, Table, "owner", Bootstrap, Select); g != "owner" {
		t.Errorf("a superuser grants as %s", g)
	}
	if !roles.Member("e", "group") || roles.Acts("e", "group") || !roles.Acts("d", "group") || !roles.Admin("e", "group") || roles.Admin("d", "group") {
		t.Error("memberships")
	}
	if !roles.Acts(Bootstrap, DatabaseOwner) {
		t.Error("the owner of the database is no pg_database_owner")
	}
}

func TestItems(t *testing.T) {
	for _, s := range []string{"=r/owner", "a=arwdDxt/owner", "a=r*w/b", `"it's ""x"""=U*C*/"b c"`, "=Tc/velo", "=X/velo"} {
		x, err := ParseItem(s)
		if err != nil || x.String() != s {
			t.Errorf("%s: %s %v", s, x, err)
		}
	}
	for _, s := range []string{"", "a", "a=r", "a=q/b", `"a=r/b`, "a=r/b/c", "a=*/b"} {
		if x, err := ParseItem(s); err == nil && x.String() != s {
			t.Errorf("%s was taken: %s", s, x)
		}
	}
	a := ACL{{Grantee: "a", Grantor: "owner", Privileges: Select}, {Grantee: "b", Grantor: "a", Privileges: Select}, {Grantee: "c", Grantor: "owner", Privileges: Select}}
	if got := strings.Join(a.Without("a").Strings(), " "); got != "c=r/owner" {
		t.Error(got)
	}
	if got := strings.Join(a.Rename("owner", "a").Strings(), " "); got != "a=r/a b=r/a c=r/a" {
		t.Error(got)
	}
	if ACL(nil).Without("a") != nil || ACL(nil).Rename("a", "b") != nil {
		t.Error("a list that is not there became one")
	}
}
