-- Maps in state keys, orders and joins.
CREATE TABLE m (id int PRIMARY KEY, k text, v int, n numeric(6,2));

-- @velostream
CREATE MATERIALIZED VIEW mapgroup AS SELECT map[k, v] AS m, count(*) AS c FROM m WHERE k IS NOT NULL GROUP BY map[k, v];
-- @velostream
CREATE MATERIALIZED VIEW maprow AS SELECT id, map['k', k, 'v', v::text] AS m, map[id, n][id] AS n FROM m;
-- @velostream
CREATE MATERIALIZED VIEW mapdistinct AS SELECT DISTINCT map['n', trim_scale(n)] AS m FROM m;
-- @velostream
CREATE MATERIALIZED VIEW mapmax AS SELECT k, max(map['v', v]['v']) AS x, count(DISTINCT map['v', v]) AS d FROM m GROUP BY k;
-- @velostream
CREATE MATERIALIZED VIEW mapjoin AS SELECT a.id, b.id AS other FROM m a JOIN m b ON map['v', a.v] = map['v', b.v] AND a.id < b.id;
-- @velostream
CREATE MATERIALIZED VIEW maptop AS SELECT id, map['v', v] AS m FROM m ORDER BY map['v', v] DESC NULLS LAST, id LIMIT 3;
-- @velostream
CREATE MATERIALIZED VIEW mapkeys AS SELECT id, unnest(map_keys(map[coalesce(k, ''), 1, 'z', 2])) AS key FROM m;
