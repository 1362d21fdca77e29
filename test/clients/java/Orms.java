import jakarta.persistence.*;
import java.math.BigDecimal;
import java.nio.file.*;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.stream.*;
import liquibase.Contexts;
import liquibase.Liquibase;
import liquibase.command.CommandScope;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.flywaydb.core.Flyway;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.annotations.CreationTimestamp;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.cfg.Configuration;
import org.hibernate.exception.ConstraintViolationException;
import org.hibernate.type.SqlTypes;

/** Hibernate, Flyway and Liquibase on a server: a line for each check, exit status 1 when one failed. */
public class Orms {
  interface Body { void run() throws Exception; }

  /** Libraries print to System.out as well. */
  static final java.io.PrintStream OUT = System.out;

  static boolean failed;

  static void check(String driver, String name, Body body) {
    try {
      body.run();
      OUT.println("ok   " + driver + " " + name);
    } catch (Throwable e) {
      failed = true;
      Throwable root = e;
      while (root.getCause() != null) root = root.getCause();
      OUT.println("FAIL " + driver + " " + name + ": " + (e.getMessage() + " / " + root.getMessage()).replaceAll("\\s+", " "));
      if (System.getenv("CLIENTS_TRACE") != null) e.printStackTrace();
    }
  }

  static void same(Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError("got " + got + ", want " + want);
  }

  static String url, user;

  static Connection connect() throws SQLException { return DriverManager.getConnection(url, user, ""); }

  static void execute(String... statements) throws SQLException {
    try (Connection c = connect(); Statement s = c.createStatement()) {
      for (String x : statements) s.execute(x);
    }
  }

