package pgwire

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	v5 "github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"
)

// passwords is an Authenticator over a map.
type passwords map[string]string

func (p passwords) Credential(_ context.Context, l Login) (Credential, error) {
	password, ok := p[l.User]
	if !ok {
		return Credential{}, nil
	}
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		return Credential{}, err
	}
	k, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "0123456789abcdef", Iters: 4096})
	if err != nil {
		return Credential{}, err
	}
	return Credential{Iterations: 4096, Salt: []byte(k.Salt), StoredKey: k.StoredKey, ServerKey: k.ServerKey}, nil
}

func withPasswords(o *Options) { o.Authenticator = passwords{"alice": "secret"} }

func selfSigned(t testing.TB, ed bool) tls.Certificate {
	t.Helper()
	var pub, priv any
	if ed {
		p, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pub, priv = p, k
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pub, priv = &k.PublicKey, k
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, priv)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: priv}
}

func withTLS(t testing.TB) func(*Options) {
	cfg := &tls.Config{Certificates: []tls.Certificate{selfSigned(t, false)}}
	return func(o *Options) { o.TLSConfig = func() *tls.Config { return cfg } }
}

func tryPgx(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	if err := c.Ping(ctx); err != nil {
		return err
	}
	return c.Close(ctx)
}

func TestSCRAM(t *testing.T) {
	s := startServer(t, withPasswords, withTLS(t))
	url := func(user, password, mode string) string {
		return "postgres://" + user + ":" + password + "@" + s.addr + "/db?" + mode
	}
	for _, mode := range []string{"sslmode=disable", "sslmode=require", "sslmode=require&channel_binding=require", "sslmode=require&channel_binding=disable"} {
		if err := tryPgx(url("alice", "secret", mode)); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	var wrong, unknown *pgconn.PgError
	if err := tryPgx(url("alice", "wrong", "sslmode=disable")); !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	if err := tryPgx(url("mallory", "secret", "sslmode=disable")); !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	if wrong.Code != "28P01" || wrong.Severity != "FATAL" || wrong.Message != `password authentication failed for user "alice"` {
		t.Errorf("%+v", wrong)
	}
	if strings.ReplaceAll(unknown.Message, "mallory", "alice") != wrong.Message || unknown.Code != wrong.Code {
		t.Errorf("%+v differs from %+v", unknown, wrong)
	}
	if got := s.Stats().AuthFailures; got != 2 {
		t.Errorf("%d failures counted", got)
	}
}

// An unknown user is asked with the same salt each time, in the same form as
// a known one.
func TestSCRAMDoesNotTellWhoExists(t *testing.T) {
	s := startServer(t, withPasswords)
	challenge := func(user string) string {
		r := dialRaw(t, s.addr)
		r.send(t, &v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{"user": user}})
		if m := until[*v5.AuthenticationSASL](t, r); len(m.AuthMechanisms) != 1 || m.AuthMechanisms[0] != "SCRAM-SHA-256" {
			t.Errorf("%+v", m)
		}
		r.send(t, &v5.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("n,,n=,r=abc")})
		m := until[*v5.AuthenticationSASLContinue](t, r)
		_, salt, _ := strings.Cut(string(m.Data), ",s=")
		return salt
	}
	known, mallory := challenge("alice"), challenge("mallory")
	if mallory != challenge("mallory") || mallory == challenge("eve") || len(known) != len(mallory) || known[len(known)-7:] != mallory[len(mallory)-7:] {
		t.Errorf("known %s, unknown %s", known, mallory)
	}
}

func TestSCRAMRefusesNonsense(t *testing.T) {
	s := startServer(t, withPasswords, withTLS(t))
	for name, m := range map[string]v5.FrontendMessage{
		"mechanism":        &v5.SASLInitialResponse{AuthMechanism: "PLAIN", Data: []byte("x")},
		"plus without TLS": &v5.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256-PLUS", Data: []byte("p=tls-server-end-point,,n=,r=abc")},
		"garbage":          &v5.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("garbage")},
		"another message":  &v5.Query{String: "rows 1"},
		"malformed":        &rawMessage{b: []byte{'p', 0, 0, 0, 5, 'x'}},
		"too long":         &rawMessage{b: []byte{'p', 0, 16, 0, 0, 'x'}},
	} {
		r := dialRaw(t, s.addr)
		r.send(t, &v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{"user": "alice"}})
		until[*v5.AuthenticationSASL](t, r)
		r.send(t, m)
		e := until[*v5.ErrorResponse](t, r)
		if e.Severity != "FATAL" || (e.Code != "08P01" && e.Code != "54000") {
			t.Errorf("%s: %+v", name, e)
		}
		if _, err := r.fe.Receive(); err == nil {
			t.Errorf("%s: the connection stays open", name)
		}
	}
}

