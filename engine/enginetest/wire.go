package enginetest

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// WireStep is one exchange of a script of messages: what a client sends, as
// lines, and what the server says to it.
type WireStep struct {
	Line    int
	Command string   // startup, send
	Args    []string // of the command
	Input   []string // messages, one a line
	Want    string
	Only    string // the server it is for, "" all
}

// WireScript is a file of testdata/wire.
type WireScript struct {
	Path     string
	Preamble string
	Steps    []WireStep
}

// ReadWireScript reads a script.
func ReadWireScript(path string) (*WireScript, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &WireScript{Path: path}
	var step *WireStep
	wanted := false
	only := ""
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		switch {
		case line == "":
			step, wanted = nil, false
		case step == nil && strings.HasPrefix(line, "#"):
			if len(s.Steps) == 0 {
				s.Preamble += line + "\n"
			}
		case step == nil && strings.HasPrefix(line, "onlyif "):
			only = strings.TrimPrefix(line, "onlyif ")
		case step == nil:
			f := strings.Fields(line)
			s.Steps = append(s.Steps, WireStep{Line: i + 1, Command: f[0], Args: f[1:], Only: only})
			step, only = &s.Steps[len(s.Steps)-1], ""
		case line == "----":
			wanted = true
		case wanted:
			step.Want += line + "\n"
		default:
			step.Input = append(step.Input, line)
		}
	}
	return s, nil
}

// Rewrite writes what got says into the file, comments between steps kept.
func (s *WireScript) Rewrite(got map[int]string) error {
	data, err := os.ReadFile(s.Path)
	if err != nil {
		return err
	}
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	answer, skip := "", false
	flush := func() {
		if answer != "" {
			out.WriteString("----\n" + answer)
		}
		answer, skip = "", false
	}
	for i, line := range lines {
		if a, ok := got[i+1]; ok {
			answer = a
		}
		if line == "" {
			flush()
		}
		if line == "----" && answer != "" {
			skip = true
		}
		if !skip {
			out.WriteString(line + "\n")
		}
	}
	flush()
	return os.WriteFile(s.Path, []byte(out.String()), 0o644)
}

// Wire is a client that speaks the protocol message by message.
type Wire struct {
	nc net.Conn
	fe *pgproto3.Frontend
}

// DialWire connects, without a start-up.
func DialWire(network, address string) (*Wire, error) {
	nc, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return &Wire{nc, pgproto3.NewFrontend(nc, nc)}, nc.SetDeadline(time.Now().Add(5 * time.Second))
}

// Close ends the connection.
func (w *Wire) Close() { _ = w.nc.Close() }

// Run carries out a step and returns what the server said.
func (w *Wire) Run(step *WireStep) (string, error) {
	var b []byte
	until, n := byte('Z'), 0
	switch step.Command {
	case "startup":
		b, n = wireStartup(step.Args), 1
	case "send":
		for _, line := range step.Input {
			m, err := wireMessage(line)
			if err != nil {
				return "", fmt.Errorf("%s: %w", line, err)
			}
			if line[0] == 'Q' || line[0] == 'S' {
				n++
			}
			b = append(b, m...)
		}
	default:
		return "", fmt.Errorf("unknown command %q", step.Command)
	}
	for _, a := range step.Args {
		if v, ok := strings.CutPrefix(a, "until="); ok { // until=T or until=Tn
			until, n = v[0], 1
			if len(v) > 1 {
				n, _ = strconv.Atoi(v[1:])
			}
		}
	}
	if _, err := w.nc.Write(b); err != nil {
		return "", err
	}
	return w.hear(until, n), nil
}

// hear reads up to the n-th message of a type, or the end.
func (w *Wire) hear(until byte, n int) string {
	var out strings.Builder
	status := map[string]string{}
	for n > 0 {
		m, err := w.fe.Receive()
		if err != nil {
			switch {
			case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
				out.WriteString("(closed)\n")
			case errors.Is(err, os.ErrDeadlineExceeded):
				out.WriteString("(silent)\n")
			default:
				fmt.Fprintf(&out, "(%v)\n", err)
			}
			return out.String()
		}
		if p, ok := m.(*pgproto3.ParameterStatus); ok { // in no order
			if status[p.Name] = p.Value; p.Name == "server_version" {
				status[p.Name], _, _ = strings.Cut(p.Value, ".")
			}
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(status)) {
			out.WriteString("ParameterStatus " + k + "=" + status[k] + "\n")
		}
		clear(status)
		typ, line := showWire(m)
		out.WriteString(line + "\n")
		if typ == until {
			n--
		}
	}
	return out.String()
}

