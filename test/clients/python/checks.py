"""What the Python programs share: checks by name, the types, a feeder of rows."""

import os
import sys
import threading
import time
import traceback

import psycopg2

DSN = os.environ["CLIENTS_DSN"]
STREAMING = os.environ.get("CLIENTS_STREAMING", "1") == "1"
ONLY = os.environ.get("CLIENTS_ONLY", "")
STATES = ["23505", "42P01", "22P02", "22012", "42601", "42703", "57014"]
WRONG = {
    "23505": "INSERT INTO {t} VALUES (1, 'twice')",
    "42P01": "SELECT * FROM no_such_relation",
    "22P02": "SELECT 'x'::int4",
    "22012": "SELECT 1/0",
    "42601": "SELEC 1",
    "42703": "SELECT no_such_column FROM {t}",
    "57014": "SET statement_timeout = '50ms'; SELECT pg_sleep(5)",
}

failed = 0


def report(driver, name, error=None):
    """Prints the one line of a check."""
    global failed
    if error is None:
        print(f"ok   {driver} {name}", flush=True)
        return
    failed += 1
    text = " ".join(str(error).split())
    print(f"FAIL {driver} {name}: {type(error).__name__} {text[:400]}", flush=True)
    if os.environ.get("CLIENTS_TRACE"):
        traceback.print_exception(error)


def types():
    """The (type, text) pairs of types.tsv."""
    path = os.path.join(os.path.dirname(__file__), "..", "types.tsv")
    with open(path, encoding="utf-8") as f:
        pairs = [line.rstrip("\n").split("\t") for line in f]
    # timedelta has no months
    return [(kind, text.replace("1 year 2 mons ", "")) for kind, text in pairs]


def wanted(name):
    return ONLY in name


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


class Feeder:
    """Inserts rows 1..n into a table, one each 0.25 s, from a connection of
    its own, and remembers when: a reader says when it saw each."""

    def __init__(self, table, n=4, delay=0.6):
        self.table, self.n, self.delay = table, n, delay
        self.sent, self.seen = {}, {}
        self.c = psycopg2.connect(DSN)
        self.c.autocommit = True
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def run(self):
        time.sleep(self.delay)
        cur = self.c.cursor()
        for i in range(1, self.n + 1):
            self.sent[i] = time.monotonic()
            cur.execute(f"INSERT INTO {self.table} VALUES (%s, 'row')", (i,))
            time.sleep(0.25)

    def saw(self, i):
        """Returns whether that was the last row."""
        self.seen[int(i)] = time.monotonic()
        return len(self.seen) >= self.n

    def __exit__(self, kind, *_):
        self.thread.join()
        self.c.close()
        if kind is None:
            same(sorted(self.seen), list(range(1, self.n + 1)))
            late = max(self.seen[i] - self.sent[i] for i in self.seen)
            if late > 1:
                raise AssertionError(f"a row came {late:.2f} s after its INSERT")


def finish():
    sys.exit(1 if failed else 0)
