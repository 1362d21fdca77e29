package pgwire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"
)

// TestProtocol runs the scripts in testdata/protocol against a server with the
// fake engine, over a socket. Each file is one connection at a time.
//
//	startup [k=v …]       connects and prints what comes until ReadyForQuery
//	raw-startup           sends the hex lines as first bytes and prints the raw answer
//	send [until=Type] [n=1]
//	                      sends the messages given, one a line, and prints what comes
//	                      until the n-th message of the type (ReadyForQuery), or the end
//	copied                prints what COPY FROM STDIN received so far
//
// A message is its pgproto3 name and JSON (Query {"String":"rows 1"}), or
// "hex 51 00 …" for bytes as they are. Rewrite expectations with -rewrite.
func TestProtocol(t *testing.T) {
	datadriven.Walk(t, "testdata/protocol", func(t *testing.T, path string) {
		s := startServer(t, func(o *Options) { o.MaxPreparedStatements = 3; o.MaxMessageBytes = 4096 })
		var r *rawClient
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "startup":
				r = dialRaw(t, s.addr)
				params := map[string]string{"user": "alice", "database": "db"}
				for _, a := range d.CmdArgs {
					params[a.Key] = strings.Join(a.Vals, ",")
				}
				return r.exchange(t, "ReadyForQuery", 1, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: params})
			case "raw-startup":
				r = dialRaw(t, s.addr)
				return r.exchangeBytes(t, parseHex(t, d.Input))
			case "send":
				until, n := "ReadyForQuery", 1
				d.MaybeScanArgs(t, "until", &until)
				d.MaybeScanArgs(t, "n", &n)
				return r.exchange(t, until, n, parseMessages(t, d.Input)...)
			case "copied":
				s.backend.mu.Lock()
				defer s.backend.mu.Unlock()
				return fmt.Sprintf("%q", s.backend.copied.String())
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// rawMessage is bytes sent as they are.
type rawMessage struct {
	pgproto3.FrontendMessage
	b []byte
}

func (m *rawMessage) Encode(dst []byte) ([]byte, error) { return append(dst, m.b...), nil }

func parseHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parseMessages(t *testing.T, input string) []pgproto3.FrontendMessage {
	t.Helper()
	var out []pgproto3.FrontendMessage
	for line := range strings.SplitSeq(strings.TrimSpace(input), "\n") {
		name, rest, _ := strings.Cut(line, " ")
		var m pgproto3.FrontendMessage
		switch name {
		case "hex":
			out = append(out, &rawMessage{b: parseHex(t, rest)})
			continue
		case "Query":
			m = &pgproto3.Query{}
		case "Parse":
			m = &pgproto3.Parse{}
		case "Bind":
			m = &pgproto3.Bind{}
		case "Describe":
			m = &pgproto3.Describe{}
		case "Execute":
			m = &pgproto3.Execute{}
		case "Close":
			m = &pgproto3.Close{}
		case "Sync":
			m = &pgproto3.Sync{}
		case "Flush":
			m = &pgproto3.Flush{}
		case "Terminate":
			m = &pgproto3.Terminate{}
		case "CopyData":
			m = &pgproto3.CopyData{Data: []byte(strings.ReplaceAll(rest, `\n`, "\n"))}
			rest = ""
		case "CopyDone":
			m = &pgproto3.CopyDone{}
		case "CopyFail":
			m = &pgproto3.CopyFail{Message: rest}
			rest = ""
		case "FunctionCall":
			m = &pgproto3.FunctionCall{}
		default:
			t.Fatalf("unknown message %q", name)
		}
		if rest != "" {
			if err := json.Unmarshal([]byte(rest), m); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		out = append(out, m)
	}
	return out
}

// rawClient speaks the protocol message by message.
type rawClient struct {
	net.Conn
	fe *pgproto3.Frontend
}

func dialRaw(t testing.TB, addr string) *rawClient {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(15 * time.Second))
	return &rawClient{Conn: nc, fe: pgproto3.NewFrontend(nc, nc)}
}

// connectRaw connects and reads up to ReadyForQuery; it returns the pid and key.
func connectRaw(t testing.TB, addr string) (*rawClient, pgproto3.BackendKeyData) {
	t.Helper()
	r := dialRaw(t, addr)
	r.send(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "alice"}})
	var key pgproto3.BackendKeyData
	for {
		switch m := r.receive(t).(type) {
		case *pgproto3.BackendKeyData:
			key = *m
		case *pgproto3.ReadyForQuery:
			return r, key
		}
	}
}

