-- Aggregates of all kinds over one table, with retraction.
CREATE TABLE a (id int PRIMARY KEY, k text, g int, i int, l bigint, n numeric, m numeric(10,2), f double precision, b bool, d date, ts timestamp, t text);

CREATE MATERIALIZED VIEW cnt AS SELECT k, count(*) AS n, count(i) AS ni, count(DISTINCT i) AS nd FROM a GROUP BY k;
CREATE MATERIALIZED VIEW sums AS SELECT k, sum(i) AS i, sum(l) AS l, sum(n) AS n, sum(m) AS m, sum(f) AS f FROM a GROUP BY k;
CREATE MATERIALIZED VIEW avgs AS SELECT g, avg(i) AS i, avg(l) AS l, avg(n) AS n, avg(m) AS m, avg(f) AS f FROM a GROUP BY g;
-- @scale
CREATE MATERIALIZED VIEW extremes AS SELECT k, min(i) AS i, max(i) AS i2, min(n) AS n, max(n) AS n2, min(t) AS t, max(t) AS t2, min(d) AS d, max(ts) AS ts, min(f) AS f, max(f) AS f2, max(l) AS l FROM a GROUP BY k;
CREATE MATERIALIZED VIEW spread AS SELECT g, stddev(i) AS a, stddev_pop(i) AS b, var_samp(n) AS c, var_pop(m) AS d, stddev_samp(l) AS l, variance(i) AS v FROM a GROUP BY g;
CREATE MATERIALIZED VIEW spreadf AS SELECT g, stddev(f) AS a, var_pop(f) AS b FROM a WHERE f < 50 GROUP BY g;
CREATE MATERIALIZED VIEW bools AS SELECT g, bool_and(b) AS x, bool_or(b) AS y, every(b) AS z FROM a GROUP BY g;
CREATE MATERIALIZED VIEW filtered AS SELECT k, count(*) FILTER (WHERE i > 1) AS a, sum(n) FILTER (WHERE b) AS b, min(t) FILTER (WHERE g IS NULL) AS c, count(DISTINCT t) FILTER (WHERE b IS NOT TRUE) AS e FROM a GROUP BY k;
CREATE MATERIALIZED VIEW distinctive AS SELECT g, sum(DISTINCT i) AS a, avg(DISTINCT m) AS b, count(DISTINCT k) AS c, count(DISTINCT n) AS e, max(DISTINCT i) AS x FROM a GROUP BY g;
CREATE MATERIALIZED VIEW global AS SELECT count(*) AS n, sum(i) AS s, avg(n) AS v, min(t) AS t, max(ts) AS ts, count(DISTINCT k) AS d, bool_and(b) AS b FROM a;
CREATE MATERIALIZED VIEW globalwhere AS SELECT count(*) AS n, sum(m) AS m, max(i) AS i FROM a WHERE k = 'a' AND i > 2;
CREATE MATERIALIZED VIEW keys2 AS SELECT k, g, b, count(*) AS n, sum(i) AS s FROM a GROUP BY k, g, b;
CREATE MATERIALIZED VIEW byexpr AS SELECT i % 2 AS odd, upper(k) AS u, count(*) AS n, sum(i * 2 + coalesce(g, 0)) AS s FROM a GROUP BY i % 2, upper(k);
CREATE MATERIALIZED VIEW bynumeric AS SELECT m, count(*) AS n FROM a GROUP BY m;
CREATE MATERIALIZED VIEW byfloat AS SELECT f, count(*) AS n FROM a WHERE f <> 0 GROUP BY f;
CREATE MATERIALIZED VIEW byday AS SELECT date_trunc('day', ts) AS day, count(*) AS n, sum(n) AS s FROM a GROUP BY 1;
CREATE MATERIALIZED VIEW bydate AS SELECT d, count(*) AS n, max(id) AS last FROM a GROUP BY d;
CREATE MATERIALIZED VIEW having1 AS SELECT k, count(*) AS n FROM a GROUP BY k HAVING count(*) > 2;
CREATE MATERIALIZED VIEW having2 AS SELECT k, max(i) AS n FROM a GROUP BY k HAVING sum(i) > 3 AND min(g) IS NOT NULL;
CREATE MATERIALIZED VIEW having3 AS SELECT sum(i) AS s FROM a HAVING count(*) > 3;
CREATE MATERIALIZED VIEW exprs AS SELECT k, sum(i) + count(*) AS a, coalesce(sum(n), 0) * 2 AS b, max(i) - min(i) AS c, CASE WHEN count(*) > 2 THEN 'many' ELSE 'few' END AS e, sum(i)::numeric / nullif(count(i), 0) AS q FROM a GROUP BY k;
CREATE MATERIALIZED VIEW dist AS SELECT DISTINCT k, g FROM a;
CREATE MATERIALIZED VIEW dist1 AS SELECT DISTINCT b FROM a;
CREATE MATERIALIZED VIEW distnum AS SELECT DISTINCT m * 2 AS m2 FROM a;
CREATE MATERIALIZED VIEW groupless AS SELECT k FROM a GROUP BY k;
CREATE MATERIALIZED VIEW top3 AS SELECT id, i, k FROM a ORDER BY i DESC NULLS LAST, id LIMIT 3;
CREATE MATERIALIZED VIEW top3off AS SELECT id, n FROM a ORDER BY id OFFSET 1 LIMIT 2;
CREATE MATERIALIZED VIEW topk AS SELECT k, count(*) AS n FROM a GROUP BY k ORDER BY n DESC, k NULLS FIRST LIMIT 2;
CREATE MATERIALIZED VIEW orderless AS SELECT id, k FROM a ORDER BY k, id;
CREATE MATERIALIZED VIEW lists AS SELECT k, string_agg(t, ',' ORDER BY id) AS s, array_agg(i ORDER BY id) AS l FROM a GROUP BY k;
