package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/catalog/auth"
)

// authority signs certificates of a test.
type authority struct {
	t    *testing.T
	dir  string
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.file = filepath.Join(a.dir, name+".crt")
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	write(t, a.file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	return a
}

// issue writes a certificate for name, and its key.
func (a *authority) issue(name string) (cert, key string) {
	a.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.last++
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(100 + a.last), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &k.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key = filepath.Join(a.dir, name+".crt"), filepath.Join(a.dir, name+".key")
	write(a.t, key, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})), 0o600)
	write(a.t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	return cert, key
}

// login connects, runs sql, and returns the SQLSTATE of what went wrong, "" for
// nothing, "?" for what is no error of the server.
func (p *process) login(params, sql string) string {
	p.t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := pgconn.Connect(p.t.Context(), "host="+host+" port="+port+" dbname=velostream "+params)
	if err == nil {
		defer c.Close(p.t.Context())
		_, err = c.Exec(p.t.Context(), sql).ReadAll()
	}
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	p.t.Logf("%s: %v", params, err)
	return "?"
}

// TestHostBasedRules: each method, by type of connection, and reloading.
func TestHostBasedRules(t *testing.T) {
	ca, other := newAuthority(t, "authority"), newAuthority(t, "other")
	cert, key := ca.issue("server")
	hba := filepath.Join(t.TempDir(), "hba.conf")
	write(t, hba, "host all velo samehost trust\n", 0o600)
	dir := t.TempDir()
	p := serving(t, dir, "--hba-file", hba, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-client-ca-file", ca.file)
	verifier, err := auth.MakeVerifier("ready made", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.login("user=velo sslmode=disable", `
		CREATE ROLE staff; CREATE USER alice PASSWORD 'secret' IN ROLE staff; CREATE USER bob PASSWORD '`+verifier.String()+`';
		CREATE USER carol; CREATE ROLE nologin PASSWORD 'secret'; CREATE USER old PASSWORD 'secret' VALID UNTIL '2020-01-01';
		CREATE USER one PASSWORD 'secret' CONNECTION LIMIT 0`); got != "" {
		t.Fatal(got)
	}
	if got := p.login("user=alice password=secret sslmode=disable", ""); got != "28000" {
		t.Errorf("without a rule: %q", got)
	}
	write(t, hba, `
host      all        velo       all       trust
hostnossl all        carol      all       trust
hostssl   all        carol      all       cert
hostnossl velostream "bob"      all       password
host      all        +staff     127.0.0.0/8 scram-sha-256
hostssl   all        bob        all       scram-sha-256 clientcert=verify-ca
host      other      all        all       trust
host      all        mallory    all       reject
host      all        all        all       scram-sha-256
`, 0o600)
	if got := p.login("user=velo sslmode=disable", "SELECT pg_reload_conf()"); got != "" {
		t.Fatal(got)
	}
	const rules = `SELECT 1 / (count(*) = 9 AND bool_or(line_number = 6 AND address = '127.0.0.0' AND netmask = '255.0.0.0' AND user_name = '{+staff}') AND
		bool_or(options = '{clientcert=verify-ca}' AND auth_method = 'scram-sha-256' AND type = 'hostssl'))::int FROM pg_hba_file_rules`
	if got := p.login("user=velo sslmode=disable", rules); got != "" {
		t.Errorf("pg_hba_file_rules: %q", got)
	}
	carolCert, carolKey := ca.issue("carol")
	falseCert, falseKey := other.issue("carol")
	with := func(cert, key string) string {
		return " sslmode=verify-full sslrootcert=" + ca.file + " sslcert=" + cert + " sslkey=" + key
	}
	plainTLS := " sslmode=verify-full sslrootcert=" + ca.file
	for _, tt := range []struct{ name, params, want string }{
		{"scram", "user=alice password=secret sslmode=disable", ""},
		{"scram over TLS", "user=alice password=secret" + plainTLS, ""},
		{"scram, wrong", "user=alice password=wrong sslmode=disable", "28P01"},
		{"no such user", "user=nobody password=secret sslmode=disable", "28P01"},
		{"no password", "user=carol sslmode=disable", ""},
		{"certificate", "user=carol" + with(carolCert, carolKey), ""},
		{"no certificate", "user=carol" + plainTLS, "28000"},
		{"certificate of another authority", "user=carol" + with(falseCert, falseKey), "28000"},
		{"certificate of another user", "user=carol" + with(ca.issue("bob")), "28000"},
		{"cleartext, a ready-made verifier", "user=bob password='ready made' sslmode=disable", ""},
		{"cleartext, wrong", "user=bob password=secret sslmode=disable", "28P01"},
		{"scram and a certificate", "user=bob password='ready made'" + with(carolCert, carolKey), ""},
		{"scram without the certificate", "user=bob password='ready made'" + plainTLS, "28000"},
		{"rejected", "user=mallory sslmode=disable", "28000"},
		{"no login", "user=nologin password=secret sslmode=disable", "28000"},
		{"password too old", "user=old password=secret sslmode=disable", "28P01"},
		{"too many", "user=one password=secret sslmode=disable", "53300"},
	} {
		if got := p.login(tt.params, "SELECT 1"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	// A file with an error is not taken; what was there goes on. SIGHUP takes the next.
	write(t, hba, "host all all all maybe\n", 0o600)
	if got := p.login("user=velo sslmode=disable", "SELECT pg_reload_conf()"); got != "" {
		t.Errorf("reload: %q", got)
	}
	if !strings.Contains(p.stderr.String(), "is no method") {
		t.Error("the log does not say why the file was not taken")
	}
	if got := p.login("user=alice password=secret sslmode=disable", "SELECT pg_reload_conf()"); got != "42501" {
		t.Errorf("reload by a user: %q", got)
	}
	write(t, hba, "host all velo all trust\nhost all all all reject\n", 0o600)
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	within(t, "the new rules", func() bool { return p.login("user=alice password=secret sslmode=disable", "") == "28000" })
}

// TestLoginFailures: who guesses has to wait, and the log names logins and statements
// without their secrets.
func TestLoginFailures(t *testing.T) {
	hba := filepath.Join(t.TempDir(), "hba.conf")
	write(t, hba, "host all velo all trust\nhost all all all scram-sha-256\n", 0o600)
	p := serving(t, t.TempDir(), "--hba-file", hba, "--login-failures", "2")
	if got := p.login("user=velo sslmode=disable", "CREATE USER alice PASSWORD 'hunter2'; CREATE USER bob PASSWORD 'hunter2'"); got != "" {
		t.Fatal(got)
	}
	for i := range 3 {
		if got := p.login("user=alice password=wrong sslmode=disable", ""); got != "28P01" {
			t.Errorf("attempt %d: %q", i, got)
		}
	}
	if got := p.login("user=alice password=hunter2 sslmode=disable", ""); got != "28000" {
		t.Errorf("the right password within the pause: %q", got)
	}
	if got := p.login("user=bob password=hunter2 sslmode=disable", ""); got != "" {
		t.Errorf("another user: %q", got)
	}
	within(t, "the end of the pause", func() bool { return p.login("user=alice password=hunter2 sslmode=disable", "") == "" })
	if got := p.login("user=velo sslmode=disable", "ALTER USER bob PASSWORD 'hunter2'; GRANT nosuch TO bob"); got != "42704" {
		t.Error(got)
	}
	log := p.stderr.String()
	if strings.Contains(log, "hunter2") || strings.Contains(log, "SCRAM-SHA-256$") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	for _, want := range []string{
		`login refused`, `audit=login`, `user=alice`, `method=scram-sha-256`, `audit=ddl`, `tag="CREATE ROLE"`, `PASSWORD '********'`, `sqlstate=42704`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

// TestRolesInUse: until somebody makes a role, any name gets in and may do everything;
// from then on a login needs a role.
func TestRolesInUse(t *testing.T) {
	dir := t.TempDir()
	p := serving(t, dir)
	for _, u := range []string{"velo", "root", "somebody"} {
		if got := p.login("user="+u+" sslmode=disable", "CREATE TABLE "+u+"_t (a int); SELECT * FROM pg_authid"); got != "" {
			t.Errorf("%s: %q", u, got)
		}
	}
	if got := p.login("user=pg_monitor sslmode=disable", ""); got != "28000" {
		t.Errorf("a predefined role: %q", got)
	}
	if got := p.login("user=root sslmode=disable", "CREATE USER alice"); got != "" {
		t.Fatal(got)
	}
	for u, want := range map[string]string{"root": "", "velo": "", "other": "28000", "alice": "42501"} {
		if got := p.login("user="+u+" sslmode=disable", "SELECT * FROM root_t"); got != want {
			t.Errorf("%s: %q, want %q", u, got, want)
		}
	}
	p.stop()
	p = serving(t, dir)
	if got := p.login("user=alice sslmode=disable", "SELECT * FROM root_t"); got != "42501" {
		t.Errorf("after a restart: %q", got)
	}
	if got := p.login("user=other sslmode=disable", ""); got != "28000" {
		t.Errorf("after a restart: %q", got)
	}
}
