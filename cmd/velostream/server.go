package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"velostream/catalog/auth"
	"velostream/cmd/internal/config"
	"velostream/engine"
	"velostream/engine/admin"
	"velostream/engine/job"
	"velostream/pgwire"
)

// server is everything that runs in a server process, started and stopped in
// the order that startServer and stop can be read in.
type server struct {
	c   config.Config
	log *slog.Logger

	listener, httpListener net.Listener
	broker                 *devBroker // nil: none
	engine                 atomic.Pointer[engine.Engine]
	wire                   *pgwire.Server
	http                   *http.Server
	auth                   *authenticator
	certs                  *certificates // nil: no TLS

	unready atomic.Pointer[string] // why no clients are wanted, nil: they are
	failed  chan error             // of a listener that broke, one each
	wireEnd chan struct{}          // the wire server's goroutine ended
	httpEnd chan struct{}
}

// httpGrace is how long a request over HTTP may go on when the server stops.
const httpGrace = 200 * time.Millisecond

// startServer checks c, listens, opens the database, and serves. The caller
// must call Wait. ctx bounds the start only.
func startServer(ctx context.Context, c config.Config, log *slog.Logger) (_ *server, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &server{c: c, log: log, failed: make(chan error, 2)}
	if s.auth, err = newAuthenticator(c, s.roles); err != nil {
		return nil, err
	}
	if s.certs, err = newCertificates(c, log); err != nil {
		return nil, err
	}
	s.refuse("starting")
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if s.listener, err = listen(ctx, "listen", c.Listen); err != nil {
		return nil, err
	}
	if s.httpListener, err = listen(ctx, "http_listen", c.HTTPListen); err != nil {
		return nil, err
	}
	metrics, err := admin.Registry(versionText())
	if err != nil {
		return nil, err
	}
	if err := metrics.Register(admin.NewCollector(running{s})); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	s.serveHTTP(admin.Options{Ready: s.Ready, Metrics: metrics, Pprof: c.Pprof, Logger: log})
	if c.DevKafka != "" {
		if s.broker, err = startBroker(ctx, c, log); err != nil {
			return nil, err
		}
	}
	e, err := engine.Open(ctx, engine.Options{
		DataDir: c.DataDir, Shards: c.Shards, EpochInterval: c.EpochInterval, CheckpointInterval: c.CheckpointInterval,
		JobMemoryBytes: int64(c.JobMemory), MemoryBytes: limitMemory(ctx, int64(c.MemoryLimit), log), CacheBytes: int64(c.CacheSize), Logger: log, Metrics: metrics,
		Reload:  s.reload,
		Backlog: job.BacklogLimits{Bytes: int64(c.BacklogBytes), Rows: int64(c.BacklogRows), Age: c.BacklogAge},
		HBA:     func() auth.Rules { return *s.auth.rules.Load() },
	})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", c.DataDir, err)
	}
	s.engine.Store(e)
	wire, err := pgwire.New(pgwire.Options{
		Backend: e.Backend(), Authenticator: s.auth, TLSConfig: s.certs.current, MaxConnections: c.MaxConnections,
		LoginFailures: loginFailures(c), Logger: log, Metrics: metrics,
	})
	if err != nil {
		return nil, err
	}
	s.serveWire(wire)
	s.unready.Store(nil)
	log.InfoContext(ctx, "ready", "listen", s.Addr(), "http", s.HTTPAddr(), "data_dir", c.DataDir, "version", versionText())
	return s, nil
}

func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return ln, nil
}

func (s *server) serveHTTP(o admin.Options) {
	s.http, s.httpEnd = admin.NewServer(o), make(chan struct{})
	go func() {
		defer close(s.httpEnd)
		if err := s.http.Serve(s.httpListener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("http: %w", err)
		}
	}()
}

func (s *server) serveWire(wire *pgwire.Server) {
	s.wire, s.wireEnd = wire, make(chan struct{})
	go func() {
		defer close(s.wireEnd)
		// Its own context: Shutdown, not the start's end, ends it.
		if err := wire.Serve(context.Background(), s.listener); err != nil && !errors.Is(err, pgwire.ErrServerClosed) {
			s.failed <- fmt.Errorf("clients: %w", err)
		}
	}()
}

// Addr is where clients connect.
func (s *server) Addr() string { return s.listener.Addr().String() }

// HTTPAddr is where health and metrics are.
func (s *server) HTTPAddr() string { return s.httpListener.Addr().String() }

// roles are the catalog's.
func (s *server) roles() auth.Roles {
	if e := s.engine.Load(); e != nil {
		return e.Roles()
	}
	return nil
}

// loginFailures is the setting in the form of pgwire.Options.
func loginFailures(c config.Config) int {
	if c.LoginFailures == 0 {
		return -1
	}
	return c.LoginFailures
}

// reload reads the files again that say who may connect, as SIGHUP and
// pg_reload_conf() ask. What is wrong with one is logged, and it stays as it was.
func (s *server) reload() error {
	err := errors.Join(s.auth.reload(), s.certs.reload())
	if err != nil {
		s.log.ErrorContext(context.Background(), "not reloaded", "error", err)
		return err
	}
	s.log.InfoContext(context.Background(), "reloaded")
	return nil
}

// Ready is nil when clients are welcome.
func (s *server) Ready() error {
	if why := s.unready.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}

func (s *server) refuse(why string) { s.unready.Store(&why) }

// Wait serves until ctx ends or a listener breaks, and stops the server.
func (s *server) Wait(ctx context.Context) error {
	var err error
	select {
	case err = <-s.failed:
		s.log.ErrorContext(ctx, "stopping", "error", err)
	case <-ctx.Done():
		s.log.InfoContext(ctx, "stopping")
	}
	return errors.Join(err, s.stop())
}

// stop ends what was started, clients first, so that nothing is asked of what
// is gone already; the last checkpoints are written by Engine.Close.
func (s *server) stop() error {
	s.refuse("shutting down")
	var errs []error
	if s.wire != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.c.DrainTimeout)
		if err := s.wire.Shutdown(ctx); err != nil {
			s.log.WarnContext(ctx, "statements were cut off", "error", err)
		}
		cancel()
		<-s.wireEnd
	} else if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	if e := s.engine.Swap(nil); e != nil {
		errs = append(errs, e.Close())
	}
	if s.broker != nil {
		s.broker.Close()
	}
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), httpGrace)
		if s.http.Shutdown(ctx) != nil {
			errs = append(errs, s.http.Close())
		}
		cancel()
		<-s.httpEnd
	} else if s.httpListener != nil {
		errs = append(errs, s.httpListener.Close())
	}
	return errors.Join(errs...)
}

// brokerDir is where the embedded broker keeps its topics.
func brokerDir(c config.Config) string { return filepath.Join(c.DataDir, "dev-kafka") }
