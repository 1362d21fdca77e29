package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate for 127.0.0.1 that vouches for itself.
func certificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "velostream test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})), 0o600)
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
}

func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	certificate(t, cert, key, 1)
	p := serving(t, t.TempDir(), "--tls-cert-file", cert, "--tls-key-file", key)
	try := func(root string) error {
		var out, errOut output
		dsn := "postgres://velo@" + p.addr + "/velostream?sslmode=verify-full&sslrootcert=" + root
		return Run(t.Context(), []string{"sql", "--dsn", dsn, "-c", "SELECT 1"}, &out, &errOut)
	}
	if err := try(cert); err != nil {
		t.Fatalf("verified: %v", err)
	}
	// A certificate that is replaced counts for connections from then on.
	old := filepath.Join(dir, "old.crt")
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	write(t, old, string(text), 0o644)
	certificate(t, cert, key, 2)
	if err := os.Chtimes(cert, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	within(t, "the new certificate", func() bool { return try(cert) == nil })
	if err := try(old); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the old certificate still fits: %v", err)
	}
}
