package pgwire

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configures a Server. Zero fields take the defaults named.
type Options struct {
	// Backend runs the statements. Required.
	Backend Backend
	// Authenticator decides who may connect. Required; Trust admits everyone.
	Authenticator Authenticator
	// TLSConfig returns the configuration for the next TLS handshake; it is
	// called per connection, so certificates can be replaced while running.
	// nil, or a nil result, refuses TLS. A returned value must not change.
	TLSConfig func() *tls.Config
	// MaxConnections is how many clients may be connected (default 1000); the
	// next one gets 53300.
	MaxConnections int
	// MaxMessageBytes bounds the body of one message (default 64 MiB).
	MaxMessageBytes int
	// MaxPreparedStatements bounds named statements, and as many portals, of a
	// session (default 4096).
	MaxPreparedStatements int
	// StartupTimeout is the time from connecting to being authenticated
	// (default 30 s).
	StartupTimeout time.Duration
	// LoginFailures is how often a login of a user from an address may fail before
	// the next one has to wait, each time longer (default 5; negative: for ever).
	LoginFailures int
	// Logger receives what an operator must know (default: discards).
	Logger *slog.Logger
	// Metrics is where the server's metrics are registered (default: nowhere).
	Metrics prometheus.Registerer
	// ServerVersion is reported as server_version where Session.Params does
	// not name one (default "15.0"). Drivers parse it.
	ServerVersion string
}

// ensureDefaults returns o with all defaults filled in.
func (o Options) ensureDefaults() Options {
	if o.MaxConnections == 0 {
		o.MaxConnections = 1000
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = 64 << 20
	}
	if o.MaxPreparedStatements == 0 {
		o.MaxPreparedStatements = 4096
	}
	if o.StartupTimeout == 0 {
		o.StartupTimeout = 30 * time.Second
	}
	if o.LoginFailures == 0 {
		o.LoginFailures = 5
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ServerVersion == "" {
		o.ServerVersion = "15.0"
	}
	return o
}

// validate reports what cannot be. REQUIRES: defaults are filled in.
func (o Options) validate() error {
	const messageMax = 1 << 30 // PostgreSQL's own limit
	switch {
	case o.Backend == nil:
		return errors.New("pgwire: no Backend given")
	case o.Authenticator == nil:
		return errors.New("pgwire: no Authenticator given (use pgwire.Trust to admit everyone)")
	case o.MaxConnections < 0 || o.MaxPreparedStatements < 0 || o.StartupTimeout < 0:
		return errors.New("pgwire: limits must not be negative")
	case o.MaxMessageBytes < 1024 || o.MaxMessageBytes > messageMax:
		return fmt.Errorf("pgwire: MaxMessageBytes is %d; it must be 1024 to %d", o.MaxMessageBytes, messageMax)
	}
	return nil
}
