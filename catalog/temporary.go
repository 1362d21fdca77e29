package catalog

import (
	"slices"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// TempAlias is what every session calls its own schema of temporary objects.
const TempAlias = "pg_temp"

// tempPrefix begins the names of such schemas; users cannot make others that do.
const tempPrefix = TempAlias + "_"

// TempSchema is the name of the n-th schema of temporary objects.
func TempSchema(n int) string { return tempPrefix + strconv.Itoa(n) }

// IsTemp reports that the schema is one of temporary objects. They end with the
// session that has it and are in no store: a server that is started knows none.
func IsTemp(schema string) bool { return strings.HasPrefix(schema, tempPrefix) }

// Temporary reports that r ends with its session.
func (r *Relation) Temporary() bool { return IsTemp(r.Schema) }

// notTemporaryTypes refuses a lasting object, made by c, with values of the row type of a
// temporary relation, which ends before it does. Error 0A000.
func (s *Snapshot) notTemporaryTypes(c *Change) error {
	var name, schema string
	var used []types.Type
	switch {
	case c.Put != nil:
		name, schema = c.Put.Name, c.Put.Schema
		for i := range c.Put.Columns {
			used = append(used, c.Put.Columns[i].Type)
		}
	case c.PutFunction != nil:
		name, schema, used = c.PutFunction.Name, c.PutFunction.Schema, append(slices.Clone(c.PutFunction.Args), c.PutFunction.Returns)
	case c.PutType != nil:
		name, schema, used = c.PutType.Name, c.PutType.Schema, []types.Type{c.PutType.Base}
		for _, a := range c.PutType.Attributes {
			used = append(used, a.Type)
		}
	}
	if IsTemp(schema) {
		return nil
	}
	for _, t := range used {
		// Lasting types have none of them within, so that this one has is plain to see.
		if r := s.byID[t.UserID()]; r != nil && r.Temporary() {
			return pgerror.Unsupported("%q cannot use the row type of %q, which is temporary", name, r.Name).
				WithHint("CREATE TYPE … AS makes a composite type that lasts.")
		}
	}
	return nil
}

// What becomes of a temporary table when a transaction commits; "": it keeps its rows.
const (
	OnCommitDelete = "DELETE ROWS"
	OnCommitDrop   = "DROP"
)

// lasting are the changes, made to base, that are stored: those that are about
// something else than temporary objects.
func lasting(base *Snapshot, changes []Change) []Change {
	temp := map[uint32]bool{}
	is := func(id uint32) bool {
		if t, known := temp[id]; known {
			return t
		}
		switch {
		case base.byID[id] != nil:
			return base.byID[id].Temporary()
		case base.functions[id] != nil:
			return IsTemp(base.functions[id].Schema)
		case base.types[id] != nil:
			return IsTemp(base.types[id].Schema)
		}
		return false
	}
	passing := func(c *Change) bool {
		switch {
		case c.Put != nil:
			temp[c.Put.ID] = c.Put.Temporary()
			return c.Put.Temporary()
		case c.PutFunction != nil:
			temp[c.PutFunction.ID] = IsTemp(c.PutFunction.Schema)
			return IsTemp(c.PutFunction.Schema)
		case c.PutType != nil:
			temp[c.PutType.ID] = IsTemp(c.PutType.Schema)
			return IsTemp(c.PutType.Schema)
		case c.Drop != 0, c.DropFunction != 0, c.DropType != 0:
			return is(max(c.Drop, c.DropFunction, c.DropType))
		case c.PutStatistics != nil:
			return is(c.PutStatistics.Relation)
		case c.CreateSchema != "", c.DropSchema != "":
			return IsTemp(c.CreateSchema + c.DropSchema)
		case len(c.CommentSchema) == 2:
			return IsTemp(c.CommentSchema[0])
		case c.PutRights != nil:
			return IsTemp(c.PutRights.Schema)
		case c.PutDefaults != nil:
			return IsTemp(c.PutDefaults.Schema)
		}
		return false
	}
	if !slices.ContainsFunc(changes, func(c Change) bool { return passing(&c) }) {
		return changes
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return passing(&c) })
}

// permanent are the changes that make s from nothing, but for what is temporary.
func (s *Snapshot) permanent() []Change { return lasting(s, s.changes()) }