// wireStartup is a StartupMessage: "version=3.2", and parameters k=v in which
// a blank is written as ␣.
func wireStartup(args []string) []byte {
	version := uint32(3 << 16)
	params := map[string]string{"user": "velo", "database": "velostream"}
	for _, a := range args {
		k, v, _ := strings.Cut(a, "=")
		v = strings.ReplaceAll(v, "␣", " ")
		switch k {
		case "until", "on":
		case "version":
			major, minor, _ := strings.Cut(v, ".")
			x, _ := strconv.Atoi(major)
			y, _ := strconv.Atoi(minor)
			version = uint32(x<<16 | y)
		default:
			params[k] = v
		}
	}
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0}, version)
	for _, k := range slices.Sorted(maps.Keys(params)) {
		b = append(append(append(b, k...), 0), params[k]...)
		b = append(b, 0)
	}
	b = append(b, 0)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// wireMessage encodes a line:
//
//	Q SQL                             P NAME OIDS SQL       (- for nothing)
//	B PORTAL STATEMENT FORMATS RESULTS VALUE…   values are NULL or Go strings
//	D S|P NAME    C S|P NAME          E PORTAL ROWS
//	S  H  X  c                        d "data"   f REASON   hex BYTES
func wireMessage(line string) ([]byte, error) {
	kind, rest, _ := strings.Cut(line, " ")
	name := func(s string) string {
		if s == "-" {
			return ""
		}
		return s
	}
	switch kind {
	case "Q":
		return (&pgproto3.Query{String: rest}).Encode(nil)
	case "P":
		f := strings.SplitN(rest, " ", 3)
		oids, err := wireNumbers(f[1])
		if err != nil {
			return nil, err
		}
		m := &pgproto3.Parse{Name: name(f[0]), Query: f[2]}
		for _, o := range oids {
			m.ParameterOIDs = append(m.ParameterOIDs, uint32(o))
		}
		return m.Encode(nil)
	case "B":
		return wireBind(rest)
	case "D", "C":
		what, of, _ := strings.Cut(rest, " ")
		if kind == "D" {
			return (&pgproto3.Describe{ObjectType: what[0], Name: name(of)}).Encode(nil)
		}
		return (&pgproto3.Close{ObjectType: what[0], Name: name(of)}).Encode(nil)
	case "E":
		portal, rows, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(rows)
		if err != nil {
			return nil, err
		}
		return (&pgproto3.Execute{Portal: name(portal), MaxRows: uint32(n)}).Encode(nil)
	case "S":
		return (&pgproto3.Sync{}).Encode(nil)
	case "H":
		return (&pgproto3.Flush{}).Encode(nil)
	case "X":
		return (&pgproto3.Terminate{}).Encode(nil)
	case "c":
		return (&pgproto3.CopyDone{}).Encode(nil)
	case "f":
		return (&pgproto3.CopyFail{Message: rest}).Encode(nil)
	case "d":
		data, err := strconv.Unquote(rest)
		if err != nil {
			return nil, err
		}
		return (&pgproto3.CopyData{Data: []byte(data)}).Encode(nil)
	case "hex":
		return hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
	}
	return nil, errors.New("no such message")
}

func wireNumbers(s string) ([]int16, error) {
	var out []int16
	if s == "-" {
		return nil, nil
	}
	for x := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(x, 10, 16)
		if err != nil {
			return nil, err
		}
		out = append(out, int16(n))
	}
	return out, nil
}

