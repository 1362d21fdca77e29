package session

import (
	"slices"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// assignment is a parameter that was set within a transaction block.
type assignment struct {
	key      string
	old, now string
	local    bool // until the end of the block: SET LOCAL
}

// assignmentsMax bounds how often a transaction block sets parameters.
const assignmentsMax = 100_000

// block is the open transaction block, nil: there is none.
func (s *Session) block() *transaction {
	if s.tx == nil || s.tx.implicit {
		return nil
	}
	return s.tx
}

// assign sets a parameter and tells the client where it must know. In a
// transaction block that is undone with it, and at its end when local.
func (s *Session) assign(key, v string, local bool) error {
	t := s.block()
	if t != nil && len(t.assigned) >= assignmentsMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "a transaction can set parameters %d times", assignmentsMax)
	}
	if key == "role" || key == "session_authorization" {
		if err := s.become(key, v); err != nil {
			return err
		}
	}
	old := s.settings.values[key]
	if t == nil && local {
		_, err := s.settings.check(key, v)
		if err == nil {
			s.warning(pgerror.NoActiveTransaction, "SET LOCAL can only be used in transaction blocks")
		}
		return err
	}
	if err := s.settings.assign(key, v); err != nil {
		return err
	}
	now := s.settings.values[key]
	if t == nil && len(s.loose) < assignmentsMax {
		s.loose = append(s.loose, assignment{key, old, now, false})
	}
	if t != nil {
		t.assigned = append(t.assigned, assignment{key, old, now, local})
		if key == "transaction_read_only" {
			t.readOnly = now == "on"
		}
	}
	s.tell(key, old)
	if t == nil {
		s.follow(key)
	}
	return s.followRole(key, local)
}

// tell sends a parameter that is not old any more, if it is one that clients
// are told of.
func (s *Session) tell(key, old string) {
	if d := s.settings.all[key]; d != nil && d.reported && s.settings.values[key] != old {
		s.notify.Parameter(d.name, s.settings.values[key])
	}
}

// transactionDefaults are the parameters of a transaction, and what they begin
// as.
var transactionDefaults = [...]struct{ of, from string }{
	{"transaction_isolation", "default_transaction_isolation"},
	{"transaction_read_only", "default_transaction_read_only"},
}

// follow shows a changed default outside of a block.
func (s *Session) follow(key string) {
	for _, d := range transactionDefaults {
		if key == d.from || key == d.of {
			s.settings.values[d.of] = s.settings.values[d.from]
		}
	}
}

// unassign puts back what the parameters were before the assignments from n
// on, as a ROLLBACK does.
func (s *Session) unassign(t *transaction, n int) {
	for i := len(t.assigned) - 1; i >= n; i-- {
		a := t.assigned[i]
		s.put(a.key, a.old)
		if a.key == "transaction_read_only" {
			t.readOnly = a.old == "on"
		}
	}
	t.assigned = t.assigned[:n]
}

// settleLoose ends the assignments outside of a block, at Sync: they stand, or
// are taken back with all that was done since the last one.
func (s *Session) settleLoose(failed bool) {
	if failed {
		for _, a := range slices.Backward(s.loose) {
			s.put(a.key, a.old)
			s.follow(a.key)
		}
	}
	s.loose = s.loose[:0]
}

// settle ends what a committed block set for itself only.
func (s *Session) settle(t *transaction) {
	final := map[string]string{}
	for _, a := range t.assigned {
		if _, again := final[a.key]; !a.local {
			final[a.key] = a.now
		} else if !again {
			final[a.key] = a.old
		}
	}
	for key, v := range final {
		s.put(key, v)
	}
	for _, d := range transactionDefaults {
		s.put(d.of, s.settings.values[d.from])
	}
}

func (s *Session) put(key, v string) {
	old := s.settings.values[key]
	s.settings.values[key], s.settings.fmt = v, nil
	s.tell(key, old)
	if key == "role" || key == "session_authorization" {
		s.showSuperuser()
	}
}

// modes sets the modes of the open block.
func (s *Session) modes(options []ast.Option) error {
	for _, o := range options {
		var err error
		switch o.Name {
		case "isolation":
			err = s.assign("transaction_isolation", o.Value, true)
		case "read_only":
			err = s.assign("transaction_read_only", o.Value, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setTransaction is SET TRANSACTION, and SET SESSION CHARACTERISTICS AS
// TRANSACTION.
func (s *Session) setTransaction(n *ast.SetTransaction) error {
	switch {
	case n.Snapshot != "":
		return pgerror.Unsupported("SET TRANSACTION SNAPSHOT is not supported")
	case n.Session:
		for _, o := range n.Options {
			var err error
			switch o.Name {
			case "isolation":
				err = s.assign("default_transaction_isolation", o.Value, false)
			case "read_only":
				err = s.assign("default_transaction_read_only", o.Value, false)
			}
			if err != nil {
				return err
			}
		}
		return nil
	case s.block() == nil:
		s.warning(pgerror.NoActiveTransaction, "SET TRANSACTION can only be used in transaction blocks")
		return nil
	}
	return s.modes(n.Options)
}
