package auth

import (
	"net/netip"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	rules, err := ParseRules(`
# a comment
local   all         all                                   trust
hostssl secrets     "all",bob     all                     cert
host    all         mallory       all                     reject
host    a,"b c"     +staff        10.0.0.0/8              scram-sha-256  # members
host    sameuser    all           192.168.1.7 255.255.255.255 password
hostnossl all       all           samehost                trust
hostssl samerole    all           ::/0                    scram-sha-256 clientcert=verify-ca
host    all, x      all           ::ffff:172.16.0.0/108   trust
`)
	if err != nil {
		t.Fatal(err)
	}
	member := func(role string) bool { return role == "staff" }
	for _, tt := range []struct {
		name string
		c    Connection
		line int // 0: none
	}{
		{"socket", Connection{Local: true, User: "x", Database: "d"}, 3},
		{"certificate", Connection{TLS: true, Address: netip.MustParseAddr("1.2.3.4"), User: "bob", Database: "secrets"}, 4},
		{"quoted all is a name", Connection{TLS: true, Address: netip.MustParseAddr("1.2.3.4"), User: "all", Database: "secrets"}, 4},
		{"not without TLS", Connection{Address: netip.MustParseAddr("1.2.3.4"), User: "bob", Database: "secrets"}, 0},
		{"rejected", Connection{Address: netip.MustParseAddr("127.0.0.1"), User: "mallory", Database: "a"}, 5},
		{"member", Connection{Address: netip.MustParseAddr("10.1.2.3"), User: "x", Database: "b c", Member: member}, 6},
		{"member, mapped", Connection{Address: netip.MustParseAddr("::ffff:10.1.2.3"), User: "x", Database: "a", Member: member}, 6},
		{"no member", Connection{Address: netip.MustParseAddr("10.1.2.3"), User: "x", Database: "a"}, 0},
		{"another database", Connection{Address: netip.MustParseAddr("10.1.2.3"), User: "x", Database: "b", Member: member}, 0},
		{"same user", Connection{Address: netip.MustParseAddr("192.168.1.7"), User: "x", Database: "x"}, 7},
		{"another address", Connection{Address: netip.MustParseAddr("192.168.1.8"), User: "x", Database: "x"}, 0},
		{"same host", Connection{Address: netip.MustParseAddr("127.0.0.1"), User: "x", Database: "x"}, 8},
		{"same host by its address", Connection{Address: netip.MustParseAddr("9.9.9.9"), Here: netip.MustParseAddr("9.9.9.9"), User: "x", Database: "x"}, 8},
		{"same role", Connection{TLS: true, Address: netip.MustParseAddr("::1"), User: "x", Database: "staff", Member: member}, 9},
		{"mapped network", Connection{Address: netip.MustParseAddr("172.16.3.4"), User: "x", Database: "d"}, 10},
	} {
		got := 0
		if r := rules.Match(tt.c); r != nil {
			got = r.Line
		}
		if got != tt.line {
			t.Errorf("%s: line %d, want %d", tt.name, got, tt.line)
		}
	}
}

func TestRulesErrors(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", "there are no rules"},
		{"# only this", "there are no rules"},
		{"hosts all all all trust", `"hosts" is no type of connection`},
		{"hostgssenc all all all trust", "no GSSAPI"},
		{"host all all", "ends too early"},
		{"host all all all", "ends too early"},
		{"host all all 10.0.0.1 trust", "has no mask"},
		{"host all all 10.0.0.1 255.0.255.0 trust", "is no mask"},
		{"host all all 10.0.0.0/33 trust", "is no address with a mask length"},
		{"host all all db.example trust", "host names are not looked up"},
		{"host all all samenet trust", "samenet is not supported"},
		{"host all all all md5", "use scram-sha-256"},
		{"host all all all peer", `"peer" is no method`},
		{"host all all all cert", "cert is for hostssl only"},
		{"hostssl all all all cert clientcert=verify-ca", "verify-full"},
		{"hostssl all all all trust clientcert=1", "clientcert is"},
		{"hostssl all all all cert map=x", "option map is not supported"},
		{"host all all all trust clientcert", "is no option"},
		{`host "all all all trust`, "a quote is not closed"},
		{"host @dbs all all trust", "files in files"},
	} {
		if _, err := ParseRules(tt.line); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.line, err, tt.want)
		}
	}
	if _, err := ParseRules("host all all all trust\nhost x\nhost y\n"); err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("%v", err)
	}
}
