package auth

import "strings"

// Privilege is a set of things that may be done with an object.
type Privilege uint16

// Privileges, in the order in which PostgreSQL prints them.
const (
	Insert Privilege = 1 << iota
	Select
	Update
	Delete
	Truncate
	References
	Trigger
	Execute
	Usage
	Create
	Temporary
	Connect

	None Privilege = 0
)

// privilegeNames are the words of GRANT and the letters of aclitem, by bit.
var privilegeNames = [...]struct {
	letter byte
	word   string
}{
	{'a', "INSERT"},
	{'r', "SELECT"},
	{'w', "UPDATE"},
	{'d', "DELETE"},
	{'D', "TRUNCATE"},
	{'x', "REFERENCES"},
	{'t', "TRIGGER"},
	{'X', "EXECUTE"},
	{'U', "USAGE"},
	{'C', "CREATE"},
	{'T', "TEMPORARY"},
	{'c', "CONNECT"},
}

// ParsePrivilege reads a word of GRANT, in upper case.
func ParsePrivilege(word string) (Privilege, bool) {
	if word == "TEMP" {
		word = "TEMPORARY"
	}
	for i, n := range privilegeNames {
		if n.word == word {
			return 1 << i, true
		}
	}
	return None, false
}

// Words are the privileges of p as GRANT names them.
func (p Privilege) Words() []string {
	var out []string
	for i, n := range privilegeNames {
		if p&(1<<i) != 0 {
			out = append(out, n.word)
		}
	}
	return out
}

// Has reports that all of want is in p.
func (p Privilege) Has(want Privilege) bool { return p&want == want }

// Kind is what a thing with an access control list is.
type Kind string

// Kinds of objects; the letters are those of pg_default_acl.
const (
	Table    Kind = "r" // tables, views, streams, sinks
	Column   Kind = "c"
	Sequence Kind = "S"
	Function Kind = "f"
	Schema   Kind = "n"
	Database Kind = "d"
)

// All are the privileges that there are on an object of kind k.
func (k Kind) All() Privilege {
	switch k {
	case Table:
		return Insert | Select | Update | Delete | Truncate | References | Trigger
	case Column:
		return Insert | Select | Update | References
	case Sequence:
		return Select | Update | Usage
	case Function:
		return Execute
	case Schema:
		return Usage | Create
	case Database:
		return Create | Temporary | Connect
	}
	return None
}

// Word is the kind in messages.
func (k Kind) Word() string {
	return map[Kind]string{Table: "relation", Column: "column", Sequence: "sequence", Function: "function", Schema: "schema", Database: "database"}[k]
}

// Default is the list of an object that nobody has granted anything on: the
// owner may do all, everybody may call functions and connect.
func (k Kind) Default(owner string) ACL {
	var out ACL
	switch k {
	case Column:
		return ACL{}
	case Function:
		out = ACL{{Grantor: owner, Privileges: Execute}}
	case Database:
		out = ACL{{Grantor: owner, Privileges: Temporary | Connect}}
	case Table, Sequence, Schema:
	}
	return append(out, Item{Grantee: owner, Grantor: owner, Privileges: k.All()})
}

// letters is p in the letters of aclitem, with a star behind those in options.
func (p Privilege) letters(options Privilege) string {
	var b strings.Builder
	for i, n := range privilegeNames {
		if p&(1<<i) == 0 {
			continue
		}
		b.WriteByte(n.letter)
		if options&(1<<i) != 0 {
			b.WriteByte('*')
		}
	}
	return b.String()
}
