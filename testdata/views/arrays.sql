-- Arrays of several dimensions, and of lower bounds other than 1, in keys and results.
CREATE TABLE ar (id int PRIMARY KEY, a int[], t text[], g int);
CREATE TABLE ak (a int[] PRIMARY KEY, v int);

CREATE MATERIALIZED VIEW bya AS SELECT a, count(*) AS n, min(id) AS i FROM ar GROUP BY a;
CREATE MATERIALIZED VIEW byat AS SELECT a, t, count(*) AS n FROM ar GROUP BY a, t;
CREATE MATERIALIZED VIEW joined AS SELECT x.id, y.v FROM ar x JOIN ak y ON x.a = y.a;
CREATE MATERIALIZED VIEW selfjoined AS SELECT x.id, y.id AS other FROM ar x LEFT JOIN ar y ON x.t = y.t AND x.id < y.id;
CREATE MATERIALIZED VIEW distinctly AS SELECT DISTINCT a FROM ar;
CREATE MATERIALIZED VIEW counted AS SELECT g, count(DISTINCT a) AS n, min(a) AS lo, max(a) AS hi FROM ar GROUP BY g;
CREATE MATERIALIZED VIEW dims AS SELECT id, array_dims(a) AS d, array_ndims(a) AS n, a[1] AS x, a[1][2] AS y, a[1:1] AS s, cardinality(t) AS c FROM ar;
CREATE MATERIALIZED VIEW flat AS SELECT id, u FROM ar, unnest(a) AS u;
CREATE MATERIALIZED VIEW nested AS SELECT g, array_agg(ARRAY[id, g] ORDER BY id) AS n FROM ar GROUP BY g;
CREATE MATERIALIZED VIEW ranked AS SELECT id, a, rank() OVER (ORDER BY a) AS r, lag(a) OVER (ORDER BY a, id) AS p FROM ar;
CREATE MATERIALIZED VIEW top AS SELECT id, a FROM ar ORDER BY a DESC NULLS LAST, id LIMIT 3;
CREATE MATERIALIZED VIEW chosen AS SELECT id, CASE WHEN g > 1 THEN a ELSE '[5:5]={9}' END AS a, coalesce(a, '{{0}}') AS b, a || a AS c FROM ar;
CREATE MATERIALIZED VIEW keyed AS SELECT a, v, to_jsonb(a) AS j FROM ak WHERE a <> '{1}';
CREATE MATERIALIZED VIEW found AS SELECT id FROM ar WHERE 1 = ANY (a) AND a @> '{2}';
CREATE MATERIALIZED VIEW either AS SELECT a FROM ar UNION SELECT a FROM ak;
