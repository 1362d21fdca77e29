-- Rows as values: those of tables, of composite types and of subqueries.
CREATE TYPE pair AS (a int, b text);

CREATE TYPE deep AS (p pair, ps pair[], n numeric);

CREATE TABLE t (id int PRIMARY KEY, a int, b text, n numeric, f double precision);
CREATE TABLE u (k int PRIMARY KEY, b text);
CREATE TABLE c (id int PRIMARY KEY, p pair, ps pair[], v int);
CREATE TABLE q (p pair PRIMARY KEY, w int);

CREATE MATERIALIZED VIEW whole AS SELECT t, u FROM t JOIN u ON t.id = u.k;
CREATE MATERIALIZED VIEW wholeleft AS SELECT t.id, u, u IS NULL AS gone, u IS NOT NULL AS there FROM t LEFT JOIN u ON t.a = u.k;
CREATE MATERIALIZED VIEW wholecount AS SELECT t.b, count(t) AS ts, count(u) AS us, count(DISTINCT u) AS ds FROM t LEFT JOIN u ON t.a = u.k GROUP BY t.b;
CREATE MATERIALIZED VIEW wholejson AS SELECT id, row_to_json(t) AS j, to_jsonb(t) AS jb FROM t;
CREATE MATERIALIZED VIEW wholegroup AS SELECT u AS r, count(*) AS c FROM u JOIN t ON t.a > u.k GROUP BY u;
CREATE MATERIALIZED VIEW wholedistinct AS SELECT DISTINCT u FROM u JOIN t ON t.b = u.b;
CREATE MATERIALIZED VIEW wholeagg AS SELECT b, array_agg(t ORDER BY id) AS r, jsonb_agg(t ORDER BY id) AS j FROM t GROUP BY b;
CREATE MATERIALIZED VIEW wholejoin AS SELECT x.id, y.id AS id2 FROM t x JOIN t y ON x = y;
CREATE MATERIALIZED VIEW wholeorder AS SELECT x.k, y.k AS k2 FROM u x JOIN u y ON x < y AND x.k - 1 <= y.k;
CREATE MATERIALIZED VIEW wholetop AS SELECT u AS r FROM u ORDER BY u DESC LIMIT 3;
CREATE MATERIALIZED VIEW subjson AS SELECT row_to_json(s) AS j FROM (SELECT b, count(*) AS n, sum(n) AS m FROM t GROUP BY b) s;
CREATE MATERIALIZED VIEW made AS SELECT id, ROW(a, b)::pair AS p FROM t;
CREATE MATERIALIZED VIEW madegroup AS SELECT ROW(a, b)::pair AS p, count(*) AS c, sum(n) AS lo FROM t GROUP BY ROW(a, b)::pair;
-- @scale
CREATE MATERIALIZED VIEW madeexact AS SELECT ROW(ROW(a, b), ARRAY[ROW(1, b)::pair], n)::deep AS d, count(*) AS c FROM t GROUP BY 1;
CREATE MATERIALIZED VIEW fields AS SELECT (p).a AS pa, (p).b AS pb, id FROM (SELECT id, ROW(a, b)::pair AS p FROM t) s WHERE (p).a > 0;
CREATE MATERIALIZED VIEW overmade AS SELECT (p).b AS x, count(*) AS c FROM made GROUP BY (p).b;
CREATE MATERIALIZED VIEW eqmade AS SELECT id FROM made WHERE p = '(1,a)'::pair OR p IS NULL OR p IS DISTINCT FROM ROW(2, 'b')::pair;
CREATE MATERIALIZED VIEW topmade AS SELECT p, id FROM made ORDER BY p NULLS FIRST, id LIMIT 4;
CREATE MATERIALIZED VIEW distinctmade AS SELECT DISTINCT p FROM made;
CREATE MATERIALIZED VIEW joinmade AS SELECT m.id, o.id AS id2 FROM made m JOIN made o ON m.p = o.p;
CREATE MATERIALIZED VIEW rankmade AS SELECT id, rank() OVER (ORDER BY p DESC) AS r FROM made;
CREATE MATERIALIZED VIEW casemade AS SELECT id, CASE WHEN a > 1 THEN ROW(a, b)::pair END AS p FROM t;
CREATE MATERIALIZED VIEW nestmade AS SELECT id, x.a, x.b FROM (SELECT id, array_agg(ROW(a, b)::pair) AS ps FROM t GROUP BY id) s, unnest(ps) x;
CREATE MATERIALIZED VIEW unionmade AS SELECT p FROM made UNION SELECT ROW(k, b)::pair FROM u;
CREATE MATERIALIZED VIEW maxfloat AS SELECT ROW(f, n) = ROW(0.0, 1.0) AS q, count(*) AS c FROM t GROUP BY 1;
CREATE MATERIALIZED VIEW kept AS SELECT id, p, ps, (p).a AS a, p IS NULL AS gone FROM c;
CREATE MATERIALIZED VIEW keptgroup AS SELECT p, count(*) AS n, sum(v) AS s FROM c GROUP BY p;
CREATE MATERIALIZED VIEW keptarrays AS SELECT ps, count(*) AS n FROM c GROUP BY ps;
CREATE MATERIALIZED VIEW keptjoin AS SELECT c.id, q.w FROM c JOIN q ON c.p = q.p;
CREATE MATERIALIZED VIEW keptleft AS SELECT c.id, q.w, q FROM c LEFT JOIN q USING (p);
CREATE MATERIALIZED VIEW keptwhere AS SELECT id FROM c WHERE p > ROW(1, 'a')::pair OR (p).b IS NULL;
CREATE MATERIALIZED VIEW kepttop AS SELECT id, p FROM c ORDER BY p DESC NULLS LAST, id LIMIT 3;
CREATE MATERIALIZED VIEW keptwhole AS SELECT c AS r, to_jsonb(c) AS j FROM c;
CREATE MATERIALIZED VIEW keptany AS SELECT id FROM c WHERE p = ANY (ps);
CREATE MATERIALIZED VIEW keptunnest AS SELECT id, x.a, x.b FROM c, unnest(ps) x;
CREATE MATERIALIZED VIEW keptunion AS SELECT p FROM c UNION SELECT p FROM q;
CREATE MATERIALIZED VIEW keptexcept AS SELECT p FROM q EXCEPT SELECT p FROM c;
CREATE MATERIALIZED VIEW keptdistinct AS SELECT DISTINCT ON (p) p, id FROM c ORDER BY p, id;
CREATE MATERIALIZED VIEW keptin AS SELECT id FROM c WHERE p NOT IN (SELECT p FROM q);
CREATE MATERIALIZED VIEW keptrank AS SELECT id, dense_rank() OVER (ORDER BY p) AS r, count(*) OVER (PARTITION BY (p).a) AS n FROM c;
