package pgwire

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	v5 "github.com/jackc/pgx/v5/pgproto3"
	"github.com/prometheus/client_golang/prometheus"
)

func TestCancelRequest(t *testing.T) {
	s := startServer(t)
	r, key := connectRaw(t, s.addr)
	cancel := func(pid uint32, secret []byte, prefix ...byte) {
		c := dialRaw(t, s.addr)
		if len(prefix) > 0 { // asyncpg asks for TLS before it cancels
			if _, err := c.Write(prefix); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		c.send(t, &v5.CancelRequest{ProcessID: pid, SecretKey: secret})
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("a cancel request was answered")
		}
	}
	sslRequest := []byte{0, 0, 0, 8, 4, 210, 22, 47}
	for _, prefix := range [][]byte{nil, sslRequest} {
		r.send(t, &v5.Query{String: "wait"})
		until[*v5.RowDescription](t, r) // arrives before the first row
		cancel(key.ProcessID, []byte{1, 2, 3, 4})
		cancel(key.ProcessID+1, key.SecretKey)
		select {
		case err := <-s.backend.ended:
			t.Fatalf("a wrong key cancelled: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		cancel(key.ProcessID, key.SecretKey, prefix...)
		if e := until[*v5.ErrorResponse](t, r); e.Code != "57014" || e.Message != "canceling statement due to user request" {
			t.Errorf("%+v", e)
		}
		until[*v5.ReadyForQuery](t, r)
		<-s.backend.ended
	}
	cancel(key.ProcessID, key.SecretKey) // nothing runs: ignored, also by what comes next
	r.send(t, &v5.Query{String: "insert 1"})
	until[*v5.CommandComplete](t, r)
}

func TestCancelDuringPortalAndCopy(t *testing.T) {
	s := startServer(t)
	r, key := connectRaw(t, s.addr)
	r.send(t, &v5.Parse{Query: "wait"}, &v5.Bind{}, &v5.Describe{ObjectType: 'P'}, &v5.Execute{}, &v5.Sync{})
	until[*v5.RowDescription](t, r)
	if !s.Cancel(key.ProcessID) {
		t.Error("no such client")
	}
	if e := until[*v5.ErrorResponse](t, r); e.Code != "57014" {
		t.Errorf("%+v", e)
	}
	until[*v5.ReadyForQuery](t, r)

	r.send(t, &v5.Query{String: "copyin"})
	until[*v5.CopyInResponse](t, r)
	s.Cancel(key.ProcessID)
	if e := until[*v5.ErrorResponse](t, r); e.Code != "57014" {
		t.Errorf("%+v", e)
	}
	until[*v5.ReadyForQuery](t, r)
	r.send(t, &v5.CopyData{Data: []byte("late")}, &v5.CopyDone{}, &v5.Query{String: "insert 1"})
	until[*v5.CommandComplete](t, r)
	if s.Cancel(9999) || s.Terminate(9999) {
		t.Error("a client that is not there")
	}
}

func TestClientGoneEndsTheQuery(t *testing.T) {
	s := startServer(t)
	for name, leave := range map[string]func(*rawClient){
		"closes":    func(r *rawClient) { _ = r.Close() },
		"resets":    func(r *rawClient) { _ = r.Conn.(*net.TCPConn).SetLinger(0); _ = r.Close() },
		"terminate": func(r *rawClient) { r.send(t, &v5.Terminate{}) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := connectRaw(t, s.addr)
			r.send(t, &v5.Query{String: "wait"})
			until[*v5.RowDescription](t, r)
			r.send(t, &v5.Query{String: "insert 1"}) // pipelined: stays in the queue
			leave(r)
			select {
			case err := <-s.backend.ended:
				if !errors.Is(err, errClientGone) {
					t.Errorf("ended by %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the query goes on")
			}
		})
	}
	within(t, "all sessions closed", func() bool {
		s.backend.mu.Lock()
		defer s.backend.mu.Unlock()
		return s.backend.closed == 3
	})
}

// A client that reads nothing holds up its own query and nobody else's.
func TestSlowClient(t *testing.T) {
	s := startServer(t)
	slow, _ := connectRaw(t, s.addr)
	_ = slow.Conn.(*net.TCPConn).SetReadBuffer(4096)
	slow.send(t, &v5.Query{String: "rows 2000000"})
	within(t, "the slow query is stuck", func() bool {
		n := s.Stats().BytesSent
		time.Sleep(20 * time.Millisecond)
		return n > 64<<10 && s.Stats().BytesSent == n
	})
	c := connectPgx(t, s.url(""))
	start := time.Now()
	checkPgxRows(t, c)
	if d := time.Since(start); d > time.Second {
		t.Errorf("another client waited %v", d)
	}
	var pid uint32
	for _, i := range s.Connections() {
		if strings.HasPrefix(i.Query, "rows 2000000") {
			pid = i.PID
		}
	}
	if !s.Terminate(pid) {
		t.Error("no such client")
	}
	within(t, "the slow client is gone", func() bool { return len(s.Connections()) == 1 })
}

// Rows of an endless query arrive within milliseconds, each by itself.
func TestFlushByTime(t *testing.T) {
	s := startServer(t)
	r, _ := connectRaw(t, s.addr)
	r.send(t, &v5.Query{String: "tick 30"})
	until[*v5.RowDescription](t, r)
	for range 3 {
		start := time.Now()
		until[*v5.DataRow](t, r)
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Errorf("a row took %v", d)
		}
	}
}

func TestConnectionsAndTerminate(t *testing.T) {
	s := startServer(t)
	r := dialRaw(t, s.addr)
	r.send(t, &v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{
		"user": "bob", "Application_Name": "mine", "options": `-c statement_timeout=5s --search-path=a\ b -capplication_name=other`,
		"client_encoding": "'utf-8'",
	}})
	until[*v5.ReadyForQuery](t, r)
	st := s.backend.sessions[0].startup
	if st.User != "bob" || st.Database != "bob" || st.Params["application_name"] != "mine" || st.Params["statement_timeout"] != "5s" ||
		st.Params["search_path"] != "a b" || st.Params["client_encoding"] != "UTF8" {
		t.Errorf("%+v", st)
	}
	r.send(t, &v5.Query{String: "begin"})
	until[*v5.ReadyForQuery](t, r)
	i := s.Connections()[0]
	if i.User != "bob" || i.ApplicationName != "mine" || i.State != "idle in transaction" || i.Query != "begin" || i.TxStart.IsZero() || i.PID != st.PID {
		t.Errorf("%+v", i)
	}
	r.send(t, &v5.Query{String: "wait"})
	until[*v5.RowDescription](t, r)
	if i := s.Connections()[0]; i.State != "active" || i.Query != "wait" {
		t.Errorf("%+v", i)
	}
	s.Terminate(st.PID)
	e := until[*v5.ErrorResponse](t, r)
	if e.Severity != "FATAL" || e.Code != "57P01" {
		t.Errorf("%+v", e)
	}
	if _, err := r.fe.Receive(); err == nil {
		t.Error("the connection stays open")
	}
}

