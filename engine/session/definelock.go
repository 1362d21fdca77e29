package session

import (
	"reflect"
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/storage/table"
)

// lockChanges takes what the changes are about until tx ends: what is changed or
// dropped, and new names, alone; what is only referred to, together with others.
// base is what all see, snap what the changes are made to. Relations that only the
// transaction knows need no lock.
func lockChanges(tx *table.Tx, base, snap *catalog.Snapshot, changes []catalog.Change) error {
	l := &objectLocks{tx: tx, base: base}
	for _, c := range changes {
		switch {
		case c.Put != nil:
			l.put(snap.ByID(c.Put.ID), c.Put)
		case c.Drop != 0:
			l.entry(c.Drop)
			l.relation(c.Drop, true)
		case c.CreateSchema != "":
			l.name(c.CreateSchema, true)
		case c.DropSchema != "":
			l.name(c.DropSchema, true)
		case len(c.RenameSchema) == 2:
			l.name(c.RenameSchema[0], true)
			l.name(c.RenameSchema[1], true)
		case len(c.CommentSchema) == 2:
			l.name(c.CommentSchema[0], true)
		case c.PutStatistics != nil:
			l.relation(c.PutStatistics.Relation, false)
			l.name("statistics "+strconv.Itoa(int(c.PutStatistics.Relation)), true)
		case c.PutFunction != nil:
			l.name(c.PutFunction.Schema, false)
			l.name(c.PutFunction.Schema+"."+c.PutFunction.Name+"()", true)
			l.key(table.ObjectKey(c.PutFunction.ID), true)
		case c.DropFunction != 0:
			l.key(table.ObjectKey(c.DropFunction), true)
		case c.PutType != nil:
			l.putType(snap, c.PutType)
		case c.DropType != 0:
			l.key(table.ObjectKey(c.DropType), true)
		default:
			l.rights(c)
		}
	}
	return l.err
}

// objectLocks takes locks until one fails.
type objectLocks struct {
	tx   *table.Tx
	base *catalog.Snapshot
	err  error
}

func (l *objectLocks) key(k string, alone bool) {
	if l.err == nil {
		l.err = l.tx.LockObject(k, alone)
	}
}

func (l *objectLocks) name(n string, alone bool) { l.key(table.NameKey(n), alone) }

func (l *objectLocks) relation(id uint32, alone bool) {
	if l.base.ByID(id) != nil {
		l.key(table.ObjectKey(id), alone)
	}
}

// entry takes what the catalog says of a relation, beside its rows.
func (l *objectLocks) entry(id uint32) {
	if l.base.ByID(id) != nil {
		l.name("#"+strconv.Itoa(int(id)), true)
	}
}

// rights are changes of roles and privileges.
func (l *objectLocks) rights(c catalog.Change) {
	role := func(name string) { l.name("role "+name, true) }
	switch {
	case c.PutRole != nil:
		role(c.PutRole.Name)
	case c.DropRole != "":
		role(c.DropRole)
	case len(c.RenameRole) == 2:
		role(c.RenameRole[0])
		role(c.RenameRole[1])
	case c.PutRights != nil:
		l.name("rights "+c.PutRights.Schema, true)
	case c.PutDefaults != nil:
		l.name("defaults "+c.PutDefaults.Role, true)
	}
}

// put is for a relation that becomes r; old is nil for a new one. Writers are kept
// out where it matters to rows.
func (l *objectLocks) put(old, r *catalog.Relation) {
	l.entry(r.ID)
	if old == nil {
		old = &catalog.Relation{}
	} else if !sameRows(old, r) {
		l.relation(r.ID, true)
	}
	if old.Schema != r.Schema {
		l.name(r.Schema, false)
	}
	if old.Schema != r.Schema || old.Name != r.Name {
		l.name(r.Schema+"."+r.Name, true)
	}
	for _, x := range r.Indexes {
		if was := old.Index(x.ID); was == nil || was.Name != x.Name || old.Schema != r.Schema {
			l.name(r.Schema+"."+x.Name, true)
		}
	}
	for _, id := range r.Inputs {
		if !slices.Contains(old.Inputs, id) {
			l.relation(id, false)
		}
	}
	for _, id := range []uint32{r.SinkOf, r.PartOf} {
		if id != 0 && id != old.SinkOf && id != old.PartOf {
			l.relation(id, false)
		}
	}
	for _, t := range r.TypeRefs {
		l.key(table.ObjectKey(t.ID), false)
	}
	for i := range r.Columns {
		for _, id := range []uint32{r.Columns[i].Type.UserID(), r.Columns[i].Domain} {
			if id != 0 {
				l.key(table.ObjectKey(id), false)
			}
		}
	}
	for _, id := range r.Functions {
		l.key(table.ObjectKey(id), false)
	}
	for _, k := range r.Constraints {
		if k.Kind == catalog.ForeignKey && k.Ref != r.ID && old.Constraint(k.Name) == nil {
			l.relation(k.Ref, true) // its rows must not go while the key is not known
		}
	}
}

// putType is for a type that becomes t. Writers of columns of a domain are kept out: its
// constraints may be about to change.
func (l *objectLocks) putType(snap *catalog.Snapshot, t *catalog.UserType) {
	old := snap.UserType(t.ID)
	if old != nil && t.Kind == catalog.DomainType {
		for _, u := range domainUses(snap, old) {
			if u.Relation != nil {
				l.relation(u.Relation.ID, true)
			}
		}
	}
	l.name(t.Schema, false)
	if old == nil || old.Schema != t.Schema || old.Name != t.Name {
		l.name(t.Schema+"."+t.Name, true)
	}
	l.key(table.ObjectKey(t.ID), true)
}

// sameRows reports that relations differ in nothing that writing rows depends on.
func sameRows(a, b *catalog.Relation) bool {
	columns := func(r *catalog.Relation) []catalog.Column {
		out := slices.Clone(r.Columns)
		for i := range out {
			out[i].Comment, out[i].ACL = "", nil
		}
		return out
	}
	return a.RowStorage() == b.RowStorage() && a.PrimaryKey == b.PrimaryKey && slices.Equal(a.Key, b.Key) &&
		reflect.DeepEqual(columns(a), columns(b)) && reflect.DeepEqual(a.Constraints, b.Constraints) && reflect.DeepEqual(a.Indexes, b.Indexes)
}
