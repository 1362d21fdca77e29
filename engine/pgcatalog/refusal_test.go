package pgcatalog_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestRefused are statements on system relations that must fail.
func TestRefused(t *testing.T) {
	c := connect(t, startWorld(t))
	for sql, code := range map[string]string{
		"INSERT INTO pg_class (oid) VALUES (1)":                                     "42501",
		"DELETE FROM pg_catalog.pg_type":                                            "42501",
		"UPDATE information_schema.tables SET table_name = 'x'":                     "42501",
		"CREATE MATERIALIZED VIEW m AS SELECT relname FROM pg_class":                "0A000",
		"SELECT relname FROM pg_class EMIT CHANGES":                                 "0A000",
		"SELECT * FROM pg_catalog.pg_nothing":                                       "42P01",
		"SELECT 'nothing'::regclass":                                                "42P01",
		"SELECT 'nothing'::regtype":                                                 "42704",
		"SELECT 'nothing'::regproc":                                                 "42883",
		"SELECT 'nothing'::regnamespace":                                            "3F000",
		"SELECT pg_get_serial_sequence('nothing', 'x')":                             "42P01",
		"SELECT set_config('nothing', 'x', false)":                                  "42704",
		"SELECT has_table_privilege('nothing', 'select')":                           "42P01",
		"SELECT current_setting('nothing')":                                         "42704",
		"SELECT (SELECT oid FROM pg_type)":                                          "21000",
		"SELECT (information_schema._pg_expandarray(indkey)).nothing FROM pg_index": "42703",
	} {
		_, err := c.Exec(t.Context(), sql).ReadAll()
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != code {
			t.Errorf("%s: %v, want %s", sql, err, code)
		}
	}
}
