-- Queries on the catalogs and expansions of macros of Grafana's PostgreSQL data source.

-- query
SELECT current_setting('server_version_num')::int/100 as version;

-- query
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';

-- query
SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'pg\_%' AND schema_name <> 'information_schema' ORDER BY 1;

-- query
SELECT
    CASE WHEN
      quote_ident(table_schema) IN (
      SELECT
        CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM
        generate_series(
          array_lower(string_to_array(current_setting('search_path'),','),1),
          array_upper(string_to_array(current_setting('search_path'),','),1)
        ) as i,
        string_to_array(current_setting('search_path'),',') s
      )
      THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
    END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema',
                               'pg_catalog', 'velo_catalog',
                               '_timescaledb_cache',
                               '_timescaledb_catalog')
    ORDER BY CASE WHEN
      quote_ident(table_schema) IN (
      SELECT
        CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM
        generate_series(
          array_lower(string_to_array(current_setting('search_path'),','),1),
          array_upper(string_to_array(current_setting('search_path'),','),1)
        ) as i,
        string_to_array(current_setting('search_path'),',') s
      ) THEN 0 ELSE 1 END, 1;

-- query
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('accounts'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('accounts'))[1]
          AND quote_ident(table_name) = (parse_ident('accounts'))[2]
        ELSE quote_ident(table_name) = (parse_ident('accounts'))[1]
          AND
          quote_ident(table_schema) IN (
            SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
            FROM
              generate_series(
                array_lower(string_to_array(current_setting('search_path'),','),1),
                array_upper(string_to_array(current_setting('search_path'),','),1)
              ) as i,
              string_to_array(current_setting('search_path'),',') s
          )
      END;

-- query
SELECT table_schema, table_name, column_name, data_type, udt_name, numeric_precision, numeric_scale, ordinal_position FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'totals' ORDER BY ordinal_position;

-- query
SELECT 'owner' AS col_name, "owner"::text AS val FROM (SELECT DISTINCT "owner" FROM "accounts" ORDER BY "owner" LIMIT 100) sub_0 UNION ALL SELECT 'id' AS col_name, "id"::text AS val FROM (SELECT DISTINCT "id" FROM "accounts" ORDER BY "id" LIMIT 100) sub_1;

-- query
SELECT floor(extract(epoch from opened)/300)*300 AS "time", owner AS metric, sum(balance) AS value FROM accounts WHERE opened BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-02T00:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2;

-- query
SELECT opened AS "time", balance FROM accounts WHERE opened BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-02T00:00:00Z' ORDER BY 1;

-- query
SELECT extract(epoch from opened) as "time", extract(epoch from opened) >= 1704067200 AND extract(epoch from opened) <= 1704153600 AS inside, floor((id)/300)*300 AS bucket FROM accounts ORDER BY 1;
