#!/usr/bin/env bash
# Starts a PostgreSQL of its own, runs a command with its DSN in
# VELOSTREAM_TEST_POSTGRES, and stops it: test/postgres/run.sh COMMAND ARG…
# PostgreSQL refuses to run as root: then it runs as nobody.
set -euo pipefail
command -v initdb >/dev/null && command -v postgres >/dev/null || {
  echo "error: no PostgreSQL on the PATH: install it, or add its bin directory" >&2
  exit 1
}
dir=$(mktemp -d)
as() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown nobody "$dir"
cd "$dir"
as initdb -D "$dir/data" -U velo -A trust -E UTF8 --locale=C --lc-ctype=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
as postgres -D "$dir/data" -k "$dir" -p 5432 -h '' -c fsync=off -c timezone=UTC -c jit=off -c autovacuum=off >"$dir/log" 2>&1 &
server=$!
stop() {
  pid=$(head -1 "$dir/data/postmaster.pid" 2>/dev/null || true)
  [ -z "$pid" ] || kill -INT "$pid" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
for _ in $(seq 100); do
  if as psql -h "$dir" -U velo -d postgres -c '' >/dev/null 2>&1; then ready=1; break; fi
  sleep 0.1
done
[ -n "${ready:-}" ] || { cat "$dir/log" >&2; exit 1; }
cd - >/dev/null
VELOSTREAM_TEST_POSTGRES="host=$dir user=velo dbname=postgres sslmode=disable" "$@"
