-- Window functions, DISTINCT ON, grouping sets, LATERAL, keys of odd types.
CREATE TABLE w (id int PRIMARY KEY, k text, g int, v int, n numeric, j jsonb, iv interval, f double precision, u uuid, x bytea);
CREATE TABLE y (id int PRIMARY KEY, g int, t text);

CREATE MATERIALIZED VIEW byjson AS SELECT jsonb_typeof(j) AS k, count(*) AS n FROM w GROUP BY jsonb_typeof(j);
-- @scale
CREATE MATERIALIZED VIEW byinterval AS SELECT justify_hours(justify_days(iv)) AS iv2, count(*) AS n FROM w GROUP BY justify_hours(justify_days(iv));
CREATE MATERIALIZED VIEW byuuid AS SELECT u, x, count(*) AS n FROM w GROUP BY u, x;
-- @fails equality of jsonb as a key goes by its text: 1 is not 1.0
CREATE MATERIALIZED VIEW joinjson AS SELECT a.id, b.id AS bid FROM w a JOIN w b ON a.j = b.j;
CREATE MATERIALIZED VIEW joinnum AS SELECT a.id, b.id AS bid FROM w a JOIN w b ON a.n = b.n AND a.id <> b.id;
CREATE MATERIALIZED VIEW joinmixed AS SELECT w.id, y.id AS yid FROM w JOIN y ON w.n = y.g;
CREATE MATERIALIZED VIEW joinfloat AS SELECT w.id, y.id AS yid FROM w LEFT JOIN y ON w.f = y.g;
CREATE MATERIALIZED VIEW joininterval AS SELECT a.id, b.id AS bid FROM w a LEFT JOIN w b ON a.iv = b.iv AND a.id < b.id;
CREATE MATERIALIZED VIEW distinctnum AS SELECT count(DISTINCT n) AS n, count(DISTINCT iv) AS i, count(DISTINCT f) AS f FROM w;
CREATE MATERIALIZED VIEW rn AS SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY v NULLS FIRST, id) AS r FROM w;
CREATE MATERIALIZED VIEW rk AS SELECT id, rank() OVER (ORDER BY v DESC) AS r, dense_rank() OVER (ORDER BY v DESC) AS d FROM w;
CREATE MATERIALIZED VIEW running AS SELECT id, sum(v) OVER (PARTITION BY g ORDER BY id) AS s, count(*) OVER (PARTITION BY g) AS n, lag(v) OVER (ORDER BY id) AS p FROM w;
CREATE MATERIALIZED VIEW share AS SELECT id, v, max(v) OVER () AS m, first_value(k) OVER (ORDER BY id) AS f FROM w;
CREATE MATERIALIZED VIEW toppergroup AS SELECT k, id, v FROM (SELECT k, id, v, row_number() OVER (PARTITION BY k ORDER BY v DESC NULLS LAST, id) AS r FROM w) s WHERE r <= 2;
CREATE MATERIALIZED VIEW overagg AS SELECT g, sum(v) AS s, rank() OVER (ORDER BY sum(v) DESC NULLS LAST) AS r FROM w GROUP BY g;
CREATE MATERIALIZED VIEW diston AS SELECT DISTINCT ON (k) k, id, v FROM w ORDER BY k, v DESC NULLS LAST, id;
CREATE MATERIALIZED VIEW sets AS SELECT k, g, count(*) AS n, sum(v) AS s FROM w GROUP BY GROUPING SETS ((k, g), (k), ());
CREATE MATERIALIZED VIEW rolled AS SELECT k, g, grouping(k, g) AS l, count(*) AS n FROM w GROUP BY ROLLUP (k, g);
CREATE MATERIALIZED VIEW cubed AS SELECT k, g, sum(v) AS s FROM w GROUP BY CUBE (k, g) HAVING count(*) > 1;
CREATE MATERIALIZED VIEW lat1 AS SELECT w.id, s.n FROM w, LATERAL (SELECT count(*) AS n FROM y WHERE y.g = w.g) s;
CREATE MATERIALIZED VIEW lat2 AS SELECT w.id, s.id AS yid FROM w LEFT JOIN LATERAL (SELECT id FROM y WHERE y.g = w.g ORDER BY id LIMIT 1) s ON true;
CREATE MATERIALIZED VIEW lat3 AS SELECT w.id, s.x FROM w CROSS JOIN LATERAL generate_series(1, w.v) s(x) WHERE w.v < 6;
CREATE MATERIALIZED VIEW elems AS SELECT id, jsonb_array_elements(j) AS e FROM w WHERE jsonb_typeof(j) = 'array';
CREATE MATERIALIZED VIEW uall AS SELECT g FROM w INTERSECT ALL SELECT g FROM y;
CREATE MATERIALIZED VIEW eall AS SELECT g FROM w EXCEPT ALL SELECT g FROM y;
CREATE MATERIALIZED VIEW med AS SELECT g, percentile_cont(0.5) WITHIN GROUP (ORDER BY v) AS p, percentile_disc(0.5) WITHIN GROUP (ORDER BY v) AS d FROM w GROUP BY g;
CREATE MATERIALIZED VIEW bits AS SELECT g, bit_and(v) AS a, bit_or(v) AS o FROM w GROUP BY g;
CREATE MATERIALIZED VIEW corre AS SELECT regr_count(v, g) AS c, covar_pop(v, g) AS p FROM w;
CREATE MATERIALIZED VIEW cmpall AS SELECT id FROM w WHERE v >= ALL (SELECT g FROM y WHERE g IS NOT NULL);
CREATE MATERIALIZED VIEW cmpany AS SELECT id FROM w WHERE v < ANY (SELECT g FROM y);
CREATE MATERIALIZED VIEW rowin AS SELECT id FROM w WHERE (g, k) IN (SELECT g, t FROM y);
CREATE MATERIALIZED VIEW corr1 AS SELECT a.id, (SELECT max(b.v) FROM w b WHERE b.g = a.g AND b.id < a.id) AS m FROM w a;
CREATE MATERIALIZED VIEW ties AS SELECT id, v FROM w ORDER BY v NULLS LAST FETCH FIRST 2 ROWS WITH TIES;
CREATE MATERIALIZED VIEW constunion AS SELECT id, k FROM w UNION ALL SELECT 99, 'const';
CREATE MATERIALIZED VIEW valuesjoin AS SELECT v.a, count(w.id) AS n FROM (VALUES (1), (2), (3)) v(a) LEFT JOIN w ON w.g = v.a GROUP BY v.a;
CREATE MATERIALIZED VIEW nothing AS SELECT 1 AS one, 'x' AS t;
