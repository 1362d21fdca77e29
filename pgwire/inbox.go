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

// turn is whose it is to read from the client.
type turn byte

const (
	nobodyReads  turn = iota // the session is at work on a message
	sessionReads             // it waits for the next one
	watcherReads             // the session is at work for long; see watcher.go
	closed                   // nobody will
)

// inbox is where a connection's messages come from. The session reads them by
// itself, one at a time, so that a request costs no change of goroutine. What
// the client sends while the session is busy for long, or takes in a COPY, a
// watcher reads into a bounded queue. Both sides hold the lock only to move
// slices and what is buffered already, and the session takes all that has come
// at once, so many small CopyData cost one wake-up.
type inbox struct {
	fr *frameReader // used by whose turn it is, or with mu held while it is nobody's

	mu      sync.Mutex
	turn    turn
	waiting bool // while the watcher reads: the session waits for a message
	looks   int  // how often the session was seen at work on the present message
	frames  []frame
	bytes   int
	err     error // set once; follows the last frame

	ready chan struct{} // capacity 1: there is something to take
	space chan struct{} // capacity 1: something was taken
}

func newInbox(fr *frameReader) *inbox {
	return &inbox{fr: fr, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// claim is the start of a wait for the next message: it returns one that is
// buffered, else gives the session the turn to read, else (queued) tells it to
// take one from the queue.
func (in *inbox) claim() (f frame, got, queued bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.looks = 0
	switch {
	case len(in.frames) > 0 || in.err != nil || in.turn != nobodyReads:
		in.waiting = true
		return frame{}, false, true, nil
	case in.fr.complete():
		f, err = in.fr.next()
		return f, err == nil, false, err
	}
	in.turn = sessionReads
	return frame{}, false, false, nil
}

// restart tells that the session is at work on another message.
func (in *inbox) restart() {
	in.mu.Lock()
	in.looks = 0
	in.mu.Unlock()
}

// settle is the end of the wait that claim began.
func (in *inbox) settle() {
	in.mu.Lock()
	in.waiting = false
	if in.turn == sessionReads {
		in.turn = nobodyReads
	}
	in.mu.Unlock()
}

// peek returns the type of the next message if it has arrived, else 0.
func (in *inbox) peek() byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case len(in.frames) > 0:
		return in.frames[0].typ
	case in.turn == nobodyReads && in.fr.complete():
		return in.fr.peek()
	}
	return 0
}

// put appends a frame; it waits while the queue is full, until done closes.
// The watcher goes on reading unless the session waits for messages by itself.
func (in *inbox) put(f frame, done <-chan struct{}) (goOn bool) {
	for {
		in.mu.Lock()
		if len(in.frames) == 0 || (len(in.frames) < inboxFramesMax && in.bytes+len(f.body) <= inboxBytesMax) {
			in.frames = append(in.frames, f)
			in.bytes += len(f.body)
			goOn = !in.waiting && in.turn == watcherReads
			if in.waiting && in.turn == watcherReads {
				in.turn = nobodyReads
			}
			in.mu.Unlock()
			signal(in.ready)
			return goOn
		}
		in.mu.Unlock()
		select {
		case <-in.space:
		case <-done:
			return false
		}
	}
}

// end sees to it that no watcher starts from now on.
func (in *inbox) end() {
	in.mu.Lock()
	in.turn = closed
	in.mu.Unlock()
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

	// What a read that was interrupted, by a deadline, has of its message.
	headGot int
	part    []byte
	partGot int

	small []byte // memory that small bodies are cut from
}

const (
	smallBody  = 64
	smallChunk = 1 << 10
)

func newFrameReader(r io.Reader, bodyMax int) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, readBufferSize), bodyMax: bodyMax}
}

// complete reports that a whole message is buffered: next will not wait.
func (fr *frameReader) complete() bool {
	if fr.headGot > 0 || fr.r.Buffered() < len(fr.head) {
		return false
	}
	head, err := fr.r.Peek(len(fr.head))
	return err == nil && int64(fr.r.Buffered()-1) >= int64(int32(binary.BigEndian.Uint32(head[1:])))
}

// peek is the type of the next message. REQUIRES: complete.
func (fr *frameReader) peek() byte {
	b, err := fr.r.Peek(1)
	if err != nil {
		return 0
	}
	return b[0]
}

// next returns the next message. Errors: 08P01 for a length that cannot be,
// 54000 for one over the limit, else the connection's. After a timeout next
// goes on where it was.
func (fr *frameReader) next() (frame, error) {
	for fr.headGot < len(fr.head) {
		n, err := fr.r.Read(fr.head[fr.headGot:])
		fr.headGot += n
		if err != nil && fr.headGot < len(fr.head) {
			return frame{}, err
		}
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
	if err != nil {
		return frame{}, err
	}
	fr.headGot = 0
	return frame{typ: fr.head[0], body: body}, nil
}

// body reads n bytes. A large body grows as its bytes arrive, so a client
// cannot have memory reserved by a length alone.
func (fr *frameReader) body(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if fr.part == nil {
		fr.part = fr.room(n)
	}
	for {
		m, err := io.ReadFull(fr.r, fr.part[fr.partGot:])
		fr.partGot += m
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if fr.partGot == n {
			body := fr.part
			fr.part, fr.partGot = nil, 0
			return body, nil
		}
		grown := make([]byte, min(n, 2*len(fr.part)))
		copy(grown, fr.part)
		fr.part = grown
	}
}

// room is memory for the beginning of a body of n bytes.
func (fr *frameReader) room(n int) []byte {
	if n > smallBody {
		return make([]byte, min(n, bodyChunkSize))
	}
	if len(fr.small) < n {
		fr.small = make([]byte, smallChunk)
	}
	b := fr.small[:n:n]
	fr.small = fr.small[n:]
	return b
}
