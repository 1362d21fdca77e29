-- Bit strings in keys, results and aggregates.
CREATE TABLE bt (id int PRIMARY KEY, b bit(3), v varbit, g int);
CREATE TABLE bk (v varbit PRIMARY KEY, n int);

CREATE MATERIALIZED VIEW byv AS SELECT v, count(*) AS n, min(id) AS i FROM bt GROUP BY v;
CREATE MATERIALIZED VIEW byb AS SELECT b, v, count(*) AS n FROM bt GROUP BY b, v;
CREATE MATERIALIZED VIEW folded AS SELECT g, bit_and(b) AS a, bit_or(b) AS o, bit_xor(b) AS x, bit_xor(DISTINCT b) AS d FROM bt GROUP BY g;
CREATE MATERIALIZED VIEW alltogether AS SELECT bit_and(b) AS a, bit_or(b) AS o, bit_xor(b) AS x FROM bt;
CREATE MATERIALIZED VIEW joined AS SELECT x.id, y.n FROM bt x JOIN bk y ON x.v = y.v;
CREATE MATERIALIZED VIEW distinctly AS SELECT DISTINCT v, count(DISTINCT b) AS n FROM bt GROUP BY v;
CREATE MATERIALIZED VIEW computed AS SELECT id, ~b AS n, b & B'011' AS a, b << 1 AS s, v || b AS c, b::int AS i, length(v) AS l, bit_count(v) AS k FROM bt;
CREATE MATERIALIZED VIEW ranked AS SELECT id, rank() OVER (ORDER BY v) AS r, lag(b) OVER (ORDER BY v, id) AS p FROM bt;
CREATE MATERIALIZED VIEW top AS SELECT id, v FROM bt ORDER BY v DESC NULLS LAST, id LIMIT 3;
CREATE MATERIALIZED VIEW listed AS SELECT g, array_agg(v ORDER BY v, id) AS l FROM bt GROUP BY g;
CREATE MATERIALIZED VIEW keyed AS SELECT v, n FROM bk WHERE v > B'1' OR v = '01';
CREATE MATERIALIZED VIEW united AS SELECT v FROM bt UNION SELECT v FROM bk;
