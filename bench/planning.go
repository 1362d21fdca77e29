package main

import (
	"context"
	"fmt"
	"strings"
)

// planning measures how long a query of 50 lines takes to be parsed, bound and
// planned: the server's processor time for preparing it.
func planning(ctx context.Context, b *bench) error {
	s, err := b.startServer(ctx, "plan")
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.exec(ctx, `CREATE TABLE trades (id bigint PRIMARY KEY, symbol text, price numeric(18,2), qty bigint, account bigint, at timestamptz);
		CREATE TABLE accounts (account bigint PRIMARY KEY, region bigint, name text)`); err != nil {
		return err
	}
	sql := longQuery()
	const n = 200
	var ms []float64
	for range b.reps {
		m, err := timed(s.cpu, func() error {
			for range n {
				if _, err := c.Prepare(ctx, "", sql, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		ms = append(ms, m.cpu.Seconds()*1000/n)
	}
	v := median(ms)
	r := row{Work: fmt.Sprintf("parse, bind, plan %d lines", strings.Count(sql, "\n")), Unit: "ms", Ours: v, Against: "target", Other: 1, Ratio: 1 / v, Ship: 1, Aim: 5}
	r.Spread = [2]float64{1 / ms[len(ms)-1], 1 / ms[0]}
	b.add(r)
	return nil
}

// longQuery has joins, groups, a subquery and many expressions.
func longQuery() string {
	var q strings.Builder
	q.WriteString("SELECT x.region,\n")
	for i := range 30 {
		fmt.Fprintf(&q, "  sum(CASE WHEN x.qty > %d THEN x.price * x.qty ELSE 0 END) AS s%d,\n", i*10, i)
	}
	q.WriteString(`  count(*) AS n
FROM (
  SELECT a.region,
         t.qty,
         t.price,
         t.symbol,
         t.at
  FROM trades t
  JOIN accounts a
    ON a.account = t.account
  WHERE t.qty BETWEEN 1 AND 1000
    AND t.symbol LIKE 'S%'
) AS x
WHERE x.price > 10
  AND x.region IN (1, 2, 3)
GROUP BY x.region
HAVING count(*) > 10
ORDER BY n DESC
LIMIT 10
`)
	return q.String()
}