func wireBind(rest string) ([]byte, error) {
	f := strings.SplitN(rest, " ", 5)
	m := &pgproto3.Bind{DestinationPortal: strings.Trim(f[0], "-"), PreparedStatement: strings.Trim(f[1], "-")}
	var err error
	if m.ParameterFormatCodes, err = wireNumbers(f[2]); err != nil {
		return nil, err
	}
	if m.ResultFormatCodes, err = wireNumbers(f[3]); err != nil {
		return nil, err
	}
	values := ""
	if len(f) == 5 {
		values = strings.TrimSpace(f[4])
	}
	for values != "" {
		if rest, ok := strings.CutPrefix(values, "NULL"); ok {
			m.Parameters, values = append(m.Parameters, nil), strings.TrimSpace(rest)
			continue
		}
		q, err := strconv.QuotedPrefix(values)
		if err != nil {
			return nil, err
		}
		v, err := strconv.Unquote(q)
		if err != nil {
			return nil, err
		}
		m.Parameters, values = append(m.Parameters, append([]byte{}, v...)), strings.TrimSpace(values[len(q):])
	}
	return m.Encode(nil)
}

// showWire prints a message so that two servers' can be compared: without
// process ids, keys, OIDs of tables and the server's version.
func showWire(m pgproto3.BackendMessage) (byte, string) {
	switch m := m.(type) {
	case *pgproto3.AuthenticationOk:
		return 'R', "AuthenticationOk"
	case *pgproto3.BackendKeyData:
		return 'K', fmt.Sprintf("BackendKeyData %d bytes", len(m.SecretKey))
	case *pgproto3.NegotiateProtocolVersion:
		return 'v', fmt.Sprintf("NegotiateProtocolVersion %d %q", m.NewestMinorProtocol&0xffff, m.UnrecognizedOptions)
	case *pgproto3.DataRow:
		parts := make([]string, len(m.Values))
		for i, v := range m.Values {
			parts[i] = "NULL"
			if v != nil {
				parts[i] = strconv.Quote(string(v))
			}
		}
		return 'D', "DataRow " + strings.Join(parts, " ")
	case *pgproto3.RowDescription:
		parts := make([]string, len(m.Fields))
		for i, f := range m.Fields {
			table := ""
			if f.TableOID != 0 {
				table = fmt.Sprintf(" column %d", f.TableAttributeNumber)
			}
			parts[i] = fmt.Sprintf("%s(%d len %d mod %d format %d%s)", f.Name, f.DataTypeOID, f.DataTypeSize, f.TypeModifier, f.Format, table)
		}
		return 'T', "RowDescription " + strings.Join(parts, " ")
	case *pgproto3.ErrorResponse:
		return 'E', showWireError("ErrorResponse", m)
	case *pgproto3.NoticeResponse:
		return 'N', showWireError("NoticeResponse", (*pgproto3.ErrorResponse)(m))
	case *pgproto3.CommandComplete:
		return 'C', "CommandComplete " + string(m.CommandTag)
	case *pgproto3.ReadyForQuery:
		return 'Z', "ReadyForQuery " + string(m.TxStatus)
	case *pgproto3.CopyData:
		return 'd', fmt.Sprintf("CopyData %q", m.Data)
	case *pgproto3.CopyInResponse:
		return 'G', fmt.Sprintf("CopyInResponse %d %d", m.OverallFormat, m.ColumnFormatCodes)
	case *pgproto3.CopyOutResponse:
		return 'H', fmt.Sprintf("CopyOutResponse %d %d", m.OverallFormat, m.ColumnFormatCodes)
	case *pgproto3.ParameterDescription:
		return 't', fmt.Sprint("ParameterDescription ", m.ParameterOIDs)
	case *pgproto3.NotificationResponse:
		return 'A', fmt.Sprintf("NotificationResponse %s %q", m.Channel, m.Payload)
	}
	name := strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3.")
	return wireLetters[name], name
}

// wireLetters are the types of messages without a body.
var wireLetters = map[string]byte{
	"ParseComplete": '1', "BindComplete": '2', "CloseComplete": '3', "NoData": 'n', "EmptyQueryResponse": 'I',
	"PortalSuspended": 's', "CopyDone": 'c',
}

func showWireError(kind string, e *pgproto3.ErrorResponse) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s", kind, e.Severity, e.Code)
	if e.Position != 0 {
		fmt.Fprintf(&s, " @%d", e.Position)
	}
	fmt.Fprintf(&s, " %q", e.Message)
	for _, x := range []struct{ name, text string }{
		{"where", e.Where}, {"schema", e.SchemaName}, {"table", e.TableName}, {"column", e.ColumnName}, {"constraint", e.ConstraintName},
	} {
		if x.text != "" {
			fmt.Fprintf(&s, " %s=%q", x.name, x.text)
		}
	}
	return s.String()
}
