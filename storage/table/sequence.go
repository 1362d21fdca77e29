package table

import (
	"encoding/binary"
	"fmt"
	"maps"
	"time"

	"velostream/pgwire/pgerror"
)

// sequenceAhead is how many numbers are reserved with one write; after a crash
// those not given out are skipped, as in PostgreSQL. Of a sequence whose numbers go
// fast, as when many rows are inserted, more are: twice as many as the last time, up
// to sequenceAheadMax, when those lasted less than sequenceFast.
const (
	sequenceAhead    = 32
	sequenceAheadMax = 8192
	sequenceFast     = time.Second
)

// SequenceOptions are what Next must know of a sequence.
type SequenceOptions struct {
	ID                         uint32
	Name                       string
	Start, Increment, Min, Max int64
	Cycle                      bool
	Volatile                   bool // its numbers need not outlive the server
}

// sequence is a sequence's state. last is the number given out last, or, if
// fresh, the one to be given out first. Stored is a state at or beyond that.
type sequence struct {
	last  int64
	fresh bool
	ahead int // numbers that may still be given out without a write

	reserve  int       // how many the last write reserved
	reserved time.Time // and when
}

func sequenceKey(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte("s"), id) }

// load reads a sequence's state; one that has none is at its start. REQUIRES:
// seqMu is held.
func (db *DB) loadSequence(id uint32, start int64) (*sequence, error) {
	if s := db.sequences[id]; s != nil {
		return s, nil
	}
	b, err := db.store.Get(sequenceKey(id))
	if err != nil {
		return nil, fmt.Errorf("table: sequence: %w", err)
	}
	s := &sequence{last: start, fresh: true}
	if len(b) == 9 {
		s.last, s.fresh = int64(binary.BigEndian.Uint64(b)), b[8] == 1
	}
	db.sequences[id] = s
	return s, nil
}

func (db *DB) storeSequence(id uint32, last int64, fresh, sync bool) error {
	b := db.store.NewBatch()
	b.Put(sequenceKey(id), (&sequence{last: last, fresh: fresh}).encode())
	return db.store.Commit(b, sync)
}

func (s *sequence) encode() []byte {
	v := append(binary.BigEndian.AppendUint64(nil, uint64(s.last)), 0)
	if s.fresh {
		v[8] = 1
	}
	return v
}

// RestartSequence makes v the next number of a sequence once the transaction
// commits, and for itself at once. REQUIRES: it has the sequence alone.
func (tx *Tx) RestartSequence(id uint32, v int64) {
	own := maps.Clone(tx.own.sequences)
	if own == nil {
		own = map[uint32]*sequence{}
	}
	own[id] = &sequence{last: v, fresh: true}
	tx.own.sequences = own
}

// NextValue is DB.NextValue for the transaction's statements: a sequence that it
// restarted gives out numbers that become durable with it.
func (tx *Tx) NextValue(o SequenceOptions) (int64, error) {
	s := tx.own.sequences[o.ID]
	if s == nil {
		return tx.db.NextValue(o)
	}
	next, err := s.next(&o)
	if err == nil {
		s.last, s.fresh = next, false
	}
	return next, err
}

// SetValue is DB.SetValue for the transaction's statements.
func (tx *Tx) SetValue(id uint32, v int64, called bool) error {
	if s := tx.own.sequences[id]; s != nil {
		s.last, s.fresh = v, !called
		return nil
	}
	return tx.db.SetValue(id, v, called)
}

// SequenceState is DB.SequenceState as the transaction sees it.
func (tx *Tx) SequenceState(id uint32, start int64) (last int64, called bool, err error) {
	if s := tx.own.sequences[id]; s != nil {
		return s.last, !s.fresh, nil
	}
	return tx.db.SequenceState(id, start)
}

// settleSequences takes over what a transaction has committed.
func (db *DB) settleSequences(own map[uint32]*sequence) {
	db.seqMu.Lock()
	defer db.seqMu.Unlock()
	for id, s := range own {
		db.sequences[id] = &sequence{last: s.last, fresh: s.fresh}
	}
}

// next is the number that the sequence gives out next. Error 2200H at its end.
func (s *sequence) next(o *SequenceOptions) (int64, error) {
	if s.fresh {
		return s.last, nil
	}
	next, more := o.step(s.last)
	if more {
		return next, nil
	}
	what, end := "maximum", o.Max
	if o.Increment < 0 {
		what, end = "minimum", o.Min
	}
	return 0, pgerror.New("2200H", "nextval: reached %s value of sequence %q (%d)", what, o.Name, end)
}

// step is the number after last; more is false at the end of a sequence that
// does not cycle.
func (o *SequenceOptions) step(last int64) (next int64, more bool) {
	next = last + o.Increment
	over := o.Increment > 0 && (next > o.Max || next < last) || o.Increment < 0 && (next < o.Min || next > last)
	switch {
	case !over:
		return next, true
	case !o.Cycle:
		return last, false
	case o.Increment > 0:
		return o.Min, true
	}
	return o.Max, true
}

// NextValue gives out the next number of a sequence. It is durable: no number is
// given out twice, rollback or crash. Error 2200H at its end.
func (db *DB) NextValue(o SequenceOptions) (int64, error) {
	db.seqMu.Lock()
	defer db.seqMu.Unlock()
	s, err := db.loadSequence(o.ID, o.Start)
	if err != nil {
		return 0, err
	}
	next, err := s.next(&o)
	if err != nil {
		return 0, err
	}
	if s.ahead == 0 {
		now := time.Now()
		if s.reserve = min(2*s.reserve, sequenceAheadMax); s.reserve == 0 || now.Sub(s.reserved) > sequenceFast {
			s.reserve = sequenceAhead
		}
		s.reserved = now
		stored, n := next, 0
		for ; n < s.reserve; n++ {
			v, more := o.step(stored)
			if !more {
				break
			}
			stored = v
		}
		if err := db.storeSequence(o.ID, stored, false, !o.Volatile); err != nil {
			return 0, err
		}
		s.ahead = n + 1
	}
	s.last, s.fresh = next, false
	s.ahead--
	return next, nil
}

// SetValue sets a sequence: the next number is the one after v if called, else
// v itself.
func (db *DB) SetValue(id uint32, v int64, called bool) error {
	db.seqMu.Lock()
	defer db.seqMu.Unlock()
	if err := db.storeSequence(id, v, !called, true); err != nil {
		return err
	}
	db.sequences[id] = &sequence{last: v, fresh: !called}
	return nil
}

// SequenceState returns the number given out last, and whether one was.
func (db *DB) SequenceState(id uint32, start int64) (last int64, called bool, err error) {
	db.seqMu.Lock()
	defer db.seqMu.Unlock()
	s, err := db.loadSequence(id, start)
	if err != nil {
		return 0, false, err
	}
	return s.last, !s.fresh, nil
}
