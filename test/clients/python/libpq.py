"""psycopg2 and psycopg 3: both on libpq."""

import io
import os
import select
import threading
import time
from contextlib import closing

import psycopg
import psycopg.types.json
import psycopg2
import psycopg2.errorcodes
import psycopg2.extras

from checks import DSN, STATES, STREAMING, WRONG, Feeder, finish, report, same, types, wanted


def run(driver, checks):
    for name, check in checks:
        if not wanted(f"{driver} {name}"):
            continue
        try:
            check()
            report(driver, name)
        except Exception as e:  # each check stands for itself
            report(driver, name, e)


def wrapped(kind, v, json, jsonb):
    """A value that was read, as the driver wants it back: JSON in its classes."""
    if kind == "json":
        return json(v)
    if kind == "jsonb":
        return jsonb(v)
    return [jsonb(x) for x in v] if kind == "jsonb[]" else v


class Base:
    """The checks that both drivers pass in the same words."""

    driver = None

    def __init__(self):
        self.t, self.f = f"c_{self.driver}", f"feed_{self.driver}"

    def connect(self):
        raise NotImplementedError

    def auto(self):
        c = self.connect()
        c.autocommit = True
        return c

    def setup(self):
        with closing(self.auto()) as c:
            cur = c.cursor()
            for t in (self.t, self.f):
                cur.execute(f"DROP TABLE IF EXISTS {t}")
                cur.execute(f"CREATE TABLE {t} (id int PRIMARY KEY, v text)")
            cur.execute(f"INSERT INTO {self.t} VALUES (1, 'one'), (2, 'two')")

    def one(self, c, q, args=None):
        cur = c.cursor()
        cur.execute(q, args)
        return cur.fetchone()

    def text_of(self, c, kind, text):
        """What the server makes of a text as a kind."""
        quoted = text.replace("'", "''")
        return self.one(c, f"SELECT '{quoted}'::{kind}::text")

    def simple(self):
        c = self.auto()
        same(self.one(c, "SELECT 1, 'a', NULL"), (1, "a", None))
        same(self.one(c, f"SELECT v FROM {self.t} WHERE id = %s", (2,)), ("two",))
        c.close()

    def tags(self):
        c = self.auto()
        cur = c.cursor()
        for q, tag in [
            (f"INSERT INTO {self.t} VALUES (10,'x'),(11,'y')", "INSERT 0 2"),
            (f"UPDATE {self.t} SET v = 'z' WHERE id >= 10", "UPDATE 2"),
            (f"DELETE FROM {self.t} WHERE id >= 10", "DELETE 2"),
            (f"SELECT * FROM {self.t}", "SELECT 2"),
        ]:
            cur.execute(q)
            same(cur.statusmessage, tag)
        c.close()

    def transaction(self):
        c = self.connect()
        cur = c.cursor()
        cur.execute(f"INSERT INTO {self.t} VALUES (20, 'gone')")
        c.rollback()
        same(self.one(c, f"SELECT count(*) FROM {self.t} WHERE id = 20"), (0,))
        c.rollback()
        cur.execute(f"INSERT INTO {self.t} VALUES (21, 'kept')")
        c.commit()
        same(self.one(c, f"SELECT count(*) FROM {self.t} WHERE id = 21"), (1,))
        cur.execute(f"DELETE FROM {self.t} WHERE id = 21")
        c.commit()
        c.close()

    def failed_transaction(self):
        c = self.auto()
        cur = c.cursor()
        cur.execute("BEGIN")
        self.fails(c, "SELECT 1/0", "22012")
        self.fails(c, "SELECT 1", "25P02")
        cur.execute("COMMIT")
        same(cur.statusmessage, "ROLLBACK")
        same(self.one(c, "SELECT 1"), (1,))
        c.close()

    def savepoints(self):
        c = self.connect()
        cur = c.cursor()
        cur.execute(f"INSERT INTO {self.t} VALUES (30, 'kept')")
        cur.execute("SAVEPOINT a")
        cur.execute(f"INSERT INTO {self.t} VALUES (31, 'gone')")
        self.fails(c, "SELECT 1/0", "22012")
        cur.execute("ROLLBACK TO SAVEPOINT a")
        cur.execute("RELEASE SAVEPOINT a")
        same(self.one(c, f"SELECT count(*) FROM {self.t} WHERE id IN (30, 31)"), (1,))
        c.rollback()
        c.close()

    def ddl_in_transaction(self):
        c = self.connect()
        cur = c.cursor()
        cur.execute(f"CREATE TABLE {self.t}_ddl (id int PRIMARY KEY)")
        cur.execute(f"INSERT INTO {self.t}_ddl VALUES (1)")
        c.commit()
        cur.execute(f"DROP TABLE {self.t}_ddl")
        c.commit()
        c.close()

    def state(self, e):
        raise NotImplementedError

    def fails(self, c, q, state, args=None):
        try:
            c.cursor().execute(q, args)
        except Exception as e:
            got = self.state(e)
            if got != state:
                raise AssertionError(f"{q}: SQLSTATE {got}, want {state}: {e}") from e
            return
        raise AssertionError(f"{q}: no error, want {state}")

    def error(self, state):
        def check():
            c = self.auto()
            self.fails(c, WRONG[state].format(t=self.t), state)
            c.close()
        return check

    def cancel(self):
        c = self.auto()
        timer = threading.Timer(0.3, c.cancel)
        timer.start()
        started = time.monotonic()
        self.fails(c, "SELECT pg_sleep(5)", "57014")
        if time.monotonic() - started > 2:
            raise AssertionError("cancelled late")
        same(self.one(c, "SELECT 1"), (1,))
        c.close()

    def named_cursor(self):
        c = self.connect()
        cur = c.cursor(name="numbers")
        cur.itersize = 7
        cur.execute("SELECT i FROM generate_series(1, %s) i", (20,))
        same([r[0] for r in cur], list(range(1, 21)))
        cur.close()
        c.rollback()
        c.close()

    def named_cursor_streams(self):
        with Feeder(self.f) as feed:
            c = self.connect()
            cur = c.cursor(name="live")
            cur.itersize = 1
            cur.execute(f"SELECT id, v FROM {self.f} EMIT CHANGES")
            for r in cur:
                if feed.saw(r[0]):
                    break
            c.close()
        self.empty()

    def empty(self):
        with closing(self.auto()) as c:
            c.cursor().execute(f"DELETE FROM {self.f}")

    def base(self):
        yield "simple and parameters", self.simple
        yield "command tags", self.tags
        yield "transaction", self.transaction
        yield "failed transaction, COMMIT is ROLLBACK", self.failed_transaction
        yield "savepoints", self.savepoints
        yield "DDL in a transaction", self.ddl_in_transaction
        for s in STATES:
            yield f"error {s}", self.error(s)
        yield "cancel", self.cancel
        yield "named cursor", self.named_cursor


