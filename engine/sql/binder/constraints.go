package binder

import (
	"maps"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// Constraint is a bound CHECK, UNIQUE or FOREIGN KEY. OIDs, names that the user
// left out, and the index of UNIQUE are the caller's to give.
type Constraint struct {
	catalog.Constraint
	NullsEqual bool // UNIQUE NULLS NOT DISTINCT
	Self       bool // a FOREIGN KEY that refers to the relation itself
}

// SequenceDef is the sequence behind a serial or identity column.
type SequenceDef struct {
	Column  int
	Options []ast.SeqOption
	At      int
}

// owner is the relation that constraints are bound for.
type owner struct {
	name    string
	schema  string
	columns []catalog.Column
	self    *catalog.Relation // nil: it is being created
	key     []int             // its primary key, nil: none
	unique  [][]int           // of a relation being created: UNIQUE columns
}

// BindConstraint binds a table constraint that is added to rel.
func BindConstraint(o Options, rel *catalog.Relation, k ast.Constraint) (*Constraint, error) {
	b := New(o)
	b.Session = nil
	own := &owner{name: rel.Name, schema: rel.Schema, columns: rel.Columns, self: rel}
	if rel.PrimaryKey {
		own.key = rel.Key
	}
	return b.constraint(own, k, nil)
}

// constraint binds k; column is set for one that stands at a column.
func (b *Binder) constraint(own *owner, k ast.Constraint, column []int) (*Constraint, error) {
	late := k.Deferrable == ast.Yes || k.Deferred
	switch {
	case late && k.Kind == ast.Check:
		return nil, b.missing(k, "CHECK constraints cannot be marked DEFERRABLE")
	case late && k.Kind == ast.Unique:
		return nil, b.missing(k, "deferrable UNIQUE constraints are not supported")
	case k.NotValid && k.Kind == ast.Unique:
		return nil, b.missing(k, "UNIQUE constraints cannot be marked NOT VALID")
	}
	out := &Constraint{Constraint: catalog.Constraint{Name: k.Name, Columns: column, Deferrable: late, Deferred: k.Deferred}}
	// While a table is made there are no rows that might not meet it.
	out.NotValid = k.NotValid && own.self != nil
	switch k.Kind {
	case ast.Check:
		out.Kind = catalog.Check
		return out, b.check(own, k, out)
	case ast.Unique:
		if len(k.Include) > 0 || k.UsingIndex != "" {
			return nil, b.missing(k, "INCLUDE and USING INDEX of constraints are not supported")
		}
		out.Kind, out.NullsEqual = catalog.Unique, k.NullsNotDistinct
		if column == nil {
			var err error
			if out.Columns, err = b.keyColumns(own, k.Columns, "unique constraint", k.Pos()); err != nil {
				return nil, err
			}
		}
		return out, nil
	case ast.ForeignKey:
		out.Kind = catalog.ForeignKey
		return out, b.foreignKey(own, k, out)
	default:
	}
	return nil, b.missing(k, "%s constraints are not supported", k.Kind)
}

func (own *owner) index(name string) int {
	return slices.IndexFunc(own.columns, func(c catalog.Column) bool { return c.Name == name && !c.Dropped })
}

// keyColumns are the columns of a key, each once.
func (b *Binder) keyColumns(own *owner, list []ast.Ident, what string, at int) ([]int, error) {
	var cols []int
	for _, c := range list {
		i := own.index(c.Name)
		if i < 0 {
			return nil, pgerror.New(pgerror.UndefinedColumn, "column %q named in key does not exist", c.Name).At(b.pos(at))
		}
		if slices.Contains(cols, i) {
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q appears twice in %s", c.Name, what).At(b.pos(at))
		}
		cols = append(cols, i)
	}
	return cols, nil
}

// check binds a CHECK over the whole row.
func (b *Binder) check(own *owner, k ast.Constraint, out *Constraint) error {
	cx := &context{scope: rowScope(own.schema, own.name, own.columns), clause: "check constraints"}
	e, err := b.boolean(k.X, cx, "CHECK")
	if err != nil {
		return err
	}
	if e, err = toCols(b, e); err != nil {
		return err
	}
	out.Columns = slices.Sorted(maps.Keys(expr.Columns(e)))
	out.Text = ast.String(k.X)
	out.Expr, err = expr.MarshalExpr(e)
	return err
}

// foreignKey binds REFERENCES.
func (b *Binder) foreignKey(own *owner, k ast.Constraint, out *Constraint) error {
	var err error
	if len(k.Columns) > 0 {
		out.Columns = nil
		for _, c := range k.Columns {
			i := own.index(c.Name)
			if i < 0 {
				return pgerror.New(pgerror.UndefinedColumn, "column %q referenced in foreign key constraint does not exist", c.Name).At(b.pos(c.Pos()))
			}
			out.Columns = append(out.Columns, i)
		}
	}
	parent, err := b.parent(own, k, out)
	if err != nil {
		return err
	}
	refs, err := b.refColumns(parent, k)
	if err != nil {
		return err
	}
	if len(refs) != len(out.Columns) {
		return pgerror.New("42830", "number of referencing and referenced columns for foreign key disagree").At(b.pos(k.Pos()))
	}
	if err := b.matchKey(parent, refs, out, k); err != nil {
		return err
	}
	return b.keyActions(own, k, out)
}

// parent finds the relation referred to.
func (b *Binder) parent(own *owner, k ast.Constraint, out *Constraint) (*owner, error) {
	if own.self == nil && k.RefTable.Last() == own.name && (k.RefTable.Schema() == "" || k.RefTable.Schema() == own.schema) {
		out.Self = true
		return own, nil
	}
	rel, err := b.Relation(k.RefTable)
	if err != nil {
		return nil, err
	}
	if rel.Kind != catalog.Table || !rel.Native() {
		return nil, pgerror.New(pgerror.WrongObjectType, "referenced relation %q is not a table", rel.Name).At(b.pos(k.RefTable.Pos()))
	}
	out.Ref, out.Self = rel.ID, own.self != nil && own.self.ID == rel.ID
	p := &owner{name: rel.Name, schema: rel.Schema, columns: rel.Columns, self: rel}
	if rel.PrimaryKey {
		p.key = rel.Key
	}
	return p, nil
}

func (b *Binder) refColumns(parent *owner, k ast.Constraint) ([]int, error) {
	if len(k.RefColumns) == 0 {
		if parent.key == nil {
			return nil, pgerror.New(pgerror.UndefinedObject, "there is no primary key for referenced table %q", parent.name).At(b.pos(k.RefTable.Pos()))
		}
		return parent.key, nil
	}
	var refs []int
	for _, c := range k.RefColumns {
		i := parent.index(c.Name)
		if i < 0 {
			return nil, pgerror.New(pgerror.UndefinedColumn, "column %q referenced in foreign key constraint does not exist", c.Name).At(b.pos(c.Pos()))
		}
		refs = append(refs, i)
	}
	return refs, nil
}

// matchKey finds the key of parent that refs are, and puts both sides' columns
// into that key's order. RefIndex of a UNIQUE in the same statement stays 0 with
// RefColumns set: the caller knows its index.
func (b *Binder) matchKey(parent *owner, refs []int, out *Constraint, k ast.Constraint) error {
	keys := [][]int{}
	ids := []uint32{}
	if parent.key != nil {
		keys, ids = append(keys, parent.key), append(ids, 0)
	}
	for _, u := range parent.unique {
		keys, ids = append(keys, u), append(ids, 0)
	}
	if parent.self != nil {
		for _, x := range parent.self.Indexes {
			if x.Unique && !x.Building && x.Plain() {
				keys, ids = append(keys, x.Columns), append(ids, x.ID)
			}
		}
	}
	sorted := func(l []int) []int { l = slices.Clone(l); slices.Sort(l); return l }
	for n, key := range keys {
		if !slices.Equal(sorted(key), sorted(refs)) {
			continue
		}
		cols := make([]int, len(key))
		for i, c := range key {
			cols[i] = out.Columns[slices.Index(refs, c)]
		}
		out.Columns, out.RefColumns, out.RefIndex = cols, key, ids[n]
		return nil
	}
	return pgerror.New("42830", "there is no unique constraint matching given keys for referenced table %q", parent.name).At(b.pos(k.RefTable.Pos()))
}

// CheckKeyTypes compares the types of a foreign key's columns with those they
// refer to, once its name is known.
func CheckKeyTypes(c *Constraint, child, parent []catalog.Column) error {
	for i, j := range c.Columns {
		a, r := child[j], parent[c.RefColumns[i]]
		if a.Type.Kind() == r.Type.Kind() && (a.Type.OID == r.Type.OID || kindred(a.Type) && kindred(r.Type)) {
			continue
		}
		return pgerror.New(pgerror.DatatypeMismatch, "foreign key constraint %q cannot be implemented", c.Name).
			WithDetail("Key columns %q and %q are of incompatible types: %s and %s.", a.Name, r.Name, TypeName(a.Type), TypeName(r.Type))
	}
	return nil
}

// kindred types have keys that compare with each other's: the integers, the
// character strings without padding.
func kindred(t types.Type) bool {
	switch t.OID {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8, types.OIDText, types.OIDVarchar:
		return true
	default:
	}
	return false
}

func (b *Binder) keyActions(own *owner, k ast.Constraint, out *Constraint) error {
	action := func(a string) (string, error) {
		switch a = strings.ToUpper(a); a {
		case "", "NO ACTION":
			return "", nil
		}
		return a, nil
	}
	var err error
	if out.OnDelete, err = action(k.OnDelete); err != nil {
		return err
	}
	if out.OnUpdate, err = action(k.OnUpdate); err != nil {
		return err
	}
	out.MatchFull = k.Match == "FULL"
	for _, c := range k.SetColumns {
		i := own.index(c.Name)
		if i < 0 || !slices.Contains(out.Columns, i) {
			return pgerror.New(pgerror.InvalidColumnReference,
				"column %q referenced in ON DELETE SET action must be part of foreign key", c.Name).At(b.pos(c.Pos()))
		}
		out.SetColumns = append(out.SetColumns, i)
	}
	sets := func(action string) bool { return action == "SET NULL" || action == "SET DEFAULT" }
	moves := out.OnUpdate == "CASCADE" || sets(out.OnUpdate) || sets(out.OnDelete)
	for i, c := range own.columns {
		if c.Computed != "" && slices.Contains(out.Columns, i) && moves {
			return pgerror.New(pgerror.SyntaxError, "invalid action for foreign key constraint containing generated column").At(b.pos(k.Pos()))
		}
		if c.Computed != "" && moves {
			return b.missing(k, "ON DELETE SET and ON UPDATE actions in a table with generated columns are not supported")
		}
	}
	return nil
}
