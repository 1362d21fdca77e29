package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"velostream/cmd/internal/config"
)

// newCertificates returns the TLS configuration of the next handshake, nil
// without a certificate. Files that were replaced are read again.
func newCertificates(c config.Config, log *slog.Logger) (func() *tls.Config, error) {
	if c.TLSCertFile == "" {
		return nil, nil
	}
	k := &certificates{cert: c.TLSCertFile, key: c.TLSKeyFile, log: log}
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("tls_cert_file: %w", err)
	}
	return k.current, nil
}

type certificates struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	config  *tls.Config
	looked  time.Time
	changed time.Time
}

func (k *certificates) current() *tls.Config {
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

func (k *certificates) load() error {
	info, err := os.Stat(k.cert)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return err
	}
	k.config = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	k.changed = info.ModTime()
	return nil
}