class Psycopg2(Base):
    driver = "psycopg2"

    def connect(self):
        return psycopg2.connect(DSN)

    def state(self, e):
        return e.pgcode

    def type(self, kind, text):
        def check():
            c = self.auto()
            c.cursor().execute("SET TIME ZONE 'UTC'")
            v = self.one(c, f"SELECT %s::{kind}", (text,))[0]
            v = wrapped(kind, v, psycopg2.extras.Json, psycopg2.extras.Json)
            same(self.one(c, f"SELECT (%s)::{kind}::text", (v,)), self.text_of(c, kind, text))
            c.close()
        return check

    def copy(self):
        c = self.auto()
        cur = c.cursor()
        cur.execute(f"DELETE FROM {self.f}")
        cur.copy_expert(f"COPY {self.f} (id, v) FROM STDIN", io.StringIO("1\ta\n2\t\\N\n"))
        same(cur.rowcount, 2)
        cur.copy_expert(f"COPY {self.f} FROM STDIN (FORMAT csv, HEADER)", io.StringIO('id,v\n3,"x, y"\n'))
        out = io.StringIO()
        cur.copy_expert(f"COPY (SELECT * FROM {self.f} ORDER BY id) TO STDOUT (FORMAT csv)", out)
        same(out.getvalue(), '1,a\n2,\n3,"x, y"\n')
        try:
            cur.copy_expert(f"COPY {self.f} FROM STDIN", io.StringIO("x\ta\n"))
        except psycopg2.Error as e:
            same(e.pgcode, "22P02")
        else:
            raise AssertionError("COPY of a wrong integer has no error")
        cur.execute(f"DELETE FROM {self.f}")
        c.close()

    def copy_streams(self):
        class Lines(io.TextIOBase):
            def write(self, line):
                if feed.saw(line.split("\t")[0]):
                    c.cancel()
                return len(line)

        c = self.auto()
        with Feeder(self.f) as feed:
            try:
                c.cursor().copy_expert(f"COPY (SELECT id, v FROM {self.f} EMIT CHANGES) TO STDOUT", Lines())
            except psycopg2.Error as e:
                same(e.pgcode, "57014")
        c.close()
        self.empty()

    def notify(self):
        c = self.auto()
        c.cursor().execute("LISTEN news_psycopg2")
        with closing(self.auto()) as d:
            d.cursor().execute("NOTIFY news_psycopg2, 'hello'")
        until = time.monotonic() + 3
        while not c.notifies and time.monotonic() < until:
            if select.select([c], [], [], 0.2)[0]:
                c.poll()
        same([(n.channel, n.payload) for n in c.notifies], [("news_psycopg2", "hello")])
        c.close()

    def isolation(self):
        c = self.connect()
        c.set_session(isolation_level="SERIALIZABLE", readonly=True)
        same(self.one(c, "SHOW transaction_isolation"), ("serializable",))
        self.fails(c, f"INSERT INTO {self.t} VALUES (40, 'x')", "25006")
        c.close()

    def checks(self):
        yield from self.base()
        for kind, text in types():
            yield f"type {kind} {text}", self.type(kind, text)
        yield "COPY", self.copy
        yield "LISTEN/NOTIFY", self.notify
        yield "isolation and read only", self.isolation
        if STREAMING:
            yield "EMIT CHANGES by named cursor", self.named_cursor_streams
            yield "EMIT CHANGES by COPY", self.copy_streams


