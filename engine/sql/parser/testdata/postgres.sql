SELECT
----
SELECT 1;
----
SELECT FROM t
----
SELECT DISTINCT ON (a, b) a, b, c FROM t ORDER BY a, b DESC NULLS LAST, c USING >
----
SELECT a.*, t.b AS "PK_NAME"FROM t a
----
SELECT 1 AS DEFAULT, 2 AS primary, 3 AS unique, 4 AS select
----
SELECT "substring"(x, 7), trim(trailing ';' from f(x)), (f(x)).n, (current_schemas(true))[1], a[i - 1] & 1::smallint
----
SELECT ARRAY(SELECT a FROM t ORDER BY 1), ARRAY[[1,2],[3,4]], ARRAY[]::int[], '{1,2}'::int[]
----
SELECT a COLLATE pg_catalog.default, b COLLATE "C" FROM t WHERE c OPERATOR(pg_catalog.~) '^(x)$' COLLATE pg_catalog.default
----
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) s(a, b)
----
SELECT * FROM a, b LEFT JOIN c ON b.x = c.x, LATERAL (SELECT 1) d
----
SELECT * FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x
----
SELECT * FROM (a JOIN b USING (x, y)) AS j (p, q) NATURAL LEFT JOIN c CROSS JOIN d
----
SELECT * FROM ((SELECT 1) a CROSS JOIN (SELECT 2) b)
----
SELECT * FROM ((SELECT 1 UNION SELECT 2)) x
----
SELECT * FROM ((SELECT 1) UNION (SELECT 2)) x
----
SELECT * FROM f(1, 2) WITH ORDINALITY AS x (a, b)
----
SELECT * FROM json_to_recordset('[]') AS x (a int, b text COLLATE "C")
----
SELECT * FROM ROWS FROM (generate_series(1, 3), f(2) AS (a int)) WITH ORDINALITY r
----
SELECT * FROM generate_series(1, 10) g, LATERAL unnest(ARRAY[g]) AS u
----
SELECT * FROM ONLY t, ONLY (u), v *
----
SELECT * FROM t TABLESAMPLE system (10) REPEATABLE (5)
----
SELECT * FROM current_date, COALESCE(1, 2) c, CAST(1 AS int)
----
(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1 LIMIT 1
----
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4
----
((SELECT 1))
----
(SELECT 1 LIMIT 1) OFFSET 2
----
VALUES (1, 2), (3, DEFAULT)
----
TABLE t
----
WITH a AS (SELECT 1), b (x) AS NOT MATERIALIZED (SELECT 2), c AS MATERIALIZED (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a, b
----
WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 100) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c TO true DEFAULT false USING p SELECT sum(n) FROM t
----
SELECT (WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x)
----
SELECT a, b, count(*) FROM t GROUP BY GROUPING SETS ((a, b), (a), (), ROLLUP (a, b)), CUBE (a, (b, c)), DISTINCT_col
----
SELECT GROUPING(a, b) FROM t GROUP BY DISTINCT ROLLUP (a, b)
----
SELECT count(*) FILTER (WHERE a > 1), array_agg(DISTINCT a ORDER BY a DESC), percentile_cont(0.5) WITHIN GROUP (ORDER BY x), sum(x) OVER w, rank() OVER (w ORDER BY y), f(VARIADIC arr), f(a => 1, b := 2) FROM t WINDOW w AS (PARTITION BY a ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW), w2 AS (w)
----
SELECT sum(x) OVER (ROWS 5 PRECEDING), sum(x) OVER (GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE NO OTHERS) FROM t
----
SELECT * FROM t FOR UPDATE OF t NOWAIT FOR SHARE SKIP LOCKED
----
SELECT * FROM t FETCH FIRST 5 ROWS ONLY
----
SELECT * FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT ROW WITH TIES
----
SELECT * FROM t LIMIT ALL OFFSET 1 + 2
----
SELECT * INTO TEMP TABLE x FROM t
----
SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1 THEN 'x' END
----
SELECT a IS NULL, a IS NOT NULL, a ISNULL, a NOTNULL, a IS TRUE, a IS NOT UNKNOWN, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b, a IS NORMALIZED, a IS NOT NFC NORMALIZED
----
SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN SYMMETRIC 3 AND 4, a LIKE 'x' ESCAPE '\', a NOT ILIKE b, a SIMILAR TO 'x', a IN (1, 2), a NOT IN (SELECT 1), a = ANY (ARRAY[1]), a <> ALL (SELECT 1), a LIKE ANY (ARRAY['x']), a NOT ILIKE ALL (b)
----
SELECT (a, b) = (1, 2), ROW(1, 2) < ROW(3, 4), ROW(), (a, b) IN (SELECT 1, 2), (a, b) OVERLAPS (c, d), ROW(t.*)
----
SELECT EXISTS (SELECT 1), NOT EXISTS (SELECT 1), (SELECT 1) + 1, ((SELECT 1)), ((SELECT 1) UNION SELECT 2)
----
SELECT -1, - 2, +3, -(-4), @ -5, !! 6, 2 ^ 3 ^ 4, 1 + 2 * 3 - 4, a || b || c, a -> 'b' ->> 'c', a #>> '{b}', 2 ! 3
----
SELECT NOT a AND b OR c, NOT (a = b) = c, a = NOT b
----
SELECT 'a'
  'b' AS c
----
SELECT E'a\n\x41\u0041\101\\', U&'\0041\+000042', U&'d!0061t' UESCAPE '!', B'101', X'1F', N'x', $$a'b$$, $x$ $$ $x$, 'it''s'
----
SELECT U&"d\0061t" FROM t
----
SELECT 1.5, .5, 1., 1e10, 1.5e-3, 100000000000, 99999999999999999999
----
SELECT int '1', date '2020-01-01', interval '1' day, interval '1 day', pg_catalog.int4 '1', numeric(10,2) '1.5', bit varying '101', double precision '1.5', time with time zone '10:00', timestamp without time zone '2020-01-01', "char" 'a', char 'a', character varying(3) 'abc'
----
SELECT CAST(a AS numeric(10,2)), a::text[], a::varchar(10), a::timestamp(3) with time zone, a::interval day to second(3), a::int[3][], a::int array[4], a::char, a::pg_catalog.regclass, a::"Foo", a::float(10), a::dec, a::t.c%TYPE
----
SELECT current_date, current_time, current_timestamp(3), localtime, localtimestamp(0), current_role, current_user, session_user, user, current_catalog, current_schema, current_schema()
----
SELECT EXTRACT(epoch FROM now()), EXTRACT('year' FROM x), SUBSTRING(a FROM 1 FOR 2), SUBSTRING(a FOR 2), SUBSTRING(a, 1, 2), SUBSTRING(a SIMILAR 'x' ESCAPE '#'), POSITION('a' IN 'b'), OVERLAY(a PLACING 'x' FROM 1 FOR 2), TRIM(a), TRIM(LEADING FROM a), TRIM(BOTH 'x' FROM a), TRIM('x' FROM a), NORMALIZE(a, NFC), TREAT(a AS int), COLLATION FOR (a)
----
SELECT now() AT TIME ZONE 'UTC', ts AT TIME ZONE 'a' AT TIME ZONE 'b', a + b AT TIME ZONE 'x'
----
SELECT (t.x).y.z, (t).*, (f(1)).*, t.a[1].b[2:3], t.a[:], t.a[1:], t.a[:2], $1, $2::int, $3[1], ($1).x
----
SELECT COALESCE(a, b), GREATEST(a, b), LEAST(a), NULLIF(a, b)
----
INSERT INTO t VALUES (1, DEFAULT), (2, 'x')
----
INSERT INTO s.t AS x (a, b.c, d[1]) OVERRIDING SYSTEM VALUE SELECT 1, 2, 3 ON CONFLICT (a, lower(b)) WHERE a > 1 DO UPDATE SET a = EXCLUDED.a, (b, c) = (1, 2) WHERE x.a > 1 RETURNING *, a AS b
----
INSERT INTO t DEFAULT VALUES ON CONFLICT ON CONSTRAINT c DO NOTHING
----
INSERT INTO t (a) (SELECT 1)
----
INSERT INTO t (VALUES (1))
----
INSERT INTO t ((SELECT 1))
----
WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x
----
UPDATE t SET a = 1, b = DEFAULT, (c, d) = (SELECT 1, 2), e[1] = 2, f.g = 3 FROM u WHERE t.id = u.id RETURNING a
----
UPDATE ONLY t AS x SET a = 1 WHERE CURRENT OF c
----
DELETE FROM t USING u WHERE t.id = u.id RETURNING *
----
DELETE FROM t x
----
PREPARE p (int, text) AS SELECT $1, $2
----
EXECUTE p (1, 'x')
----
DEALLOCATE ALL
----
DEALLOCATE PREPARE p
----
DECLARE c INSENSITIVE SCROLL CURSOR WITHOUT HOLD FOR SELECT 1 FOR READ ONLY
----
FETCH ABSOLUTE -1 FROM c
----
FETCH NEXT c
----
FETCH -5 FROM c
----
MOVE FORWARD 10 IN c
----
CLOSE ALL
----
CLOSE c
----
BEGIN
----
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, NOT DEFERRABLE
----
START TRANSACTION READ WRITE
----
BEGIN WORK
----
COMMIT AND CHAIN
----
END
----
ABORT
----
ROLLBACK TO SAVEPOINT s
----
ROLLBACK WORK TO s
----
ROLLBACK AND NO CHAIN
----
SAVEPOINT s
----
RELEASE s
----
PREPARE TRANSACTION 'x'
----
COMMIT PREPARED 'x'
----
ROLLBACK PREPARED 'x'
----
SET search_path = public, "$user"
----
SET SESSION datestyle TO 'ISO', 'MDY'
----
SET LOCAL statement_timeout = 0
----
SET TIME ZONE 'UTC'
----
SET TIME ZONE -5
----
SET TIME ZONE INTERVAL '1' HOUR TO MINUTE
----
SET TIME ZONE LOCAL
----
SET NAMES 'utf8'
----
SET SCHEMA 'x'
----
SET ROLE joe
----
SET ROLE NONE
----
SET SESSION AUTHORIZATION DEFAULT
----
SET my.var = on
----
SET extra_float_digits = 3
----
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
----
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
----
SET CONSTRAINTS ALL DEFERRED
----
SET x TO DEFAULT
----
RESET ALL
----
RESET search_path
----
DISCARD ALL
----
LISTEN ch
----
NOTIFY ch, 'payload'
----
UNLISTEN *
----
EXPLAIN (FORMAT JSON, ANALYZE true) SELECT 1
----
EXPLAIN (SELECT 1)
----
EXPLAIN INSERT INTO t VALUES (1)
----
CREATE TEMP TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY (START WITH 5), c int GENERATED ALWAYS AS (a * 2) STORED, d varchar(10) COLLATE "C" DEFAULT 'x'::varchar NOT NULL, LIKE u INCLUDING ALL) ON COMMIT DROP
----
CREATE TABLE t (a int) PARTITION BY RANGE (a)
----
CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (10)
----
CREATE TABLE p PARTITION OF t FOR VALUES IN ('a', 'b')
----
CREATE TABLE p PARTITION OF t FOR VALUES WITH (MODULUS 4, REMAINDER 1)
----
CREATE TABLE p PARTITION OF t DEFAULT
----
CREATE TABLE t () INHERITS (u) WITH (fillfactor = 70) TABLESPACE x
----
CREATE TABLE t (a int, EXCLUDE USING gist (a WITH =))
----
CREATE RECURSIVE VIEW v (n) AS SELECT 1
----
CREATE VIEW v WITH (security_barrier) AS SELECT 1 WITH LOCAL CHECK OPTION
----
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY t USING btree (a text_pattern_ops DESC) WITH (fillfactor = 70) WHERE a > 1
----
CREATE SEQUENCE s AS bigint INCREMENT BY 1 MINVALUE 1 NO MAXVALUE START WITH 1 CACHE 1 NO CYCLE OWNED BY t.a
----
ALTER SEQUENCE s RESTART WITH 5
----
ALTER SEQUENCE s OWNED BY NONE
----
ALTER SEQUENCE s OWNER TO joe
----
CREATE TYPE mood AS ENUM ('a', 'b')
----
CREATE TYPE c AS (a int, b text)
----
CREATE DOMAIN d AS int DEFAULT 1 NOT NULL CHECK (VALUE > 0)
----
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public
----
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()
----
CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM u; DELETE FROM v)
----
CREATE POLICY p ON t USING (true)
----
CREATE AGGREGATE a (int) (sfunc = f, stype = int)
----
CREATE OPERATOR === (leftarg = int, rightarg = int, function = f)
----
CREATE CAST (a AS b) WITHOUT FUNCTION
----
CREATE PUBLICATION p FOR ALL TABLES
----
CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p
----
CREATE SERVER s FOREIGN DATA WRAPPER f
----
CREATE FOREIGN TABLE t (a int) SERVER s
----
CREATE PROCEDURE p(IN a int, INOUT b text) LANGUAGE sql AS 'select 1'
----
CREATE FUNCTION f(VARIADIC a int[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public COST 10 PARALLEL SAFE AS 'x'
----
CREATE FUNCTION f(a int) RETURNS int RETURN a + 1
----
CALL p(1, 'x')
----
DO $$ BEGIN END $$
----
DO LANGUAGE plpgsql 'x'
----
ALTER TABLE ONLY t ADD CONSTRAINT pk PRIMARY KEY (a)
----
ALTER TABLE t OWNER TO joe
----
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b) NOT VALID, VALIDATE CONSTRAINT x, DROP CONSTRAINT IF EXISTS y CASCADE
----
ALTER TABLE t ALTER a SET DEFAULT 1, ALTER b DROP NOT NULL, ALTER COLUMN c SET NOT NULL, ALTER d SET STATISTICS 100, ALTER e ADD GENERATED BY DEFAULT AS IDENTITY, ALTER f SET STORAGE EXTERNAL
----
ALTER TABLE t ENABLE ROW LEVEL SECURITY
----
ALTER TABLE ONLY p ATTACH PARTITION p1 FOR VALUES FROM (1) TO (2)
----
ALTER TABLE t SET SCHEMA s
----
ALTER INDEX i RENAME TO j
----
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'c' AFTER 'b'
----
ALTER TYPE mood RENAME VALUE 'a' TO 'z'
----
ALTER DATABASE d SET search_path TO x
----
ALTER ROLE joe SET search_path TO x
----
ALTER ROLE joe WITH SUPERUSER PASSWORD 'x'
----
ALTER USER joe RENAME TO jim
----
ALTER FUNCTION f(int) OWNER TO joe
----
ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC
----
ALTER SYSTEM SET x = 'y'
----
ALTER SCHEMA s RENAME TO r
----
DROP TABLE IF EXISTS a, b.c CASCADE
----
DROP FUNCTION f(int, text), g
----
DROP INDEX CONCURRENTLY i
----
DROP TRIGGER t ON u
----
DROP OWNED BY joe
----
DROP DATABASE d WITH (FORCE)
----
DROP CAST (a AS b)
----
DROP TYPE a, b
----
DROP OPERATOR = (int, int)
----
COMMENT ON FUNCTION f(int) IS 'x'
----
COMMENT ON EXTENSION plpgsql IS 'x'
----
COMMENT ON CONSTRAINT c ON t IS 'x'
----
GRANT SELECT, UPDATE (a, b) ON t, u TO joe WITH GRANT OPTION
----
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO PUBLIC
----
GRANT USAGE ON SCHEMA s TO a, b
----
GRANT EXECUTE ON FUNCTION f(int) TO x
----
GRANT admin, reader TO joe WITH ADMIN OPTION
----
REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM joe CASCADE
----
REVOKE ALL ON DATABASE d FROM PUBLIC
----
TRUNCATE TABLE ONLY t CONTINUE IDENTITY RESTRICT
----
ANALYZE VERBOSE t (a, b), u
----
VACUUM (FULL, ANALYZE) t
----
VACUUM FULL FREEZE VERBOSE ANALYZE
----
LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT
----
REINDEX TABLE t
----
CLUSTER t USING i
----
COPY t FROM '/x' DELIMITER ',' CSV HEADER
----
COPY t TO PROGRAM 'cat' WITH (FORMAT text)
----
COPY "t"("a", "b") FROM STDIN (FORMAT 'csv', HEADER True)
----
COPY t FROM STDIN WHERE a > 1
----
COPY BINARY t TO STDOUT
----
SELECT pg_catalog.set_config('search_path', '', false)
----
SELECT 'x'::"char", 1::bit(3), '1'::bit varying(5)
----
SELECT * FROM t WHERE a = ANY ((SELECT ARRAY[1])::int[])
----
/* leading /* nested */ comment */ SELECT 1 -- trailing
----
SELECT 1; ; SELECT 2;
----
SELECT interval, year, month, name, type, value, "select" FROM t
----
SELECT a "b c", d é FROM t
----
SELECT current, precision, char, "order" FROM t
----
SELECT f(DISTINCT a), f(ALL a), f(), count(*)
----
SELECT lag(x) IGNORE NULLS OVER (ORDER BY y), first_value(x) RESPECT NULLS OVER w FROM t WINDOW w AS ()
----
SELECT a FROM t WHERE a ~ 'x' || 'y' AND b !~* 'z' AND c @> d AND e <@ f AND g && h AND i ?| j
----
SELECT 1 WHERE a IN (1) IN (true)
----
SELECT x -- comment
, y FROM t
----
CREATE TABLE t (a, b) AS SELECT 1, 2
----
CREATE UNLOGGED TABLE IF NOT EXISTS t AS VALUES (1)
----
SELECT timestamp with time zone '2020-01-01', timestamptz '2020-01-01', time '10:00'
----
SELECT (1, 2), (1), ((1)), (((1, 2)))
----
SELECT count(*) AS "count", "T"."x" FROM "S"."T"
----
UPDATE t SET (a) = ROW(1), (b, c) = ROW(1, 2)
----
SELECT * FROM t WHERE (a, b) > (1, 2) AND row(a) = row(b)
----
SELECT 'a' LIKE 'b' IS TRUE, 1 < 2 IS NULL, a IS NULL IS NOT TRUE
----
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a; RETURN a + 1; END
----
DEALLOCATE PREPARE "prepare"
----
SELECT pg_catalog.setval('s', 1, true);
----
ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);
----
ALTER TABLE public.t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.t_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
----
ALTER SEQUENCE public.s OWNED BY public.t.id;
----
CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8';
----
GRANT SELECT,INSERT(a),UPDATE(a, b) ON TABLE public.t TO joe;
----
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM PUBLIC;
----
ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT nextval('public.t_id_seq'::regclass);
----
CREATE INDEX i ON public.t USING btree (lower(a)) WHERE (b > (1)::numeric);
----
COMMENT ON COLUMN public.t.a IS 'x';
----
ALTER TABLE t ALTER a SET GENERATED BY DEFAULT SET START WITH 5 SET NO MAXVALUE SET CYCLE RESTART WITH 9, ALTER b RESTART, ALTER c DROP IDENTITY IF EXISTS, ALTER d DROP EXPRESSION
