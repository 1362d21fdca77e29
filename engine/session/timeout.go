package session

import (
	"time"

	"velostream/pgwire/pgerror"
)

// StatementTimeout implements pgwire.Limiter.
func (s *Session) StatementTimeout() time.Duration { return s.settings.timeout("statement_timeout") }

// IdleTimeout implements pgwire.Limiter.
func (s *Session) IdleTimeout() (time.Duration, *pgerror.Error) {
	if s.block() != nil {
		d := s.settings.timeout("idle_in_transaction_session_timeout")
		if d <= 0 {
			return 0, nil
		}
		return d, pgerror.New(pgerror.IdleInTransaction, "terminating connection due to idle-in-transaction timeout")
	}
	d := s.settings.timeout("idle_session_timeout")
	if d <= 0 {
		return 0, nil
	}
	return d, pgerror.New(pgerror.IdleSession, "terminating connection due to idle-session timeout")
}
