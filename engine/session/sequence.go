package session

import (
	"context"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
	"velostream/storage/table"
)

// sequences implements expr.Sequences for a session.
type sequences struct{ s *Session }

// given is what nextval gave a session.
type given struct {
	values map[uint32]int64
	last   uint32 // the sequence of the last call
}

func (q sequences) find(id uint32) (*catalog.Relation, error) {
	r := q.s.catalog().ByID(id)
	switch {
	case r == nil:
		return nil, pgerror.New(pgerror.UndefinedTable, "could not open relation with OID %d", id)
	case r.Kind != catalog.Sequence:
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a sequence", r.Name)
	}
	return r, q.s.foreignTemp(r.Schema)
}

// permit demands one of the privileges. The sequence of an identity column gives
// its numbers to whoever may insert rows.
func (q sequences) permit(r *catalog.Relation, privileges auth.Privilege) error {
	snap, who := q.s.catalog(), q.s.who()
	if snap.Granted(r, who, privileges) != auth.None {
		return nil
	}
	if t := snap.ByID(r.Numbers.Owner); t != nil && privileges.Has(auth.Usage) && t.Columns[r.Numbers.Column].Identity != "" {
		a := catalog.Access{Relation: t.ID}
		a.Insert()
		if snap.Check(who, []catalog.Access{a}) == nil {
			return nil
		}
	}
	return catalog.Denied("sequence", r.Name)
}

func sequenceOptions(r *catalog.Relation) table.SequenceOptions {
	n := r.Numbers
	return table.SequenceOptions{ID: r.ID, Name: r.Name, Start: n.Start, Increment: n.Increment, Min: n.Min, Max: n.Max, Cycle: n.Cycle, Volatile: r.Temporary()}
}

// Next implements expr.Sequences.
func (q sequences) Next(id uint32) (int64, error) {
	r, err := q.find(id)
	if err == nil {
		err = q.permit(r, auth.Usage|auth.Update)
	}
	if err != nil {
		return 0, err
	}
	if q.s.tx != nil && q.s.tx.readOnly && lasting(r) {
		return 0, pgerror.New(pgerror.ReadOnlyTransaction, "cannot execute nextval() in a read-only transaction")
	}
	v, err := q.s.nextValue(sequenceOptions(r))
	if err != nil {
		return 0, err
	}
	q.s.given.put(id, v)
	q.s.given.last = id
	return v, nil
}

func (s *Session) nextValue(o table.SequenceOptions) (int64, error) {
	if s.tx != nil {
		return s.tx.tx.NextValue(o)
	}
	return s.e.Tables.NextValue(o)
}

func (s *Session) setValue(id uint32, v int64, called bool) error {
	if s.tx != nil {
		return s.tx.tx.SetValue(id, v, called)
	}
	return s.e.Tables.SetValue(id, v, called)
}

func (g *given) put(id uint32, v int64) {
	if g.values == nil {
		g.values = map[uint32]int64{}
	}
	g.values[id] = v
}

// Current implements expr.Sequences.
func (q sequences) Current(id uint32) (int64, error) {
	r, err := q.find(id)
	if err == nil {
		err = q.permit(r, auth.Usage|auth.Select)
	}
	if err != nil {
		return 0, err
	}
	v, ok := q.s.given.values[id]
	if !ok {
		return 0, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "currval of sequence %q is not yet defined in this session", r.Name)
	}
	return v, nil
}

// Last implements expr.Sequences.
func (q sequences) Last() (int64, error) {
	v, ok := q.s.given.values[q.s.given.last]
	if !ok {
		return 0, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "lastval is not yet defined in this session")
	}
	if r, err := q.find(q.s.given.last); err == nil {
		return v, q.permit(r, auth.Usage|auth.Select)
	}
	return v, nil
}

// Set implements expr.Sequences.
func (q sequences) Set(id uint32, v int64, called bool) error {
	r, err := q.find(id)
	if err == nil {
		err = q.permit(r, auth.Update)
	}
	if err != nil {
		return err
	}
	if v < r.Numbers.Min || v > r.Numbers.Max {
		return pgerror.New(pgerror.NumericValueOutOfRange, "setval: value %d is out of bounds for sequence %q (%d..%d)",
			v, r.Name, r.Numbers.Min, r.Numbers.Max)
	}
	if err := q.s.setValue(id, v, called); err != nil {
		return err
	}
	if called {
		q.s.given.put(id, v)
	}
	return nil
}