func (r *rawClient) send(t testing.TB, ms ...pgproto3.FrontendMessage) {
	t.Helper()
	var b []byte
	for _, m := range ms {
		var err error
		if b, err = m.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Write(b); err != nil {
		t.Fatal(err)
	}
}

func (r *rawClient) receive(t testing.TB) pgproto3.BackendMessage {
	t.Helper()
	m, err := r.fe.Receive()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// until reads up to the first message that is an M.
func until[M pgproto3.BackendMessage](t testing.TB, r *rawClient) M {
	t.Helper()
	for {
		if m, ok := r.receive(t).(M); ok {
			return m
		}
	}
}

func (r *rawClient) exchange(t *testing.T, until string, n int, ms ...pgproto3.FrontendMessage) string {
	t.Helper()
	r.send(t, ms...)
	var out strings.Builder
	for n > 0 {
		m, err := r.fe.Receive()
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			out.WriteString("(closed)\n")
			break
		}
		if err != nil {
			fmt.Fprintf(&out, "(%v)\n", err)
			break
		}
		line := showMessage(m)
		out.WriteString(line + "\n")
		if strings.Fields(line)[0] == until {
			n--
		}
	}
	return out.String()
}

// exchangeBytes sends b and shows all bytes that come back until the server
// is ready or closes.
func (r *rawClient) exchangeBytes(t *testing.T, b []byte) string {
	t.Helper()
	if _, err := r.Write(b); err != nil {
		t.Fatal(err)
	}
	var got []byte
	end := "(open)"
	for buf := make([]byte, 4096); !bytes.HasSuffix(got, []byte("Z\x00\x00\x00\x05I")); {
		n, err := r.Read(buf)
		got = append(got, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			end = "(silent)"
			break
		}
		if err != nil {
			end = "(closed)"
			break
		}
	}
	shown := fmt.Sprintf("%q", got)
	for _, key := range []string{"K\\x00\\x00\\x00\\f", "K\\x00\\x00\\x00("} { // length 12 and 40
		if i := strings.Index(shown, key); i >= 0 { // pid and key differ each time
			shown = shown[:i+len(key)] + `…"`
		}
	}
	return shown + " " + end
}

func showMessage(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.BackendKeyData:
		return fmt.Sprintf("BackendKeyData (%d bytes)", len(m.SecretKey))
	case *pgproto3.DataRow:
		var parts []string
		for _, v := range m.Values {
			if v == nil {
				parts = append(parts, "NULL")
			} else {
				parts = append(parts, fmt.Sprintf("%q", v))
			}
		}
		return "DataRow " + strings.Join(parts, " ")
	case *pgproto3.RowDescription:
		var parts []string
		for _, f := range m.Fields {
			parts = append(parts, fmt.Sprintf("%s(table %d.%d type %d len %d mod %d format %d)", f.Name, f.TableOID, f.TableAttributeNumber,
				f.DataTypeOID, f.DataTypeSize, f.TypeModifier, f.Format))
		}
		return "RowDescription " + strings.Join(parts, " ")
	case *pgproto3.ErrorResponse:
		return fmt.Sprintf("ErrorResponse %s %s %q %s", m.Severity, m.Code, m.Message, m.Where)
	case *pgproto3.NoticeResponse:
		return fmt.Sprintf("NoticeResponse %s %s %q", m.Severity, m.Code, m.Message)
	case *pgproto3.CommandComplete:
		return fmt.Sprintf("CommandComplete %q", m.CommandTag)
	case *pgproto3.ReadyForQuery:
		return fmt.Sprintf("ReadyForQuery %c", m.TxStatus)
	case *pgproto3.CopyData:
		return fmt.Sprintf("CopyData %q", m.Data)
	case *pgproto3.ParameterStatus:
		return "ParameterStatus " + m.Name + "=" + m.Value
	case *pgproto3.ParameterDescription:
		return fmt.Sprint("ParameterDescription ", m.ParameterOIDs)
	}
	b, _ := json.Marshal(m)
	var fields map[string]any
	_ = json.Unmarshal(b, &fields)
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
	delete(fields, "Type")
	if len(fields) == 0 {
		return name
	}
	b, _ = json.Marshal(fields)
	return name + " " + string(b)
}
