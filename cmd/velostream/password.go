package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"velostream/catalog/auth"
)

const (
	passwordFileMax = 1 << 20     // bytes
	recheck         = time.Second // how often a file is looked at again
)

// passwordFile is a file with a line per user, read again when it changes:
//
//	# comment
//	user:SCRAM-SHA-256$4096:…      as velostream auth hash prints
//	user:password in the clear
//
// It must not be readable by others than its owner.
type passwordFile struct {
	path string

	mu      sync.Mutex
	users   map[string]auth.Verifier
	looked  time.Time
	changed time.Time
}

// verifier is what user's password is checked against. While a changed file cannot
// be read, what was last read counts. A file that is nil has nobody.
func (p *passwordFile) verifier(user string) (auth.Verifier, bool) {
	if p == nil {
		return auth.Verifier{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) > recheck {
		p.looked = time.Now()
		if info, err := os.Stat(p.path); err == nil && !info.ModTime().Equal(p.changed) {
			_ = p.load() // the old passwords stay: see above
		}
	}
	v, ok := p.users[user]
	return v, ok
}

// reload reads the file again.
func (p *passwordFile) reload() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load()
}

// load reads the file. Errors never repeat what is in it.
func (p *passwordFile) load() error {
	f, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", p.path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be read by others (mode %04o): chmod 600 %s", p.path, info.Mode().Perm(), p.path)
	case info.Size() > passwordFileMax:
		return fmt.Errorf("%s has more than %d bytes", p.path, passwordFileMax)
	}
	users := map[string]auth.Verifier{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, password, ok := strings.Cut(line, ":")
		if !ok || user == "" {
			return fmt.Errorf("%s:%d: the line is not user:password", p.path, n)
		}
		if _, twice := users[user]; twice {
			return fmt.Errorf("%s:%d: user %q is there twice", p.path, n, user)
		}
		if users[user], err = auth.PasswordVerifier(password, 0); err != nil {
			return fmt.Errorf("%s:%d: user %q: %w", p.path, n, user, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	if len(users) == 0 {
		return fmt.Errorf("%s has no users", p.path)
	}
	p.users, p.changed = users, info.ModTime()
	return nil
}
