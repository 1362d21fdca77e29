package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Method is how a rule of the host-based file has a client prove who it is.
type Method string

// Methods.
const (
	MethodTrust    Method = "trust"         // not at all
	MethodReject   Method = "reject"        // it is turned away
	MethodSCRAM    Method = "scram-sha-256" // by its password, which is not sent
	MethodPassword Method = "password"      // by its password, which is sent
	MethodCert     Method = "cert"          // by its TLS certificate, whose common name is the user's
)

// Rule is a line of the host-based file: who may connect from where, and how. The
// form is PostgreSQL's (https://www.postgresql.org/docs/15/auth-pg-hba-conf.html):
//
//	local    DATABASE USER         METHOD [clientcert=verify-ca|verify-full]
//	host     DATABASE USER ADDRESS METHOD …      with TLS or without
//	hostssl  DATABASE USER ADDRESS METHOD …      with TLS only
//	hostnossl DATABASE USER ADDRESS METHOD …     without only
//
// DATABASE is all, sameuser, samerole or names; USER all, names, or +role for its
// members; ADDRESS all, samehost, an address with its mask length, or an address
// followed by a mask. Several names are separated by commas, and quoted where they
// are keywords. # begins a comment. The first rule that fits decides.
type Rule struct {
	Line       int
	Type       string
	Databases  []Word
	Users      []Word
	Address    string // as written, "" of local
	Method     Method
	ClientCert string // "", verify-ca, verify-full

	net netip.Prefix // of an address that is neither all nor samehost
}

// Word is a word of a rule; one that was quoted is no keyword.
type Word struct {
	Text   string
	Quoted bool
}

// Rules are the rules of a file, in order.
type Rules []Rule

// Connection is what rules are about.
type Connection struct {
	Local          bool // by a socket of the machine
	TLS            bool
	Address        netip.Addr
	Here           netip.Addr // the server's end
	User, Database string
	// Member reports that the user is a member of a role.
	Member func(role string) bool
}

// Match returns the rule that decides about c, nil: none does.
func (rs Rules) Match(c Connection) *Rule {
	for i := range rs {
		if rs[i].fits(&c) {
			return &rs[i]
		}
	}
	return nil
}

func (r *Rule) fits(c *Connection) bool {
	switch {
	case (r.Type == "local") != c.Local,
		r.Type == "hostssl" && !c.TLS,
		r.Type == "hostnossl" && c.TLS:
		return false
	}
	return r.fitsAddress(c) && r.fitsDatabase(c) && r.fitsUser(c)
}

func (r *Rule) fitsAddress(c *Connection) bool {
	switch r.Address {
	case "", "all":
		return true
	case "samehost":
		return c.Address.IsValid() && (c.Address.IsLoopback() || c.Address.Unmap() == c.Here.Unmap())
	}
	return c.Address.IsValid() && r.net.Contains(c.Address.Unmap().WithZone(""))
}

func (r *Rule) fitsDatabase(c *Connection) bool {
	for _, w := range r.Databases {
		switch {
		case !w.Quoted && w.Text == "all",
			!w.Quoted && w.Text == "sameuser" && c.Database == c.User,
			!w.Quoted && w.Text == "samerole" && c.Member != nil && c.Member(c.Database):
			return true
		case !w.Quoted && (w.Text == "sameuser" || w.Text == "samerole" || w.Text == "replication"):
		case w.Text == c.Database:
			return true
		}
	}
	return false
}

func (r *Rule) fitsUser(c *Connection) bool {
	for _, w := range r.Users {
		role, group := strings.CutPrefix(w.Text, "+")
		switch {
		case !w.Quoted && w.Text == "all":
			return true
		case !w.Quoted && group:
			if c.Member != nil && c.Member(role) {
				return true
			}
		case w.Text == c.User:
			return true
		}
	}
	return false
}

// ParseRules reads a host-based file. The error names every line that is wrong.
func ParseRules(text string) (Rules, error) {
	var out Rules
	var errs []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		fields, err := hbaFields(line)
		if err == nil && len(fields) == 0 {
			continue
		}
		var r Rule
		if err == nil {
			r, err = parseRule(fields)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		r.Line = n
		out = append(out, r)
	}
	if len(errs) == 0 && len(out) == 0 {
		errs = append(errs, errors.New("there are no rules"))
	}
	return out, errors.Join(errs...)
}

