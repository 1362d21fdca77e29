"""asyncpg: everything named, binary and flushed without Sync."""

import asyncio
import io
import time

import asyncpg

from checks import DSN, STATES, STREAMING, WRONG, Feeder, finish, report, same, types, wanted

DRIVER, T, F = "asyncpg", "c_asyncpg", "feed_asyncpg"


async def setup():
    c = await asyncpg.connect(DSN)
    for t in (T, F):
        await c.execute(f"DROP TABLE IF EXISTS {t}")
        await c.execute(f"CREATE TABLE {t} (id int PRIMARY KEY, v text)")
    await c.execute(f"INSERT INTO {T} VALUES (1, 'one'), (2, 'two')")
    await c.close()


async def simple(c):
    same(tuple(await c.fetchrow("SELECT 1, 'a', NULL")), (1, "a", None))
    same(await c.fetchval(f"SELECT v FROM {T} WHERE id = $1", 2), "two")
    same(await c.execute(f"UPDATE {T} SET v = v"), "UPDATE 2")


def roundtrip(kind, text):
    async def check(c):
        await c.execute("SET TIME ZONE 'UTC'")
        quoted = text.replace("'", "''")
        v = await c.fetchval(f"SELECT '{quoted}'::{kind}")
        same(await c.fetchval(f"SELECT ($1::{kind})::text", v), await c.fetchval(f"SELECT ('{quoted}'::{kind})::text"))
    return check


async def prepared(c):
    s = await c.prepare("SELECT $1::int8 + 1")
    same([p.name for p in s.get_parameters()], ["int8"])
    for i in range(10):
        same(await s.fetchval(i), i + 1)


async def inferred(c):
    s = await c.prepare(f"INSERT INTO {T} VALUES ($1, $2)")
    same([p.name for p in s.get_parameters()], ["int4", "text"])
    s = await c.prepare(f"SELECT id + $2 AS a, v FROM {T} WHERE v = $1 LIMIT $3")
    same([p.name for p in s.get_parameters()], ["text", "int4", "int8"])
    same([(a.name, a.type.name) for a in s.get_attributes()], [("a", "int4"), ("v", "text")])


async def transaction(c):
    try:
        async with c.transaction():
            await c.execute(f"INSERT INTO {F} VALUES (1, 'gone')")
            raise KeyError
    except KeyError:
        pass
    same(await c.fetchval(f"SELECT count(*) FROM {F}"), 0)
    async with c.transaction(isolation="repeatable_read", readonly=True):
        same(await c.fetchval(f"SELECT count(*) FROM {T}"), 2)


async def savepoint(c):
    async with c.transaction():
        await c.execute(f"INSERT INTO {F} VALUES (1, 'kept')")
        try:
            async with c.transaction():
                await c.execute(f"INSERT INTO {F} VALUES (1, 'twice')")
        except asyncpg.UniqueViolationError:
            pass
        same(await c.fetchval(f"SELECT v FROM {F}"), "kept")
    await c.execute(f"DELETE FROM {F}")


async def failed(c):
    await c.execute("BEGIN")
    await fails(c, "SELECT 1/0", "22012")
    await fails(c, "SELECT 1", "25P02")
    same(await c.execute("COMMIT"), "ROLLBACK")


async def fails(c, q, state):
    try:
        await c.execute(q)
    except asyncpg.PostgresError as e:
        same(e.sqlstate, state)
    else:
        raise AssertionError(f"{q}: no error")


def error(state):
    async def check(c):
        await fails(c, WRONG[state].format(t=T), state)
        await c.execute("RESET statement_timeout")
    return check


async def cancel(c):
    started = time.monotonic()
    try:
        await c.fetch("SELECT pg_sleep(5)", timeout=0.3)
    except asyncio.TimeoutError:
        pass
    same(await c.fetchval("SELECT 1"), 1)
    if time.monotonic() - started > 2:
        raise AssertionError("cancelled late")


async def copy(c):
    await c.copy_records_to_table(F, records=[(1, "a"), (2, None)])
    same(await c.copy_to_table(F, source=io.BytesIO(b'id,v\n3,"x, y"\n'), format="csv", header=True), "COPY 1")
    out = io.BytesIO()
    await c.copy_from_query(f"SELECT * FROM {F} WHERE id > $1 ORDER BY id", 1, output=out, format="csv")
    same(out.getvalue(), b'2,\n3,"x, y"\n')
    out = io.BytesIO()
    await c.copy_from_table(F, output=out)
    same(len(out.getvalue().splitlines()), 3)
    await c.execute(f"DELETE FROM {F}")


