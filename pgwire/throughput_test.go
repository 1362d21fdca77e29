package pgwire

import (
	"bufio"
	"encoding/binary"
	"io"
	"testing"
	"time"

	v5 "github.com/jackc/pgx/v5/pgproto3"
)

// BenchmarkRows sends a million rows of five columns in text to a client that
// throws them away; one operation is one row.
func BenchmarkRows(b *testing.B) {
	s := startServer(b)
	r, _ := connectRaw(b, s.addr)
	_ = r.SetDeadline(time.Time{})
	br := bufio.NewReaderSize(r.Conn, 64<<10)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%100_000 == 0 {
			r.send(b, &v5.Query{String: "same 100000"})
			skipToReady(b, br)
		}
	}
}

// BenchmarkPointQuery is a prepared statement with one row, round trip by
// round trip, and pipelined by ten.
func BenchmarkPointQuery(b *testing.B) {
	for name, depth := range map[string]int{"single": 1, "pipelined10": 10} {
		b.Run(name, func(b *testing.B) {
			s := startServer(b)
			r, _ := connectRaw(b, s.addr)
			_ = r.SetDeadline(time.Time{})
			br := bufio.NewReaderSize(r.Conn, 64<<10)
			r.send(b, &v5.Parse{Name: "s", Query: "cols int4 text"}, &v5.Sync{})
			skipToReady(b, br)
			var msg []byte
			for range depth {
				for _, m := range []v5.FrontendMessage{
					&v5.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("42"), []byte("hello")}}, &v5.Execute{}, &v5.Sync{},
				} {
					msg, _ = m.Encode(msg)
				}
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%depth == 0 {
					if _, err := r.Write(msg); err != nil {
						b.Fatal(err)
					}
					for range depth {
						skipToReady(b, br)
					}
				}
			}
		})
	}
}

// BenchmarkCopyIn is COPY FROM STDIN in messages of 100 bytes.
func BenchmarkCopyIn(b *testing.B) {
	s := startServer(b)
	r, _ := connectRaw(b, s.addr)
	_ = r.SetDeadline(time.Time{})
	br := bufio.NewReaderSize(r.Conn, 64<<10)
	r.send(b, &v5.Query{String: "copyin early"})
	until[*v5.CopyInResponse](b, r)
	data := make([]byte, 100)
	one, _ := (&v5.CopyData{Data: data}).Encode(nil)
	var many []byte
	for range 500 {
		many = append(many, one...)
	}
	b.SetBytes(int64(len(one)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%500 == 0 {
			if _, err := r.Write(many); err != nil {
				b.Fatal(err)
			}
		}
	}
	r.send(b, &v5.CopyDone{})
	skipToReady(b, br)
}

// skipToReady reads messages up to ReadyForQuery without looking at them. It
// does little, as the client is not what is measured.
func skipToReady(b *testing.B, r *bufio.Reader) {
	b.Helper()
	var head [5]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Discard(int(binary.BigEndian.Uint32(head[1:])) - 4); err != nil {
			b.Fatal(err)
		}
		if head[0] == 'Z' {
			return
		}
	}
}