// hbaFields takes a line apart: fields at blanks, words at commas.
func hbaFields(line string) ([][]Word, error) {
	var out [][]Word
	more := false // a comma came last: the next word is of the same field
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			return out, nil
		}
		if line[0] == ',' {
			more = len(out) > 0
			line = line[1:]
			continue
		}
		var w Word
		if line[0] == '"' {
			i := strings.IndexByte(line[1:], '"')
			if i < 0 {
				return nil, errors.New("a quote is not closed")
			}
			w, line = Word{line[1 : i+1], true}, line[i+2:]
		} else {
			i := strings.IndexAny(line, " \t\r\n,#")
			if i < 0 {
				i = len(line)
			}
			w, line = Word{Text: line[:i]}, line[i:]
		}
		if strings.HasPrefix(w.Text, "@") && !w.Quoted {
			return nil, fmt.Errorf("%s: files in files are not supported", w.Text)
		}
		if more {
			out[len(out)-1] = append(out[len(out)-1], w)
		} else {
			out = append(out, []Word{w})
		}
		more = false
		if strings.HasPrefix(line, ",") {
			more, line = true, line[1:]
		}
	}
}

func parseRule(f [][]Word) (Rule, error) {
	r := Rule{Type: f[0][0].Text}
	want := 5
	switch r.Type {
	case "local":
		want = 4
	case "host", "hostssl", "hostnossl":
	case "hostgssenc", "hostnogssenc":
		return r, fmt.Errorf("%s is not supported: there is no GSSAPI", r.Type)
	default:
		return r, fmt.Errorf("%q is no type of connection: local, host, hostssl or hostnossl", r.Type)
	}
	if len(f) < want {
		return r, errors.New("the line ends too early: TYPE DATABASE USER ADDRESS METHOD")
	}
	r.Databases, r.Users = f[1], f[2]
	rest := f[3:]
	if r.Type != "local" {
		n, err := r.address(rest)
		if err != nil {
			return r, err
		}
		if rest = rest[n:]; len(rest) == 0 {
			return r, errors.New("the line ends before the method")
		}
	}
	r.Method = Method(rest[0][0].Text)
	switch r.Method {
	case MethodTrust, MethodReject, MethodSCRAM, MethodPassword:
	case MethodCert:
		if r.Type != "hostssl" {
			return r, errors.New("cert is for hostssl only")
		}
		r.ClientCert = "verify-full"
	case "md5":
		return r, errors.New("md5 is not supported: use scram-sha-256")
	default:
		return r, fmt.Errorf("%q is no method: trust, reject, scram-sha-256, password or cert", string(r.Method))
	}
	for _, o := range rest[1:] {
		if err := r.option(o[0].Text); err != nil {
			return r, err
		}
	}
	return r, nil
}

// address reads the address of a rule and says how many fields it took.
func (r *Rule) address(f [][]Word) (int, error) {
	if len(f[0]) != 1 {
		return 0, errors.New("a rule has one address")
	}
	r.Address = f[0][0].Text
	switch r.Address {
	case "all", "samehost":
		return 1, nil
	case "samenet":
		return 0, errors.New("samenet is not supported: give the network")
	}
	if strings.Contains(r.Address, "/") {
		p, err := netip.ParsePrefix(r.Address)
		if err != nil {
			return 0, fmt.Errorf("%q is no address with a mask length", r.Address)
		}
		r.net = unmapped(p)
		return 1, nil
	}
	addr, err := netip.ParseAddr(r.Address)
	if err != nil {
		return 0, fmt.Errorf("%q is no address (host names are not looked up): use 10.0.0.0/8, all or samehost", r.Address)
	}
	if len(f) < 2 {
		return 0, fmt.Errorf("the address %s has no mask: write %s/32", r.Address, r.Address)
	}
	mask, err := netip.ParseAddr(f[1][0].Text)
	if err != nil || mask.BitLen() != addr.BitLen() {
		return 0, fmt.Errorf("the address %s has no mask: write %s/%d", r.Address, r.Address, addr.BitLen())
	}
	bits := 0
	for i, b := range mask.AsSlice() {
		for k := 7; k >= 0; k-- {
			if b&(1<<k) == 0 {
				continue
			}
			if bits != i*8+7-k {
				return 0, fmt.Errorf("%s is no mask", f[1][0].Text)
			}
			bits++
		}
	}
	r.net = unmapped(netip.PrefixFrom(addr, bits))
	return 2, nil
}

// unmapped is p for addresses that are written as IPv4.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
	}
	return p.Masked()
}

func (r *Rule) option(o string) error {
	name, value, ok := strings.Cut(o, "=")
	switch {
	case !ok:
		return fmt.Errorf("%q is no option: name=value", o)
	case name != "clientcert":
		return fmt.Errorf("option %s is not supported", name)
	case !slices.Contains([]string{"verify-ca", "verify-full"}, value):
		return fmt.Errorf("clientcert is %q; it must be verify-ca or verify-full", value)
	case r.Type != "hostssl":
		return errors.New("clientcert is for hostssl only")
	case r.Method == MethodCert && value != "verify-full":
		return errors.New("with method cert, clientcert is verify-full")
	}
	r.ClientCert = value
	return nil
}
