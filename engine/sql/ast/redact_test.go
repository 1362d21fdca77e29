package ast

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"SELECT 'password'", "SELECT 'password'"},
		{"ALTER USER x PASSWORD 'hunter2'", "ALTER USER x PASSWORD '********'"},
		{"create role x encrypted password E'hun\\'ter2' valid until '2030-01-01'", "create role x encrypted password E'********' valid until '2030-01-01'"},
		{"CREATE ROLE x PASSWORD NULL VALID UNTIL 'infinity'", "CREATE ROLE x PASSWORD NULL VALID UNTIL 'infinity'"},
		{"alter role x password $$hunter2$$", "alter role x password '********'"},
		{"alter role x password 'it''s hunter2' login", "alter role x password '********' login"},
		{"WITH (connector = 'kafka', 'sasl.password' = 'hunter2', topic = 'a')", "WITH (connector = 'kafka', 'sasl.password' = '********', topic = 'a')"},
		{"WITH (sasl.oauth.token = 'hunter2')", "WITH (sasl.oauth.token = '********')"},
		{`WITH ("sasl.password" = 'hunter2')`, `WITH ("sasl.password" = '********')`},
		{"ALTER USER x PASSWORD 'SCRAM-SHA-256$4096:hunter2'", "ALTER USER x PASSWORD '********'"},
		{"SELECT 'SCRAM-SHA-256$4096:hunter2'", "SELECT '********'"},
		{"DO $x$ ALTER USER y PASSWORD 'hunter2' $x$", "DO $x$ ALTER USER y PASSWORD '********' $x$"},
		{"VALIDATE 'ALTER USER y PASSWORD ''hunter2'''", "VALIDATE '********'"},
		{"ALTER USER x PASSWORD 'hunter2", "ALTER USER x PASSWORD '********'"},
		{"SET my.secret TO 'hunter2'", "SET my.secret TO '********'"},
	} {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("ALTER USER x PASSWORD 'a'")
	f.Add("$a$ password '")
	f.Fuzz(func(t *testing.T, sql string) {
		if out := Redact(sql); !Secret(sql) && !strings.Contains(strings.ToLower(sql), "scram-sha-256$") && out != sql {
			t.Errorf("%q changed to %q", sql, out)
		}
	})
}
