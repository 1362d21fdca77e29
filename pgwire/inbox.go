package pgwire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"velostream/pgwire/pgerror"
)

// Limits of what a client may have sent ahead of what the session has taken.
// Beyond them the reader stops reading, and TCP tells the client to wait.
const (
	inboxFramesMax = 1024
	inboxBytesMax  = 1 << 20
	readBufferSize = 4 << 10
	bodyChunkSize  = 64 << 10
)

// errClientGone is the cause of a connection's context once the client closed
// the connection or said Terminate.
var errClientGone = errors.New("the client closed the connection")

// frame is one message as it came: its type byte and its body, which the
// receiver owns.
type frame struct {
	typ  byte
	body []byte
}

// inbox is the bounded queue between a connection's reader and its session.
// Both sides hold the lock only to move slices, and the session takes all
// that has come at once, so many small CopyData cost one wake-up.
type inbox struct {
	mu     sync.Mutex
	frames []frame
	bytes  int
	err    error // set once; follows the last frame

	ready chan struct{} // capacity 1: there is something to take
	space chan struct{} // capacity 1: something was taken
}

func newInbox() *inbox {
	return &inbox{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// put appends a frame; it waits while the queue is full, until done closes.
func (in *inbox) put(f frame, done <-chan struct{}) bool {
	for {
		in.mu.Lock()
		if len(in.frames) == 0 || (len(in.frames) < inboxFramesMax && in.bytes+len(f.body) <= inboxBytesMax) {
			in.frames = append(in.frames, f)
			in.bytes += len(f.body)
			in.mu.Unlock()
			signal(in.ready)
			return true
		}
		in.mu.Unlock()
		select {
		case <-in.space:
		case <-done:
			return false
		}
	}
}

// fail ends the queue with err.
func (in *inbox) fail(err error) {
	in.mu.Lock()
	if in.err == nil {
		in.err = err
	}
	in.mu.Unlock()
	signal(in.ready)
}

// take returns all frames waiting, in spare's memory where it fits. With no
// frame waiting it returns the error that ended the queue, if any.
func (in *inbox) take(spare []frame) ([]frame, error) {
	clear(spare)
	if cap(spare) > 64 {
		spare = nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.frames) == 0 {
		return nil, in.err
	}
	out := in.frames
	in.frames, in.bytes = spare[:0], 0
	signal(in.space)
	return out, nil
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// frameReader cuts the client's byte stream into messages
// (https://www.postgresql.org/docs/15/protocol-message-formats.html).
type frameReader struct {
	r       *bufio.Reader
	bodyMax int
	head    [5]byte
}

func newFrameReader(r io.Reader, bodyMax int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, readBufferSize), bodyMax: bodyMax}
}

// next returns the next message. Errors: 08P01 for a length that cannot be,
// 54000 for one over the limit, else the connection's.
func (fr *frameReader) next() (frame, error) {
	if _, err := io.ReadFull(fr.r, fr.head[:]); err != nil {
		return frame{}, err
	}
	n := int64(int32(binary.BigEndian.Uint32(fr.head[1:]))) - 4
	if n < 0 {
		return frame{}, pgerror.New(pgerror.ProtocolViolation, "invalid message length %d", n+4)
	}
	if n > int64(fr.bodyMax) {
		return frame{}, pgerror.New(pgerror.ProgramLimitExceeded,
			"message of %d bytes exceeds the limit of %d bytes", n, fr.bodyMax).
			WithHint("Send smaller messages, or raise the server's message size limit.")
	}
	body, err := fr.body(int(n))
	return frame{typ: fr.head[0], body: body}, err
}

// body reads n bytes. A large body grows as its bytes arrive, so a client
// cannot have memory reserved by a length alone.
func (fr *frameReader) body(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	buf := make([]byte, min(n, bodyChunkSize))
	got := 0
	for {
		m, err := io.ReadFull(fr.r, buf[got:])
		got += m
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if got == n {
			return buf, nil
		}
		grown := make([]byte, min(n, 2*len(buf)))
		copy(grown, buf)
		buf = grown
	}
}