func TestPsqlSCRAMAndTLS(t *testing.T) {
	s := startServer(t, withPasswords, withTLS(t))
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"PGPASSWORD=secret", "PGSSLMODE=require"}, "row 1"},
		{[]string{"PGPASSWORD=secret", "PGSSLMODE=require", "PGCHANNELBINDING=require"}, "row 1"},
		{[]string{"PGPASSWORD=secret", "PGSSLMODE=require", "PGCHANNELBINDING=disable"}, "row 1"},
		{[]string{"PGPASSWORD=secret", "PGSSLMODE=disable"}, "row 1"},
		{[]string{"PGPASSWORD=nope", "PGSSLMODE=require"}, `password authentication failed for user "alice"`},
	} {
		if out, _ := psql(t, s, c.env, "-c", "rows 1"); !strings.Contains(out, c.want) {
			t.Errorf("%v: %s", c.env, out)
		}
	}
}

// psql says "y" where TLS is on and no channel binding is offered, which is so
// for a certificate that names no hash.
func TestPsqlWithoutChannelBinding(t *testing.T) {
	cfg := &tls.Config{Certificates: []tls.Certificate{selfSigned(t, true)}}
	s := startServer(t, withPasswords, func(o *Options) { o.TLSConfig = func() *tls.Config { return cfg } })
	if out, _ := psql(t, s, []string{"PGPASSWORD=secret", "PGSSLMODE=require"}, "-c", "rows 1"); !strings.Contains(out, "row 1") {
		t.Error(out)
	}
}

func TestDirectTLS(t *testing.T) {
	s := startServer(t, withTLS(t))
	for alpn, ok := range map[string]bool{"postgresql": true, "": false, "h2": false} {
		cfg := &tls.Config{InsecureSkipVerify: true}
		if alpn != "" {
			cfg.NextProtos = []string{alpn}
		}
		d := tls.Dialer{Config: cfg, NetDialer: &net.Dialer{Timeout: 5 * time.Second}}
		nc, err := d.DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			if ok {
				t.Error(err)
			}
			continue
		}
		_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
		r := &rawClient{Conn: nc, fe: v5.NewFrontend(nc, nc)}
		b, err := (&v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{"user": "alice"}}).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write(b)
		_, err = r.fe.Receive()
		if (err == nil) != ok {
			t.Errorf("ALPN %q: %v", alpn, err)
		}
		_ = nc.Close()
	}
}

// The configuration is asked for at each handshake, so certificates change
// without a restart.
func TestTLSReload(t *testing.T) {
	first := &tls.Config{Certificates: []tls.Certificate{selfSigned(t, false)}}
	var current atomic.Pointer[tls.Config]
	current.Store(first)
	s := startServer(t, func(o *Options) { o.TLSConfig = current.Load })
	serial := func() string {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"postgresql"}}}
		nc, err := d.DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return string(nc.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw)
	}
	a, b := serial(), serial()
	current.Store(&tls.Config{Certificates: []tls.Certificate{selfSigned(t, false)}})
	if c := serial(); a != b || a == c {
		t.Error("the certificate was not replaced")
	}
	current.Store(nil)
	if err := tryPgx("postgres://alice@" + s.addr + "/db?sslmode=require"); err == nil {
		t.Error("TLS was switched off, and is not")
	}
}

func TestStartupTimeout(t *testing.T) {
	s := startServer(t, withPasswords, func(o *Options) { o.StartupTimeout = 300 * time.Millisecond })
	silent := dialRaw(t, s.addr)
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("an answer to nothing")
	}
	r := dialRaw(t, s.addr)
	r.send(t, &v5.StartupMessage{ProtocolVersion: v5.ProtocolVersion30, Parameters: map[string]string{"user": "alice"}})
	until[*v5.AuthenticationSASL](t, r)
	if e := until[*v5.ErrorResponse](t, r); e.Code != "28000" || !strings.Contains(e.Message, "timeout") {
		t.Errorf("%+v", e)
	}
}

// Connections that never log in hold no place against those that do.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	s := startServer(t, withPasswords, func(o *Options) { o.MaxConnections, o.StartupTimeout = 3, time.Minute })
	for range 500 {
		dialRaw(t, s.addr)
	}
	for range 3 {
		c := connectPgx(t, "postgres://alice:secret@"+s.addr+"/db?sslmode=disable")
		checkPgxRows(t, c)
		for range 80 {
			dialRaw(t, s.addr)
		}
		checkPgxRows(t, c)
	}
}

func TestTLSQueryAndCancel(t *testing.T) {
	s := startServer(t, withTLS(t))
	c := connectPgx(t, "postgres://alice@"+s.addr+"/db?sslmode=require")
	for range 3 {
		checkPgxRows(t, c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Exec(ctx, "wait"); err == nil {
		t.Error("no error")
	}
	<-s.backend.ended
}
