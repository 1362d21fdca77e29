-- Subqueries that use the query around them in ways that no plain join is.
CREATE TABLE x (id int PRIMARY KEY, a int, b int, t text);
CREATE TABLE y (id int PRIMARY KEY, a int, n numeric(10,2), t text);

CREATE MATERIALIZED VIEW d1 AS SELECT id, (SELECT count(*) FROM (SELECT y.a FROM y WHERE y.a = x.a UNION SELECT z.a FROM x z WHERE z.b = x.b) s) AS n FROM x;
CREATE MATERIALIZED VIEW d2 AS SELECT id, (SELECT count(*) FROM (SELECT y.a FROM y WHERE y.a >= x.a EXCEPT SELECT z.a FROM x z WHERE z.b = x.b) s) AS n FROM x;
CREATE MATERIALIZED VIEW d3 AS SELECT id, (SELECT count(z.b) FROM y LEFT JOIN x z ON z.a = y.a AND z.b = x.b) AS n FROM x;
CREATE MATERIALIZED VIEW d4 AS SELECT id, (SELECT count(*) FROM y FULL JOIN (SELECT * FROM x z WHERE z.b > x.b) w ON y.a = w.a) AS n FROM x;
CREATE MATERIALIZED VIEW d5 AS SELECT id, (SELECT count(*) FROM y WHERE NOT EXISTS (SELECT 1 FROM x z WHERE z.a = y.a AND z.b = x.b)) AS n FROM x;
CREATE MATERIALIZED VIEW d6 AS SELECT id, (SELECT sum(s.r) FROM (SELECT rank() OVER (ORDER BY n) AS r FROM y WHERE y.a = x.a) s) AS n FROM x;
CREATE MATERIALIZED VIEW d7 AS SELECT id, (SELECT string_agg(g::text, ',') FROM generate_series(1, x.a % 5) g) AS s FROM x;
CREATE MATERIALIZED VIEW d8 AS SELECT a, count(*) AS n, (SELECT count(*) FROM y WHERE y.n > sum(x.b)) AS m FROM x GROUP BY a;
CREATE MATERIALIZED VIEW d9 AS SELECT x.id, l.m, k.p FROM x LEFT JOIN LATERAL (SELECT max(n) AS m FROM y WHERE y.a = x.a) l ON true LEFT JOIN LATERAL (SELECT l.m + 1 AS p WHERE l.m > 1) k ON true;
CREATE MATERIALIZED VIEW d10 AS SELECT id FROM x WHERE (SELECT count(*) FROM y WHERE y.a = x.a) = 1 OR b = ANY (SELECT n::int FROM y WHERE y.a > x.a);
CREATE MATERIALIZED VIEW d11 AS SELECT id, (WITH c AS (SELECT n FROM y WHERE y.a = x.a) SELECT count(*) FROM c p, c q WHERE p.n <= q.n) AS n FROM x;
CREATE MATERIALIZED VIEW d12 AS SELECT id, coalesce((SELECT y.id FROM y WHERE y.a <= x.a ORDER BY y.a DESC, y.id LIMIT 1 OFFSET 1), -1) AS v FROM x;
CREATE MATERIALIZED VIEW d13 AS SELECT x.id, v.p, v.q FROM x, LATERAL (VALUES (x.a, 1), (x.b, 2)) v(p, q) WHERE v.p IS NOT NULL;
CREATE MATERIALIZED VIEW d14 AS SELECT id FROM x WHERE NOT (b > ANY (SELECT n FROM y WHERE y.t = x.t));
CREATE MATERIALIZED VIEW d15 AS SELECT DISTINCT ON (a) a, id, (SELECT max(n) FROM y WHERE y.a = x.a AND y.id > x.id) AS m FROM x ORDER BY a, id;
CREATE MATERIALIZED VIEW d16 AS SELECT sum(b) FILTER (WHERE a IN (SELECT y.a FROM y)) AS s, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM y WHERE y.a = x.b)) AS n FROM x;
CREATE MATERIALIZED VIEW d17 AS SELECT x.id, y.id AS yid FROM x LEFT JOIN y ON x.a = y.a AND y.n > (SELECT avg(n) FROM y z WHERE z.t = y.t);
CREATE MATERIALIZED VIEW d18 AS SELECT id, sum(b) OVER (PARTITION BY (SELECT count(*) FROM y WHERE y.a = x.a) ORDER BY id) AS s FROM x;
CREATE MATERIALIZED VIEW d19 AS SELECT a, t, count(*) AS n FROM x GROUP BY GROUPING SETS ((a), (t), ()) HAVING count(*) >= (SELECT count(*) FROM y WHERE y.a IS NOT DISTINCT FROM x.a);
CREATE MATERIALIZED VIEW d20 AS SELECT x.id, s.e, s.o FROM x LEFT JOIN LATERAL unnest(ARRAY(SELECT y.id FROM y WHERE y.a = x.a ORDER BY y.id)) WITH ORDINALITY s(e, o) ON s.e > 0;
CREATE MATERIALIZED VIEW d21 AS SELECT x.id, y.id AS yid FROM x LEFT JOIN y ON x.a = y.a AND y.n > 1 AND (SELECT avg(n) FROM y z WHERE z.t = x.t) > 2;
CREATE MATERIALIZED VIEW d22 AS SELECT x.id, y.id AS yid FROM x FULL JOIN y ON x.a = y.a AND x.b = (SELECT max(z.b) FROM x z WHERE z.t = x.t) AND EXISTS (SELECT 1 FROM y z WHERE z.a > y.a);