class Psycopg3(Base):
    driver = "psycopg3"

    def connect(self):
        return psycopg.connect(DSN)

    def state(self, e):
        return e.sqlstate

    def error(self, state):
        if state != "57014":
            return super().error(state)

        def check():
            c = self.auto()
            c.execute("SET statement_timeout = '50ms'")
            self.fails(c, "SELECT pg_sleep(5)", "57014")
            c.close()
        return check

    def type(self, kind, text, binary):
        def check():
            c = self.auto()
            c.execute("SET TIME ZONE 'UTC'")
            cur = c.cursor(binary=binary)
            cur.execute(f"SELECT %s::{kind}", (text,))
            v = cur.fetchone()[0]
            v = wrapped(kind, v, psycopg.types.json.Json, psycopg.types.json.Jsonb)
            mark = "%b" if binary and kind != "interval[]" else "%s"
            same(self.one(c, f"SELECT ({mark})::{kind}::text", (v,)), self.text_of(c, kind, text))
            c.close()
        return check

    def prepared(self):
        c = self.auto()
        for i in range(20):
            same(self.one(c, "SELECT %s::int + 1", (i,)), (i + 1,))
        same(self.one(c, "SELECT count(*) > 0 FROM pg_prepared_statements"), (True,))
        c.execute("DEALLOCATE ALL")
        c.close()

    def ints(self):
        c = self.auto()
        for v in (1, 40000, 3000000000, 10**20):
            same(self.one(c, "SELECT %s::numeric", (v,))[0], v)
        c.execute(f"INSERT INTO {self.f} VALUES (%s, %s)", (7, "seven"))
        same(self.one(c, f"SELECT id FROM {self.f} WHERE id = ANY(%s)", ([7, 8],)), (7,))
        c.execute(f"DELETE FROM {self.f}")
        c.close()

    def many(self):
        c = self.auto()
        cur = c.cursor()
        cur.executemany(f"INSERT INTO {self.f} VALUES (%s, %s) RETURNING id", [(i, "x") for i in range(5)], returning=True)
        got = []
        while True:
            got.append(cur.fetchone()[0])
            if not cur.nextset():
                break
        same(got, list(range(5)))
        c.execute(f"DELETE FROM {self.f}")
        c.close()

    def pipeline(self):
        c = self.auto()
        with c.pipeline():
            a = c.execute("SELECT %s::int", (1,))
            b = c.execute("SELECT %s::int", (2,))
            same((a.fetchone(), b.fetchone()), ((1,), (2,)))
        c.close()

    def stream(self):
        c = self.auto()
        same([r[0] for r in c.cursor().stream("SELECT i FROM generate_series(1, 50) i")], list(range(1, 51)))
        c.close()

    def copy(self):
        c = self.auto()
        c.execute(f"DELETE FROM {self.f}")
        cur = c.cursor()
        with cur.copy(f"COPY {self.f} FROM STDIN") as copy:
            copy.write_row((1, "a"))
            copy.write_row((2, None))
        same(cur.rowcount, 2)
        with cur.copy(f"COPY {self.f} FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((3, "b"))
        with cur.copy(f"COPY (SELECT * FROM {self.f} ORDER BY id) TO STDOUT") as copy:
            copy.set_types(["int4", "text"])
            same(list(copy.rows()), [(1, "a"), (2, None), (3, "b")])
        with cur.copy(f"COPY (SELECT * FROM {self.f} ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            same(list(copy.rows()), [(1, "a"), (2, None), (3, "b")])
        c.execute(f"DELETE FROM {self.f}")
        c.close()

    def copy_fail(self):
        c = self.auto()
        try:
            with c.cursor().copy(f"COPY {self.f} FROM STDIN") as copy:
                copy.write_row((1, "a"))
                raise KeyError("stop")
        except KeyError:
            pass
        same(self.one(c, f"SELECT count(*) FROM {self.f}"), (0,))
        c.close()

    def notify(self):
        c = self.auto()
        c.execute("LISTEN news_psycopg3")
        with closing(self.auto()) as d:
            d.execute("SELECT pg_notify(%s, %s)", ("news_psycopg3", "hello"))
        got = [(n.channel, n.payload) for n in c.notifies(timeout=3, stop_after=1)]
        same(got, [("news_psycopg3", "hello")])
        c.close()

    def typeinfo(self):
        c = self.auto()
        info = psycopg.types.TypeInfo.fetch(c, "numeric")
        same((info.oid, info.array_oid), (1700, 1231))
        same(psycopg.types.TypeInfo.fetch(c, "no_such_type"), None)
        c.close()

    def nested(self):
        c = self.connect()
        with c.transaction():
            c.execute(f"INSERT INTO {self.f} VALUES (1, 'a')")
            try:
                with c.transaction():
                    c.execute(f"INSERT INTO {self.f} VALUES (1, 'b')")
            except psycopg.errors.UniqueViolation:
                pass
            same(self.one(c, f"SELECT v FROM {self.f}"), ("a",))
        c.execute(f"DELETE FROM {self.f}")
        c.commit()
        c.close()

    def stream_live(self):
        c = self.auto()
        with Feeder(self.f) as feed:
            try:
                for r in c.cursor().stream(f"SELECT id, v FROM {self.f} EMIT CHANGES"):
                    if feed.saw(r[0]):
                        c.cancel()
            except psycopg.errors.QueryCanceled:
                pass
        c.close()
        self.empty()

    def subscribe(self):
        c = self.auto()
        with Feeder(self.f) as feed:
            try:
                cur = c.cursor()
                at = None
                for r in cur.stream(f"SUBSCRIBE TO {self.f}"):
                    at = at if at is not None else [d.name for d in cur.description].index("id")
                    if feed.saw(r[at]):
                        c.cancel()
            except psycopg.errors.QueryCanceled:
                pass
        c.close()
        self.empty()

    def copy_live(self):
        c = self.auto()
        with Feeder(self.f) as feed:
            try:
                with c.cursor().copy(f"COPY (SELECT id, v FROM {self.f} EMIT CHANGES) TO STDOUT") as copy:
                    for r in copy.rows():
                        if feed.saw(r[0]):
                            c.cancel()
            except psycopg.errors.QueryCanceled:
                pass
        c.close()
        self.empty()

    def checks(self):
        yield from self.base()
        for kind, text in types():
            yield f"type text {kind} {text}", self.type(kind, text, False)
            yield f"type binary {kind} {text}", self.type(kind, text, True)
        yield "prepared reuse", self.prepared
        yield "small integers", self.ints
        yield "executemany", self.many
        yield "pipeline", self.pipeline
        yield "stream()", self.stream
        yield "nested transactions", self.nested
        yield "COPY", self.copy
        yield "CopyFail", self.copy_fail
        yield "LISTEN/NOTIFY", self.notify
        yield "TypeInfo", self.typeinfo
        if STREAMING:
            yield "EMIT CHANGES by stream()", self.stream_live
            yield "EMIT CHANGES by named cursor", self.named_cursor_streams
            yield "EMIT CHANGES by COPY", self.copy_live
            yield "SUBSCRIBE by stream()", self.subscribe


for which in (Psycopg2, Psycopg3):
    if wanted(which.driver) or os.environ.get("CLIENTS_ONLY"):
        client = which()
        client.setup()
        run(client.driver, client.checks())
finish()
