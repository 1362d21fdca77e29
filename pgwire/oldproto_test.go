package pgwire

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgproto3/v2"
	v5 "github.com/jackc/pgx/v5/pgproto3"
)

// The last published pgproto3/v2 as the client of old.
func TestOldFrontend(t *testing.T) {
	s := startServer(t)
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
	fe := pgproto3.NewFrontend(pgproto3.NewChunkReader(nc), nc)
	send := func(m pgproto3.FrontendMessage) {
		if err := fe.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{"user": "old"}})
	send(&pgproto3.Query{String: "rows 2"})
	send(&pgproto3.Parse{Name: "p", Query: "cols int4", ParameterOIDs: []uint32{23}})
	send(&pgproto3.Bind{PreparedStatement: "p", Parameters: [][]byte{[]byte("42")}})
	send(&pgproto3.Execute{})
	send(&pgproto3.Sync{})
	var got []string
	for ready := 0; ready < 3; {
		m, err := fe.Receive()
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			ready++
		case *pgproto3.DataRow:
			got = append(got, string(m.Values[0]))
		case *pgproto3.CommandComplete:
			got = append(got, string(m.CommandTag))
		case *pgproto3.ErrorResponse:
			t.Fatalf("%+v", m)
		}
	}
	if s := fmt.Sprint(got); s != "[1 2 SELECT 2 42 SELECT 1]" {
		t.Error(s)
	}
}

// negativeBind is a Bind message whose one parameter has the length -5,
// negativeCall a FunctionCall of the same kind.
var (
	negativeBind = []byte{'B', 0, 0, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfb, 0, 0, 0, 0}
	negativeCall = []byte{'F', 0, 0, 0, 18, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfb, 0, 0}
)

// The proof behind ADR 0002: one message of any client panics a server built
// on pgproto3/v2, while this one answers and serves on.
func TestNegativeLength(t *testing.T) {
	for name, message := range map[string][]byte{"Bind": negativeBind, "FunctionCall": negativeCall} {
		t.Run("pgproto3/v2 panics at "+name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("v2 no longer panics: revise docs/adr/0002-pgproto3-v5.md")
				}
			}()
			be := pgproto3.NewBackend(pgproto3.NewChunkReader(bytes.NewReader(message)), nil)
			_, err := be.Receive()
			t.Logf("no panic but %v", err)
		})
		t.Run("we answer "+name, func(t *testing.T) {
			s := startServer(t)
			r, _ := connectRaw(t, s.addr)
			if _, err := r.Write(message); err != nil {
				t.Fatal(err)
			}
			e := until[*v5.ErrorResponse](t, r)
			if name == "Bind" && (e.Code != "08P01" || e.Severity != "FATAL") {
				t.Errorf("%+v", e)
			}
			connectRaw(t, s.addr)
			if s.Stats().Panics != 0 {
				t.Error("it panicked")
			}
		})
	}
	t.Run("pgproto3/v2 refuses protocol 3.2", func(t *testing.T) {
		start := []byte{0, 0, 0, 16, 0, 3, 0, 2, 'u', 's', 'e', 'r', 0, 'a', 0, 0}
		be := pgproto3.NewBackend(pgproto3.NewChunkReader(bytes.NewReader(start)), nil)
		if _, err := be.ReceiveStartupMessage(); err == nil {
			t.Error("v2 takes 3.2 now: revise docs/adr/0002-pgproto3-v5.md")
		}
	})
}
