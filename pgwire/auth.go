package pgwire

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"

	"velostream/pgwire/pgerror"
)

// Login is who wants to connect.
type Login struct {
	User     string
	Database string
	Remote   net.Addr
	Local    net.Addr // the server's end
	TLS      bool
	// Peer is the client's certificate, verified; nil: it has shown none.
	Peer *x509.Certificate
}

// Authenticator says how a user proves who they are. It is called once per
// connection, from many goroutines.
type Authenticator interface {
	// Credential returns what l.User is checked against. For a user that does
	// not exist, has no password or may not log in, it returns the zero
	// Credential and no error: the client then goes through the same motions
	// and fails like one with a wrong password. An error ends the connection;
	// an *pgerror.Error is shown to the client.
	Credential(ctx context.Context, l Login) (Credential, error)
}

// Credential is what a user is checked against: nothing (Trust), a password sent as
// it is (Cleartext), or the keys of a SCRAM-SHA-256 verifier (RFC 5803); the zero
// value fails every check.
type Credential struct {
	// Method names the way of proof in the log.
	Method string
	Trust  bool
	// Cleartext asks for the password itself and checks it.
	Cleartext  func(password string) bool
	Iterations int
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
}

// Trust is the Authenticator that admits everyone unchecked.
var Trust Authenticator = trust{}

type trust struct{}

func (trust) Credential(context.Context, Login) (Credential, error) {
	return Credential{Trust: true, Method: "trust"}, nil
}

const (
	mechanismSCRAM     = "SCRAM-SHA-256"
	mechanismSCRAMPlus = "SCRAM-SHA-256-PLUS"
	mockIterations     = 4096
	mockSaltBytes      = 16
)

// mockSecret makes the salts that unknown users get: always the same for the
// same name, so that asking twice does not tell them from known ones.
type mockSecret [32]byte

func (m *mockSecret) init() error {
	_, err := rand.Read(m[:])
	return err
}

// credential is a verifier that no password fits.
func (m *mockSecret) credential(user string) Credential {
	mac := hmac.New(sha256.New, m[:])
	mac.Write([]byte(user))
	salt := mac.Sum(nil)[:mockSaltBytes]
	mac.Write([]byte{0})
	key := mac.Sum(nil)
	return Credential{Iterations: mockIterations, Salt: salt, StoredKey: key, ServerKey: key}
}

// authenticate ends in AuthenticationOk, or an error for the client.
func (c *conn) authenticate() error {
	ctx, cancel := context.WithTimeout(c.ctx, c.srv.opts.StartupTimeout)
	defer cancel()
	method, err := c.prove(ctx)
	if err != nil {
		return err
	}
	c.method = method
	c.out.lock()
	c.out.buf = appendAuth(c.out.buf, 0, nil)
	c.out.unlock()
	return nil
}

// prove has the client prove who it is, and returns how.
func (c *conn) prove(ctx context.Context) (method string, err error) {
	l := Login{
		User: c.startup.User, Database: c.startup.Database, Remote: c.raw.RemoteAddr(), Local: c.raw.LocalAddr(), TLS: c.tlsConn != nil,
	}
	if c.tlsConn != nil {
		if chains := c.tlsConn.ConnectionState().VerifiedChains; len(chains) > 0 {
			l.Peer = chains[0][0]
		}
	}
	cred, err := c.srv.opts.Authenticator.Credential(ctx, l)
	switch {
	case err != nil:
		return "", err
	case cred.Trust:
		return cred.Method, nil
	}
	if err := c.srv.logins.check(c.loginKey(), time.Now()); err != nil {
		return "", err
	}
	if cred.Cleartext != nil {
		return cred.Method, c.authenticateCleartext(cred)
	}
	return cred.Method, c.authenticateSCRAM(cred)
}

// authenticateCleartext asks for the password itself.
func (c *conn) authenticateCleartext(cred Credential) error {
	c.sendAuth(pgproto3.AuthTypeCleartextPassword, nil)
	var p pgproto3.PasswordMessage
	if err := c.readPassword(&p); err != nil {
		return err
	}
	if p.Password == "" {
		return pgerror.New(pgerror.InvalidPassword, "empty password returned by client")
	}
	return c.judge(cred.Cleartext(p.Password))
}

func (c *conn) loginKey() loginKey {
	return loginKey{address: host(c.raw.RemoteAddr()), user: c.startup.User}
}

// judge ends a check of a password: the answer counts only where another attempt
// was due.
func (c *conn) judge(right bool) error {
	if err := c.srv.logins.settle(c.loginKey(), right, time.Now()); err != nil {
		return err
	}
	if !right {
		return c.errPassword()
	}
	return nil
}

// host is the address of a client without its port.
func host(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP.String()
	}
	return a.String()
}

// appendAuth appends an Authentication… message.
func appendAuth(dst []byte, code int32, data []byte) []byte {
	dst, mark := begin(dst, 'R')
	dst = appendInt32(dst, code)
	return finish(append(dst, data...), mark)
}

