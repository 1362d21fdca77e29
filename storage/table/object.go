package table

import (
	"encoding/binary"

	"velostream/storage/column"
)

// Objects are locked as rows are: who writes to a relation shares it until its
// transaction ends, who changes its definition has it alone. So a change of a
// definition waits for those that write, they wait for it, and a circle of
// waiting is found across both. Nobody new shares what somebody waits for alone.

// ObjectKey is the lock of a relation.
func ObjectKey(id uint32) string { return string(binary.BigEndian.AppendUint32([]byte{'t'}, id)) }

// NameKey is the lock of a name.
func NameKey(name string) string { return "n" + name }

func isObject(key string) bool { return key[0] == 't' || key[0] == 'n' || key[0] == 'a' }

// LockObject takes an object until the transaction ends, alone or shared.
// Errors: 40P01, 55P03, or the context's.
func (tx *Tx) LockObject(key string, alone bool) error { return tx.lockObject(key, alone, true) }

// TryLockObject is LockObject that does not wait. ErrLocked: another has it.
func (tx *Tx) TryLockObject(key string, alone bool) error { return tx.lockObject(key, alone, false) }

func (tx *Tx) lockObject(key string, alone, wait bool) error {
	if alone {
		return tx.acquire(key, LockUpdate, wait)
	}
	return tx.acquire(key, LockKeyShare, wait)
}

// narrow is b without the columns that a plan carries behind those of the
// relation. ErrConflict: it was planned for another definition.
func (rel *Relation) narrow(b *column.Batch) (*column.Batch, error) {
	switch n := len(rel.Types); {
	case len(b.Cols) < n:
		return nil, ErrConflict
	case len(b.Cols) > n:
		return &column.Batch{Ops: b.Ops, Cols: b.Cols[:n], N: b.N, Sel: b.Sel}, nil
	}
	return b, nil
}

// Claim takes the lock that writing to the relation needs. ErrConflict: its
// definition is not the one that this transaction's snapshot has; run the statement
// again.
func (tx *Tx) Claim(relation uint32) error {
	_, _, err := tx.claim(relation, nil)
	return err
}

// claim is Claim, before b's rows are written.
func (tx *Tx) claim(relation uint32, b *column.Batch) (*Relation, *writes, error) {
	rel, err := tx.relation(relation)
	if err != nil {
		return nil, nil, err
	}
	if b != nil {
		if _, err := rel.narrow(b); err != nil {
			return nil, nil, err
		}
	}
	w := tx.of(rel)
	if w.claimed {
		return rel, w, nil
	}
	now := tx.db.current.Load().rels[relation]
	if _, own := tx.own.rels[relation]; !own || now != nil {
		if err := tx.LockObject(ObjectKey(relation), false); err != nil {
			return nil, nil, err
		}
		now = tx.db.current.Load().rels[relation]
		if !own && (now == nil || !sameShape(rel, now)) {
			return nil, nil, ErrConflict
		}
	}
	w.claimed = true
	return rel, w, nil
}
