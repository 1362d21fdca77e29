package pgwire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"velostream/pgwire/pgerror"
)

func FuzzFrameReader(f *testing.F) {
	f.Add([]byte("Q\x00\x00\x00\x0brows 1\x00"))
	f.Add(negativeBind)
	f.Add([]byte("d\x7f\xff\xff\xff"))
	f.Add([]byte("d\x00\x01\x00\x04abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 20
		fr := newFrameReader(bytes.NewReader(data), limit)
		read := 0
		for {
			fm, err := fr.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && pgerror.Code(err) == pgerror.InternalError {
					t.Fatalf("unexpected error %v", err)
				}
				return
			}
			if len(fm.body) > limit {
				t.Fatalf("%d bytes", len(fm.body))
			}
			if read += 5 + len(fm.body); read > len(data) {
				t.Fatal("more was read than there is")
			}
		}
	})
}

// FuzzSession feeds a session any bytes behind a good start-up. It must not
// panic or hang, and all it says must be messages of the protocol.
func FuzzSession(f *testing.F) {
	add := func(ms ...pgproto3.FrontendMessage) {
		var b []byte
		for _, m := range ms {
			var err error
			if b, err = m.Encode(b); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(b)
	}
	add(&pgproto3.Query{String: "rows 3; insert 1"})
	add(&pgproto3.Parse{Query: "cols int4 text numeric jsonb int4[]"}, &pgproto3.Bind{
		Parameters: [][]byte{{0, 0, 0, 1}, []byte("x"), []byte("1.5"), []byte("{}"), nil}, ParameterFormatCodes: []int16{1, 0, 0, 0, 0},
		ResultFormatCodes: []int16{1},
	}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Close{ObjectType: 'P'}, &pgproto3.Sync{})
	add(&pgproto3.Query{String: "copyin"}, &pgproto3.CopyData{Data: []byte("x\n")}, &pgproto3.CopyDone{})
	add(&pgproto3.Query{String: "copyin"}, &pgproto3.CopyFail{Message: "m"}, &pgproto3.Flush{}, &pgproto3.Terminate{})
	add(&pgproto3.Parse{Query: "burst 2"}, &pgproto3.Bind{}, &pgproto3.Execute{MaxRows: 3}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Sync{})
	f.Add(negativeBind)

	srv, err := New(Options{Backend: newFakeBackend(), Authenticator: Trust, MaxMessageBytes: 1 << 16, MaxPreparedStatements: 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Words of the fake engine that never end, or panic by intent, prove nothing.
		for _, word := range []string{"wait", "tick", "panic", "burst"} {
			if bytes.Contains(data, []byte(word)) && !bytes.Contains(data, []byte("burst 2")) {
				t.Skip()
			}
		}
		client, server := net.Pipe()
		c := newConn(context.Background(), srv, newWatch(srv), server)
		if !srv.admit(c) {
			t.Fatal("not admitted")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer srv.release(c)
			c.serve()
		}()
		heard := make(chan error, 1)
		go func() { heard <- listen(client) }()
		_ = client.SetWriteDeadline(time.Now().Add(2 * time.Second))
		_, _ = client.Write([]byte{0, 0, 0, 16, 0, 3, 0, 0, 'u', 's', 'e', 'r', 0, 'a', 0, 0})
		_, _ = client.Write(data) // fails where the server has had enough
		settle(c, done)
		_, _ = client.Write([]byte("X\x00\x00\x00\x04"))
		select {
		case <-done:
		case <-time.After(20 * time.Millisecond): // it waits for the rest of a message
		}
		_ = client.Close()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("the session hangs")
		}
		if err := <-heard; err != nil {
			t.Fatal(err)
		}
		if srv.Stats().Panics != 0 {
			t.Fatal("the session panicked")
		}
	})
}

// settle waits, not for long, until c has handled all it was sent.
func settle(c *conn, done <-chan struct{}) {
	for range 20 {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
		if !c.started.Load() {
			continue
		}
		c.in.mu.Lock()
		empty := len(c.in.frames) == 0
		c.in.mu.Unlock()
		c.mu.Lock()
		idle := c.info.State != "active"
		c.mu.Unlock()
		if empty && idle {
			return
		}
	}
}

// listen checks that what a server says are whole messages.
func listen(r io.Reader) error {
	fe := pgproto3.NewFrontend(r, io.Discard)
	for {
		if _, err := fe.Receive(); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
				return nil
			}
			return err
		}
	}
}
