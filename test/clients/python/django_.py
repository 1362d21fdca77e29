"""Django 5: migrations, introspection and the ORM over psycopg 3 and psycopg2.

The application is made up here: its models, its migrations (which Django
writes itself) and its settings; those of django.contrib come along."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import textwrap
import urllib.parse

from checks import DSN, finish, report, same, wanted

MODELS = '''
from decimal import Decimal
from django.db import models
from django.db.models import Q


class Author(models.Model):
    name = models.CharField(max_length=40, unique=True)
    mail = models.EmailField(blank=True, default="")
    born = models.DateField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["name"]


class Tag(models.Model):
    word = models.SlugField(primary_key=True)


class Book(models.Model):
    class Kind(models.TextChoices):
        NOVEL = "n"
        ESSAY = "e"

    key = models.UUIDField(unique=True, null=True)
    title = models.CharField(max_length=80, db_index=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    kind = models.CharField(max_length=1, choices=Kind.choices, default=Kind.NOVEL)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal("1.50"))
    pages = models.PositiveIntegerField(default=0)
    length = models.DurationField(null=True)
    cover = models.BinaryField(null=True)
    added = models.DateTimeField(auto_now_add=True)
    tags = models.ManyToManyField(Tag)
    {extra}

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="book_price"),
            models.UniqueConstraint(fields=["title", "author"], name="book_once"),
            models.UniqueConstraint(fields=["author"], condition=Q(kind="e"), name="book_one_essay"),
        ]
        indexes = [models.Index(fields=["-added", "title"], name="book_added")]
'''


def configure(folder):
    """Settings of the server that CLIENTS_DSN names."""
    import django
    from django.conf import settings

    u = urllib.parse.urlsplit(DSN)
    options = dict(urllib.parse.parse_qsl(u.query))
    options["server_side_binding"] = os.environ.get("DJANGO_BINDING") == "1"
    if os.environ.get("DJANGO_DRIVER") == "psycopg2":
        del options["server_side_binding"]
        sys.modules["psycopg"] = None  # Django takes psycopg 3 where it is
    sys.path.insert(0, folder)
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": u.path[1:], "USER": u.username,
                               "PASSWORD": u.password or "", "HOST": u.hostname, "PORT": u.port, "OPTIONS": options}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "library"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, TIME_ZONE="UTC", SECRET_KEY="x")
    django.setup()


def library(folder, extra=""):
    """Writes the application, with one more field."""
    os.makedirs(f"{folder}/library/migrations", exist_ok=True)
    for f in ("library/__init__.py", "library/migrations/__init__.py"):
        open(f"{folder}/{f}", "w").close()
    with open(f"{folder}/library/models.py", "w") as f:
        f.write(textwrap.dedent(MODELS).replace("{extra}", extra))


def manage(*args):
    """Runs a command of manage.py in a process of its own, as after a change
    of the models."""
    r = subprocess.run([sys.executable, __file__, "manage", *args], capture_output=True, text=True)
    if r.returncode:
        raise AssertionError(r.stderr.strip().splitlines()[-1] if r.stderr else r.stdout)
    return r.stdout


def suite(name, folder):
    from django.core.management import call_command
    from django.db import IntegrityError, connection, transaction

    def try_(check, f):
        if not wanted(f"{name} {check}"):
            return
        try:
            f()
            report(name, check)
        except Exception as x:  # each check stands for itself
            report(name, check, x)

    def clean():
        with connection.cursor() as c:
            for t in connection.introspection.table_names(c):
                if t.startswith(("library_", "django_", "auth_")):
                    c.execute(f'DROP TABLE IF EXISTS "{t}" CASCADE')

    def migrate():
        manage("makemigrations", "-v0", "library")
        manage("migrate", "-v0")
        got = manage("showmigrations", "library")
        if "[X] 0001_initial" not in got:
            raise AssertionError(got)

    def alter():
        library(folder, "isbn = models.CharField(max_length=20, null=True)\n    shelf = models.IntegerField(default=7)")
        manage("makemigrations", "-v0", "-n", "more", "library")
        with open(f"{folder}/library/models.py") as f:
            text = f.read()
        with open(f"{folder}/library/models.py", "w") as f:
            f.write(text.replace("max_length=20, null=True", "max_length=30, default='-'").replace("shelf = models.IntegerField", "shelf = models.BigIntegerField"))
        manage("makemigrations", "-v0", "-n", "change", "library")
        manage("migrate", "-v0")
        same(manage("makemigrations", "--check", "--dry-run", "library").strip(), "No changes detected in app 'library'")
        manage("migrate", "-v0", "library", "0001")
        manage("migrate", "-v0", "library")
        library(folder)
        manage("makemigrations", "-v0", "-n", "less", "library")
        manage("migrate", "-v0")

    def inspectdb():
        out = io.StringIO()
        call_command("inspectdb", "library_book", "library_author", "library_tag", "library_book_tags", stdout=out)
        text = out.getvalue()
        for want in ["id = models.BigAutoField(primary_key=True)", "key = models.UUIDField(unique=True, blank=True, null=True)",
                     "title = models.CharField(max_length=80)", "author = models.OneToOneField('LibraryAuthor', models.DO_NOTHING)", "book = models.ForeignKey(LibraryBook, models.DO_NOTHING)",
                     "price = models.DecimalField(max_digits=8, decimal_places=2)", "pages = models.IntegerField()",
                     "length = models.DurationField(blank=True, null=True)", "cover = models.BinaryField(blank=True, null=True)",
                     "added = models.DateTimeField()", "data = models.JSONField()", "born = models.DateField(blank=True, null=True)",
                     "name = models.CharField(unique=True, max_length=40)", "word = models.CharField(primary_key=True, max_length=50)",
                     "unique_together = (('title', 'author'),)", "unique_together = (('book', 'tag'),)"]:
            if want not in text:
                raise AssertionError(f"{want!r} is not in {text}")

    def introspection():
        i = connection.introspection
        with connection.cursor() as c:
            same(i.get_sequences(c, "library_book"), [{"name": "library_book_id_seq", "table": "library_book", "column": "id"}])
            same(i.get_relations(c, "library_book"), {"author_id": ("id", "library_author")})
            same(i.get_primary_key_column(c, "library_book"), "id")
            got = i.get_constraints(c, "library_book")
            kinds = {n: (x["columns"], x["unique"], x["check"], x["index"], x.get("orders")) for n, x in got.items() if n.startswith("book_")}
            same(kinds, {"book_price": (["price"], False, True, False, None), "book_once": (["title", "author_id"], True, False, False, None),
                         "book_one_essay": (["author_id"], True, False, True, ["ASC"]),
                         "book_added": (["added", "title"], False, False, True, ["DESC", "ASC"])})
            same([x["foreign_key"] for x in got.values() if x["foreign_key"]], [("library_author", "id")])

    def rows():
        from datetime import date, timedelta
        from decimal import Decimal
        from uuid import UUID

        from library.models import Author, Book, Tag

        a = Author.objects.create(name="Ann", born=date(1970, 1, 2), data={"a": [1, None], "b": {"c": "x"}})
        b = Author.objects.create(name="Bob")
        tags = Tag.objects.bulk_create([Tag(word=w) for w in ("old", "new", "red")])
        book = Book.objects.create(title="One", author=a, key=UUID(int=7), price=Decimal("3.25"), length=timedelta(days=3, seconds=5, microseconds=6), cover=b"\x00\xff")
        book.tags.set(tags[:2])
        Book.objects.bulk_create([Book(title=f"B{i}", author=b, pages=i, price=Decimal(i) / 4) for i in range(50)], batch_size=20)
        got = Book.objects.select_related("author").prefetch_related("tags").get(key=UUID(int=7))
        same([got.author.name, got.price, got.length, bytes(got.cover), sorted(t.word for t in got.tags.all())],
             ["Ann", Decimal("3.25"), timedelta(days=3, seconds=5, microseconds=6), b"\x00\xff", ["new", "old"]])
        same(Author.objects.get(name="Ann").data, {"a": [1, None], "b": {"c": "x"}})
        same(Author.objects.filter(data__b__c="x").count(), 1)
        same(Author.objects.filter(data__a__0=1, data__has_key="b", data__contains={"b": {"c": "x"}}).count(), 1)
        from django.db.models import F
        same(Book.objects.filter(author=b).update(pages=F("pages") + 1), 50)
        same(Author.objects.update_or_create(name="Bob", defaults={"mail": "b@x.y"})[1], False)
        same(Author.objects.get_or_create(name="Cid")[1], True)
        Author.objects.bulk_create([Author(name="Cid", mail="c@x.y")], update_conflicts=True, unique_fields=["name"], update_fields=["mail"])
        Tag.objects.bulk_create([Tag(word="old")], ignore_conflicts=True)
        same(Author.objects.get(name="Cid").mail, "c@x.y")
        book.title = "First"
        book.save()
        books = list(Book.objects.filter(title__in=["B1", "B2"]).order_by("id"))
        for x in books:
            x.pages += 100
        Book.objects.bulk_update(books, ["pages"])
        same(list(Book.objects.filter(pages__gt=100).order_by("pages").values_list("title", "pages")), [("B1", 102), ("B2", 103)])
        same(Author.objects.filter(name="Cid").delete()[0], 1)

    def lookups():
        from datetime import date

        from django.db.models import Q
        from library.models import Author, Book

        same(Book.objects.filter(title__icontains="fIRS").exists(), True)
        same(Book.objects.filter(title__iregex="^f.r", title__startswith="Fi", title__endswith="st").count(), 1)
        same(Book.objects.filter(Q(pages=4) | ~Q(author__name="Bob"), added__year__gte=2000, added__date__isnull=False).count(), 2)
        same(Author.objects.filter(born__month=1, born__week_day=6).count(), 1)
        same(list(Author.objects.dates("born", "year")), [date(1970, 1, 1)])
        same(Author.objects.filter(books__tags__word="old").distinct().count(), 1)
        same(list(Book.objects.filter(author__name="Bob").order_by("-pages")[2:4].values_list("pages", flat=True)), [50, 49])
        same(Author.objects.in_bulk(field_name="name").keys(), {"Ann", "Bob"})
        if "Limit" not in Book.objects.filter(pages=4)[:1].explain():
            raise AssertionError(Book.objects.filter(pages=4)[:1].explain())

    def aggregates():
        from datetime import date
        from decimal import Decimal

        from django.db.models import Avg, Case, Count, Exists, F, Max, Min, OuterRef, Q, StdDev, Subquery, Sum, Value, When, Window
        from django.db.models.functions import Coalesce, Concat, Extract, Lower, Rank, RowNumber, TruncMonth
        from library.models import Author, Book

        got = Book.objects.aggregate(n=Count("id"), s=Sum("price"), a=Avg("pages"), lo=Min("added"), d=StdDev("pages"), dist=Count("author", distinct=True),
                                     f=Count("id", filter=Q(pages__gt=100)))
        same([got["n"], got["s"], round(got["a"], 3), got["dist"], got["f"]], [51, Decimal("309.50"), round(1475 / 51, 3), 2, 2])
        same(list(Author.objects.annotate(n=Count("books")).filter(n__gt=0).order_by("n").values_list("name", "n")), [("Ann", 1), ("Bob", 50)])
        newest = Book.objects.filter(author=OuterRef("pk")).order_by("-pages", "id")
        same(list(Author.objects.annotate(t=Subquery(newest.values("title")[:1]), any=Exists(newest.filter(price__gt=3))).order_by("name").values_list("t", "any")),
             [("First", True), ("B2", True)])
        same(Book.objects.annotate(c=Case(When(pages__lt=10, then=Value("short")), default=Value("long"))).values("c").annotate(n=Count("*")).order_by("c").values_list("c", "n")[0], ("long", 43))
        w = Book.objects.annotate(r=Window(RowNumber(), partition_by=[F("author")], order_by=F("pages").desc()), k=Window(Rank(), order_by=F("price").asc()), m=Window(Max("price"), partition_by=[F("author")]))
        same(sorted(w.filter(r=1).values_list("title", flat=True)), ["B2", "First"])
        same(Author.objects.annotate(x=Concat(Lower("name"), Value("!")), y=Coalesce("born", Value(date(2000, 1, 1)))).order_by("x").values_list("x", flat=True)[0], "ann!")
        same(Book.objects.annotate(m=TruncMonth("added")).values("m").annotate(n=Count("id")).get()["n"], 51)
        same(Book.objects.annotate(y=Extract("added", "year")).filter(y__lt=2000).count(), 0)
        same(len(Book.objects.filter(pages__lt=3).union(Book.objects.filter(pages__gt=100)).order_by("title")), 4)
        same(Book.objects.filter(pages__lt=5).difference(Book.objects.filter(pages__lt=3)).count(), 1)

    def transactions():
        from library.models import Author

        class Undo(Exception):
            pass

        with contextlib.suppress(Undo), transaction.atomic():
            Author.objects.create(name="gone")
            raise Undo
        seen = []
        with transaction.atomic():
            Author.objects.create(name="Dan")
            with contextlib.suppress(IntegrityError), transaction.atomic():
                Author.objects.create(name="Dan")
            sid = transaction.savepoint()
            Author.objects.create(name="Eve")
            transaction.savepoint_rollback(sid)
            sid = transaction.savepoint()
            Author.objects.create(name="Fay")
            transaction.savepoint_commit(sid)
            transaction.on_commit(lambda: seen.append(1))
            same(list(Author.objects.select_for_update(nowait=True, of=("self",)).filter(name="Dan").values_list("name", flat=True)), ["Dan"])
            same(Author.objects.select_for_update(skip_locked=True).count(), 4)
        same([seen, list(Author.objects.values_list("name", flat=True))], [[1], ["Ann", "Bob", "Dan", "Fay"]])
        with transaction.atomic(durable=True):
            Author.objects.filter(name__in=["Dan", "Fay"]).delete()

    def errors():
        from decimal import Decimal

        from django.db import DataError
        from library.models import Author, Book

        ann = Author.objects.get(name="Ann")
        for kind, make, word in [(IntegrityError, lambda: Author.objects.create(name="Ann"), "duplicate key"),
                                 (IntegrityError, lambda: Book.objects.create(title="x", author=ann, price=-1), "book_price"),
                                 (IntegrityError, lambda: Book.objects.create(title="x", author_id=12345), "foreign key"),
                                 (IntegrityError, lambda: Book.objects.create(title=None, author=ann), "null value"),
                                 (DataError, lambda: Author.objects.create(name="x" * 41), "too long"),
                                 (DataError, lambda: Book.objects.create(title="x", author=ann, price=Decimal("1e7")), "overflow")]:
            try:
                with transaction.atomic():
                    make()
            except kind as e:
                if word not in str(e):
                    raise AssertionError(f"{word!r}: {e}") from e
                continue
            raise AssertionError(f"no error {word!r}")

    def iterate():
        from library.models import Book

        same(sum(1 for _ in Book.objects.iterator(chunk_size=7)), 51)
        with transaction.atomic():
            it = Book.objects.order_by("id").iterator(chunk_size=5)
            first = next(it)
            Book.objects.filter(pages__gt=1000).delete()
            same([first.title, sum(1 for _ in it)], ["First", 50])

    def raw():
        from library.models import Author

        same([a.twice for a in Author.objects.raw("SELECT id, name, length(name) * %s AS twice FROM library_author WHERE name = %s", [2, "Ann"])], [6])
        with connection.cursor() as c:
            c.executemany("INSERT INTO library_tag VALUES (%s)", [("x",), ("y",)])
            c.execute("DELETE FROM library_tag WHERE word = ANY(%s)", [["x", "y"]])
            same(c.rowcount, 2)

    def auth():
        from django.contrib.auth.models import Group, Permission, User
        from django.contrib.sessions.backends.db import SessionStore

        u = User.objects.create_user("velo", "v@x.y", "pw")
        u.groups.add(Group.objects.create(name="staff"))
        u.user_permissions.add(*Permission.objects.filter(content_type__app_label="library"))
        same([u.check_password("pw"), User.objects.get(username="velo").has_perm("library.add_book")], [True, True])
        s = SessionStore()
        s["k"] = 1
        s.save()
        same(SessionStore(s.session_key)["k"], 1)
        SessionStore.clear_expired()

    def dump():
        from library.models import Author, Book

        path = f"{folder}/dump.json"
        call_command("dumpdata", "library", output=path, verbosity=0)
        call_command("flush", interactive=False, verbosity=0)
        same(Author.objects.count(), 0)
        call_command("loaddata", path, verbosity=0)
        same([Author.objects.count(), Book.objects.count()], [2, 51])
        out = io.StringIO()
        call_command("sqlsequencereset", "library", stdout=out)
        with connection.cursor() as c:
            c.execute(out.getvalue().replace("BEGIN;", "").replace("COMMIT;", ""))
        Author.objects.create(name="after")

    clean()
    for check, f in [("migrate", migrate), ("alter and back", alter), ("inspectdb", inspectdb), ("introspection", introspection),
                     ("rows", rows), ("lookups", lookups), ("aggregates", aggregates), ("transactions, savepoints", transactions),
                     ("errors", errors), ("iterator", iterate), ("raw", raw), ("auth, sessions", auth), ("dumpdata, flush, loaddata", dump)]:
        try_(check, f)
    clean()
    connection.close()


def main():
    if sys.argv[1:2] == ["manage"]:
        configure(os.environ["DJANGO_FOLDER"])
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv[1:])
        return
    driver = os.environ.setdefault("DJANGO_DRIVER", "psycopg")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DJANGO_FOLDER"] = folder
        library(folder)
        configure(folder)
        suite(f"django+{driver}", folder)
    finish()


main()
