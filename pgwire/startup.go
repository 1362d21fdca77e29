package pgwire

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// Codes in the head of a start-up packet
// (https://www.postgresql.org/docs/15/protocol-message-formats.html).
const (
	codeCancel  = 80877102
	codeSSL     = 80877103
	codeGSS     = 80877104
	majorNumber = 3
	minorNewest = 2 // 3.2: cancel keys of up to 256 bytes
	startupMax  = 10_000
	authBodyMax = 64 << 10

	tlsClientHello = 0x16
	alpnName       = "postgresql"
)

// errNoSession ends a connection that asked for no session: a cancel request,
// or a probe that hung up.
var errNoSession = errors.New("no session wanted")

// startupPacket is a StartupMessage.
type startupPacket struct {
	minor   int
	params  map[string]string // names lower-cased
	options []string          // names of _pq_.* protocol options
}

// handshake answers encryption requests until the client asks for a session;
// c.nc is then the connection to go on with. A cancel request is carried out
// here and ends in errNoSession.
//
//	SSLRequest    -> 'S' + TLS, or 'N'      once
//	GSSENCRequest -> 'N'                    once
//	TLS hello     -> TLS, ALPN "postgresql" first byte only
//	CancelRequest -> no answer
//	StartupMessage-> returned
func (c *conn) handshake() (startupPacket, error) {
	var askedTLS, askedGSS bool
	for first := true; ; first = false {
		var head [8]byte
		if err := c.readHead(head[:], first); err != nil {
			return startupPacket{}, err
		}
		size := int64(int32(binary.BigEndian.Uint32(head[:4])))
		code := binary.BigEndian.Uint32(head[4:])
		if size < int64(len(head)) || size > startupMax {
			return startupPacket{}, pgerror.New(pgerror.ProtocolViolation, "invalid length of startup packet")
		}
		body := make([]byte, size-int64(len(head)))
		if _, err := io.ReadFull(c.nc, body); err != nil {
			return startupPacket{}, errNoSession
		}
		var err error
		switch {
		case code == codeSSL && !askedTLS:
			askedTLS = true
			err = c.answerTLS()
		case code == codeGSS && !askedGSS:
			askedGSS = true
			err = c.answerByte('N')
		case code == codeCancel:
			c.srv.cancelByKey(body)
			return startupPacket{}, errNoSession
		default:
			return parseStartup(code, body)
		}
		if err != nil {
			return startupPacket{}, err
		}
	}
}

// readHead reads the length and code of a start-up packet, after a TLS
// handshake where the connection begins with one.
func (c *conn) readHead(head []byte, first bool) error {
	if _, err := io.ReadFull(c.nc, head[:1]); err != nil {
		return errNoSession
	}
	if first && head[0] == tlsClientHello {
		cfg := c.srv.tlsConfig()
		if cfg == nil {
			return errNoSession
		}
		if err := c.startTLS(&prefixedConn{Conn: c.raw, prefix: head[:1:1]}, cfg); err != nil {
			return err
		}
		// Without ALPN this could be a client of another protocol that was led here.
		if c.tlsConn.ConnectionState().NegotiatedProtocol != alpnName {
			return errNoSession
		}
		if _, err := io.ReadFull(c.nc, head[:1]); err != nil {
			return errNoSession
		}
	}
	if _, err := io.ReadFull(c.nc, head[1:]); err != nil {
		return errNoSession
	}
	return nil
}

// answerTLS accepts or refuses an SSLRequest. The request was read without a
// buffer, so nothing that a third party put in clear behind it can be taken
// for the client's words.
func (c *conn) answerTLS() error {
	cfg := c.srv.tlsConfig()
	if cfg == nil || c.tlsConn != nil {
		return c.answerByte('N')
	}
	if err := c.answerByte('S'); err != nil {
		return err
	}
	return c.startTLS(c.raw, cfg)
}

func (c *conn) answerByte(b byte) error {
	if _, err := c.nc.Write([]byte{b}); err != nil {
		return errNoSession // gone already
	}
	return nil
}

func (c *conn) startTLS(nc net.Conn, cfg *tls.Config) error {
	t := tls.Server(nc, cfg)
	ctx, cancel := context.WithTimeout(c.ctx, c.srv.opts.StartupTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		c.log.DebugContext(c.ctx, "TLS handshake failed", "error", err)
		return errNoSession
	}
	c.tlsConn, c.tlsUsed, c.nc = t, cfg, t
	return nil
}

