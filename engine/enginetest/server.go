// Package enginetest starts whole servers in process for tests: an engine with
// its wire server on a free port, and a real PostgreSQL beside it where one is
// installed.
package enginetest

import (
	"context"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"velostream/engine"
	"velostream/pgwire"

	"github.com/jackc/pgx/v5"
)

// Server is a running server. Stop and Start may follow each other: the data
// directory stays.
type Server struct {
	t       testing.TB
	Options engine.Options
	Engine  *engine.Engine
	Addr    string
	wire    *pgwire.Server
	done    chan error
}

// Start runs a server on a fresh data directory until the test ends. o may be
// partly set.
func Start(t testing.TB, o engine.Options) *Server {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	if o.Logger == nil && os.Getenv("VELOSTREAM_TEST_LOG") != "" {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s := &Server{t: t, Options: o}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start opens the engine and listens.
func (s *Server) Start() {
	s.t.Helper()
	e, err := engine.Open(context.Background(), s.Options)
	if err != nil {
		s.t.Fatalf("engine: %v", err)
	}
	w, err := pgwire.New(pgwire.Options{Backend: e.Backend(), Authenticator: pgwire.Trust, Logger: s.Options.Logger})
	if err != nil {
		s.t.Fatalf("wire server: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	s.Engine, s.wire, s.Addr, s.done = e, w, ln.Addr().String(), make(chan error, 1)
	go func() { s.done <- w.Serve(context.Background(), ln) }()
}

// Stop ends the server as SIGTERM does. It may be called again.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.StopError(); err != nil {
		s.t.Errorf("engine: %v", err)
	}
}

// StopError is Stop of a server that may have trouble closing its files; it
// returns what the engine says.
func (s *Server) StopError() error {
	if s.Engine == nil {
		return nil
	}
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.wire.Shutdown(ctx); err != nil {
		s.t.Errorf("wire server: %v", err)
	}
	<-s.done
	err := s.Engine.Close()
	s.Engine = nil
	return err
}

// DSN is how a client connects.
func (s *Server) DSN() string { return "postgres://velo@" + s.Addr + "/velostream?sslmode=disable" }

// Connect opens a connection that closes with the test.
func (s *Server) Connect() *pgx.Conn {
	s.t.Helper()
	c, err := pgx.Connect(context.Background(), s.DSN())
	if err != nil {
		s.t.Fatalf("connect: %v", err)
	}
	s.t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}
