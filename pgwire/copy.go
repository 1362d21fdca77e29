package pgwire

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5/pgproto3"

	"velostream/pgwire/pgerror"
)

// copyIn runs COPY … FROM STDIN: the statement reads the client's CopyData
// until CopyDone. After an error what the client still sends of it is skipped
// by the message loop
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-COPY).
func (c *conn) copyIn(ctx context.Context, in CopyIn, p *portal) error {
	format, columns := in.CopyFormat()
	c.send(func(b []byte) []byte { return appendCopyResponse(b, 'G', format, columns) })
	c.out.flush()
	c.lookAfter(true)
	r := &copyReader{c: c, ctx: ctx}
	tag, err := in.CopyFrom(ctx, r)
	if err != nil {
		// The engine may have wrapped why the stream broke, or said at which line.
		if r.err != nil && !errors.Is(r.err, io.EOF) && (pgerror.Code(r.err) != pgerror.QueryCanceled || pgerror.Code(err) != pgerror.QueryCanceled) {
			err = r.err
		}
		return err
	}
	// The engine may have stopped early, at an end-of-data marker; the client
	// is heard out, as it may yet say CopyFail.
	for !r.ended() {
		r.rest = nil
		r.fill()
	}
	if !errors.Is(r.err, io.EOF) {
		return r.err
	}
	p.tag = tag
	return p.close()
}

// copyReader is the client's CopyData as one stream.
type copyReader struct {
	c    *conn
	ctx  context.Context
	rest []byte // of the CopyData last received
	err  error  // io.EOF after CopyDone
}

// Read implements io.Reader.
func (r *copyReader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		r.fill()
	}
	if len(r.rest) > 0 {
		n := copy(b, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	return 0, r.err
}

func (r *copyReader) ended() bool { return r.err != nil }

// fill takes one message.
func (r *copyReader) fill() {
	f, err := r.c.pull(r.ctx, nil)
	if err != nil {
		r.err = err
		return
	}
	switch f.typ {
	case 'd':
		r.rest = f.body
	case 'c':
		r.err = io.EOF
	case 'f':
		var m pgproto3.CopyFail
		if err := m.Decode(f.body); err != nil {
			r.err = errLayout(err)
			return
		}
		r.err = pgerror.New(pgerror.QueryCanceled, "COPY from stdin failed: %s", m.Message)
	case 'H', 'S':
		// libraries send these without having noticed that a COPY began
	default:
		r.err = pgerror.New(pgerror.ProtocolViolation, "unexpected message type 0x%02X during COPY from stdin", f.typ)
	}
}
