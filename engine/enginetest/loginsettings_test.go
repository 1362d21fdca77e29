package enginetest

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
)

// TestLoginSettings logs in anew: what is more particular wins, and the client's own
// parameters win over all of it, also after a restart.
func TestLoginSettings(t *testing.T) {
	s := Start(t, engine.Options{Shards: 1})
	admin := s.Connect()
	run := func(statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := admin.Exec(t.Context(), sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	// login is what a new session of ann's has, with the client's own application_name.
	login := func(want map[string]string) {
		t.Helper()
		o, err := pgx.ParseConfig(s.DSN())
		if err != nil {
			t.Fatal(err)
		}
		o.User, o.RuntimeParams["application_name"] = "ann", "client"
		c, err := pgx.ConnectConfig(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(t.Context()) }()
		if got := c.PgConn().ParameterStatus("TimeZone"); got != want["TimeZone"] {
			t.Errorf("the client is told that TimeZone is %q, want %q", got, want["TimeZone"])
		}
		for name, v := range want {
			var got, kept string
			if err := c.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if name == "role" {
				continue
			}
			for _, sql := range []string{"SELECT set_config('" + name + "', current_setting('" + name + "'), false)", "RESET ALL"} {
				if _, err := c.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&kept); err != nil {
				t.Fatal(err)
			}
			if got != v || kept != v {
				t.Errorf("%s is %q, after RESET ALL %q, want %q", name, got, kept, v)
			}
		}
	}
	run("CREATE ROLE ann LOGIN", "CREATE ROLE readers", "GRANT readers TO ann",
		"ALTER ROLE ALL SET lock_timeout = '1s'", "ALTER ROLE ALL SET timezone = 'Asia/Tokyo'",
		"ALTER DATABASE velostream SET timezone = 'Europe/Paris'", "ALTER DATABASE velostream SET statement_timeout = '2s'",
		"ALTER DATABASE velostream SET bytea_output = 'escape'",
		"ALTER ROLE ann SET statement_timeout = '3s'", "ALTER ROLE ann SET bytea_output = 'hex'", "ALTER ROLE ann SET application_name = 'kept'",
		"ALTER ROLE ann SET app.tenant = 'a=b'", "ALTER ROLE ann SET temp_file_limit = '2GB'",
		"ALTER ROLE ann IN DATABASE velostream SET statement_timeout = '4s'",
		"ALTER ROLE ann IN DATABASE postgres SET statement_timeout = '5s'",
	)
	want := map[string]string{
		"TimeZone": "Europe/Paris", "lock_timeout": "1s", "statement_timeout": "4s", "bytea_output": "hex", "application_name": "client",
		"app.tenant": "a=b",
	}
	login(want)
	s.Stop()
	s.Start()
	admin = s.Connect()
	login(want)
	run("ALTER ROLE ann IN DATABASE velostream RESET ALL", "ALTER DATABASE velostream RESET timezone", "ALTER ROLE ann SET role = 'readers'")
	want["statement_timeout"], want["TimeZone"], want["role"] = "3s", "Asia/Tokyo", "readers"
	login(want)
	// A role that is gone does not keep anyone out.
	run("DROP ROLE readers")
	want["role"] = "none"
	login(want)
}

// TestLoginSettingsSecret: what others may not read is not shown to them.
func TestLoginSettingsSecret(t *testing.T) {
	s := Start(t, engine.Options{Shards: 1})
	c := s.Connect()
	for _, sql := range []string{
		"CREATE ROLE ann LOGIN", "CREATE ROLE bob LOGIN", "ALTER ROLE ann SET app.token = 'hush'", "ALTER ROLE ann SET app.size = 'big'",
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for who, want := range map[string]string{"velo": "app.token=hush,app.size=big", "ann": "app.token=hush,app.size=big", "bob": "app.token=********,app.size=big"} {
		if _, err := c.Exec(t.Context(), "SET ROLE "+who); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"SELECT array_to_string(setconfig, ',') FROM pg_db_role_setting", "SELECT array_to_string(rolconfig, ',') FROM pg_roles WHERE rolname = 'ann'",
			"SELECT array_to_string(useconfig, ',') FROM pg_user WHERE usename = 'ann'",
		} {
			var got string
			if err := c.QueryRow(t.Context(), sql).Scan(&got); err != nil || got != want {
				t.Errorf("%s sees %q of %s (%v), want %q", who, got, sql, err, want)
			}
		}
	}
}
