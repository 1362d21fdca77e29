package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	_ "github.com/lib/pq" // the driver of database/sql
)

// The range of time that the dashboards look at here.
var grafanaFrom, grafanaTo = time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)

// grafanaTables is what the queries run on: candles as the demo's view has them.
var grafanaTables = []string{
	"DROP TABLE IF EXISTS candles",
	`CREATE TABLE candles (symbol text, window_start timestamptz, window_end timestamptz, open numeric(12,2), high numeric(12,2),
		low numeric(12,2), close numeric(12,2), volume bigint, vwap numeric(20,4), trades bigint, PRIMARY KEY (symbol, window_start))`,
	`INSERT INTO candles SELECT s, timestamptz '2026-01-01 09:00Z' + i * interval '10 seconds', timestamptz '2026-01-01 09:00:10Z' + i * interval '10 seconds',
		100 + i, 101 + i, 99 + i, 100.5 + i, 2000 * i, 100.25 + i, i + 1 FROM generate_series(0, 11) i, (VALUES ('AAPL'), ('MSFT')) AS v(s)`,
	"DROP TABLE IF EXISTS epochs",
	"CREATE TABLE epochs (id int PRIMARY KEY, seconds bigint, nanos bigint, at timestamp, day date)",
	"INSERT INTO epochs VALUES (1, 1767258000, 1767258000000000000, '2026-01-01 09:00', '2026-01-01')",
}

// grafanaRun sends a query as a version of the plugin does, and returns the
// columns' names with their types, and the rows as text.
type grafanaRun func(ctx context.Context, query string) (columns []string, rows [][]string, err error)

// expand replaces macros as the plugin does.
func expand(query string) string {
	quoted := func(t time.Time) string { return "'" + t.Format(time.RFC3339Nano) + "'" }
	return regexp.MustCompile(`\$(__\w+)\(([^)]*)\)`).ReplaceAllStringFunc(query, func(call string) string {
		m := regexp.MustCompile(`\$(__\w+)\(([^)]*)\)`).FindStringSubmatch(call)
		args := strings.Split(m[2], ",")
		for i := range args {
			args[i] = strings.TrimSpace(args[i])
		}
		a := args[0]
		every := func() string {
			d, err := time.ParseDuration(strings.Trim(args[1], "'"))
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(d.Seconds())
		}
		switch m[1] {
		case "__time":
			return a + ` AS "time"`
		case "__timeEpoch":
			return "extract(epoch from " + a + `) as "time"`
		case "__timeFilter":
			return a + " BETWEEN " + quoted(grafanaFrom) + " AND " + quoted(grafanaTo)
		case "__timeFrom":
			return quoted(grafanaFrom)
		case "__timeTo":
			return quoted(grafanaTo)
		case "__timeGroup", "__timeGroupAlias":
			g := fmt.Sprintf("floor(extract(epoch from %s)/%s)*%s", a, every(), every())
			if m[1] == "__timeGroupAlias" {
				g += ` AS "time"`
			}
			return g
		case "__unixEpochFilter":
			return fmt.Sprintf("%s >= %d AND %s <= %d", a, grafanaFrom.Unix(), a, grafanaTo.Unix())
		case "__unixEpochNanoFilter":
			return fmt.Sprintf("%s >= %d AND %s <= %d", a, grafanaFrom.UnixNano(), a, grafanaTo.UnixNano())
		case "__unixEpochNanoFrom":
			return fmt.Sprint(grafanaFrom.UnixNano())
		case "__unixEpochNanoTo":
			return fmt.Sprint(grafanaTo.UnixNano())
		case "__unixEpochGroup", "__unixEpochGroupAlias":
			g := fmt.Sprintf("floor((%s)/%s)*%s", a, every(), every())
			if m[1] == "__unixEpochGroupAlias" {
				g += ` AS "time"`
			}
			return g
		}
		return "unknown macro " + m[1]
	})
}