// prefixedConn is a connection of which the first byte was read already.
type prefixedConn struct {
	net.Conn
	prefix []byte
}

func (p *prefixedConn) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// tlsCache keeps the derived configuration of the last one handed out, so
// that session tickets live on and nothing is cloned per connection.
type tlsCache struct {
	mu           sync.Mutex
	src, derived *tls.Config
}

// tlsConfig is the configuration for the next handshake, nil: none.
func (s *Server) tlsConfig() *tls.Config {
	if s.opts.TLSConfig == nil {
		return nil
	}
	src := s.opts.TLSConfig()
	if src == nil {
		return nil
	}
	s.tls.mu.Lock()
	defer s.tls.mu.Unlock()
	if s.tls.src != src {
		derived := src.Clone()
		derived.NextProtos = []string{alpnName}
		s.tls.src, s.tls.derived = src, derived
	}
	return s.tls.derived
}

// parseStartup reads a StartupMessage of which code is the version.
func parseStartup(code uint32, body []byte) (startupPacket, error) {
	p := startupPacket{minor: int(code & 0xffff), params: map[string]string{}}
	if major := code >> 16; major != majorNumber {
		return p, pgerror.New(pgerror.FeatureNotSupported,
			"unsupported frontend protocol %d.%d: server supports %d.0 to %d.%d",
			major, p.minor, majorNumber, majorNumber, minorNewest)
	}
	if !utf8.Valid(body) {
		return p, pgerror.New(pgerror.InvalidByteSequence, "the startup packet is not valid UTF-8")
	}
	for len(body) > 0 && body[0] != 0 {
		name, rest, ok1 := bytes.Cut(body, []byte{0})
		value, rest, ok2 := bytes.Cut(rest, []byte{0})
		if !ok1 || !ok2 {
			return p, errStartupLayout()
		}
		body = rest
		if n := string(name); strings.HasPrefix(n, "_pq_.") {
			p.options = append(p.options, n)
		} else {
			p.params[strings.ToLower(n)] = string(value)
		}
	}
	if len(body) != 1 {
		return p, errStartupLayout()
	}
	return p, nil
}

func errStartupLayout() *pgerror.Error {
	return pgerror.New(pgerror.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
}

// agreed is the minor version both sides speak: 2, or 0 (there was no 3.1).
func (p startupPacket) agreed() int {
	if p.minor >= minorNewest {
		return minorNewest
	}
	return 0
}

// appendNegotiation appends NegotiateProtocolVersion where the client asked
// for a version or an option that is not had.
func (p startupPacket) appendNegotiation(dst []byte) []byte {
	if p.minor == p.agreed() && len(p.options) == 0 {
		return dst
	}
	dst, mark := begin(dst, 'v')
	dst = appendInt32(dst, int32(majorNumber<<16|p.agreed()))
	dst = appendInt32(dst, int32(len(p.options)))
	for _, o := range p.options {
		dst = appendCString(dst, o)
	}
	return finish(dst, mark)
}

// startup makes what the engine is told: user and database taken out, the
// settings in options=-c … put in, encodings spelt one way.
func (p startupPacket) startup(remote net.Addr) (Startup, error) {
	s := Startup{User: p.params["user"], Database: p.params["database"], Params: map[string]string{}}
	if remote != nil {
		s.RemoteAddr = remote.String()
	}
	if s.User == "" {
		return s, pgerror.New(pgerror.InvalidAuthorization, "no PostgreSQL user name specified in startup packet")
	}
	if s.Database == "" {
		s.Database = s.User
	}
	if r, ok := p.params["replication"]; ok && !slices.Contains([]string{"", "0", "false", "off", "no"}, strings.ToLower(r)) {
		return s, pgerror.Unsupported("replication connections are not supported").
			WithHint("Connect without the replication parameter.")
	}
	for name, value := range p.params {
		switch name {
		case "user", "database", "replication", "options":
		default:
			s.Params[name] = value
		}
	}
	// Parameters of their own win over those in options, as in PostgreSQL.
	if err := parseOptions(p.params["options"], s.Params); err != nil {
		return s, err
	}
	if enc, ok := s.Params["client_encoding"]; ok {
		s.Params["client_encoding"] = spellEncoding(enc)
	}
	return s, nil
}

// spellEncoding turns the names of UTF-8 in use, asyncpg's quoted one too,
// into PostgreSQL's; others stay as they are, for the engine to judge.
func spellEncoding(name string) string {
	bare := strings.Trim(strings.TrimSpace(name), "'")
	switch strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(bare)) {
	case "utf8", "unicode":
		return "UTF8"
	}
	return bare
}

