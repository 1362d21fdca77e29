package enginetest

import (
	"os"
	"strings"
	"testing"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
)

// continuous are views with clauses of the dialect, after which what they read gets other
// names.
const continuous = `
create stream s (sym text, px numeric, q int, ts timestamptz, watermark for ts as ts - interval '3 seconds');
create table dim (sym text primary key, name text);
create materialized view d1 as select sym, window_start, window_end, count(*) n, sum(px*q) v from s window tumbling (size 10 seconds) group by sym emit final;
create materialized view d2 as select sym, window_start, count(*) n from tumble(s, ts, interval '1 minute') group by sym, window_start;
create materialized view d3 as select sym, count(*) n from s group by sym, tumble(ts, interval '5' minute);
create materialized view d4 as select s.sym, d.name, px from s join dim d on d.sym = s.sym;
create materialized view d5 as select a.sym, b.px from s a join s b within interval '5 seconds' on a.sym = b.sym;
create materialized view d6 as select sym, hop_start(ts, interval '1 minute', interval '10 seconds') w, max(px) m from s group by sym, hop(ts, interval '1 minute', interval '10 seconds') emit on window close;
create materialized view d7 as select sym, session_start(ts, interval '1 minute') st, count(*) n from s group by sym, session(ts, interval '1 minute');
create materialized view d8 as select a.sym, b.px from s a asof join s b on a.sym = b.sym and a.ts >= b.ts;
create materialized view d9 as select s.sym, d.name from s join dim for system_time as of proctime() d on d.sym = s.sym;
create materialized view d10 as select sym primary key, last_value(px) as px from s group by sym;
create materialized view d11 as select sym, window_start, sum(px) from s window hop (size 1 minute, advance by 10 seconds) group by sym emit changes;
create materialized view d12 as select window_start, count(*) from cumulate(s, ts, interval '1 minute', interval '1 hour') group by window_start, window_end;
create materialized view d13 as select sym, window_start, count(*) n from s window session (gap 1 minute) where px > 2 group by sym having count(*) > 1;
alter table dim rename column name to label;
alter table dim rename to dims;
alter stream s rename column px to price;
alter stream s rename column ts to at;
alter stream s rename to ticks;
`

// TestDeparse makes views of what pg_get_viewdef prints: they are printed alike.
func TestDeparse(t *testing.T) {
	definitions, err := os.ReadFile("../../testdata/catalog/definitions.sql")
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range map[string]string{"postgres": string(definitions), "continuous": continuous} {
		t.Run(name, func(t *testing.T) { reprint(t, schema) })
	}
}

func reprint(t *testing.T, schema string) {
	ctx := t.Context()
	v := Start(t, engine.Options{})
	c, err := pgx.Connect(ctx, v.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for stmt := range strings.SplitSeq(strings.TrimSpace(schema), ";\n") {
		if _, err := c.Exec(ctx, stmt); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	rows, err := c.Query(ctx, `SELECT relname, relkind = 'm', pg_get_viewdef(oid), pg_get_viewdef(oid, true)
		FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384 ORDER BY oid`)
	if err != nil {
		t.Fatal(err)
	}
	type view struct {
		Name         string
		Materialized bool
		Plain        string
		Pretty       string
	}
	views, err := pgx.CollectRows(rows, pgx.RowToStructByPos[view])
	if err != nil || len(views) == 0 {
		t.Fatalf("%d views: %v", len(views), err)
	}
	for _, w := range views {
		for _, text := range []string{w.Plain, w.Pretty} {
			kind := "VIEW"
			if w.Materialized {
				kind = "MATERIALIZED VIEW"
			}
			if _, err := c.Exec(ctx, "CREATE "+kind+" again AS "+text); err != nil {
				t.Errorf("%s: %v\n%s", w.Name, err, text)
				continue
			}
			var plain, pretty string
			if err := c.QueryRow(ctx, "SELECT pg_get_viewdef('again'::regclass), pg_get_viewdef('again'::regclass, true)").Scan(&plain, &pretty); err != nil {
				t.Fatal(err)
			}
			// PostgreSQL too prints v32 otherwise the second time: = ANY ((ARRAY[…])::text[]).
			if (plain != w.Plain || pretty != w.Pretty) && w.Name != "v32" {
				t.Errorf("%s:\n%s\nis printed again as\n%s", w.Name, w.Plain, plain)
			}
			if strings.Contains(plain, ".px") || strings.Contains(plain, "FROM s\n") {
				t.Errorf("%s has old names:\n%s", w.Name, plain)
			}
			if _, err := c.Exec(ctx, "DROP "+kind+" again"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
