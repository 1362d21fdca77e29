package session

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"velostream/catalog"
)

// nameMax is the length of identifiers, in bytes (NAMEDATALEN - 1).
const nameMax = 63

// objectName puts name1, name2 and label together as PostgreSQL does: the
// longer of the names is cut until all fits.
func objectName(name1, name2, label string) string {
	over := len(label) + 1
	if name2 != "" {
		over++
	}
	for len(name1)+len(name2)+over > nameMax {
		if len(name1) > len(name2) {
			name1 = cut(name1)
		} else {
			name2 = cut(name2)
		}
	}
	out := name1
	if name2 != "" {
		out += "_" + name2
	}
	if label != "" {
		out += "_" + label
	}
	return out
}

// cut takes the last character off.
func cut(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-n]
}

// freeName is the first of name_label, name_label1, … that is not taken.
func freeName(name1, name2, label string, taken func(string) bool) string {
	for n := 0; ; n++ {
		l := label
		if n > 0 {
			l += strconv.Itoa(n)
		}
		if name := objectName(name1, name2, l); !taken(name) {
			return name
		}
	}
}

// columnsText joins column names with underscores, for names of indexes.
func columnsText(r *catalog.Relation, cols []int) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = r.Columns[c].Name
	}
	return strings.Join(names, "_")
}

// namer gives OIDs and names to the parts of a relation that is made or
// changed.
type namer struct {
	snap *catalog.Snapshot
	used []string // names given out, in the relation's schema
}

func newNamer(snap *catalog.Snapshot) *namer { return &namer{snap: snap} }

func (n *namer) id() uint32 { return n.snap.NextID() }

// relation chooses a name for an index or sequence beside r.
func (n *namer) relation(r *catalog.Relation, name2, label string) string {
	name := freeName(r.Name, name2, label, func(s string) bool {
		return n.snap.Named(r.Schema, s) || slices.Contains(n.used, s) || s == r.Name || r.Constraint(s) != nil ||
			r.PrimaryKey && s == r.KeyConstraint()
	})
	n.used = append(n.used, name)
	return name
}

// constraint chooses a name for a constraint of r.
func (n *namer) constraint(r *catalog.Relation, name2, label string) string {
	return freeName(r.Name, name2, label, func(s string) bool { return hasConstraint(r, s) })
}

func hasConstraint(r *catalog.Relation, name string) bool {
	return r.Constraint(name) != nil || r.PrimaryKey && name == r.KeyConstraint()
}