// searchPathOnly is the editor's condition for tables that need no schema.
const searchPathOnly = `quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
	FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
	string_to_array(current_setting('search_path'),',') s)`

// grafana does what Grafana's PostgreSQL data source does, both as its versions
// on database/sql and lib/pq and as those on pgx: the check of the connection,
// the editor's pickers, each macro, and every query of the dashboard.
func (e *env) grafana() error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, q := range grafanaTables {
		if _, err := c.Exec(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	if e.streaming {
		for _, q := range []string{
			"DROP MATERIALIZED VIEW IF EXISTS g_view", "DROP STREAM IF EXISTS g_stream",
			"CREATE MATERIALIZED VIEW g_view AS SELECT symbol, max(close) AS top FROM candles GROUP BY symbol",
			"CREATE STREAM g_stream (id int, at timestamptz)",
		} {
			if _, err := c.Exec(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
	}
	db, err := sql.Open("postgres", e.dsnFor(""))
	if err != nil {
		return err
	}
	defer db.Close()
	e.check("grafana+pq", "health", func(ctx context.Context) error { return db.PingContext(ctx) })
	e.check("grafana+pgx", "health", e.with(func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) }))
	e.grafanaChecks("grafana+pq", func(ctx context.Context, q string) ([]string, [][]string, error) { return pqRun(ctx, db, q) })
	e.grafanaChecks("grafana+pgx", func(ctx context.Context, q string) ([]string, [][]string, error) { return e.pgxRun(ctx, q) })
	e.check("grafana+pgx", "schema API", e.with(func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, `SELECT column_name, data_type, udt_name, numeric_precision, numeric_scale FROM information_schema.columns
			WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`, "public", "candles")
		if err != nil {
			return err
		}
		var got []string
		var name, kind, udt string
		var precision, scale *int
		_, err = pgx.ForEachRow(rows, []any{&name, &kind, &udt, &precision, &scale}, func() error {
			got = append(got, name+" "+udt)
			return nil
		})
		if err != nil {
			return err
		}
		return same(strings.Join(got[:4], ", "), "symbol text, window_start timestamptz, window_end timestamptz, open numeric")
	}))
	return nil
}

