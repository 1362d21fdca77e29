-- Writes functions.txt: OIDs that PostgreSQL 15 gives to functions and
-- operators over the types which exist here too. Lines of two kinds:
--
--   f oid name rettype argtype …            a function
--   o oid name code lefttype righttype rettype negator commutator   an operator
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
CREATE TEMP TABLE ours AS SELECT unnest(ARRAY[0,16,17,18,19,20,21,22,23,24,25,26,30,114,199,650,651,700,701,829,869,1040,1041,1000,1001,1003,1005,1007,1009,
  1015,1016,1021,1022,1028,1042,1043,1082,1083,1114,1115,1182,1184,1185,1186,1231,1560,1561,1562,1563,1700,2205,2206,2249,2276,2277,2278,2283,2776,2950,
  3802,5077,5078,705,4089,4096,2202,2203,2204,4191])::oid AS oid;
SELECT 'f', p.oid, p.proname, p.prorettype, array_to_string(p.proargtypes::oid[], ' ')
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace
  AND (NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) x WHERE x NOT IN (SELECT oid FROM ours))
       OR p.oid IN (SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typsubscript]::oid[])
                    FROM pg_type WHERE oid IN (SELECT oid FROM ours) OR typelem IN (SELECT oid FROM ours) OR oid IN (2275, 2279, 2281))
       OR p.oid IN (SELECT amhandler FROM pg_am))
ORDER BY p.oid;
SELECT 'o', o.oid, o.oprname, o.oprcode::oid, o.oprleft, o.oprright, o.oprresult, o.oprnegate, o.oprcom
FROM pg_operator o
WHERE NOT EXISTS (SELECT FROM unnest(ARRAY[o.oprleft, o.oprright, o.oprresult]) x WHERE x NOT IN (SELECT oid FROM ours))
ORDER BY o.oid;
