-- Writes static.txt: rows of a PostgreSQL 15 that are the same on every server,
-- as far as the types and access methods in them exist here. A line
-- "# relation" begins a relation; its rows follow in COPY's text format, all
-- columns in order, functions by OID.
\set QUIET on
CREATE TEMP TABLE ours AS SELECT oid FROM pg_type WHERE oid IN (
  16,17,18,19,20,21,22,23,24,25,26,30,114,650,700,701,705,829,869,1042,1043,1082,1083,1114,1184,1186,1560,1562,1700,2205,2206,2249,
  2277,2278,2283,2950,3802,4089,4096,2202,2203,2204,4191,4072,4073,2287, 2275,2276,2279,2281,2776,5077,5078)
  OR typelem IN (16,17,18,19,20,21,22,23,24,25,26,30,114,650,700,701,829,869,1042,1043,1082,1083,1114,1184,1186,1560,1562,1700,2205,2206,2249,2950,3802,4089,4096,2202,2203,2204,4191)
     AND typcategory = 'A';
\echo # pg_type
COPY (SELECT t.oid, typname, typnamespace, typowner, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined,
  typdelim, typrelid, typsubscript::oid, typelem, typarray, typinput::oid, typoutput::oid, typreceive::oid, typsend::oid,
  typmodin::oid, typmodout::oid, typanalyze::oid, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims,
  typcollation, NULL, NULL, NULL FROM pg_type t JOIN ours USING (oid) ORDER BY oid) TO STDOUT;
\echo # pg_am
COPY (SELECT oid, amname, amhandler::oid, amtype FROM pg_am WHERE amname IN ('heap', 'btree', 'hash') ORDER BY oid) TO STDOUT;
\echo # pg_language
COPY (SELECT oid, lanname, lanowner, lanispl, lanpltrusted, lanplcallfoid, laninline, lanvalidator, NULL
  FROM pg_language WHERE lanname IN ('internal', 'sql') ORDER BY oid) TO STDOUT;
\echo # pg_tablespace
COPY (SELECT oid, spcname, spcowner, NULL, NULL FROM pg_tablespace WHERE oid IN (1663, 1664) ORDER BY oid) TO STDOUT;
\echo # pg_collation
COPY (SELECT * FROM pg_collation WHERE oid IN (100, 950, 951) ORDER BY oid) TO STDOUT;
\echo # pg_opfamily
COPY (SELECT DISTINCT f.* FROM pg_opfamily f JOIN pg_opclass c ON c.opcfamily = f.oid JOIN ours ON ours.oid = c.opcintype
  WHERE opfmethod IN (403, 405) ORDER BY oid) TO STDOUT;
\echo # pg_opclass
COPY (SELECT c.* FROM pg_opclass c JOIN ours ON ours.oid = c.opcintype WHERE opcmethod IN (403, 405) ORDER BY oid) TO STDOUT;
\echo # pg_cast
COPY (SELECT c.* FROM pg_cast c WHERE castsource IN (SELECT oid FROM ours) AND casttarget IN (SELECT oid FROM ours) ORDER BY oid) TO STDOUT;
