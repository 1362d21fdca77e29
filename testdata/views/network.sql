-- Network addresses in state keys, orders and joins.
CREATE TABLE h (id int PRIMARY KEY, i inet, c cidr NOT NULL, m macaddr);
CREATE TABLE net (c cidr PRIMARY KEY, w int);

CREATE MATERIALIZED VIEW byinet AS SELECT i, count(*) AS n, max(c) AS hi, min(i) AS lo FROM h GROUP BY i;
CREATE MATERIALIZED VIEW bymac AS SELECT m, count(DISTINCT c) AS n FROM h GROUP BY m;
CREATE MATERIALIZED VIEW inetdistinct AS SELECT DISTINCT network(i) AS net, masklen(i) AS bits FROM h;
CREATE MATERIALIZED VIEW netjoin AS SELECT h.id, net.w FROM h JOIN net ON h.c = net.c;
CREATE MATERIALIZED VIEW netwithin AS SELECT h.id, net.c FROM h JOIN net ON h.i <<= net.c;
CREATE MATERIALIZED VIEW inettop AS SELECT id, i, host(i) AS t FROM h ORDER BY i DESC NULLS LAST, id LIMIT 3;
CREATE MATERIALIZED VIEW inetrank AS SELECT id, rank() OVER (PARTITION BY family(i) ORDER BY i) AS r FROM h;
CREATE MATERIALIZED VIEW inetunion AS SELECT i FROM h UNION SELECT c FROM net;
CREATE MATERIALIZED VIEW inetagg AS SELECT m, array_agg(i ORDER BY i, id) AS a FROM h GROUP BY m;
