"""SQLAlchemy 2: reflection, the core and the ORM over three drivers."""

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from checks import DSN, finish, report, same, wanted

PLAIN = DSN.split("://", 1)[1]


class Model(DeclarativeBase):
    pass


class Person(Model):
    __tablename__ = "sa_person"
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    worth: Mapped[object] = mapped_column(sa.Numeric(10, 2), nullable=True)
    born: Mapped[object] = mapped_column(sa.DateTime(timezone=True), nullable=True)


def dialect(driver):
    name = f"sqlalchemy+{driver}"
    e = sa.create_engine(f"postgresql+{driver}://{PLAIN}")

    def try_(check, f):
        if not wanted(f"{name} {check}"):
            return
        try:
            f()
            report(name, check)
        except Exception as x:  # each check stands for itself
            report(name, check, x)

    def setup():
        with e.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            for t in ("sa_child", "sa_parent", "sa_person"):
                c.execute(sa.text(f"DROP TABLE IF EXISTS {t}"))
            c.execute(sa.text("CREATE TABLE sa_parent (a int, b text, c numeric(10,2) DEFAULT 1.5, d timestamptz, e int[],"
                              " f varchar(20) NOT NULL, PRIMARY KEY (b, a))"))
            c.execute(sa.text("CREATE TABLE sa_child (id bigint PRIMARY KEY, a int, b text, u uuid UNIQUE,"
                              " CHECK (a > 0), FOREIGN KEY (b, a) REFERENCES sa_parent (b, a))"))
            c.execute(sa.text("CREATE INDEX sa_child_a ON sa_child (a)"))

    setup()

    def inspector():
        return sa.inspect(e)

    def names():
        got = inspector().get_table_names()
        if not {"sa_parent", "sa_child"} <= set(got):
            raise AssertionError(got)

    def columns():
        got = {c["name"]: c for c in inspector().get_columns("sa_parent")}
        same(list(got), ["a", "b", "c", "d", "e", "f"])
        same([str(c["type"]) for c in got.values()],
             ["INTEGER", "TEXT", "NUMERIC(10, 2)", "TIMESTAMP", "ARRAY", "VARCHAR(20)"])
        same(str(got["e"]["type"].item_type), "INTEGER")
        same([c["nullable"] for c in got.values()], [False, False, True, True, True, False])
        same(got["c"]["default"], "1.5")
        same(got["d"]["type"].timezone, True)

    def pk():
        same(inspector().get_pk_constraint("sa_parent")["constrained_columns"], ["b", "a"])

    def fk():
        got = inspector().get_foreign_keys("sa_child")
        same([(f["constrained_columns"], f["referred_table"], f["referred_columns"]) for f in got],
             [(["b", "a"], "sa_parent", ["b", "a"])])

    def rest():
        i = inspector()
        same([x["column_names"] for x in i.get_unique_constraints("sa_child")], [["u"]])
        same([x["sqltext"] for x in i.get_check_constraints("sa_child")], ["a > 0"])
        same([x["column_names"] for x in i.get_indexes("sa_child") if not x["unique"]], [["a"]])
        same(i.has_table("sa_child"), True)
        same(i.has_table("sa_none"), False)
        same("public" in i.get_schema_names(), True)
        i.get_view_names(), i.get_materialized_view_names(), i.get_sequence_names(), i.get_enums()
        i.get_multi_columns(), i.get_multi_indexes()

    def reflect():
        m = sa.MetaData()
        m.reflect(e, only=["sa_parent", "sa_child"])
        same(sorted(m.tables), ["sa_child", "sa_parent"])

    def orm():
        Model.metadata.create_all(e)
        with Session(e) as s:
            s.add_all([Person(name=n, worth=1.25) for n in ("a", "b", "c")])
            s.commit()
            same(s.scalars(sa.select(Person.name).order_by(Person.id)).all(), ["a", "b", "c"])
            p = s.get(Person, 2)
            p.name = "B"
            s.commit()
            same(s.scalar(sa.select(sa.func.count()).where(Person.name == "B")), 1)
            sums = s.execute(sa.select(Person.name, sa.func.sum(Person.worth)).group_by(Person.name)).all()
            same(sorted((n, str(w)) for n, w in sums), [("B", "1.25"), ("a", "1.25"), ("c", "1.25")])
        Model.metadata.drop_all(e)

    def core():
        t = sa.table("sa_parent", sa.column("a"), sa.column("b"), sa.column("f"))
        with e.begin() as c:
            c.execute(sa.insert(t), [{"a": i, "b": "x", "f": "y"} for i in range(10)])
            same(c.execute(sa.select(sa.func.count()).select_from(t)).scalar(), 10)
            same(len(c.execute(sa.delete(t).returning(t.c.a)).all()), 10)

    def stream():
        with e.connect() as c:
            r = c.execution_options(stream_results=True, yield_per=7).execute(sa.text("SELECT generate_series(1, 20)"))
            same([x[0] for x in r], list(range(1, 21)))

    def isolation():
        with e.connect() as c:
            same(c.get_isolation_level(), "READ COMMITTED")
            c.execution_options(isolation_level="SERIALIZABLE")
            same(c.get_isolation_level(), "SERIALIZABLE")

    for check, f in [("get_table_names", names), ("get_columns", columns), ("get_pk_constraint", pk),
                     ("get_foreign_keys", fk), ("indexes, constraints, lists", rest), ("MetaData.reflect", reflect),
                     ("core", core), ("ORM, create_all", orm), ("server cursor", stream), ("isolation level", isolation)]:
        try_(check, f)
    e.dispose()


for driver in ("psycopg2", "psycopg"):
    dialect(driver)
finish()
