-- Writes relations.txt: the relations of pg_catalog and information_schema of
-- a PostgreSQL 15, one a line:
--
--   schema.name oid relkind column:type[!] …        (! is NOT NULL)
--
-- Domains of information_schema are given as the types they go out as.
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
SELECT n.nspname || '.' || c.relname, c.oid, c.relkind,
       string_agg(a.attname || ':' ||
                  CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END ||
                  CASE WHEN a.attnotnull THEN '!' ELSE '' END, ' ' ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')
GROUP BY 1, 2, 3
ORDER BY 1;
