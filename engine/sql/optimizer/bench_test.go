package optimizer_test

import (
	"testing"

	"velostream/engine/sql/binder"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/parser"
)

// longQuery has 50 lines.
const longQuery = `
WITH big AS (
  SELECT
    o.id,
    o.account_id,
    o.symbol,
    o.qty,
    o.price,
    o.qty * o.price AS value
  FROM orders o
  WHERE o.qty > 10
    AND o.price IS NOT NULL
    AND o.placed > '2024-01-01'
), per_account AS (
  SELECT
    b.account_id,
    count(*) AS orders,
    sum(b.value) AS total,
    min(b.price) AS low,
    max(b.price) AS high,
    count(DISTINCT b.symbol) AS symbols
  FROM big b
  GROUP BY b.account_id
  HAVING count(*) > 2
)
SELECT
  a.id,
  upper(a.owner) AS owner,
  coalesce(a.region, 'none') AS region,
  p.orders,
  p.total,
  p.total / p.orders AS average,
  CASE
    WHEN p.total > 100000 THEN 'large'
    WHEN p.total > 10000 THEN 'medium'
    ELSE 'small'
  END AS class,
  p.high - p.low AS spread,
  p.symbols
FROM accounts a
JOIN per_account p ON p.account_id = a.id
LEFT JOIN items i ON i.order_id = p.orders AND i.n > 0
WHERE a.region IN ('eu', 'us', 'asia')
  AND a.balance BETWEEN 0 AND 1000000
  AND a.opened >= date '2020-01-01'
  AND EXISTS (
    SELECT 1 FROM orders x
    WHERE x.account_id = a.id AND x.qty > 100
  )
ORDER BY p.total DESC, a.id
LIMIT 20
OFFSET 5
`

// BenchmarkPlan is text to physical plan: the target is 0.2 ms.
func BenchmarkPlan(b *testing.B) {
	snap := sqltest.Snapshot(b, sqltest.Schema)
	b.ReportAllocs()
	for b.Loop() {
		q, err := parser.ParseQuery(longQuery)
		if err != nil {
			b.Fatal(err)
		}
		r, err := binder.BindQuery(binder.Options{Snapshot: snap, SQL: longQuery}, q)
		if err != nil {
			b.Fatal(err)
		}
		logical := optimizer.Optimize(r.Plan, optimizer.Context{})
		if _, _, err := optimizer.Lower(logical, optimizer.LowerOptions{Shards: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPointSelect is the shortest way: one table, one row.
func BenchmarkPointSelect(b *testing.B) {
	snap := sqltest.Snapshot(b, sqltest.Schema)
	const sql = "SELECT owner, balance FROM accounts WHERE id = $1"
	b.ReportAllocs()
	for b.Loop() {
		q, err := parser.ParseQuery(sql)
		if err != nil {
			b.Fatal(err)
		}
		r, err := binder.BindQuery(binder.Options{Snapshot: snap, SQL: sql}, q)
		if err != nil {
			b.Fatal(err)
		}
		logical := optimizer.Optimize(r.Plan, optimizer.Context{})
		if _, _, err := optimizer.Lower(logical, optimizer.LowerOptions{Shards: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
