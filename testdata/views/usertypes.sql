-- Types that users make, in state keys, orders and joins.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'a');

CREATE DOMAIN tiny AS int CHECK (VALUE < 5);

CREATE TABLE e (id int PRIMARY KEY, m mood, k mood NOT NULL, ms mood[], v tiny);
CREATE TABLE p (k mood PRIMARY KEY, w int);

CREATE MATERIALIZED VIEW bymood AS SELECT m, count(*) AS n, sum(v) AS s, min(k) AS lo, max(k) AS hi FROM e GROUP BY m;
CREATE MATERIALIZED VIEW lohi AS SELECT min(m) AS lo, max(m) AS hi, count(DISTINCT m) AS d FROM e;
CREATE MATERIALIZED VIEW enumjoin AS SELECT e.id, p.w FROM e JOIN p ON e.m = p.k;
CREATE MATERIALIZED VIEW enumleft AS SELECT e.id, p.w FROM e LEFT JOIN p ON e.k = p.k AND e.m > p.k;
CREATE MATERIALIZED VIEW enumtop AS SELECT id, m, k FROM e ORDER BY m DESC NULLS LAST, k, id LIMIT 3;
CREATE MATERIALIZED VIEW enumwhere AS SELECT id, m FROM e WHERE m >= 'ok' AND m <> 'a' OR k IN ('sad', 'happy');
CREATE MATERIALIZED VIEW enumrank AS SELECT id, rank() OVER (PARTITION BY k ORDER BY m) AS r FROM e;
CREATE MATERIALIZED VIEW enumdistinct AS SELECT DISTINCT k, m::text AS t FROM e;
CREATE MATERIALIZED VIEW enumunion AS SELECT k FROM e UNION SELECT k FROM p;
CREATE MATERIALIZED VIEW enumarray AS SELECT ms, count(*) AS n FROM e GROUP BY ms;
CREATE MATERIALIZED VIEW enumnest AS SELECT id, unnest(ms) AS m FROM e;
CREATE MATERIALIZED VIEW enumany AS SELECT id FROM e WHERE m = ANY (ms);
CREATE MATERIALIZED VIEW enumagg AS SELECT v, array_agg(k ORDER BY k, id) AS a FROM e GROUP BY v;
CREATE MATERIALIZED VIEW enumcast AS SELECT id, (CASE WHEN v > 1 THEN 'ok' ELSE k::text END)::mood AS m FROM e;
CREATE MATERIALIZED VIEW domcast AS SELECT id, least(v, 4)::tiny AS t FROM e;
CREATE MATERIALIZED VIEW enumon AS SELECT DISTINCT ON (k) k, id, m FROM e ORDER BY k, m DESC NULLS LAST, id;
