"""psqlODBC under unixODBC, by pyodbc: a line for each check."""

import threading
import time
from urllib.parse import unquote, urlsplit

import pyodbc

import checks

D = "odbc"
T, FEED = "c_odbc", "feed_odbc"
URL = urlsplit(checks.DSN)


def connect(autocommit=True, **options):
    text = ";".join(
        f"{k}={v}"
        for k, v in {
            "Driver": "PostgreSQL Unicode",
            "Server": URL.hostname,
            "Port": URL.port,
            "Database": URL.path.lstrip("/"),
            "Uid": unquote(URL.username or ""),
            "Pwd": unquote(URL.password or ""),
            "SSLmode": "disable",
            **options,
        }.items()
    )
    c = pyodbc.connect(text, autocommit=autocommit)
    c.setdecoding(pyodbc.SQL_CHAR, encoding="utf-8")
    c.setencoding(encoding="utf-8")
    return c


def check(name, f, **options):
    if not checks.wanted(f"{D} {name}"):
        return
    try:
        c = connect(**options)
        try:
            f(c)
        finally:
            c.close()
        checks.report(D, name)
    except Exception as e:  # noqa: BLE001
        checks.report(D, name, e)


def state(f, want):
    """f must fail with the SQLSTATE."""
    try:
        f()
    except pyodbc.Error as e:
        checks.same(e.args[0], want)
        return
    raise AssertionError(f"no error, want {want}")


def setup(c):
    for t in (T, FEED):
        c.execute(f"DROP TABLE IF EXISTS {t}")
        c.execute(f"CREATE TABLE {t} (id int PRIMARY KEY, v text)")
    c.execute(f"INSERT INTO {T} VALUES (1, 'one'), (2, 'two')")


def query(c):
    checks.same(c.execute(f"SELECT v FROM {T} WHERE id = ?", 1).fetchval(), "one")
    checks.same([tuple(r) for r in c.execute(f"SELECT * FROM {T} ORDER BY id")], [(1, "one"), (2, "two")])


def prepared(c):
    cur = c.cursor()
    for i in range(10):
        checks.same(cur.execute(f"SELECT v FROM {T} WHERE id = ?", i % 2 + 1).fetchval(), ["one", "two"][i % 2])
    cur.executemany(f"INSERT INTO {FEED} VALUES (?, ?)", [(i, f"row {i}") for i in range(5)])
    checks.same(cur.execute(f"DELETE FROM {FEED}").rowcount, 5)


def kinds(c):
    """The text of each value comes back, and what the driver makes of it does."""
    c.execute("SET TIME ZONE 'UTC'")
    for kind, text in checks.types():
        if kind in ("bool", "interval", "timestamptz", "float4", "bytea"):
            continue  # below, or spelt another way by the driver
        literal = text.replace("'", "''")
        got = c.execute(f"SELECT ('{literal}'::{kind})::text = ('{literal}'::{kind}::text)").fetchval()
        checks.same(str(got), "1")
    row = c.execute("SELECT 42::int2, 43::int4, 44::int8, 1.5::float8, 12.340::numeric(10,3), true, 'x'::text, '\\x00ff'::bytea, "
                    "date '2024-02-29', timestamp '2024-02-29 12:34:56.789', NULL::int").fetchone()
    checks.same(str(row[:7]), "(42, 43, 44, 1.5, Decimal('12.340'), '1', 'x')")
    checks.same(bytes(row[7]), b"\x00\xff")
    checks.same(f"{row[8]} {row[9]} {row[10]}", "2024-02-29 2024-02-29 12:34:56.789000 None")


def transaction(c):
    cur = c.cursor()
    cur.execute(f"INSERT INTO {FEED} VALUES (1, 'gone')")
    c.rollback()
    cur.execute(f"INSERT INTO {FEED} VALUES (1, 'kept')")
    c.commit()
    checks.same(cur.execute(f"SELECT v FROM {FEED}").fetchval(), "kept")
    cur.execute(f"DELETE FROM {FEED}")
    c.commit()


def errors(c):
    for want, sql in checks.WRONG.items():
        if want == "57014":
            continue
        # The driver reports some of PostgreSQL's states as ODBC's.
        odbc = {"42P01": "42P01"}.get(want, want)
        state(lambda sql=sql: c.execute(sql.format(t=T)).fetchall(), odbc)


def cancel(c):
    cur = c.cursor()
    threading.Timer(0.4, cur.cancel).start()
    start = time.monotonic()
    state(lambda: cur.execute("SELECT pg_sleep(5)").fetchall(), "57014")
    if time.monotonic() - start > 2:
        raise AssertionError("cancelled late")


def reflection(c):
    cur = c.cursor()
    names = [r.table_name for r in cur.tables(table=T)]
    checks.same(names, [T])
    checks.same([(r.column_name, r.type_name) for r in cur.columns(table=T)], [("id", "int4"), ("v", "text")])
    checks.same([r.column_name for r in cur.statistics(T) if r.column_name], ["id"])
    cur.getTypeInfo().fetchall()
    cur.foreignKeys(table=T).fetchall()
    cur.procedures().fetchmany(5)


def primary_keys(c):
    checks.same([r.column_name for r in c.cursor().primaryKeys(table=T)], ["id"])


def cursor_rows(c):
    cur = c.execute("SELECT i FROM generate_series(1, 250) i")
    checks.same(sum(r[0] for r in cur), 31375)


def live(c):
    """UseDeclareFetch with batches of one row shows each as it arises."""
    cur = c.cursor()
    with checks.Feeder(FEED) as f:
        cur.execute(f"SELECT id FROM {FEED} EMIT CHANGES")
        while not f.saw(cur.fetchone()[0]):
            pass
        cur.cancel()
    checks.psycopg2.connect(checks.DSN).cursor().execute(f"DELETE FROM {FEED}")


check("setup", setup)
check("query", query)
check("prepared reuse, executemany", prepared)
check("types", kinds)
check("transaction", transaction, autocommit=False)
check("errors by SQLSTATE", errors)
check("cancel", cancel)
check("reflection", reflection)
check("primary keys", primary_keys)
check("UseDeclareFetch", cursor_rows, UseDeclareFetch=1, Fetch=100)
if checks.STREAMING:
    check("EMIT CHANGES, UseDeclareFetch", live, UseDeclareFetch=1, Fetch=1, autocommit=False)
checks.finish()