func (c *conn) sendAuth(code int32, data []byte) {
	c.out.lock()
	c.out.buf = appendAuth(c.out.buf, code, data)
	c.out.unlock()
	c.out.flush()
}

// errPassword is the one answer to a wrong user and a wrong password.
func (c *conn) errPassword() error {
	c.srv.count.authFailed.Add(1)
	return pgerror.New(pgerror.InvalidPassword, "password authentication failed for user %q", c.startup.User)
}

// authenticateSCRAM runs SCRAM-SHA-256 (RFC 5802, RFC 7677,
// https://www.postgresql.org/docs/15/sasl-authentication.html). The user is
// that of the start-up packet; the one in the SCRAM message is ignored, as
// PostgreSQL's clients leave it empty.
func (c *conn) authenticateSCRAM(cred Credential) error {
	if len(cred.StoredKey) != sha256.Size || len(cred.ServerKey) != sha256.Size || cred.Iterations <= 0 {
		cred = c.srv.mock.credential(c.startup.User)
	}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: string(cred.Salt), Iters: cred.Iterations},
			StoredKey:  cred.StoredKey, ServerKey: cred.ServerKey,
		}, nil
	})
	if err != nil {
		return fmt.Errorf("scram: %w", err)
	}
	binding := c.channelBinding()
	mechanisms := mechanismSCRAM + "\x00\x00"
	if binding.IsSupported() {
		mechanisms = mechanismSCRAMPlus + "\x00" + mechanisms
	}
	c.sendAuth(pgproto3.AuthTypeSASL, []byte(mechanisms))

	var first pgproto3.SASLInitialResponse
	if err := c.readPassword(&first); err != nil {
		return err
	}
	var talk *scram.ServerConversation
	switch {
	case first.AuthMechanism == mechanismSCRAMPlus && binding.IsSupported() && bytes.HasPrefix(first.Data, []byte("p=")):
		talk = server.NewConversationWithChannelBindingRequired(binding)
	case first.AuthMechanism == mechanismSCRAM && !bytes.HasPrefix(first.Data, []byte("p=")):
		talk = server.NewConversationWithChannelBinding(binding)
	default:
		return pgerror.New(pgerror.ProtocolViolation, "client selected an invalid SASL authentication mechanism")
	}
	challenge, err := talk.Step(string(first.Data))
	if err != nil {
		return pgerror.New(pgerror.ProtocolViolation, "malformed SCRAM message").WithDetail("%s", err.Error()).WithCause(err)
	}
	c.sendAuth(pgproto3.AuthTypeSASLContinue, []byte(challenge))

	var last pgproto3.SASLResponse
	if err := c.readPassword(&last); err != nil {
		return err
	}
	proof, err := talk.Step(string(last.Data))
	if err := c.judge(err == nil && talk.Valid()); err != nil {
		return err
	}
	c.out.lock()
	c.out.buf = appendAuth(c.out.buf, pgproto3.AuthTypeSASLFinal, []byte(proof))
	c.out.unlock()
	return nil
}

// readPassword reads a message of type 'p' into m.
func (c *conn) readPassword(m interface{ Decode([]byte) error }) error {
	f, err := c.fr.next()
	switch {
	case err != nil && pgerror.Code(err) != pgerror.InternalError:
		return err
	case err != nil:
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() && c.ctx.Err() == nil {
			return pgerror.New(pgerror.InvalidAuthorization, "canceling authentication due to timeout after %s",
				c.srv.opts.StartupTimeout.Round(time.Millisecond))
		}
		return errNoSession // psql hangs up to ask its user for the password
	case f.typ != 'p':
		return pgerror.New(pgerror.ProtocolViolation, "expected SASL response, got message type %d", f.typ)
	}
	if err := m.Decode(f.body); err != nil {
		return pgerror.New(pgerror.ProtocolViolation, "malformed SASL response").WithCause(err)
	}
	return nil
}

// channelBinding is tls-server-end-point (RFC 5929 §4.1): the hash of our
// certificate. It is offered only where there is one certificate, since with
// several only the handshake knows which was shown.
func (c *conn) channelBinding() scram.ChannelBinding {
	if c.tlsConn == nil {
		return scram.ChannelBinding{}
	}
	cfg := c.tlsUsed
	if cfg.GetCertificate != nil || cfg.GetConfigForClient != nil || len(cfg.Certificates) != 1 {
		return scram.ChannelBinding{}
	}
	return endpointBinding(cfg.Certificates[0])
}

func endpointBinding(cert tls.Certificate) scram.ChannelBinding {
	if len(cert.Certificate) == 0 {
		return scram.ChannelBinding{}
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return scram.ChannelBinding{}
	}
	var h hash.Hash
	switch leaf.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		h = sha256.New()
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h = sha512.New384()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h = sha512.New()
	default: // Ed25519 names no hash, and clients would not agree on one
		return scram.ChannelBinding{}
	}
	h.Write(leaf.Raw)
	return scram.ChannelBinding{Type: scram.ChannelBindingTLSServerEndpoint, Data: h.Sum(nil)}
}
