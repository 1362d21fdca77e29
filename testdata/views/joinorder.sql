-- Joins of three and more relations whose written order has a product that the conditions do not ask for.
CREATE TABLE a (id int PRIMARY KEY, x int, k text);
CREATE TABLE b (id int PRIMARY KEY, y int, k text);
CREATE TABLE c (x int, y int, v numeric(6,2), PRIMARY KEY (x, y));
CREATE TABLE d (id int PRIMARY KEY, c int, k text);

CREATE MATERIALIZED VIEW star AS SELECT a.id, b.id AS bid, c.v FROM a, b, c WHERE a.x = c.x AND b.y = c.y;
CREATE MATERIALIZED VIEW starall AS SELECT a.id, a.k, b.id AS bid, b.k AS bk, c.x, c.y, c.v FROM b, a, c WHERE a.x = c.x AND b.y = c.y AND b.k = 'a';
CREATE MATERIALIZED VIEW nokeys AS SELECT a.k, b.k AS bk, c.v FROM a, b, c WHERE a.x = c.x AND b.y = c.y;
CREATE MATERIALIZED VIEW four AS SELECT a.id, b.id AS bid, d.id AS did FROM a, b, d, c WHERE a.x = c.x AND b.y = c.y AND d.c = c.x;
CREATE MATERIALIZED VIEW three AS SELECT a.id, b.id AS bid, d.id AS did FROM a, b, d, c WHERE a.x = c.x AND b.y = c.y AND d.c = c.x AND a.id + b.id > d.id;
CREATE MATERIALIZED VIEW threeequal AS SELECT a.id, b.id AS bid, c.v FROM a, b, c WHERE a.x = c.x AND a.id + b.id = c.y;
CREATE MATERIALIZED VIEW part AS SELECT a.id, b.id AS bid, c.v FROM a, b, c WHERE b.y = c.y AND a.x = 1;
CREATE MATERIALIZED VIEW parts AS SELECT a.id, b.id AS bid, c.v, d.id AS did FROM a, b, c, d WHERE a.x = c.x AND b.id = d.c;
CREATE MATERIALIZED VIEW outerpart AS SELECT a.id, b.id AS bid, c.v, d.id AS did FROM a CROSS JOIN b JOIN (c LEFT JOIN d ON d.c = c.y) ON a.x = c.x AND b.y = c.y;
CREATE MATERIALIZED VIEW starleft AS SELECT a.id, b.id AS bid, c.v, d.k FROM a CROSS JOIN b JOIN c ON a.x = c.x AND b.y = c.y LEFT JOIN d ON d.id = a.id;
CREATE MATERIALIZED VIEW starexists AS SELECT a.id, b.id AS bid FROM a, b, c WHERE a.x = c.x AND b.y = c.y AND EXISTS (SELECT 1 FROM d WHERE d.c = c.x AND d.k = a.k);
CREATE MATERIALIZED VIEW starlateral AS SELECT a.id, b.id AS bid, l.n FROM a, b, c, LATERAL (SELECT count(*) AS n FROM d WHERE d.c = c.x AND d.id >= a.id) l WHERE a.x = c.x AND b.y = c.y;
CREATE MATERIALIZED VIEW staragg AS SELECT a.k, count(*) AS n, sum(c.v) AS s, min(b.k) AS m FROM a, b, c WHERE a.x = c.x AND b.y = c.y GROUP BY a.k;
CREATE MATERIALIZED VIEW startop AS SELECT a.id, b.id AS bid, c.v FROM a, b, c WHERE a.x = c.x AND b.y = c.y ORDER BY a.id DESC, b.id LIMIT 3;
CREATE MATERIALIZED VIEW starview AS SELECT s.id, d.k, c.v FROM star s, d, c WHERE s.bid = c.y AND d.c = c.x;
