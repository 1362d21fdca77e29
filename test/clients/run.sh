#!/usr/bin/env bash
# Real drivers against a server: each check is a line "ok|FAIL driver check".
#
#   run.sh [LANGUAGE…]        go node python java c psql; all without an argument
#
# CLIENTS_TARGET=postgres://…  a server that runs already, such as PostgreSQL:
#                              what only a streaming server has is left out
# CLIENTS_STREAMING=1          keep it, for a target that is a Velostream
# CLIENTS_ONLY=word            Go and Python: only the checks with the word
#
# A check that known.txt lists is "known" instead of "FAIL" against our server.
#
# Packages are installed once into .cache/clients, in the versions that are
# written down here (requirements.txt, package-lock.json, go.sum, pom.xml).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${CLIENTS_CACHE:-$root/.cache/clients}
work=$(mktemp -d)
server=
limit=${CLIENTS_LIMIT:-150}
languages=${*:-go node python java c psql}
mkdir -p "$cache"

finish() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap finish EXIT

die() { printf 'clients: %s\n' "$*" >&2; exit 2; }
need() { command -v "$1" >/dev/null || die "$1 is not on the PATH, $2 needs it"; }

start() {
	"$root/bin/velostream" serve --data-dir "$work/data" --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 \
		--dev-kafka 127.0.0.1:0 >"$work/ready" 2>"$work/log" &
	server=$!
	for _ in $(seq 300); do
		grep -q '^ready ' "$work/ready" && break
		kill -0 "$server" 2>/dev/null || { tail -5 "$work/log" >&2; die "the server did not start"; }
		sleep 0.1
	done
	local at
	at=$(sed -n 's/^ready listen=\([^ ]*\) .*/\1/p' "$work/ready")
	[ -n "$at" ] || die "the server was not ready in 30 s"
	export CLIENTS_DSN="postgres://velo@$at/velostream?sslmode=disable" CLIENTS_STREAMING=1
}

if [ -n "${CLIENTS_TARGET:-}" ]; then
	export CLIENTS_DSN=$CLIENTS_TARGET CLIENTS_STREAMING=${CLIENTS_STREAMING:-0}
else
	start
fi

