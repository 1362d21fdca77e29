package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/cmd/internal/config"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

const hbaFileMax = 1 << 20 // bytes

// authenticator says how a client has to prove who it is: by the first rule of the
// host-based file that fits, with the password that the password file has for the
// user, else the one that the role has.
type authenticator struct {
	hbaFile   string
	rules     atomic.Pointer[auth.Rules]
	passwords *passwordFile // nil: none
	// roles are the catalog's, nil while there is none yet.
	roles func() auth.Roles
}

// newAuthenticator reads the files that c names. Without a host-based file everyone
// needs a password where there is a password file; without both everyone is let in,
// which Config.Validate allows on loopback only.
func newAuthenticator(c config.Config, roles func() auth.Roles) (*authenticator, error) {
	a := &authenticator{hbaFile: c.HBAFile, roles: roles}
	if c.PasswordFile != "" {
		a.passwords = &passwordFile{path: c.PasswordFile}
		if err := a.passwords.load(); err != nil {
			return nil, fmt.Errorf("password_file: %w", err)
		}
	}
	return a, a.loadRules()
}

// reload reads the files again. What cannot be read stays as it was.
func (a *authenticator) reload() error {
	if err := a.loadRules(); err != nil {
		return err
	}
	if err := a.passwords.reload(); err != nil {
		return fmt.Errorf("password_file: %w", err)
	}
	return nil
}

func (a *authenticator) loadRules() error {
	method := auth.MethodTrust
	if a.passwords != nil {
		method = auth.MethodSCRAM
	}
	text := "host all all all " + string(method) + "\nlocal all all " + string(method) + "\n"
	if a.hbaFile != "" {
		info, err := os.Stat(a.hbaFile)
		if err == nil && info.Size() > hbaFileMax {
			err = fmt.Errorf("%s has more than %d bytes", a.hbaFile, hbaFileMax)
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(a.hbaFile)
		}
		if err != nil {
			return fmt.Errorf("hba_file: %w", err)
		}
		text = string(b)
	}
	rules, err := auth.ParseRules(text)
	if err != nil {
		return fmt.Errorf("hba_file: %s: %w", a.hbaFile, err)
	}
	a.rules.Store(&rules)
	return nil
}

// Credential implements pgwire.Authenticator.
func (a *authenticator) Credential(_ context.Context, l pgwire.Login) (pgwire.Credential, error) {
	roles := a.roles()
	c := auth.Connection{
		Local: l.Remote.Network() == "unix", TLS: l.TLS, Address: address(l.Remote), Here: address(l.Local), User: l.User, Database: l.Database,
		Member: func(role string) bool { return roles[l.User] != nil && roles.IsIn(l.User, role) },
	}
	r := a.rules.Load().Match(c)
	switch {
	case r == nil:
		return pgwire.Credential{}, refused("no entry of the host-based rules for", l)
	case r.Method == auth.MethodReject:
		return pgwire.Credential{}, refused("the host-based rules reject the connection of", l)
	case r.ClientCert != "" && l.Peer == nil:
		return pgwire.Credential{}, pgerror.New(pgerror.InvalidAuthorization, "connection requires a valid client certificate")
	case r.ClientCert == "verify-full" && l.Peer.Subject.CommonName != l.User:
		return pgwire.Credential{}, pgerror.New(pgerror.InvalidAuthorization, "certificate authentication failed for user %q", l.User)
	case r.Method == auth.MethodTrust || r.Method == auth.MethodCert:
		return pgwire.Credential{Trust: true, Method: string(r.Method)}, nil
	}
	v, ok := a.passwords.verifier(l.User)
	if !ok {
		v, ok = passwordOf(roles[l.User])
	}
	out := pgwire.Credential{Method: string(r.Method)}
	switch {
	case r.Method == auth.MethodPassword:
		out.Cleartext = func(password string) bool { return ok && v.Matches(password) }
	case ok:
		out.Iterations, out.Salt, out.StoredKey, out.ServerKey = v.Iterations, v.Salt, v.StoredKey, v.ServerKey
	}
	return out, nil
}

// passwordOf is the verifier of a role that may use it to log in.
func passwordOf(r *auth.Role) (auth.Verifier, bool) {
	if r == nil || r.Password == "" {
		return auth.Verifier{}, false
	}
	if r.ValidUntil != nil && types.FromTime(time.Now()) >= *r.ValidUntil {
		return auth.Verifier{}, false
	}
	v, err := auth.ParseVerifier(r.Password)
	return v, err == nil
}

func refused(what string, l pgwire.Login) error {
	tls := "no encryption"
	if l.TLS {
		tls = "TLS"
	}
	return pgerror.New(pgerror.InvalidAuthorization, "%s host %q, user %q, database %q, %s",
		what, address(l.Remote).String(), l.User, l.Database, tls)
}

// address is the IP address of a, the zero value where it has none.
func address(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		if ip, ok := netip.AddrFromSlice(t.IP); ok {
			return ip.Unmap()
		}
	}
	return netip.Addr{}
}
