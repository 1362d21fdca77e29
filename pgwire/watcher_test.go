package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
	"time"

	v5 "github.com/jackc/pgx/v5/pgproto3"
)

// interrupted gives one byte at a time, and a timeout before each.
type interrupted struct {
	r     io.Reader
	woken bool
}

func (i *interrupted) Read(b []byte) (int, error) {
	if i.woken = !i.woken; i.woken {
		return 0, os.ErrDeadlineExceeded
	}
	return i.r.Read(b)
}

// A read that a deadline interrupts anywhere goes on where it was.
func TestInterruptedRead(t *testing.T) {
	var sent []byte
	want := []int{0, 1, smallBody, smallBody + 1, 5000}
	for _, n := range want {
		sent = append(sent, 'd')
		sent = binary.BigEndian.AppendUint32(sent, uint32(n+4))
		for i := range n {
			sent = append(sent, byte(i))
		}
	}
	pr, pw := io.Pipe()
	go func() {
		_, _ = pw.Write(sent)
		_ = pw.Close()
	}()
	fr := newFrameReader(&interrupted{r: iotest.OneByteReader(pr)}, 1<<20)
	for _, n := range want {
		f, err := fr.next()
		for errors.Is(err, os.ErrDeadlineExceeded) {
			f, err = fr.next()
		}
		if err != nil || f.typ != 'd' || len(f.body) != n {
			t.Fatalf("%c %d %v, want %d bytes", f.typ, len(f.body), err, n)
		}
		for i, b := range f.body {
			if b != byte(i) {
				t.Fatalf("byte %d of %d is %d", i, n, b)
			}
		}
	}
	for {
		_, err := fr.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

// The turn to read goes to a watcher while a statement takes long, and back to
// the session; what the client sends meanwhile is answered in order.
func TestWatcherTakesTurns(t *testing.T) {
	s := startServer(t)
	r, _ := connectRaw(t, s.addr)
	for range 3 {
		r.send(t, &v5.Query{String: "rows 1"})
		until[*v5.ReadyForQuery](t, r)
		// A watcher begins in the wait for the row; then comes what it has read.
		r.send(t, &v5.Parse{Query: "tick 40"}, &v5.Bind{}, &v5.Execute{MaxRows: 1}, &v5.Sync{}, &v5.Query{String: "rows 2"})
		until[*v5.PortalSuspended](t, r)
		until[*v5.ReadyForQuery](t, r)
		until[*v5.ReadyForQuery](t, r)
		r.send(t, &v5.Parse{Query: "rows 3"}, &v5.Bind{}, &v5.Execute{}, &v5.Flush{})
		until[*v5.CommandComplete](t, r)
		time.Sleep(3 * watchPeriod)
		r.send(t, &v5.Sync{})
		until[*v5.ReadyForQuery](t, r)
	}
}