func TestShutdown(t *testing.T) {
	s := startServer(t)
	idle, _ := connectRaw(t, s.addr)
	busy, _ := connectRaw(t, s.addr)
	endless, _ := connectRaw(t, s.addr)
	batch, _ := connectRaw(t, s.addr)
	_ = dialRaw(t, s.addr) // has not said anything yet
	busy.send(t, &v5.Query{String: "burst 1"})
	until[*v5.DataRow](t, busy)
	endless.send(t, &v5.Query{String: "wait"})
	until[*v5.RowDescription](t, endless)
	batch.send(t, &v5.Parse{Query: "insert 1"}, &v5.Flush{})
	until[*v5.ParseComplete](t, batch)

	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	if e := until[*v5.ErrorResponse](t, idle); e.Code != "57P01" || e.Severity != "FATAL" {
		t.Errorf("%+v", e)
	}
	batch.send(t, &v5.Bind{}, &v5.Execute{}, &v5.Sync{})
	until[*v5.CommandComplete](t, batch) // what was begun is finished
	until[*v5.ReadyForQuery](t, batch)
	if e := until[*v5.ErrorResponse](t, batch); e.Code != "57P01" {
		t.Errorf("%+v", e)
	}
	if e := until[*v5.ErrorResponse](t, endless); e.Code != "57P01" || e.Severity != "FATAL" {
		t.Errorf("%+v", e)
	}
	until[*v5.ErrorResponse](t, busy)
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", s.addr); err == nil {
		t.Error("the server still accepts")
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	srv, err := New(Options{Backend: newFakeBackend(), Authenticator: Trust})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	r, _ := connectRaw(t, ln.Addr().String())
	cancel()
	if e := until[*v5.ErrorResponse](t, r); e.Code != "57P01" {
		t.Errorf("%+v", e)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTooManyConnections(t *testing.T) {
	s := startServer(t, func(o *Options) { o.MaxConnections = 2 })
	a, _ := connectRaw(t, s.addr)
	connectRaw(t, s.addr)
	c := dialRaw(t, s.addr)
	c.send(t, &v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{"user": "alice"}})
	if e := until[*v5.ErrorResponse](t, c); e.Code != "53300" || e.Severity != "FATAL" {
		t.Errorf("%+v", e)
	}
	within(t, "both have started", func() bool { return len(s.Connections()) == 2 })
	_ = a.Close()
	within(t, "a place is free", func() bool { return len(s.Connections()) == 1 })
	connectRaw(t, s.addr)
}

func TestPanicCostsOneConnection(t *testing.T) {
	s := startServer(t)
	other, _ := connectRaw(t, s.addr)
	r, _ := connectRaw(t, s.addr)
	r.send(t, &v5.Query{String: "panic"})
	if e := until[*v5.ErrorResponse](t, r); e.Severity != "FATAL" || e.Code != "XX000" || strings.Contains(e.Message, "fake panics") {
		t.Errorf("%+v", e)
	}
	if _, err := r.fe.Receive(); err == nil {
		t.Error("the connection stays open")
	}
	other.send(t, &v5.Query{String: "insert 1"})
	until[*v5.CommandComplete](t, other)
	if !strings.Contains(s.log.String(), "the fake panics") || s.Stats().Panics != 1 {
		t.Errorf("log: %s", s.log)
	}
	other.send(t, &v5.Query{String: "internal"})
	e := until[*v5.ErrorResponse](t, other)
	id := e.Detail[strings.LastIndex(e.Detail, " ")+1 : len(e.Detail)-1]
	if !strings.Contains(s.log.String(), "request_id="+id) {
		t.Errorf("no %s in the log: %s", id, s.log)
	}
}

func TestNotifierReachesAnIdleClient(t *testing.T) {
	s := startServer(t)
	r, _ := connectRaw(t, s.addr)
	n := s.backend.sessions[0].n
	n.Notification(7, "chan", "hello")
	n.Parameter("TimeZone", "Europe/Berlin")
	if m := until[*v5.NotificationResponse](t, r); m.PID != 7 || m.Channel != "chan" || m.Payload != "hello" {
		t.Errorf("%+v", m)
	}
	if m := until[*v5.ParameterStatus](t, r); m.Value != "Europe/Berlin" {
		t.Errorf("%+v", m)
	}
	// One who listens and does not read is let go.
	big := strings.Repeat("x", 100_000)
	within(t, "the deaf client is gone", func() bool {
		n.Notification(7, "chan", big)
		return len(s.Connections()) == 0
	})
}

func TestMetricsAndOptions(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := startServer(t, func(o *Options) { o.Metrics = reg })
	c := connectPgx(t, s.url(""))
	checkPgxRows(t, c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	if values["velostream_pgwire_rows_sent_total"] != 250 || values["velostream_pgwire_connections"] != 1 {
		t.Error(values)
	}
	if _, err := New(Options{Backend: newFakeBackend(), Authenticator: Trust, Metrics: reg}); err == nil {
		t.Error("the same metrics were registered twice")
	}
	for _, bad := range []Options{
		{},
		{Backend: newFakeBackend()},
		{Backend: newFakeBackend(), Authenticator: Trust, MaxMessageBytes: 1},
		{Backend: newFakeBackend(), Authenticator: Trust, MaxConnections: -1},
	} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// A client hears why its message was refused even when it is still sending it.
func TestRefusedMessageIsExplained(t *testing.T) {
	s := startServer(t, func(o *Options) { o.MaxMessageBytes = 4096 })
	r, _ := connectRaw(t, s.addr)
	go func() {
		big, err := (&v5.Query{String: strings.Repeat("x", 16<<20)}).Encode(nil)
		if err == nil {
			_, _ = r.Write(big)
		}
	}()
	if e := until[*v5.ErrorResponse](t, r); e.Code != "54000" || e.Severity != "FATAL" {
		t.Errorf("%+v", e)
	}
}

// Two hundred connections stay cheap, idle after a query, or in an endless
// query that has no news.
func TestConnectionMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("counts memory")
	}
	for query, state := range map[string]string{"rows 9": "idle", "wait": "active"} {
		t.Run(state, func(t *testing.T) {
			const n = 200
			s := startServer(t)
			warm, _ := connectRaw(t, s.addr)
			warm.send(t, &v5.Query{String: "rows 10"})
			until[*v5.ReadyForQuery](t, warm)
			before := memoryInUse()
			for range n {
				nc, err := net.Dial("tcp", s.addr)
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				// Bytes by hand: pgproto3's client would count as memory, too.
				msg := []byte{0, 0, 0, 16, 0, 3, 0, 0, 'u', 's', 'e', 'r', 0, 'a', 0, 0}
				if msg, err = (&v5.Query{String: query}).Encode(msg); err != nil {
					t.Fatal(err)
				}
				if _, err := nc.Write(msg); err != nil {
					t.Fatal(err)
				}
			}
			within(t, "all have come that far", func() bool {
				there := 0
				for _, c := range s.Connections() {
					if c.State == state && c.Query == query {
						there++
					}
				}
				return there == n
			})
			time.Sleep(10 * flushDelay)
			each := (memoryInUse() - before) / n
			t.Logf("%d bytes per connection, client's side included", each)
			if each > 100<<10 {
				t.Errorf("a connection holds %d bytes", each)
			}
		})
	}
}

func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