// createSequence is CREATE and ALTER SEQUENCE with options.
func (s *Session) createSequence(ctx context.Context, p ast.Parsed, n *ast.CreateSequence) (string, error) {
	if n.Alter {
		return "ALTER SEQUENCE", s.alterSequence(ctx, p, n)
	}
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		at, err := s.placeTable(snap, p, n.Name, n.Temp)
		if err != nil {
			return nil, err
		}
		if at.exists != nil {
			_, err := s.taken(at, n.IfNotExists)
			return nil, err
		}
		num := newNumbers("")
		if err := setNumbers(p, num, n.Options, true); err != nil {
			return nil, err
		}
		r := &catalog.Relation{
			ID: snap.NextID(), Schema: at.schema, Name: at.name, Kind: catalog.Sequence, Owner: s.who(), EventTime: -1,
			Definition: p.Text, Numbers: num, ACL: snap.NewACL(s.who(), at.schema, auth.Sequence),
		}
		return append(at.first, catalog.Change{Put: r}), s.ownedBy(snap, p, r, n.Options)
	})
	return "CREATE SEQUENCE", err
}

// ownedBy applies OWNED BY table.column or NONE.
func (s *Session) ownedBy(snap *catalog.Snapshot, p ast.Parsed, r *catalog.Relation, opts []ast.SeqOption) error {
	for _, o := range opts {
		if o.Name != "OWNED BY" {
			continue
		}
		if len(o.Owner.Parts) < 2 {
			if len(o.Owner.Parts) == 1 && lower(o.Owner.Parts[0]) != "none" {
				return pgerror.New(pgerror.SyntaxError, "invalid OWNED BY option").
					WithHint("Specify OWNED BY table.column or OWNED BY NONE.").At(p.Position(o.Pos()))
			}
			r.PartOf, r.Numbers.Owner = 0, 0
			continue
		}
		name := o.Owner
		name.Parts = name.Parts[:len(name.Parts)-1]
		t, err := s.owned(snap, p, name)
		if err != nil {
			return err
		}
		i := t.ColumnIndex(o.Owner.Last())
		if i < 0 {
			return pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", o.Owner.Last(), t.Name)
		}
		r.PartOf, r.Numbers.Owner, r.Numbers.Column = t.ID, t.ID, i
	}
	return nil
}

func (s *Session) alterSequence(ctx context.Context, p ast.Parsed, n *ast.CreateSequence) error {
	_, err := s.define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		r, err := s.relation(snap, p, n.Name)
		if err != nil {
			if n.IfNotExists {
				s.notice("relation %q does not exist, skipping", n.Name.Last())
				return nil, nil
			}
			return nil, err
		}
		if r.Kind != catalog.Sequence {
			return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a sequence", r.Name)
		}
		if err := s.owns(snap, r); err != nil {
			return nil, err
		}
		c := r.Clone()
		if err := setNumbers(p, c.Numbers, n.Options, false); err != nil {
			return nil, err
		}
		restart, err := restartAt(p, c.Numbers, n.Options)
		if err != nil {
			return nil, err
		}
		x := &redefinition{changes: []catalog.Change{{Put: c}}, after: func(tx *table.Tx, _ *catalog.Snapshot) error {
			if restart != nil {
				tx.RestartSequence(r.ID, *restart)
			}
			return nil
		}}
		return x, s.ownedBy(snap, p, c, n.Options)
	})
	return err
}

// restartAt is where RESTART [WITH n] sets the sequence, nil: it is not given.
func restartAt(p ast.Parsed, n *catalog.Numbers, opts []ast.SeqOption) (*int64, error) {
	for _, o := range opts {
		if o.Name != "RESTART" {
			continue
		}
		v := n.Start
		if o.Value != "" {
			var err error
			if v, err = strconv.ParseInt(o.Value, 10, 64); err != nil {
				return nil, pgerror.New(pgerror.NumericValueOutOfRange, "value %q is out of range for type bigint", o.Value).At(p.Position(o.Pos()))
			}
		}
		if v < n.Min {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "RESTART value (%d) cannot be less than MINVALUE (%d)", v, n.Min)
		}
		if v > n.Max {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "RESTART value (%d) cannot be greater than MAXVALUE (%d)", v, n.Max)
		}
		return &v, nil
	}
	return nil, nil
}
