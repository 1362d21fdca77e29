-- ASOF joins of tables, and what they mean written as LATERAL; USING, NATURAL and CROSS beside them.
CREATE TABLE o (id int PRIMARY KEY, k text, ts timestamp, v int);
CREATE TABLE q (id int PRIMARY KEY, k text, ts timestamp, bid int);

-- @velostream
CREATE MATERIALIZED VIEW near AS SELECT o.id, q.id AS qid, q.bid FROM o ASOF JOIN q ON o.k = q.k AND o.ts >= q.ts;
-- @velostream
CREATE MATERIALIZED VIEW nearl AS SELECT o.id, q.id AS qid, q.bid FROM o ASOF LEFT JOIN q ON o.k = q.k AND q.ts < o.ts;
-- @velostream
CREATE MATERIALIZED VIEW after AS SELECT o.id, q.id AS qid FROM o ASOF LEFT JOIN q ON o.k = q.k AND o.ts <= q.ts;
-- @velostream
CREATE MATERIALIZED VIEW nokey AS SELECT o.id, q.id AS qid FROM o ASOF JOIN q ON o.v > q.bid;
-- @velostream
CREATE MATERIALIZED VIEW nearagg AS SELECT q.k, count(*) AS n, sum(o.v) AS v FROM o ASOF JOIN q ON o.k = q.k AND o.ts >= q.ts WHERE q.bid > 0 GROUP BY q.k;
CREATE MATERIALIZED VIEW lat AS SELECT o.id, q.id AS qid, q.bid FROM o CROSS JOIN LATERAL (SELECT * FROM q WHERE q.k = o.k AND q.ts <= o.ts ORDER BY q.ts DESC, q.id DESC LIMIT 1) q;
CREATE MATERIALIZED VIEW latl AS SELECT o.id, q.id AS qid, q.bid FROM o LEFT JOIN LATERAL (SELECT * FROM q WHERE q.k = o.k AND q.ts < o.ts ORDER BY q.ts DESC, q.id DESC LIMIT 1) q ON true;
CREATE MATERIALIZED VIEW within AS SELECT o.id, q.id AS qid FROM o LEFT JOIN q ON o.k = q.k AND q.ts BETWEEN o.ts - INTERVAL '1' DAY AND o.ts + INTERVAL '12 hours';
CREATE MATERIALIZED VIEW usingts AS SELECT k, ts, o.id, q.id AS qid FROM o FULL JOIN q USING (k, ts);
CREATE MATERIALIZED VIEW nat AS SELECT * FROM (SELECT k, ts, v FROM o) a NATURAL LEFT JOIN (SELECT k, ts, bid FROM q) b;
CREATE MATERIALIZED VIEW crossw AS SELECT o.id, q.id AS qid FROM o CROSS JOIN q WHERE q.ts > o.ts;
