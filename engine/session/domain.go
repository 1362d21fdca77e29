package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// createDomain is CREATE DOMAIN.
func (s *Session) createDomain(ctx context.Context, p ast.Parsed, n *ast.CreateType) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		u, err := s.newType(snap, p, n.Name, catalog.DomainType)
		if err != nil {
			return nil, err
		}
		o := s.bindOptions(p, nil)
		o.Snapshot = snap
		if err := binder.BindDomain(o, n, u); err != nil {
			return nil, err
		}
		d := &domainChange{s: s, p: p, snap: snap, u: u}
		return []catalog.Change{{PutType: u}}, d.constraints(o, n.Constraints)
	})
	return err
}

// domainChange makes or changes a domain.
type domainChange struct {
	s    *Session
	p    ast.Parsed
	snap *catalog.Snapshot
	u    *catalog.UserType // as it will be
	// verify looks at the values that are there.
	verify []func(c *column.Column, i int) error
}

// constraints adds those of CREATE DOMAIN.
func (d *domainChange) constraints(o binder.Options, list []ast.Constraint) error {
	given := map[ast.ConstraintKind]bool{}
	conflict := func() error { return pgerror.New(pgerror.SyntaxError, "conflicting NULL/NOT NULL constraints") }
	for _, k := range list {
		if k.Deferrable != 0 || k.Deferred {
			return pgerror.Unsupported("specifying constraint deferrability not supported for domains").At(d.p.Position(k.Pos()))
		}
		switch k.Kind {
		case ast.DefaultVal:
			if given[k.Kind] {
				return pgerror.New(pgerror.SyntaxError, "multiple default expressions")
			}
			if err := d.setDefault(o, k.X); err != nil {
				return err
			}
		case ast.NotNull:
			if given[ast.Null] {
				return conflict()
			}
			d.u.NotNull = true
		case ast.Null:
			if given[ast.NotNull] {
				return conflict()
			}
		case ast.Check:
			if k.NoInherit {
				return pgerror.New(pgerror.InvalidObjectDefinition, "check constraints for domains cannot be marked NO INHERIT")
			}
			if err := d.addCheck(o, k); err != nil {
				return err
			}
		default:
			return notForDomains(k.Kind)
		}
		given[k.Kind] = true
	}
	return nil
}

// notForDomains refuses a constraint that no domain can have.
func notForDomains(k ast.ConstraintKind) error {
	word := map[ast.ConstraintKind]string{
		ast.Unique: "unique", ast.PrimaryKey: "primary key", ast.ForeignKey: "foreign key", ast.Exclusion: "exclusion",
	}[k]
	if word == "" {
		return pgerror.New(pgerror.SyntaxError, "%s is not possible for domains", string(k))
	}
	return pgerror.New(pgerror.SyntaxError, "%s constraints not possible for domains", word)
}

func (d *domainChange) setDefault(o binder.Options, x ast.Expr) error {
	text, err := binder.BindDomainDefault(o, d.u, x)
	d.u.Default = text
	return err
}

// addCheck adds a CHECK under its name, or one that is free.
func (d *domainChange) addCheck(o binder.Options, k ast.Constraint) error {
	name := k.Name
	taken := func(n string) bool { return d.u.Check(n) != nil }
	switch {
	case name == "":
		name = freeName(d.u.Name, "", "check", taken)
	case taken(name):
		return pgerror.New(pgerror.DuplicateObject, "constraint %q for domain %q already exists", name, d.u.Name)
	}
	text, typed, err := binder.BindDomainCheck(o, d.u, k.X)
	if err != nil {
		return err
	}
	d.u.Checks = append(d.u.Checks, catalog.DomainCheck{ID: d.snap.NextID(), Name: name, Text: text, Expr: typed, NotValid: k.NotValid})
	return nil
}