func (e *env) grafanaChecks(d string, run grafanaRun) {
	// want runs a query and compares its columns, and its rows where given.
	want := func(name, query, columns string, rows ...string) {
		e.check(d, name, func(ctx context.Context) error {
			cols, got, err := run(ctx, expand(query))
			if err != nil {
				return err
			}
			if len(got) == 0 && len(rows) == 0 && len(cols) == 0 { // pgx describes no empty results
				return nil
			}
			if err := same(strings.Join(cols, ", "), columns); err != nil {
				return err
			}
			for i, w := range rows {
				if i >= len(got) {
					return fmt.Errorf("row %d is not there", i)
				}
				if err := same(strings.Join(got[i], "|"), w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	want("version", "SELECT current_setting('server_version_num')::int/100 as version", "version int4", "1500")
	want("TimescaleDB", "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'", "extversion text")
	want("schemas", `SELECT schema_name AS "name" FROM information_schema.schemata
		WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND schema_name = 'public' ORDER BY schema_name`, "name name", "public")
	want("columns", `SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
		WHERE CASE WHEN array_length(parse_ident('candles'),1) = 2
		THEN quote_ident(table_schema) = (parse_ident('candles'))[1] AND quote_ident(table_name) = (parse_ident('candles'))[2]
		ELSE quote_ident(table_name) = 'candles' AND `+searchPathOnly+` END`, "column text, type varchar", "symbol|text", "window_start|timestamp with time zone")
	e.check(d, "tables", func(ctx context.Context) error {
		_, rows, err := run(ctx, `SELECT CASE WHEN `+searchPathOnly+` THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
			FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog')
			ORDER BY CASE WHEN `+searchPathOnly+` THEN 0 ELSE 1 END, 1`)
		if err != nil {
			return err
		}
		needed := []string{"candles", "epochs"}
		if e.streaming {
			needed = append(needed, "g_stream", "g_view")
		}
		for _, n := range needed {
			if !slices.ContainsFunc(rows, func(r []string) bool { return r[0] == n }) {
				return fmt.Errorf("%s is not listed: %v", n, rows)
			}
		}
		return nil
	})
	want("$__time, $__timeFilter", "SELECT $__time(window_start), symbol AS metric, close AS value FROM candles WHERE $__timeFilter(window_start) ORDER BY 1, 2",
		"time timestamptz, metric text, value numeric", "2026-01-01 09:00:00+00|AAPL|100.50")
	want("$__timeFilter on timestamp and date", "SELECT id FROM epochs WHERE $__timeFilter(at) AND $__timeFilter(day + time '09:30')", "id int4", "1")
	want("$__timeEpoch", "SELECT $__timeEpoch(window_start), volume FROM candles WHERE symbol = 'AAPL' ORDER BY 1", "time numeric, volume int8", "1767258000.000000|0")
	want("$__timeFrom, $__timeTo", "SELECT count(*) AS n FROM candles WHERE window_start >= $__timeFrom() AND window_start < $__timeTo()", "n int8", "24")
	want("$__timeGroup", "SELECT $__timeGroup(window_start, '1m'), avg(close) FROM candles WHERE $__timeFilter(window_start) GROUP BY 1 ORDER BY $__timeGroup(window_start, '1m')",
		"?column? numeric, avg numeric", "1767258000|103.0000000000000000")
	want("$__timeGroupAlias", "SELECT $__timeGroupAlias(window_start, '1m'), symbol AS metric, sum(volume) AS v FROM candles GROUP BY 1, 2 ORDER BY 1, 2",
		"time numeric, metric text, v numeric", "1767258000|AAPL|30000")
	want("$__unixEpochFilter, $__unixEpochGroupAlias", "SELECT $__unixEpochGroupAlias(seconds, '5m'), count(*) AS n FROM epochs WHERE $__unixEpochFilter(seconds) GROUP BY 1 ORDER BY 1",
		"time float8, n int8", "1767258000|1")
	want("$__unixEpochNanoFilter", "SELECT id FROM epochs WHERE $__unixEpochNanoFilter(nanos) AND nanos BETWEEN $__unixEpochNanoFrom() AND $__unixEpochNanoTo()", "id int4", "1")
	want("$__unixEpochGroup", "SELECT $__unixEpochGroup(seconds, '1m') AS t FROM epochs", "t float8", "1767258000")
	want("annotations", `SELECT window_start AS "time", window_end AS timeend, symbol || ' moved' AS text, symbol || ',demo' AS tags FROM candles WHERE $__timeFilter(window_start) ORDER BY 1, 4`,
		"time timestamptz, timeend timestamptz, text text, tags text", "2026-01-01 09:00:00+00|2026-01-01 09:00:10+00|AAPL moved|AAPL,demo")
	want("several results", "SET application_name = 'panel'; SELECT 1 AS a", "a int4", "1")
	if e.streaming {
		want("view", "SELECT symbol, top FROM g_view ORDER BY 1", "symbol text, top numeric", "AAPL|111.50", "MSFT|111.50")
		want("stream", "SELECT id, at FROM g_stream WHERE $__timeFilter(at)", "id int4, at timestamptz")
	}
	e.dashboards(d, run)
}

// schemas checks the shipped dashboard against the schema of Grafana's own SDK:
// nothing that is required is left out, nothing is there that Grafana does not
// know.
func (e *env) schemas() error {
	plugins.RegisterDefaultPlugins()
	e.check("grafana", "the dashboard's schema", func(context.Context) error {
		data, err := os.ReadFile(os.Getenv("CLIENTS_DASHBOARD"))
		if err != nil {
			return err
		}
		var d dashboard.Dashboard
		// It returns an error without errors where there are none.
		if err := d.UnmarshalJSONStrict(data); err != nil && err.Error() != "" {
			return err
		}
		if err := d.Validate(); err != nil {
			return err
		}
		return same(len(d.Panels), 5)
	})
	return nil
}

// dashboards runs every query of the dashboards that are shipped.
func (e *env) dashboards(d string, run grafanaRun) {
	data, err := os.ReadFile(os.Getenv("CLIENTS_DASHBOARD"))
	var board any
	if err == nil {
		err = json.Unmarshal(data, &board)
	}
	if err != nil {
		e.check(d, "dashboard", func(context.Context) error { return err })
		return
	}
	n := 0
	walk(board, func(query string) {
		n++
		if !e.streaming && strings.Contains(query, "velo_catalog") {
			return
		}
		query = strings.ReplaceAll(query, "$symbol", "'AAPL','MSFT'")
		e.check(d, fmt.Sprintf("dashboard, query %d", n), func(ctx context.Context) error {
			cols, rows, err := run(ctx, expand(query))
			if err != nil {
				return fmt.Errorf("%w: %s", err, query)
			}
			if len(cols) == 0 || len(rows) == 0 {
				return fmt.Errorf("%d columns, %d rows: %s", len(cols), len(rows), query)
			}
			return nil
		})
	})
}

// walk finds the SQL in a dashboard.
func walk(v any, f func(query string)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			walk(x, f)
		}
	case map[string]any:
		for _, k := range slices.Sorted(mapKeys(v)) {
			q, ok := v[k].(string)
			switch {
			case k == "rawSql" && ok:
				f(q)
			case k == "query" && ok && strings.HasPrefix(q, "SELECT"):
				f(q)
			default:
				walk(v[k], f)
			}
		}
	}
}

func mapKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// pqRun is the older versions: a plain query by database/sql.
func pqRun(ctx context.Context, db *sql.DB, query string) ([]string, [][]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for { // the last result counts
		kinds, err := rows.ColumnTypes()
		if err != nil {
			return nil, nil, err
		}
		var cols []string
		for _, k := range kinds {
			cols = append(cols, k.Name()+" "+strings.ToLower(k.DatabaseTypeName()))
		}
		var out [][]string
		for rows.Next() {
			cells := make([]any, len(kinds))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				return nil, nil, err
			}
			out = append(out, texts(cells))
		}
		if err := rows.Err(); err != nil {
			return nil, nil, err
		}
		if len(cols) > 0 || !rows.NextResultSet() {
			return cols, out, nil
		}
	}
}

func texts(cells []any) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		switch v := (*c.(*any)).(type) {
		case nil:
			out[i] = "NULL"
		case []byte:
			out[i] = string(v)
		case float64:
			out[i] = strconv.FormatFloat(v, 'f', -1, 64)
		case time.Time:
			out[i] = v.UTC().Format("2006-01-02 15:04:05") + "+00"
		default:
			out[i] = fmt.Sprint(v)
		}
	}
	return out
}

// pgxRun is the newer versions: the simple protocol, all results read, of
// which those with the tag SELECT count; a type that pgx does not know fails.
func (e *env) pgxRun(ctx context.Context, query string) ([]string, [][]string, error) {
	c, err := pgx.Connect(ctx, e.dsn)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close(ctx)
	results, err := c.PgConn().Exec(ctx, query).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	known := pgtype.NewMap()
	for _, r := range results {
		if !r.CommandTag.Select() {
			continue
		}
		var cols []string
		for _, f := range r.FieldDescriptions {
			t, ok := known.TypeForOID(f.DataTypeOID)
			if !ok {
				return nil, nil, fmt.Errorf("unknown type %d of %s", f.DataTypeOID, f.Name)
			}
			cols = append(cols, f.Name+" "+t.Name)
		}
		var out [][]string
		for _, row := range r.Rows {
			var cells []string
			for _, v := range row {
				if v == nil {
					cells = append(cells, "NULL")
				} else {
					cells = append(cells, string(v))
				}
			}
			out = append(out, cells)
		}
		return cols, out, nil
	}
	return nil, nil, nil
}
