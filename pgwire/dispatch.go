package pgwire

import (
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// handle answers one message. An error ends the connection; what goes wrong
// with a statement does not, it is sent and nil is returned.
func (c *conn) handle(f frame) error {
	if !isFrontendType(f.typ) {
		return pgerror.New(pgerror.ProtocolViolation, "invalid frontend message type %d", f.typ)
	}
	if c.skip && f.typ != 'S' {
		return nil
	}
	switch f.typ {
	case 'Q':
		var m pgproto3.Query
		if err := decode(&m, f); err != nil {
			return err
		}
		c.simpleQuery(m.String)
	case 'S':
		if len(f.body) != 0 {
			return errLayout(nil)
		}
		c.sync()
	case 'H':
		if len(f.body) != 0 {
			return errLayout(nil)
		}
		c.out.flush()
	case 'd', 'c', 'f':
		// A client that had not yet seen its COPY fail sent these.
	case 'F':
		c.inBatch = true
		c.sendError(pgerror.Unsupported("the function call protocol is not supported").
			WithHint("Call the function in a SELECT."))
		c.sync() // the protocol answers a FunctionCall with ReadyForQuery
	default:
		c.inBatch = true
		return c.extended(f)
	}
	return nil
}

// extended handles the messages of the extended protocol. After an error the
// rest up to Sync is skipped
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
func (c *conn) extended(f frame) error {
	var err error
	switch f.typ {
	case 'P':
		var m pgproto3.Parse
		if err := decode(&m, f); err != nil {
			return err
		}
		if len(f.body) != len(m.Name)+len(m.Query)+4+4*len(m.ParameterOIDs) {
			return errLayout(nil)
		}
		err = c.parse(&m)
	case 'B':
		var m pgproto3.Bind
		if err := decode(&m, f); err != nil {
			return err
		}
		if len(f.body) != bindSize(&m) {
			return errLayout(nil)
		}
		err = c.bind(&m)
	case 'D':
		var m pgproto3.Describe
		if err := decode(&m, f); err != nil {
			return err
		}
		err = c.describe(m.ObjectType, m.Name)
	case 'E':
		var m pgproto3.Execute
		if err := decode(&m, f); err != nil {
			return err
		}
		if len(f.body) != len(m.Portal)+5 {
			return errLayout(nil)
		}
		err = c.execute(m.Portal, int(int32(m.MaxRows)))
	case 'C':
		var m pgproto3.Close
		if err := decode(&m, f); err != nil {
			return err
		}
		err = c.closeNamed(m.ObjectType, m.Name)
	}
	if err != nil {
		c.skip = true
		c.sendError(err)
	}
	return nil
}

// isFrontendType reports whether a client may send messages of type t after
// start-up. 'p' may only come during it, 'X' ends in the reader.
func isFrontendType(t byte) bool {
	switch t {
	case 'Q', 'P', 'B', 'D', 'E', 'C', 'H', 'S', 'F', 'd', 'c', 'f':
		return true
	}
	return false
}

func decode(m interface{ Decode([]byte) error }, f frame) error {
	if err := m.Decode(f.body); err != nil {
		return errLayout(err)
	}
	return nil
}

// bindSize is how long the body of m has to be. The decoders stop where a
// message is complete, and what follows within its length was meant for
// something else.
func bindSize(m *pgproto3.Bind) int {
	n := len(m.DestinationPortal) + len(m.PreparedStatement) + 8 + 2*len(m.ParameterFormatCodes) + 2*len(m.ResultFormatCodes)
	for _, p := range m.Parameters {
		n += 4 + len(p)
	}
	return n
}

// checkText refuses a statement that is not UTF-8, so that nothing behind
// this point has to think of it.
func checkText(s string) error {
	if utf8.ValidString(s) {
		return nil
	}
	return types.CheckText([]byte(s))
}

// errLayout is the FATAL answer to a message whose bytes do not fit its type:
// what follows cannot be trusted either.
func errLayout(cause error) error {
	return pgerror.New(pgerror.ProtocolViolation, "invalid message format").WithCause(cause)
}
