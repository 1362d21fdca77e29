package table

import (
	"maps"
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// deferredMax bounds the checks that one transaction leaves for its end: they are held
// in memory.
const deferredMax = 1 << 20

// Deferral is when a transaction checks its deferrable foreign keys, and what it has
// left for later. A value; see SetDeferral.
type Deferral struct {
	all    *bool           // SET CONSTRAINTS ALL, nil: as each is declared
	some   map[uint32]bool // those named since, by OID
	checks []keyCheck
}

// Deferral returns the transaction's, for SetDeferral.
func (tx *Tx) Deferral() Deferral { return tx.deferral }

// SetDeferral makes it what it was, after RollbackTo.
func (tx *Tx) SetDeferral(d Deferral) { tx.deferral = d }

// Defer says when the deferrable foreign keys with the OIDs ids, nil: all, are checked
// from here on: when the transaction ends, or with each statement. What waits and is to
// wait no longer is checked now. Errors: 23503.
func (tx *Tx) Defer(ids []uint32, deferred bool) error {
	d := &tx.deferral
	if ids == nil {
		d.all, d.some = &deferred, nil
	} else {
		d.some = maps.Clone(d.some)
		if d.some == nil {
			d.some = map[uint32]bool{}
		}
		for _, id := range ids {
			d.some[id] = deferred
		}
	}
	if deferred {
		return nil
	}
	return tx.settle(tx.waits)
}

// waits reports that c is made when the transaction ends. What an action other than NO
// ACTION demands is never deferred.
func (tx *Tx) waits(c keyCheck) bool {
	fk := c.fk
	if !fk.Deferrable || !c.arrived && (c.deleted && fk.OnDelete != NoAction || !c.deleted && fk.OnUpdate != NoAction) {
		return false
	}
	if v, ok := tx.deferral.some[fk.ID]; ok {
		return v
	}
	if tx.deferral.all != nil {
		return *tx.deferral.all
	}
	return fk.Deferred
}

// deferChecks leaves checks for later.
func (tx *Tx) deferChecks(list []keyCheck) error {
	if len(list) == 0 {
		return nil
	}
	if len(tx.deferral.checks)+len(list) > deferredMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "transaction defers the check of more than %d keys", deferredMax).
			WithHint("SET CONSTRAINTS ALL IMMEDIATE, or commit in smaller steps.")
	}
	for _, c := range list {
		c.late = true
		tx.deferral.checks = append(tx.deferral.checks, c)
	}
	return nil
}

// Pending reports that checks of the relation's rows wait for the end of the
// transaction.
func (tx *Tx) Pending(relation uint32) bool {
	return slices.ContainsFunc(tx.deferral.checks, func(c keyCheck) bool { return c.rel.ID == relation })
}

// EndDeferred makes the checks that were left for the end of the transaction. Errors:
// 23503; ErrConflict as Insert.
func (tx *Tx) EndDeferred() error { return tx.settle(func(keyCheck) bool { return false }) }

// settle makes the checks that do not wait any longer.
func (tx *Tx) settle(waits func(keyCheck) bool) error {
	if len(tx.deferral.checks) == 0 {
		return nil
	}
	if err := tx.Refresh(); err != nil {
		return err
	}
	var left []keyCheck // a list of its own: a savepoint may have the other
	for _, c := range tx.deferral.checks {
		if waits(c) {
			left = append(left, c)
			continue
		}
		now, still := tx.current(c)
		if !still {
			continue
		}
		if err := tx.check(now); err != nil {
			return err
		}
	}
	tx.deferral.checks = left
	return nil
}

// current is c about the definitions as they are now; false: the foreign key is gone.
func (tx *Tx) current(c keyCheck) (keyCheck, bool) {
	child, err := tx.relation(c.fk.Child)
	if err != nil {
		return c, false
	}
	for _, fk := range child.Foreign {
		if fk.ID != c.fk.ID {
			continue
		}
		c.fk = fk
		rel, err := tx.relation(c.rel.ID)
		if err != nil {
			return c, false
		}
		c.rel = rel
		return c, true
	}
	return c, false
}

// DefaultsFrom says where the transaction finds the default of a relation's column, for
// ON DELETE and ON UPDATE SET DEFAULT.
func (tx *Tx) DefaultsFrom(f func(relation uint32, column int) (types.Datum, error)) { tx.defaults = f }

// defaultsOf are the defaults of the columns that act sets.
func (tx *Tx) defaultsOf(relation uint32, columns []int, act Action) ([]types.Datum, error) {
	if act != SetDefault {
		return nil, nil
	}
	out := make([]types.Datum, len(columns))
	for i, c := range columns {
		out[i] = types.NullDatum
		if tx.defaults == nil {
			continue
		}
		var err error
		if out[i], err = tx.defaults(relation, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}
