-- Velostream's own relations, joined and filtered.

-- query
SELECT name, schema, connector, columns, watermark_column, watermark_delay, append_only FROM velo_catalog.streams ORDER BY name;

-- query
SELECT name, schema, kind, key, columns FROM velo_catalog.tables ORDER BY schema, name;

-- query
SELECT name, kind, definition FROM velo_catalog.views ORDER BY name;

-- query
SELECT j.name, j.kind, j.shards > 0 AS sharded, c.relkind FROM velo_catalog.jobs j JOIN pg_class c ON c.oid = j.id ORDER BY 1;

-- query
SELECT relation, position, name, type, nullable, primary_key, event_time FROM velo_catalog.columns WHERE schema = 'app' ORDER BY position;

-- query
SELECT name, setting FROM velo_catalog.settings WHERE name LIKE 'default_transaction%' ORDER BY name;

-- query
SELECT name, arguments, returns, volatility FROM velo_catalog.functions WHERE name = 'abs' ORDER BY arguments;

-- query
SELECT count(*) FROM velo_catalog.subscriptions, velo_catalog.sinks, velo_catalog.dead_letters;

-- query
SET search_path = velo_catalog, public; SELECT count(*) > 0 AS some FROM functions; SELECT 'accounts'::regclass, 'app.items'::regclass, 'velo_catalog.jobs'::regclass, 'pg_class'::regclass; RESET search_path;

-- query
SELECT pg_get_viewdef('rich'::regclass), pg_get_constraintdef(oid), pg_get_indexdef(conindid) FROM pg_constraint WHERE conrelid = 'accounts'::regclass;

-- query
SELECT to_regclass('nothing'), to_regtype('int'), to_regnamespace('app') IS NULL, 'int4'::regtype::oid, 23::oid::regtype, 'abs(int4)'::regprocedure, 'pg_catalog.array_in'::regproc;

-- query
SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid() AND state = 'active';

-- query
SELECT has_table_privilege('accounts', 'select'), has_schema_privilege('public', 'usage'), pg_size_pretty(10240::bigint), pg_encoding_to_char(6), pg_is_in_recovery(), array_length(current_schemas(true), 1);

-- query
SELECT set_config('application_name', 'x', false), current_setting('application_name');

-- query
SHOW STREAMS WHERE connector = 'native';

-- query
SHOW TABLES WHERE kind = 'table' AND key LIKE '%a%';

-- query
SHOW FUNCTIONS LIKE 'abs';
