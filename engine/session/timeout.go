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
		return s.settings.timeout("idle_in_transaction_session_timeout"),
			pgerror.New(pgerror.IdleInTransaction, "terminating connection due to idle-in-transaction timeout")
	}
	return s.settings.timeout("idle_session_timeout"),
		pgerror.New(pgerror.IdleSession, "terminating connection due to idle-session timeout")
}
