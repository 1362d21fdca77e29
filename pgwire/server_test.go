package pgwire

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testServer is a server on a loopback port, shut down with the test.
type testServer struct {
	*Server
	backend *fakeBackend
	addr    string
	log     *logBuffer
}

func startServer(t testing.TB, change ...func(*Options)) *testServer {
	t.Helper()
	log := &logBuffer{}
	b := newFakeBackend()
	o := Options{Backend: b, Authenticator: Trust, Logger: slog.New(slog.NewTextHandler(log, nil))}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx) // tests may leave clients behind
		select {
		case <-served:
		case <-time.After(15 * time.Second):
			t.Error("Serve does not return")
		}
		if n := s.Stats().Open; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
	return &testServer{Server: s, backend: b, addr: ln.Addr().String(), log: log}
}

func (s *testServer) hostPort() (string, string) {
	host, port, _ := net.SplitHostPort(s.addr)
	return host, port
}

// url is a connection string for pgx.
func (s *testServer) url(extra string) string {
	u := "postgres://alice@" + s.addr + "/db?sslmode=disable"
	if extra != "" {
		u += "&" + extra
	}
	return u
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// within fails the test unless cond holds soon.
func within(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}
