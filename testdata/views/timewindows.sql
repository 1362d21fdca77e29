-- Time windows over tables: sessions merge, split and move as rows come and go, in every spelling.
CREATE TABLE e (id int PRIMARY KEY, k text, v int, n numeric(10,2), ts timestamp);

-- @velostream
CREATE MATERIALIZED VIEW sess AS SELECT k, window_start, window_end, count(*) AS n, sum(v) AS s, min(v) AS lo, max(n) AS hi FROM e WINDOW SESSION(ts, INTERVAL '3' DAY) GROUP BY k;
-- @velostream
CREATE MATERIALIZED VIEW sess0 AS SELECT window_start, window_end, count(*) AS n, count(DISTINCT v) AS d FROM e WINDOW SESSION(ts, INTERVAL '12' HOUR);
-- @velostream
CREATE MATERIALIZED VIEW sesscap AS SELECT k, window_start, window_end, count(*) AS n FROM e WHERE v > 0 WINDOW SESSION(ts, INTERVAL '3' DAY, INTERVAL '5' DAY) GROUP BY k;
-- @velostream
CREATE MATERIALIZED VIEW sessitem AS SELECT k, SESSION_START() AS b, SESSION_DURATION() AS d, sum(n) AS s FROM e GROUP BY k, SESSION(ts, INTERVAL '2' DAY) HAVING count(*) > 1;
-- @velostream
CREATE MATERIALIZED VIEW sessrows AS SELECT id, window_start, window_end FROM session(e, ts, INTERVAL '3 days', k);
-- @velostream
CREATE MATERIALIZED VIEW sessover AS SELECT id, k, row_number() OVER (ORDER BY ts, id) AS r, sum(v) OVER (PARTITION BY v % 2) AS s FROM e WINDOW SESSION(ts, INTERVAL '3' DAY, k) HAVING count(*) > 1;
-- @velostream
CREATE MATERIALIZED VIEW cumu AS SELECT k, window_start, window_end, sum(v) AS s FROM e WINDOW CUMULATE(ts, 12h, 2d) GROUP BY k;
-- @velostream
CREATE MATERIALIZED VIEW hops AS SELECT window_start, k, max(n) AS m FROM hop(e, ts, INTERVAL '1 day', INTERVAL '3 days') GROUP BY window_start, window_end, k;
-- @velostream
CREATE MATERIALIZED VIEW rowsof AS SELECT id, v, rank() OVER (ORDER BY v DESC NULLS LAST) AS r, lag(id) OVER (PARTITION BY k ORDER BY ts, id) AS l FROM e WINDOW TUMBLING(ts, 1d) HAVING count(*) > 1 AND sum(v) > 0;
CREATE MATERIALIZED VIEW tumbled AS SELECT date_trunc('day', ts) AS d, count(*) AS n FROM e GROUP BY 1;
