package enginetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"velostream/engine"
)

// TestInferredColumns makes streams that declare no columns.
func TestInferredColumns(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	csv := write("t.csv", "sym,\"at, utc\",price,qty\nA,2026-01-01 10:00:00,1.50,3\nB,2026-01-01 10:00:01,2,\nA,B,C,D,E\n")
	json := write("t.jsonl", `{"id":1,"user":{"n":"x"},"at":"2026-01-01T00:00:00Z"}`+"\n"+`{"id":2.5,"ok":true}`+"\n{broken\n")
	s := Start(t, engine.Options{Shards: 1})
	c := s.Connect()
	for _, x := range []struct{ sql, fails, columns string }{
		{sql: fmt.Sprintf("CREATE STREAM c WITH (connector = 'file', path = '%s', format = 'csv')", csv), fails: "more than the 4 values of the header"},
		{
			sql:     fmt.Sprintf("CREATE STREAM c WITH (connector = 'file', path = '%s', format = 'csv', on_error = 'skip')", csv),
			columns: "sym text, at, utc timestamp without time zone, price numeric, qty bigint",
		},
		{sql: fmt.Sprintf("CREATE STREAM j WITH (connector = 'file', path = '%s', format = 'jsonl')", json), fails: "can't be told from the data"},
		{
			sql: fmt.Sprintf(`CREATE STREAM j (WATERMARK FOR at AS at - INTERVAL '1 second')
				WITH (connector = 'file', path = '%s', format = 'jsonl', on_error = 'skip')`, json),
			columns: "id numeric, user jsonb, at timestamp with time zone, ok boolean",
		},
		{sql: fmt.Sprintf("CREATE STREAM e WITH (connector = 'file', path = '%s', format = 'jsonl')", write("empty", "")), fails: "there is no data yet"},
	} {
		_, err := c.Exec(t.Context(), x.sql)
		if x.fails != "" {
			if err == nil || !strings.Contains(err.Error(), x.fails) {
				t.Errorf("%s:\n%v, want %s", x.sql, err, x.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", x.sql, err)
			continue
		}
		var got string
		name := strings.Fields(x.sql)[2]
		if err := c.QueryRow(t.Context(), `SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
			FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0`, name).Scan(&got); err != nil || got != x.columns {
			t.Errorf("%s: %s (%v)\nwant %s", x.sql, got, err, x.columns)
		}
	}
	var n, sum string
	if err := c.QueryRow(t.Context(), "SELECT count(*)::text, sum(price)::text FROM c").Scan(&n, &sum); err != nil || n != "2" || sum != "3.50" {
		t.Errorf("%s rows, sum %s: %v", n, sum, err)
	}
}