# judge passes lines on, those of known checks as such.
judge() {
	local list=$here/known.txt
	[ -z "${CLIENTS_TARGET:-}" ] || list=/dev/null
	awk -v list="$list" '
		BEGIN { while ((getline line < list) > 0) if (line != "" && line !~ /^#/) known[++n] = line }
		{
			sign = $1
			rest = substr($0, 6)
			for (i = 1; i <= n; i++) {
				if (index(rest ":", known[i] ":") != 1) continue
				if (sign == "FAIL") $0 = "known " rest
				else if (sign == "ok") $0 = "FAIL " rest ": passes, but known.txt lists it"
			}
			print
			fflush()
		}'
}

# check NAME CMD…: one program. It ends with status 1 when a check failed; any
# other end is a failure of its own.
check() {
	local name=$1 status=0
	shift
	timeout "$limit" "$@" 2>"$work/err" | judge | tee -a "$work/out" || status=${PIPESTATUS[0]}
	if [ "$status" -gt 1 ] || { [ "$status" = 1 ] && [ -s "$work/err" ]; }; then
		printf 'FAIL %s the program ended with status %s: %s\n' "$name" "$status" "$(tail -3 "$work/err" | tr '\n' ' ')" | tee -a "$work/out"
	fi
}

# fresh FILE NAME: whether FILE is what NAME was installed from.
fresh() { cmp -s "$1" "$cache/$2.installed"; }
installed() { cp "$1" "$cache/$2.installed"; }

run_go() {
	need go "the suite of pgx and lib/pq"
	(cd "$here/go" && go build -o "$cache/go-clients" .)
	CLIENTS_TYPES="$here/types.tsv" CLIENTS_DASHBOARD="$root/deploy/grafana/dashboards/velostream-demo.json" check go "$cache/go-clients"
}

run_node() {
	need npm "the suite of Node.js"
	if [ ! -d "$here/node/node_modules" ] || ! fresh "$here/node/package-lock.json" node; then
		(cd "$here/node" && npm ci --ignore-scripts --silent --no-audit --no-fund)
		installed "$here/node/package-lock.json" node
	fi
	check node node "$here/node/clients.mjs"
	check orms node "$here/node/orms.mjs"
	check typeorm node "$here/node/typeorm.mjs"
	check drizzle node "$here/node/drizzle.mjs"
}

run_python() {
	need python3 "the suite of Python"
	if ! fresh "$here/python/requirements.txt" python; then
		rm -rf "$cache/venv"
		python3 -m venv "$cache/venv"
		"$cache/venv/bin/pip" install -q --disable-pip-version-check -r "$here/python/requirements.txt"
		installed "$here/python/requirements.txt" python
	fi
	export PYTHONDONTWRITEBYTECODE=1
	check psycopg "$cache/venv/bin/python" "$here/python/libpq.py"
	check asyncpg "$cache/venv/bin/python" "$here/python/asyncpg_.py"
	check sqlalchemy "$cache/venv/bin/python" "$here/python/sqlalchemy_.py"
	check alembic "$cache/venv/bin/python" "$here/python/alembic_.py"
	check django "$cache/venv/bin/python" "$here/python/django_.py"
	DJANGO_DRIVER=psycopg2 check django "$cache/venv/bin/python" "$here/python/django_.py"
	if odbcinst -q -d 2>/dev/null | grep -q 'PostgreSQL Unicode'; then
		check odbc "$cache/venv/bin/python" "$here/python/odbc.py"
	else
		echo "skip odbc: no unixODBC, or no psqlODBC (unixodbc, odbc-postgresql)"
	fi
}

run_java() {
	need java "the suite of pgjdbc"
	if ! fresh "$here/java/pom.xml" java; then
		need mvn "fetching pgjdbc"
		rm -rf "$cache/java"
		mvn -q -B --no-transfer-progress -Dstyle.color=never -f "$here/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/java" -DincludeScope=runtime
		installed "$here/java/pom.xml" java
	fi
	check pgjdbc java -Xmx256m -XX:TieredStopAtLevel=1 -cp "$cache/java/*" "$here/java/Clients.java" "$here/types.tsv"
	# Hibernate finds its entities as classes in files.
	rm -rf "$cache/java-classes"
	if ! command -v javac >/dev/null; then
		echo "skip hibernate, flyway, liquibase: no javac"
		return
	fi
	javac -nowarn -proc:none -cp "$cache/java/*" -d "$cache/java-classes" "$here/java/Orms.java"
	check java-orms java -Xmx384m -XX:TieredStopAtLevel=1 -cp "$cache/java-classes:$cache/java/*" Orms "$work"
}

# libpq's header is a package of its own on most systems.
run_c() {
	local include
	include=$(pg_config --includedir 2>/dev/null) || include=/usr/include/postgresql
	if ! command -v cc >/dev/null || [ ! -f "$include/libpq-fe.h" ]; then
		echo "skip libpq: no C compiler, or no libpq-fe.h (libpq-dev)"
		return
	fi
	cc -O1 -Wall -I"$include" -o "$cache/libpq-clients" "$here/c/libpq.c" -lpq
	check libpq "$cache/libpq-clients"
}

run_psql() {
	need psql "the suite of psql"
	check psql "$here/psql.sh"
}

for l in $languages; do
	"run_$l"
done
ok=$(grep -c '^ok ' "$work/out" || true)
failed=$(grep -c '^FAIL ' "$work/out" || true)
known=$(grep -c '^known ' "$work/out" || true)
printf '%s passed, %s failed' "$ok" "$failed"
[ "$known" = 0 ] || printf ', %s known' "$known"
printf '\n'
[ "$failed" = 0 ]