async def cursor(c):
    async with c.transaction():
        same([r[0] async for r in c.cursor("SELECT i FROM generate_series(1, $1::int) i", 20, prefetch=7)], list(range(1, 21)))
        cur = await c.cursor("SELECT i FROM generate_series(1, 20) i")
        same([r[0] for r in await cur.fetch(3)], [1, 2, 3])
        same(await cur.forward(2), 2)
        same((await cur.fetchrow())[0], 6)


async def executemany(c):
    await c.executemany(f"INSERT INTO {F} VALUES ($1, $2)", [(i, "x") for i in range(50)])
    same(await c.execute(f"DELETE FROM {F}"), "DELETE 50")


async def ddl(c):
    async with c.transaction():
        await c.execute("CREATE TABLE ddl_asyncpg (id int PRIMARY KEY)")
        await c.execute("INSERT INTO ddl_asyncpg VALUES (1)")
    await c.execute("DROP TABLE ddl_asyncpg")


async def pool(_):
    async with asyncpg.create_pool(DSN, min_size=1, max_size=2) as p:
        for _ in range(3):
            same(await p.fetchval("SELECT 1"), 1)


async def notify(c):
    got = asyncio.get_running_loop().create_future()
    await c.add_listener("news_asyncpg", lambda *a: got.done() or got.set_result(a[2:]))
    await c.execute("SELECT pg_notify('news_asyncpg', 'hello')")
    same(await asyncio.wait_for(got, 3), ("news_asyncpg", "hello"))


async def live(query, column):
    """Reads a continuous query by a cursor of one row, in a transaction."""
    c = await asyncpg.connect(DSN)
    feed = Feeder(F)
    with feed:
        async with c.transaction():
            async for r in c.cursor(query, prefetch=1):
                if feed.saw(r[column]):
                    break
                await asyncio.sleep(0)
        await c.close()
    c = await asyncpg.connect(DSN)
    await c.execute(f"DELETE FROM {F}")
    await c.close()


async def changes(_):
    await live(f"SELECT id, v FROM {F} EMIT CHANGES", "id")


async def subscribe(_):
    await live(f"SUBSCRIBE TO {F}", "id")


async def copy_live(c):
    feed = Feeder(F)

    async def lines(data):
        for line in data.decode().splitlines():
            feed.saw(line.split("\t")[0])

    with feed:
        task = asyncio.create_task(c.copy_from_query(f"SELECT id, v FROM {F} EMIT CHANGES", output=lines))
        while len(feed.seen) < feed.n and not task.done():
            await asyncio.sleep(0.05)
        task.cancel()
        try:
            await task
        except (asyncio.CancelledError, asyncpg.QueryCanceledError):
            pass
    await c.execute(f"DELETE FROM {F}")


def checks():
    yield "simple and parameters", simple
    for kind, text in types():
        yield f"type {kind} {text}", roundtrip(kind, text)
    yield "prepared reuse", prepared
    yield "parameter and column types", inferred
    yield "transaction", transaction
    yield "savepoint", savepoint
    yield "failed transaction, COMMIT is ROLLBACK", failed
    yield "DDL in a transaction", ddl
    for s in STATES:
        yield f"error {s}", error(s)
    yield "cancel by timeout", cancel
    yield "COPY", copy
    yield "cursor", cursor
    yield "executemany", executemany
    yield "pool", pool
    yield "LISTEN/NOTIFY", notify
    if STREAMING:
        yield "EMIT CHANGES by cursor", changes
        yield "EMIT CHANGES by COPY", copy_live
        yield "SUBSCRIBE by cursor", subscribe


async def main():
    await setup()
    for name, check in checks():
        if not wanted(f"{DRIVER} {name}"):
            continue
        c = await asyncpg.connect(DSN)
        try:
            await asyncio.wait_for(check(c), 15)
            report(DRIVER, name)
        except Exception as e:  # each check stands for itself
            report(DRIVER, name, e)
        c.terminate()


asyncio.run(main())
finish()
