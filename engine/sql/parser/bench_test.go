package parser

import (
	"strings"
	"testing"

	"velostream/engine/sql/ast"
)

// benchQuery is a query of 50 lines such as a dashboard's view has.
const benchQuery = `CREATE MATERIALIZED VIEW positions AS
WITH priced AS (
  SELECT
    t.trade_id,
    t.symbol,
    t.trader_id,
    t.price,
    t.quantity,
    CASE WHEN t.side = 'BUY' THEN t.quantity ELSE -t.quantity END AS signed_quantity,
    t.price * t.quantity AS notional,
    COALESCE(m.sector, 'unknown') AS sector,
    EXTRACT(EPOCH FROM t.event_time) AS epoch,
    t.event_time
  FROM trades t
  LEFT JOIN instruments m
    ON m.symbol = t.symbol
   AND m.valid_from <= t.event_time
   AND (m.valid_to IS NULL OR m.valid_to > t.event_time)
  WHERE t.price > 0
    AND t.quantity BETWEEN 1 AND 1000000
    AND t.symbol NOT IN ('TEST', 'DEMO')
    AND t.venue LIKE 'X%'
),
limits AS (
  SELECT trader_id, max(max_notional) AS max_notional
  FROM trader_limits
  GROUP BY trader_id
)
SELECT
  p.symbol,
  p.sector,
  p.trader_id,
  count(*) AS trades,
  sum(p.signed_quantity) AS net_quantity,
  sum(p.notional)::numeric(20,4) AS notional,
  min(p.price) AS low,
  max(p.price) AS high,
  first_value(p.price) AS open,
  last_value(p.price) AS close,
  sum(p.notional) / nullif(sum(p.quantity), 0) AS vwap,
  stddev(p.price) AS volatility,
  count(*) FILTER (WHERE p.price > 100.50) AS expensive,
  round(avg(p.price), 2) AS mean
FROM priced p
JOIN limits l ON l.trader_id = p.trader_id
WINDOW TUMBLING(p.event_time, INTERVAL '1' MINUTE)
GROUP BY p.symbol, p.sector, p.trader_id
HAVING sum(p.notional) > 10000
   AND count(*) > 1
ORDER BY notional DESC NULLS LAST
LIMIT 100
EMIT CHANGES`

func BenchmarkParse(b *testing.B) {
	large := "SELECT * FROM t WHERE a IN (" + strings.Repeat("12345, ", 140_000) + "1)"
	for _, c := range []struct{ name, sql string }{
		{"point", "SELECT abalance FROM pgbench_accounts WHERE aid = $1"},
		{"50lines", benchQuery},
		{"1MB", large},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.sql)))
			for b.Loop() {
				if _, err := Parse(c.sql); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkString(b *testing.B) {
	stmts, err := Parse(benchQuery)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = ast.String(stmts[0].Stmt)
	}
}
