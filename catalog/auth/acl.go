package auth

import (
	"slices"
	"strings"

	"velostream/pgwire/pgerror"
)

// Item is what one role has granted another on an object.
type Item struct {
	Grantee    string    `json:"grantee,omitempty"` // "": PUBLIC
	Grantor    string    `json:"grantor"`
	Privileges Privilege `json:"privileges"`
	Options    Privilege `json:"options,omitempty"` // those that the grantee may grant on
}

// ACL is the access control list of an object. nil means Kind.Default; a list
// without items means that nobody but the owner, who can grant to himself, may
// do anything. Keep it with json's omitzero, which tells the two apart.
// Immutable: changes make a new one.
type ACL []Item

// String is i as aclitem prints it: grantee=privileges/grantor.
func (i Item) String() string {
	return quoteRole(i.Grantee) + "=" + i.Privileges.letters(i.Options) + "/" + quoteRole(i.Grantor)
}

// quoteRole quotes a role as aclitem does: where it has other characters than
// letters, digits and underscores.
func quoteRole(s string) string {
	plain := func(r rune) bool {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// Strings are the items as aclitem prints them.
func (a ACL) Strings() []string {
	out := make([]string, len(a))
	for i, x := range a {
		out[i] = x.String()
	}
	return out
}

// Change is what a GRANT or REVOKE does to a list.
type Change struct {
	Revoke     bool
	Grantee    string // "": PUBLIC
	Grantor    string
	Privileges Privilege
	// Option: WITH GRANT OPTION; of REVOKE: GRANT OPTION FOR.
	Option  bool
	Cascade bool // of REVOKE
}

// Update returns the list after c. owner is the object's. Errors: 0LP01 for
// options that cannot be granted so, 2BP01 for a REVOKE without CASCADE of what was
// granted on.
func (a ACL) Update(roles Roles, owner string, c Change) (ACL, error) {
	if c.Option && !c.Revoke && c.Grantee == "" {
		return nil, pgerror.New(pgerror.InvalidGrantOperation, "grant options can only be granted to roles")
	}
	item := Item{Grantee: c.Grantee, Grantor: c.Grantor}
	if c.Revoke {
		if !c.Option {
			item.Privileges = c.Privileges
		}
		item.Options = c.Privileges
	} else {
		item.Privileges = c.Privileges
		if c.Option {
			item.Options = c.Privileges
		}
	}
	if !c.Revoke {
		if err := a.noCircle(roles, owner, item); err != nil {
			return nil, err
		}
		return a.put(item, false), nil
	}
	return a.revoke(roles, owner, item, c.Cascade)
}

// put adds item's rights to, or takes them from, what its grantor has granted
// its grantee.
func (a ACL) put(item Item, remove bool) ACL {
	out := append(ACL{}, a...)
	at := slices.IndexFunc(out, func(x Item) bool { return x.Grantee == item.Grantee && x.Grantor == item.Grantor })
	if at < 0 {
		if remove {
			return out
		}
		out = append(out, Item{Grantee: item.Grantee, Grantor: item.Grantor})
		at = len(out) - 1
	}
	if remove {
		out[at].Privileges &^= item.Privileges
		out[at].Options &^= item.Options
	} else {
		out[at].Privileges |= item.Privileges
		out[at].Options |= item.Options
	}
	if out[at].Privileges == None && out[at].Options == None {
		out = slices.Delete(out, at, at+1)
	}
	return out
}

// options are the grant options that item's pair has.
func (a ACL) options(grantee, grantor string) Privilege {
	for _, x := range a {
		if x.Grantee == grantee && x.Grantor == grantor {
			return x.Options
		}
	}
	return None
}

func (a ACL) revoke(roles Roles, owner string, item Item, cascade bool) (ACL, error) {
	before := a.options(item.Grantee, item.Grantor)
	out := a.put(item, true)
	lost := before &^ out.options(item.Grantee, item.Grantor)
	if lost == None {
		return out, nil
	}
	return out.dependents(roles, owner, item.Grantee, lost, cascade)
}

// dependents takes back what grantee has granted by options that are lost now.
func (a ACL) dependents(roles Roles, owner, grantee string, lost Privilege, cascade bool) (ACL, error) {
	if grantee == owner {
		return a, nil // who always has them
	}
	if lost &^= roles.optionsOf(a, grantee, owner); lost == None {
		return a, nil
	}
	for {
		at := slices.IndexFunc(a, func(x Item) bool { return x.Grantor == grantee && x.Privileges&lost != None })
		if at < 0 {
			return a, nil
		}
		if !cascade {
			return nil, pgerror.New(pgerror.DependentObjectsStillExist, "dependent privileges exist").WithHint("Use CASCADE to revoke them too.")
		}
		var err error
		if a, err = a.revoke(roles, owner, Item{Grantee: a[at].Grantee, Grantor: grantee, Privileges: lost, Options: lost}, cascade); err != nil {
			return nil, err
		}
	}
}

// noCircle refuses options that would come back to who granted them: then a
// REVOKE could not take them away.
func (a ACL) noCircle(roles Roles, owner string, item Item) error {
	if item.Grantor == owner || item.Options == None {
		return nil
	}
	// Without all that the grantee may grant on, the grantor must still be able to.
	without := append(ACL{}, a...)
	for {
		at := slices.IndexFunc(without, func(x Item) bool { return x.Grantee == item.Grantee && x.Options != None })
		if at < 0 {
			break
		}
		var err error
		x := without[at]
		if without, err = without.revoke(roles, owner, Item{Grantee: x.Grantee, Grantor: x.Grantor, Options: x.Options}, true); err != nil {
			return err
		}
	}
	if item.Options&^roles.optionsOf(without, item.Grantor, owner) != None {
		return pgerror.New(pgerror.InvalidGrantOperation, "grant options cannot be granted back to your own grantor")
	}
	return nil
}

// Rename returns the list with role to in the place of from; what both have is one
// item then, as a change of owner needs it.
func (a ACL) Rename(from, to string) ACL {
	if a == nil {
		return nil
	}
	out := ACL{}
	for _, x := range a {
		if x.Grantee == from {
			x.Grantee = to
		}
		if x.Grantor == from {
			x.Grantor = to
		}
		out = out.put(x, false)
	}
	return out
}

// Without returns the list without what role was granted and, since it can have
// done so only by options that are gone then, has granted.
func (a ACL) Without(role string) ACL {
	if a == nil {
		return nil
	}
	out := ACL{}
	for _, x := range a {
		if x.Grantee != role && x.Grantor != role {
			out = append(out, x)
		}
	}
	return out
}

// Mentions reports that role has granted or was granted something in a.
func (a ACL) Mentions(role string) bool {
	return role != "" && slices.ContainsFunc(a, func(x Item) bool { return x.Grantee == role || x.Grantor == role })
}

// Equal reports that a and b give the same, in whatever order.
func (a ACL) Equal(b ACL) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// ParseItem reads what Item.String wrote. Error: 22P02.
func ParseItem(s string) (Item, error) {
	bad := pgerror.New(pgerror.InvalidTextRepresentation, "malformed access control list item: %q", s)
	var x Item
	var ok bool
	if x.Grantee, s, ok = cutRole(s); !ok {
		return x, bad
	}
	if s, ok = strings.CutPrefix(s, "="); !ok {
		return x, bad
	}
	last := None
	for s != "" && s[0] != '/' {
		if s[0] == '*' {
			if last == None {
				return x, bad
			}
			x.Options |= last
			s = s[1:]
			continue
		}
		last = None
		for i, n := range privilegeNames {
			if n.letter == s[0] {
				last = 1 << i
			}
		}
		if last == None {
			return x, bad
		}
		x.Privileges |= last
		s = s[1:]
	}
	if s, ok = strings.CutPrefix(s, "/"); !ok {
		return x, bad
	}
	if x.Grantor, s, ok = cutRole(s); !ok || s != "" {
		return x, bad
	}
	return x, nil
}

func cutRole(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, "=/")
		if i < 0 {
			i = len(s)
		}
		return s[:i], s[i:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), s[i+1:], true
	}
	return "", "", false
}