// parseOptions reads command-line style settings: "-c name=value", "-cname=value"
// and "--name=value", separated by blanks; a backslash takes the next
// character as it is. Names already in params stay.
func parseOptions(s string, params map[string]string) error {
	words := splitOptions(s)
	for i := 0; i < len(words); i++ {
		w := words[i]
		var setting string
		switch {
		case w == "-c" && i+1 < len(words):
			i++
			setting = words[i]
		case strings.HasPrefix(w, "-c") && w != "-c":
			setting = w[2:]
		case strings.HasPrefix(w, "--"):
			setting = w[2:]
		default:
			return pgerror.New(pgerror.SyntaxError, "invalid command-line argument for server process: %s", w).
				WithHint("Use options='-c name=value'.")
		}
		name, value, ok := strings.Cut(setting, "=")
		name = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "-", "_"))
		if !ok || name == "" {
			return pgerror.New(pgerror.SyntaxError, "-c %s requires a value", setting)
		}
		if _, set := params[name]; !set {
			params[name] = value
		}
	}
	return nil
}

func splitOptions(s string) []string {
	var words []string
	var word []byte
	in := false
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\' && i+1 < len(s):
			i++
			word, in = append(word, s[i]), true
		case ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r':
			if in {
				words, word, in = append(words, string(word)), word[:0], false
			}
		default:
			word, in = append(word, ch), true
		}
	}
	if in {
		words = append(words, string(word))
	}
	return words
}

// start brings a connection from its first byte to the first ReadyForQuery.
// errNoSession ends it without a word, other errors are sent as FATAL.
func (c *conn) start() error {
	if err := c.raw.SetDeadline(time.Now().Add(c.srv.opts.StartupTimeout)); err != nil {
		return errNoSession
	}
	packet, err := c.handshake()
	c.out.nc = c.nc
	if err != nil {
		return err
	}
	c.startup, err = packet.startup(c.raw.RemoteAddr())
	if err != nil {
		return err
	}
	if err := c.srv.enroll(c); err != nil {
		return err
	}
	c.startup.PID = c.pid
	c.log = c.log.With("pid", c.pid, "user", c.startup.User, "database", c.startup.Database)
	c.out.lock()
	c.out.buf = packet.appendNegotiation(c.out.buf)
	c.out.unlock()
	if err := c.newSecret(packet.agreed()); err != nil {
		return err
	}
	c.fr = newFrameReader(c.nc, authBodyMax)
	if err := c.authenticate(); err != nil {
		return err
	}
	c.fr.bodyMax = c.srv.opts.MaxMessageBytes
	c.in = newInbox(c.fr)
	c.stmts, c.portals = map[string]*prepared{}, map[string]*portal{}
	if err := c.raw.SetDeadline(time.Time{}); err != nil {
		return errNoSession
	}
	if err := c.ctx.Err(); err != nil {
		return context.Cause(c.ctx) // the deadline may have been a wake-up call
	}
	return c.connectSession()
}

// newSecret makes the cancel key: 4 bytes, or 32 where the protocol allows.
func (c *conn) newSecret(minor int) error {
	n := 4
	if minor >= 2 {
		n = 32
	}
	c.secret = make([]byte, n)
	if _, err := rand.Read(c.secret); err != nil {
		return fmt.Errorf("cancel key: %w", err)
	}
	return nil
}

// connectSession has the engine make the session and tells the client its
// settings and cancel key.
func (c *conn) connectSession() error {
	session, err := c.srv.opts.Backend.Connect(c.ctx, c.startup, notifier{c})
	if err != nil {
		return err
	}
	c.session = session
	c.setInfo()
	c.out.lock()
	b := c.out.buf
	hasVersion := false
	for _, p := range session.Params() {
		hasVersion = hasVersion || strings.EqualFold(p.Name, "server_version")
		b = appendParameterStatus(b, p.Name, p.Value)
	}
	if !hasVersion {
		b = appendParameterStatus(b, "server_version", c.srv.opts.ServerVersion)
	}
	b = appendBackendKey(b, c.pid, c.secret)
	c.out.buf = b
	c.out.unlock()
	c.ready()
	return nil
}
