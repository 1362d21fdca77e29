-- Queries on the catalogs that postgres.js sends; {name} is the OID of a relation.

-- query
select b.oid, b.typarray
      from pg_catalog.pg_type a
      left join pg_catalog.pg_type b on b.oid = a.typelem
      where a.typcategory = 'A'
      group by b.oid, b.typarray
      order by b.oid;

-- query
select current_schema();

-- query
select table_name from information_schema.tables where table_schema='public';