  @Entity(name = "Author") @Table(name = "hb_author")
  public static class Author {
    @Id @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "s") @SequenceGenerator(name = "s", sequenceName = "hb_author_seq") public Long id;
    @Column(length = 40, unique = true, nullable = false) public String name;
    @Enumerated(EnumType.STRING) public Kind kind = Kind.A;
    @JdbcTypeCode(SqlTypes.JSON) public Map<String, Object> data;
    public LocalDate born;
    @CreationTimestamp public Instant created;
    @Version public int version;
    public UUID key;
    public byte[] photo;
    public String[] words;
    @OneToMany(mappedBy = "author", cascade = CascadeType.ALL, orphanRemoval = true) public List<Book> books = new ArrayList<>();
  }

  public enum Kind { A, B }

  @Entity(name = "Book") @Table(name = "hb_book", indexes = @Index(name = "hb_book_title", columnList = "title, pages desc"))
  public static class Book {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY) public Long id;
    @Column(columnDefinition = "text") public String title;
    @Column(precision = 8, scale = 2) public BigDecimal price;
    public int pages;
    @ManyToOne(fetch = FetchType.LAZY) @JoinColumn(name = "author_id", foreignKey = @ForeignKey(name = "hb_book_author")) public Author author;
    @ManyToMany @JoinTable(name = "hb_book_tag") public Set<Tag> tags = new HashSet<>();
    public Book() {}
    Book(Author a, String title, String price, int pages) { author = a; this.title = title; this.price = new BigDecimal(price); this.pages = pages; }
  }

  @Entity(name = "Tag") @Table(name = "hb_tag")
  public static class Tag {
    @Id @Column(length = 20) public String word;
    public Tag() {}
    Tag(String word) { this.word = word; }
  }

  static SessionFactory factory(String ddl) {
    return new Configuration().addAnnotatedClass(Author.class).addAnnotatedClass(Book.class).addAnnotatedClass(Tag.class)
        .setProperty("hibernate.connection.url", url).setProperty("hibernate.connection.username", user).setProperty("hibernate.hbm2ddl.auto", ddl)
        .setProperty("hibernate.jdbc.batch_size", "20").setProperty("hibernate.hbm2ddl.halt_on_error", "true").setProperty("hibernate.jdbc.time_zone", "UTC").buildSessionFactory();
  }

  static void hibernate() throws Exception {
    String d = "hibernate";
    execute("DROP TABLE IF EXISTS hb_book_tag, hb_book, hb_author, hb_tag CASCADE", "DROP SEQUENCE IF EXISTS hb_author_seq");
    check(d, "create", () -> factory("create").close());
    check(d, "validate", () -> factory("validate").close());
    check(d, "update", () -> {
      execute("ALTER TABLE hb_book DROP COLUMN pages", "DROP TABLE hb_book_tag");
      factory("update").close();
      factory("validate").close();
    });
    try (SessionFactory f = factory("none")) {
      check(d, "rows", () -> f.inTransaction(s -> rows(s)));
      check(d, "read", () -> f.inTransaction(s -> read(s)));
      check(d, "queries", () -> f.inTransaction(s -> queries(s)));
      check(d, "update across a join", () -> f.inTransaction(s -> same(s.createMutationQuery("update Book b set b.pages = b.pages + 1 where b.author.name = 'ann'").executeUpdate(), 2)));
      check(d, "transactions, locks", () -> transactions(f));
      check(d, "scroll and stream", () -> f.inTransaction(s -> {
        try (Stream<String> t = s.createQuery("select b.title from Book b order by b.title", String.class).setFetchSize(2).stream()) {
          same(t.collect(Collectors.joining(",")), "b0,b1,b2,b3,b4,b5,b6,one,two");
        }
      }));
      check(d, "errors", () -> {
        try {
          f.inTransaction(s -> { Author a = new Author(); a.name = "ann"; s.persist(a); });
        } catch (ConstraintViolationException e) {
          same(e.getSQLState(), "23505");
          return;
        }
        throw new AssertionError("no error");
      });
    }
    check(d, "drop", () -> factory("drop").close());
  }

  static void rows(Session s) {
    Author a = new Author();
    a.name = "ann";
    a.data = Map.of("a", List.of(1, 2));
    a.born = LocalDate.of(1970, 1, 2);
    a.key = new UUID(0, 7);
    a.photo = new byte[] {0, (byte) 255};
    a.words = new String[] {"x", "y \"z\""};
    a.books.add(new Book(a, "one", "2.25", 3));
    a.books.add(new Book(a, "two", "1.50", 7));
    Tag old = new Tag("old");
    s.persist(old);
    a.books.get(0).tags.add(old);
    s.persist(a);
    Author b = new Author();
    b.name = "bob";
    for (int i = 0; i < 7; i++) b.books.add(new Book(b, "b" + i, "0.5" + i, i));
    s.persist(b);
  }

  static void read(Session s) {
    Author a = s.createQuery("from Author a left join fetch a.books b where a.name = :n order by b.title", Author.class).setParameter("n", "ann").getSingleResult();
    same(List.of(a.kind, a.data, a.born, a.version, a.key, a.photo.length, List.of(a.words), a.books.size(), a.books.get(0).price, a.books.get(0).tags.size()),
        List.of(Kind.A, Map.of("a", List.of(1, 2)), LocalDate.of(1970, 1, 2), 0, new UUID(0, 7), 2, List.of("x", "y \"z\""), 2, new BigDecimal("2.25"), 1));
    a.kind = Kind.B;
    s.flush();
    same(a.version, 1);
  }

  static void queries(Session s) {
    same(s.createQuery("select a.name, count(b), sum(b.price), avg(b.pages) from Author a left join a.books b group by a.name having count(b) > 1 order by a.name", Object[].class).list().stream().map(Arrays::toString).toList(),
        List.of("[ann, 2, 3.75, 5.0]", "[bob, 7, 3.71, 3.0]"));
    same(s.createQuery("select b.title from Book b where b.author.name like 'b%' and b.pages between 2 and 5 and exists (select 1 from Author a where a = b.author) order by b.pages desc", String.class).setFirstResult(1).setMaxResults(2).list(), List.of("b4", "b3"));
    same(s.createQuery("select b.title, row_number() over (partition by b.author order by b.pages desc) from Book b order by 2, 1", Object[].class).setMaxResults(2).list().stream().map(Arrays::toString).toList(), List.of("[b6, 1]", "[two, 1]"));
    same(s.createMutationQuery("update Book b set b.pages = b.pages + 1 where b.author.id in (select a.id from Author a where a.name = 'ann')").executeUpdate(), 2);
    same(s.createMutationQuery("insert into Tag (word) values ('new'), ('old') on conflict (word) do nothing").executeUpdate(), 1);
    same(s.createQuery("select year(a.born), extract(month from a.born), upper(a.name), length(a.name) from Author a where a.born < current_date", Object[].class).list().stream().map(Arrays::toString).toList(), List.of("[1970, 1, ANN, 3]"));
    same(s.createNativeQuery("select count(*) from hb_book where title = any(:t)", Long.class).setParameter("t", new String[] {"b1", "b2", "none"}).getSingleResult(), 2L);
  }

  static void transactions(SessionFactory f) {
    try {
      f.inTransaction(s -> { Author a = new Author(); a.name = "gone"; s.persist(a); s.flush(); throw new IllegalStateException("undo"); });
    } catch (IllegalStateException e) { same(e.getMessage(), "undo"); }
    f.inTransaction(s -> {
      Author a = s.createQuery("from Author where name = 'ann'", Author.class).setLockMode(LockModeType.PESSIMISTIC_WRITE).getSingleResult();
      s.doWork(c -> {
        Savepoint p = c.setSavepoint();
        try (Statement x = c.createStatement()) { x.execute("INSERT INTO hb_tag VALUES ('old')"); throw new AssertionError("no error"); } catch (SQLException e) { c.rollback(p); }
      });
      same(a.name, "ann");
    });
    f.inTransaction(s -> {
      Author a = s.createQuery("from Author where name = 'ann'", Author.class).getSingleResult();
      f.inTransaction(t -> t.createMutationQuery("update versioned Author set born = null where name = 'ann'").executeUpdate());
      a.name = "nobody";
      try { s.flush(); } catch (OptimisticLockException e) { s.getTransaction().markRollbackOnly(); return; }
      throw new AssertionError("no OptimisticLockException");
    });
  }

  static void flyway(Path folder) throws Exception {
    String d = "flyway";
    execute("DROP SCHEMA IF EXISTS fw CASCADE");
    Files.writeString(folder.resolve("V1__first.sql"), "CREATE TABLE a (id serial PRIMARY KEY, name varchar(20) NOT NULL UNIQUE);\nCREATE VIEW v AS SELECT name FROM a;\nINSERT INTO a (name) VALUES ('x;y');");
    Files.writeString(folder.resolve("V2__second.sql"), "ALTER TABLE a ADD COLUMN n int NOT NULL DEFAULT 3;\nCREATE INDEX ON a (n);\nCREATE TYPE mood AS ENUM ('ok', 'bad');\nCREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS $$SELECT x * 2$$;");
    Files.writeString(folder.resolve("R__view.sql"), "CREATE OR REPLACE VIEW w AS SELECT name, n FROM a;");
    var f = Flyway.configure().dataSource(url, user, "").schemas("fw").locations("filesystem:" + folder).cleanDisabled(false).load();
    check(d, "migrate", () -> same(f.migrate().migrationsExecuted, 3));
    check(d, "validate, info", () -> {
      f.validate();
      same(Arrays.stream(f.info().applied()).map(i -> i.getDescription() + " " + i.getState().name()).toList(), List.of("<< Flyway Schema Creation >> SUCCESS", "first SUCCESS", "second SUCCESS", "view SUCCESS"));
      same(f.migrate().migrationsExecuted, 0);
    });
    check(d, "a failed migration", () -> {
      Path bad = folder.resolve("V3__bad.sql");
      Files.writeString(bad, "CREATE TABLE gone (a int);\nSELECT 1/0;");
      try { f.migrate(); throw new IllegalStateException("no error"); } catch (org.flywaydb.core.api.FlywayException e) { same(e.getMessage().contains("22012"), true); }
      Files.delete(bad);
      try (Connection c = connect(); ResultSet r = c.getMetaData().getTables(null, "fw", "gone", null)) { same(r.next(), false); }
    });
    check(d, "clean", () -> { f.clean(); same(f.info().applied().length, 0); });
    execute("DROP SCHEMA IF EXISTS fw CASCADE");
  }

  static final String CHANGES = """
      <databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
          xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
        <changeSet id="1" author="x">
          <createTable tableName="lb_owner" remarks="who owns"><column name="id" type="bigint" autoIncrement="true"><constraints primaryKey="true"/></column>
            <column name="name" type="varchar(30)"><constraints nullable="false" unique="true" uniqueConstraintName="lb_owner_name"/></column></createTable>
          <createTable tableName="lb_thing"><column name="id" type="int"><constraints primaryKey="true"/></column><column name="owner" type="bigint"/>
            <column name="price" type="decimal(8,2)" defaultValueNumeric="1.5"/><column name="at" type="timestamp with time zone" defaultValueComputed="now()"/><column name="ok" type="boolean" defaultValueBoolean="true"/></createTable>
          <addForeignKeyConstraint constraintName="lb_thing_owner" baseTableName="lb_thing" baseColumnNames="owner" referencedTableName="lb_owner" referencedColumnNames="id" onDelete="CASCADE"/>
          <createIndex tableName="lb_thing" indexName="lb_thing_at"><column name="at" descending="true"/><column name="owner"/></createIndex>
          <insert tableName="lb_owner"><column name="name" value="ann"/></insert>
          <createView viewName="lb_view">SELECT name FROM lb_owner</createView>
          <createSequence sequenceName="lb_seq" startValue="10" incrementBy="5"/>
        </changeSet>
        <changeSet id="2" author="x">
          <preConditions onFail="HALT"><tableExists tableName="lb_thing"/><columnExists tableName="lb_thing" columnName="price"/><indexExists indexName="lb_thing_at"/><foreignKeyConstraintExists foreignKeyName="lb_thing_owner"/><sequenceExists sequenceName="lb_seq"/><viewExists viewName="lb_view"/></preConditions>
          <addColumn tableName="lb_thing"><column name="size" type="int" defaultValueNumeric="3"><constraints nullable="false"/></column></addColumn>
          <renameColumn tableName="lb_thing" oldColumnName="ok" newColumnName="good"/>
          <modifyDataType tableName="lb_thing" columnName="size" newDataType="bigint"/>
          <addNotNullConstraint tableName="lb_thing" columnName="owner"/>
          <addUniqueConstraint tableName="lb_thing" columnNames="owner, price" constraintName="lb_thing_once"/>
        </changeSet>
        <changeSet id="3" author="x">
          <renameTable oldTableName="lb_owner" newTableName="lb_person"/>
          <addColumn tableName="lb_person"><column name="extra" type="text"/></addColumn>
        </changeSet>
      </databaseChangeLog>
      """;

  static void liquibase(Path folder) throws Exception {
    String d = "liquibase";
    String[] clean = {"DROP VIEW IF EXISTS lb_view", "DROP TABLE IF EXISTS lb_thing, lb_owner, lb_person, databasechangelog, databasechangeloglock CASCADE", "DROP SEQUENCE IF EXISTS lb_seq"};
    execute(clean);
    Files.writeString(folder.resolve("changes.xml"), CHANGES);
    try (var files = new DirectoryResourceAccessor(folder); Connection c = connect()) {
      var l = new Liquibase("changes.xml", files, new JdbcConnection(c));
      check(d, "update", () -> l.update(new Contexts()));
      check(d, "nothing left", () -> same(l.listUnrunChangeSets(new Contexts(), null).size(), 0));
      check(d, "generate", () -> {
        Path out = folder.resolve("made.xml");
        new CommandScope("generateChangelog").addArgumentValue("database", l.getDatabase()).addArgumentValue("changelogFile", out.toString()).addArgumentValue("includeObjects", "table:lb_.*,column:.*").execute();
        String text = Files.readString(out);
        for (String want : new String[] {"tableName=\"lb_person\"", "name=\"price\" type=\"numeric(8, 2)\"", "defaultValueNumeric=\"1.5\"", "autoIncrement=\"true\"", "name=\"size\" type=\"BIGINT\"", "defaultValueBoolean=\"true\"", "type=\"TIMESTAMP WITH TIME ZONE\""}) {
          if (!text.contains(want)) throw new AssertionError(want + " is not in " + text);
        }
      });
      check(d, "rollback", () -> {
        l.rollback(1, "");
        l.update(new Contexts());
      });
    }
    execute(clean);
  }

  public static void main(String[] args) throws Exception {
    java.util.logging.LogManager.getLogManager().reset();
    var at = java.net.URI.create(System.getenv("CLIENTS_DSN"));
    user = at.getUserInfo();
    url = "jdbc:postgresql://" + at.getHost() + ":" + at.getPort() + at.getPath() + "?sslmode=disable";
    System.setOut(new java.io.PrintStream(java.io.OutputStream.nullOutputStream()));
    hibernate();
    Path work = Path.of(args[0]);
    flyway(Files.createDirectories(work.resolve("flyway")));
    liquibase(Files.createDirectories(work.resolve("liquibase")));
    System.exit(failed ? 1 : 0);
  }
}
