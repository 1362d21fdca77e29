-- Queries on the catalogs that asyncpg sends; {name} is the OID of a relation.

-- query
select oid, relname, relkind from pg_class where relname='accounts';

-- query
select 'accounts'::regclass, 'accounts'::regclass::text;

-- query
select current_schemas(true);

-- query
select indkey, indclass from pg_index limit 2;

-- query
select * from pg_type limit 3;