// alterDomain works through the action of ALTER DOMAIN that only domains have.
func (s *Session) alterDomain(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) (*redefinition, error) {
	d := &domainChange{s: s, p: p, snap: snap, u: c}
	o := s.bindOptions(p, nil)
	o.Snapshot = snap
	missing := func() error {
		return pgerror.New(pgerror.UndefinedObject, "constraint %q of domain %q does not exist", x.Column.Name, c.Name)
	}
	k := c.Check(x.Column.Name)
	switch x.Kind {
	case ast.AlterSetDefault:
		return d.redefinition(d.setDefault(o, x.X))
	case ast.AlterDropDefault:
		c.Default = ""
		return d.redefinition(nil)
	case ast.AlterSetNotNull:
		c.NotNull = true
		d.verifyNotNull()
	case ast.AlterDropNotNull:
		c.NotNull = false
	case ast.AlterAddConstraint:
		if x.Constraint.Kind != ast.Check {
			return nil, notForDomains(x.Constraint.Kind)
		}
		if err := d.addCheck(o, *x.Constraint); err != nil {
			return nil, err
		}
		if added := &c.Checks[len(c.Checks)-1]; !added.NotValid {
			if err := d.verifyCheck(added); err != nil {
				return nil, err
			}
		}
	case ast.AlterDropConstraint:
		if k == nil && x.IfExists {
			s.notice("constraint %q of domain %q does not exist, skipping", x.Column.Name, c.Name)
			return nil, nil
		}
		if k == nil {
			return nil, missing()
		}
		c.Checks = slices.DeleteFunc(c.Checks, func(o catalog.DomainCheck) bool { return o.ID == k.ID })
	case ast.AlterValidate:
		if k == nil {
			return nil, missing()
		}
		k.NotValid = false
		if err := d.verifyCheck(k); err != nil {
			return nil, err
		}
	case ast.AlterRenameConstraint:
		return d.redefinition(d.renameCheck(k, x.NewName.Last(), missing))
	default:
		return nil, pgerror.Unsupported("ALTER DOMAIN … %s is not supported", string(x.Kind)).At(p.Position(x.Pos()))
	}
	if err := d.noJobs(x); err != nil {
		return nil, err
	}
	return d.redefinition(nil)
}

func (d *domainChange) renameCheck(k *catalog.DomainCheck, to string, missing func() error) error {
	if k == nil {
		return missing()
	}
	if d.u.Check(to) != nil {
		return pgerror.New(pgerror.DuplicateObject, "constraint %q for domain %q already exists", to, d.u.Name)
	}
	k.Name = to
	return nil
}

// noJobs refuses to change constraints that jobs have in their plans.
func (d *domainChange) noJobs(x *ast.AlterAction) error {
	for _, u := range domainUses(d.snap, d.u) {
		if u.Relation != nil && u.Column < 0 && u.Relation.Persistent() {
			return pgerror.Unsupported("constraints of domain %q cannot change: %s is computed with it", d.u.Name, useText(u)).
				WithHint("Drop it first, and create it again afterwards.").At(d.p.Position(x.Pos()))
		}
	}
	return nil
}

// domainUses are the uses of u and of the domains made of it.
func domainUses(snap *catalog.Snapshot, u *catalog.UserType) []catalog.TypeUse {
	var out []catalog.TypeUse
	for _, use := range snap.TypeUses(u.ID) {
		out = append(out, use)
		if use.Type != nil {
			out = append(out, domainUses(snap, use.Type)...)
		}
	}
	return out
}

func (d *domainChange) redefinition(err error) (*redefinition, error) {
	if err != nil {
		return nil, err
	}
	x := &redefinition{changes: []catalog.Change{{PutType: d.u}}}
	if len(d.verify) > 0 {
		x.check = d.check
	}
	return x, nil
}

// check looks at the values of all columns of the domain.
func (d *domainChange) check(tx *table.Tx) error {
	for _, u := range domainUses(d.snap, d.u) {
		r := u.Relation
		if r == nil || u.Column < 0 || !r.Native() {
			continue
		}
		err := eachBatch(tx, r, func(b *column.Batch) error {
			if u.Column >= len(b.Cols) {
				return nil
			}
			for i := range b.Each {
				for _, f := range d.verify {
					if err := f(b.Cols[u.Column], i); err != nil {
						return d.inColumn(err, u)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inColumn is the error of a value that is there already.
func (d *domainChange) inColumn(err error, u catalog.TypeUse) error {
	name := u.Relation.Columns[u.Column].Name
	e := pgerror.New(pgerror.Code(err), "column %q of table %q contains values that violate the new constraint", name, u.Relation.Name)
	if e.Code == pgerror.NotNullViolation {
		e.Message = "column " + quoted(name) + " of table " + quoted(u.Relation.Name) + " contains null values"
	}
	return e.OnColumn(u.Relation.Schema, u.Relation.Name, name)
}

func (d *domainChange) verifyNotNull() {
	d.verify = append(d.verify, func(c *column.Column, i int) error {
		if c.Null(i) {
			return types.DomainNull(d.u.Name)
		}
		return nil
	})
}

func (d *domainChange) verifyCheck(k *catalog.DomainCheck) error {
	check, err := job.CheckOf(catalog.Constraint{Name: k.Name, Expr: k.Expr}, d.snap)
	if err != nil {
		return err
	}
	d.verify = append(d.verify, func(c *column.Column, i int) error {
		at, err := check.Violated(&column.Batch{Cols: []*column.Column{c}, N: c.Len(), Sel: []int32{int32(i)}})
		if err == nil && at >= 0 {
			err = types.DomainCheck(d.u.Name, k.Name)
		}
		return err
	})
	return nil
}
