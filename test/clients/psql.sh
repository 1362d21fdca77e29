#!/usr/bin/env bash
# psql: its commands, and the ways it shows rows as they arise. A line for each
# check, exit status 1 when one failed.
set -uo pipefail

export PGOPTIONS= PAGER= PSQLRC=/dev/null
failed=0

run() { timeout 20 psql -X -At -v ON_ERROR_STOP=1 "$CLIENTS_DSN" "$@" 2>&1; }

# report NAME OK [WHY]
report() {
	if [ "$2" = 0 ]; then
		echo "ok   psql $1"
	else
		failed=1
		printf 'FAIL psql %s: %s\n' "$1" "$(printf %s "${3:-}" | tr '\n' ' ' | cut -c1-400)"
	fi
}

# want NAME PATTERN ARGUMENT…: what psql prints matches.
want() {
	local name=$1 pattern=$2 out
	shift 2
	out=$(run "$@")
	[[ $out =~ $pattern ]]
	report "$name" $? "got $out, want $pattern"
}

# passes COMMAND…: each ends without an error.
passes() {
	local c out
	for c; do
		out=$(run -c "$c")
		if [ $? != 0 ] || [[ $out == *ERROR* ]]; then
			report "$c" 1 "$out"
		else
			report "$c" 0
		fi
	done
}

run -q -c 'DROP VIEW IF EXISTS v_psql' -c 'DROP TABLE IF EXISTS c_psql, feed_psql' \
	-c 'CREATE TABLE c_psql (id int PRIMARY KEY, v text NOT NULL)' \
	-c 'CREATE TABLE feed_psql (id int PRIMARY KEY, v text)' \
	-c "INSERT INTO c_psql VALUES (1, 'one'), (2, 'two')" \
	-c 'CREATE VIEW v_psql AS SELECT id FROM c_psql' | grep ERROR

want "query" '^1\|one$' -c 'SELECT * FROM c_psql WHERE id = 1'
want "tags" '^BEGIN.INSERT 0 1.UPDATE 3.DELETE 1.COMMIT$' <<<"BEGIN; INSERT INTO c_psql VALUES (3, 'x'); UPDATE c_psql SET v = v; DELETE FROM c_psql WHERE id = 3; COMMIT;"
want "several statements" '^1.2$' -c 'SELECT 1; SELECT 2'
want "variables" "^two$" -v n=2 <<<'SELECT v FROM c_psql WHERE id = :n;'
want "error position" 'LINE 1: SELECT nothing FROM c_psql;.*\^' <<<'SELECT nothing FROM c_psql;'
want "SQLSTATE" '23505' -v VERBOSITY=verbose -c "INSERT INTO c_psql VALUES (1, 'x')"
want '\gset' '^5$' <<<'SELECT 2 + 3 AS n \gset
SELECT :n;'
want '\gdesc' '^id\|integer.v\|text$' <<<'SELECT * FROM c_psql \gdesc'
want '\gexec' '^7$' <<<"SELECT 'SELECT 7' \\gexec"
want '\crosstabview' '^id\|one\|two' <<<'\t off
SELECT id, v, 1 FROM c_psql ORDER BY 1 \crosstabview'
want '\copy in and out' '5,a' <<<"\\copy feed_psql from stdin csv
5,a
\\.
\\copy feed_psql to stdout csv
DELETE FROM feed_psql;"
want 'COPY of a script' '2$' <<<"COPY feed_psql FROM stdin;
1	a
2	\\N
\\.
SELECT count(*) FROM feed_psql;"
run -q -c 'DELETE FROM feed_psql' >/dev/null
want 'FETCH_COUNT' '^1.2.3.4.5$' -v FETCH_COUNT=2 -c 'SELECT i FROM generate_series(1, 5) i'
want 'ON_ERROR_ROLLBACK' 'INSERT 0 1' -v ON_ERROR_STOP=0 -v ON_ERROR_ROLLBACK=on <<<"BEGIN; SELECT 1/0; INSERT INTO c_psql VALUES (9, 'x'); ROLLBACK;"
want 'AUTOCOMMIT off' 'ROLLBACK.2$' -v AUTOCOMMIT=off <<<"DELETE FROM c_psql;
ROLLBACK;
SELECT count(*) FROM c_psql;"
want 'LISTEN/NOTIFY' 'Asynchronous notification "news" with payload "hello"' <<<"LISTEN news; NOTIFY news, 'hello';"
want '\conninfo' 'connected' -c '\conninfo'

passes '\d' '\d c_psql' '\d+ c_psql' '\d v_psql' '\d+ v_psql' '\d c_psql_pkey' '\dS' '\d c_*' '\da' '\dA' '\dA+' '\dAc' '\dAf' '\dAo' '\dAp' \
	'\db' '\db+' '\dc' '\dC' '\dconfig' '\dconfig+ *' '\dd' '\dD' '\ddp' '\dE' '\des' '\det' '\deu' '\dew' '\df' '\df+ lower' '\dF' '\dFd' '\dFp' '\dFt' \
	'\dg' '\di' '\di+' '\dl' '\dL' '\dm' '\dm+' '\dn' '\dn+' '\do' '\dO' '\dp' '\dP' '\drds' '\dRp' '\dRs' '\ds' '\dt' '\dt+' '\dT' '\dT+' \
	'\du' '\du+' '\dv' '\dv+' '\dx' '\dX' '\dy' '\l' '\l+' '\sv v_psql' '\z' '\encoding' '\encoding UTF8'

out=$(mktemp)
# cancel: SIGINT while a query runs.
psql -X -At "$CLIENTS_DSN" -c 'SELECT pg_sleep(10)' >/dev/null 2>"$out" &
pid=$!
sleep 0.7
kill -INT $pid
wait $pid
grep -q 'canceling statement due to user request' "$out"
report cancel $? "$(cat "$out")"
rm -f "$out"

# live NAME [OPTION…] QUERY: each of three rows is shown within a second of its
# INSERT.
live() {
	local name=$1 i out
	shift
	out=$(mktemp)
	stdbuf -oL psql -X -At "$CLIENTS_DSN" "$@" >"$out" 2>&1 &
	local pid=$!
	sleep 1
	local late=
	for i in 1 2 3; do
		run -q -c "INSERT INTO feed_psql VALUES ($i, 'row$i')"
		for _ in $(seq 20); do
			grep -q "row$i" "$out" && break
			sleep 0.05
		done
		grep -q "row$i" "$out" || late="$late $i"
	done
	kill -INT $pid 2>/dev/null
	wait $pid
	[ -z "$late" ]
	report "$name" $? "rows not there in a second:$late; got $(cat "$out")"
	rm -f "$out"
	run -q -c 'DELETE FROM feed_psql'
}

if [ "${CLIENTS_STREAMING:-1}" != 0 ]; then
	live 'EMIT CHANGES by FETCH_COUNT' -v FETCH_COUNT=1 -c 'SELECT v FROM feed_psql EMIT CHANGES'
	live 'EMIT CHANGES by COPY' -c 'COPY (SELECT v FROM feed_psql EMIT CHANGES) TO STDOUT'
	live 'SUBSCRIBE by COPY' -c 'COPY (SUBSCRIBE TO feed_psql) TO STDOUT'
	passes '\dm' 'SHOW STREAMS' 'SHOW JOBS'
fi
exit $failed
