"""Alembic: autogenerate compares models with the database, its migrations run."""

import contextlib
import io
import os
import tempfile

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from checks import DSN, finish, report, same, wanted

URL = "postgresql+psycopg://" + DSN.split("://", 1)[1]
ENV = '''
from alembic import context
import sqlalchemy as sa

config = context.config
with sa.create_engine(config.attributes["url"]).connect() as c:
    context.configure(connection=c, target_metadata=config.attributes["models"], compare_type=True, compare_server_default=True,
                      transaction_per_migration=True, include_name=lambda name, kind, parents: kind != "table" or name.startswith("al_"))
    with context.begin_transaction():
        context.run_migrations()
    c.commit()
'''


def first():
    m = sa.MetaData()
    sa.Table("al_owner", m, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), sa.Column("name", sa.String(30), nullable=False),
             sa.Column("kind", sa.Enum("a", "b", name="al_kind"), server_default="a"), sa.UniqueConstraint("name", name="al_owner_name"),
             comment="who owns")
    sa.Table("al_thing", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("owner", sa.ForeignKey("al_owner.id", name="al_thing_owner", ondelete="CASCADE")),
             sa.Column("price", sa.Numeric(8, 2), server_default=sa.text("1.5")), sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
             sa.Column("data", sa.JSON), sa.Column("words", sa.ARRAY(sa.Text)), sa.Column("ok", sa.Boolean, server_default=sa.true()),
             sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted=True)), sa.CheckConstraint("price > 0", name="al_thing_price"))
    sa.Index("al_thing_at", m.tables["al_thing"].c.at.desc(), m.tables["al_thing"].c.owner)
    sa.Index("al_thing_some", m.tables["al_thing"].c.price, unique=True, postgresql_where=sa.text("price > 10"))
    return m


def second():
    m = first()
    t = m.tables["al_thing"]
    t.append_column(sa.Column("size", sa.SmallInteger, server_default="3", nullable=False))
    t.append_column(sa.Column("price", sa.Numeric(12, 4), server_default=sa.text("2")), replace_existing=True)
    sa.Index("al_thing_size", t.c.size)
    o = m.tables["al_owner"]
    o.append_column(sa.Column("name", sa.Text, nullable=True, comment="of the owner"), replace_existing=True)
    sa.Table("al_more", m, sa.Column("a", sa.Uuid, primary_key=True), sa.Column("b", sa.Interval), sa.Column("c", sa.LargeBinary), sa.Column("d", sa.Double), sa.Column("e", sa.Date))
    return m


def main():
    engine = sa.create_engine(URL)

    def try_(check, f):
        if not wanted(f"alembic {check}"):
            return
        try:
            f()
            report("alembic", check)
        except Exception as x:  # each check stands for itself
            report("alembic", check, x)

    def clean():
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            for t in ("al_thing", "al_owner", "al_more", "alembic_version"):
                c.execute(sa.text(f"DROP TABLE IF EXISTS {t} CASCADE"))
            c.execute(sa.text("DROP TYPE IF EXISTS al_kind"))

    with tempfile.TemporaryDirectory() as folder:
        config = Config(stdout=open(os.devnull, "w"))
        config.set_main_option("script_location", folder)
        config.set_main_option("path_separator", "os")
        config.attributes["url"] = URL
        os.mkdir(f"{folder}/versions")
        for name, text in [("env.py", ENV), ("script.py.mako", MAKO)]:
            with open(f"{folder}/{name}", "w") as f:
                f.write(text)

        def differences(models):
            with engine.connect() as c:
                context = MigrationContext.configure(c, opts={"compare_type": True, "compare_server_default": True,
                                                              "include_name": lambda n, kind, _: kind != "table" or n.startswith("al_")})
                return compare_metadata(context, models)

        def step(models):
            def run():
                config.attributes["models"] = models
                with contextlib.redirect_stdout(io.StringIO()):
                    command.revision(config, "step", autogenerate=True)
                command.upgrade(config, "head")
                same(differences(models), [])
            return run

        def back():
            command.downgrade(config, "-1")
            same(differences(first()), [])
            command.upgrade(config, "head")
            same(differences(second()), [])

        def current():
            with engine.connect() as c:
                same([MigrationContext.configure(c).get_current_revision()], list(ScriptDirectory.from_config(config).get_heads()))

        def seen():
            kinds = {d[0] if isinstance(d, tuple) else x[0] for d in differences(first()) for x in (d if isinstance(d, list) else [d])}
            same(sorted(kinds), ["modify_comment", "modify_default", "modify_nullable", "modify_type", "remove_column", "remove_index", "remove_table"])

        clean()
        for check, f in [("autogenerate and upgrade", step(first())), ("a second step", step(second())), ("differences", seen),
                         ("downgrade and upgrade", back), ("current", current)]:
            try_(check, f)
        clean()
    engine.dispose()
    finish()


MAKO = '''
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
'''

main()
