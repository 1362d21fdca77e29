package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"velostream/cmd/internal/config"
)

// newCertificates reads the certificate files that c names; nil: none. Files that
// were replaced are read again.
func newCertificates(c config.Config, log *slog.Logger) (*certificates, error) {
	if c.TLSCertFile == "" {
		return nil, nil
	}
	k := &certificates{cert: c.TLSCertFile, key: c.TLSKeyFile, ca: c.TLSClientCAFile, log: log}
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("tls_cert_file: %w", err)
	}
	return k, nil
}

type certificates struct {
	cert, key string
	ca        string // authorities of clients' certificates, "": none is asked for
	log       *slog.Logger

	mu      sync.Mutex
	config  *tls.Config
	looked  time.Time
	changed time.Time
}

// current is the configuration of the next handshake, nil: no TLS.
func (k *certificates) current() *tls.Config {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) > recheck {
		k.looked = time.Now()
		if info, err := os.Stat(k.cert); err == nil && !info.ModTime().Equal(k.changed) {
			if err := k.load(); err != nil { // perhaps only half replaced: again at the next look
				k.log.ErrorContext(context.Background(), "certificate not replaced", "file", k.cert, "error", err)
			}
		}
	}
	return k.config
}

// reload reads the files again, whether they look changed or not.
func (k *certificates) reload() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(); err != nil {
		return fmt.Errorf("tls_cert_file: %w", err)
	}
	return nil
}

func (k *certificates) load() error {
	info, err := os.Stat(k.cert)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if k.ca != "" {
		pem, err := os.ReadFile(k.ca)
		if err != nil {
			return err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s has no certificate in PEM", k.ca)
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	k.config = config
	k.changed = info.ModTime()
	return nil
}
