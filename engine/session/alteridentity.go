package session

import (
	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// restart is a sequence that begins anew.
type restart struct {
	sequence uint32
	at       int64
}

// alterIdentity is ADD GENERATED … AS IDENTITY, SET GENERATED and its like, and DROP
// IDENTITY.
func (a *alteration) alterIdentity(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	c := &a.c.Columns[i]
	if x.Kind == ast.AlterAddIdentity {
		return a.addIdentity(x, i)
	}
	if c.Identity == "" {
		if x.IfExists {
			a.s.notice("column %q of relation %q is not an identity column, skipping", c.Name, a.c.Name)
			return nil
		}
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "column %q of relation %q is not an identity column", c.Name, a.c.Name)
	}
	if x.Kind == ast.AlterDropIdentity {
		a.drops = append(a.drops, c.Sequence)
		c.Identity, c.Sequence = "", 0
		a.define()
		return nil
	}
	return a.setIdentity(x.Constraint, c)
}

func (a *alteration) addIdentity(x *ast.AlterAction, i int) error {
	c, k := &a.c.Columns[i], x.Constraint
	if sequenceType(c.Type) == "" {
		return pgerror.New(pgerror.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	bad := func(format string) error {
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, format, c.Name, a.c.Name)
	}
	switch {
	case !c.NotNull:
		return bad("column %q of relation %q must be declared NOT NULL before identity can be added")
	case c.Identity != "":
		return bad("column %q of relation %q is already an identity column")
	case c.Default != "" || c.Computed != "":
		return bad("column %q of relation %q already has a default value")
	}
	c.Identity = "BY DEFAULT"
	if k.Always {
		c.Identity = "ALWAYS"
	}
	seq, err := a.s.columnSequence(a.nm, a.p, a.c, binder.SequenceDef{Column: i, Options: k.Sequence, At: k.Pos()})
	if err != nil {
		return err
	}
	a.made = append(a.made, seq)
	a.define()
	return nil
}

// setIdentity changes an identity column, or its sequence.
func (a *alteration) setIdentity(k *ast.Constraint, c *catalog.Column) error {
	if k.Generation != "" {
		c.Identity = k.Generation
		a.define()
	}
	if len(k.Sequence) == 0 {
		return nil
	}
	seq := a.more[c.Sequence]
	if seq == nil {
		if seq = a.snap.ByID(c.Sequence); seq == nil {
			return pgerror.New(pgerror.UndefinedObject, "column %q has no sequence", c.Name)
		}
		seq = seq.Clone()
	}
	if err := setNumbers(a.p, seq.Numbers, k.Sequence, false); err != nil {
		return err
	}
	at, err := restartAt(a.p, seq.Numbers, k.Sequence)
	if err != nil {
		return err
	}
	if at != nil {
		a.restart = append(a.restart, restart{seq.ID, *at})
	}
	a.more[seq.ID] = seq
	return nil
}

// dropExpression is DROP EXPRESSION: the column keeps the values that it has.
func (a *alteration) dropExpression(x *ast.AlterAction) error {
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	c := &a.c.Columns[i]
	switch {
	case c.Computed != "":
		c.Computed = ""
		a.define()
	case x.IfExists:
		a.s.notice("column %q of relation %q is not a stored generated column, skipping", c.Name, a.c.Name)
	default:
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "column %q of relation %q is not a stored generated column", c.Name, a.c.Name)
	}
	return nil
}
