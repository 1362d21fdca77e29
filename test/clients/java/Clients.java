import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;

/** pgjdbc: a line for each check, exit status 1 when one failed. */
public class Clients {
  interface Check { void run(Connection c) throws Exception; }

  static final String T = "c_jdbc", F = "feed_jdbc";
  static boolean failed;
  static String url;

  public static void main(String[] args) throws Exception {
    url = jdbc(System.getenv("CLIENTS_DSN"));
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    setup();
    queries();
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] f = line.split("\t", 2);
      for (String mode : new String[] {"text", "binary"}) check("type " + mode + " " + f[0] + " " + f[1], c -> type(c, f[0], f[1], mode.equals("binary")));
    }
    errors();
    transactions();
    rest();
    reflection();
    if (!"0".equals(System.getenv("CLIENTS_STREAMING"))) {
      live("EMIT CHANGES by fetchSize 1", "SELECT id FROM " + F + " EMIT CHANGES", 1);
      live("EMIT CHANGES by fetchSize 100", "SELECT id FROM " + F + " EMIT CHANGES", 100);
      live("SUBSCRIBE by fetchSize 1", "SUBSCRIBE TO (SELECT id FROM " + F + ")", 1);
    }
    System.exit(failed ? 1 : 0);
  }

  /** A JDBC URL for postgres://user[:password]@host:port/database[?options]. */
  static String jdbc(String dsn) {
    String rest = dsn.substring(dsn.indexOf("://") + 3);
    String[] parts = rest.split("@", 2);
    String[] who = parts[0].split(":", 2);
    String at = parts[1] + (parts[1].contains("?") ? "&" : "?") + "user=" + who[0];
    return "jdbc:postgresql://" + at + (who.length > 1 ? "&password=" + who[1] : "");
  }

  static Connection connect() throws SQLException { return DriverManager.getConnection(url); }

  static void check(String name, Check f) {
    try (Connection c = connect()) {
      f.run(c);
      System.out.println("ok   pgjdbc " + name);
    } catch (Throwable e) {
      failed = true;
      System.out.println("FAIL pgjdbc " + name + ": " + String.valueOf(e).replaceAll("\\s+", " "));
    }
  }

  static void same(Object got, Object want) {
    if (!Objects.equals(String.valueOf(got), String.valueOf(want))) throw new AssertionError("got " + got + ", want " + want);
  }

  static void run(Connection c, String... list) throws SQLException {
    try (Statement s = c.createStatement()) { for (String q : list) s.execute(q); }
  }

  static String one(Connection c, String q, Object... args) throws SQLException {
    try (PreparedStatement s = c.prepareStatement(q)) {
      for (int i = 0; i < args.length; i++) s.setObject(i + 1, args[i]);
      try (ResultSet r = s.executeQuery()) { r.next(); return r.getString(1); }
    }
  }

  static void fails(String state, Connection c, String q) throws SQLException {
    try (Statement s = c.createStatement()) { s.execute(q); }
    catch (SQLException e) {
      if (!state.equals(e.getSQLState())) throw new AssertionError("SQLSTATE " + e.getSQLState() + ", want " + state + ": " + e.getMessage());
      return;
    }
    throw new AssertionError(q + ": no error, want " + state);
  }

  static void setup() throws SQLException {
    try (Connection c = connect()) {
      for (String t : new String[] {"jdbc_child", "jdbc_parent", T, F}) run(c, "DROP TABLE IF EXISTS " + t);
      for (String t : new String[] {T, F}) run(c, "CREATE TABLE " + t + " (id int PRIMARY KEY, v text)");
      run(c, "INSERT INTO " + T + " VALUES (1, 'one'), (2, 'two')",
          "CREATE TABLE jdbc_parent (a int, b text, c numeric(10,2) DEFAULT 1.5, d timestamptz, e int[], f varchar(20) NOT NULL, PRIMARY KEY (b, a))",
          "CREATE TABLE jdbc_child (id bigint PRIMARY KEY, a int, b text, FOREIGN KEY (b, a) REFERENCES jdbc_parent (b, a))");
    }
  }

  static void queries() {
    check("simple and parameters", c -> {
      same(one(c, "SELECT 1"), "1");
      same(one(c, "SELECT v FROM " + T + " WHERE id = ?", 2), "two");
      same(c.isValid(2), true);
    });
    check("several statements of one string", c -> {
      try (Statement s = c.createStatement()) {
        s.execute("SELECT 1; UPDATE " + T + " SET v = v; SELECT 2");
        same(s.getMoreResults(), false);
        same(s.getUpdateCount(), 2);
        same(s.getMoreResults(), true);
      }
    });
    check("simple query mode", c -> {
      try (Connection d = DriverManager.getConnection(url + "&preferQueryMode=simple")) {
        same(one(d, "SELECT v FROM " + T + " WHERE id = ?", 2), "two");
      }
    });
    check("prepared reuse", c -> {
      try (PreparedStatement s = c.prepareStatement("SELECT ?::int8 + 1, now(), 1.5::numeric, 'x'::text, true")) {
        for (int i = 0; i < 12; i++) {
          s.setLong(1, i);
          try (ResultSet r = s.executeQuery()) {
            r.next();
            same(r.getLong(1), i + 1);
            same(r.getBigDecimal(3), "1.5");
            same(r.getObject(2, java.time.OffsetDateTime.class).getYear() > 2000, true);
          }
        }
      }
    });
    check("parameters by type", c -> {
      try (PreparedStatement s = c.prepareStatement("SELECT ?::int2 + 0, ?::text, ?::timestamptz, ?::numeric, ?::uuid, ?::bytea, ?::date, ?::bool")) {
        for (int i = 0; i < 7; i++) {
          s.setInt(1, 7);
          s.setString(2, "x");
          s.setTimestamp(3, new Timestamp(1_700_000_000_123L));
          s.setBigDecimal(4, new BigDecimal("1.50"));
          s.setObject(5, new UUID(1, 2));
          s.setBytes(6, new byte[] {0, -1});
          s.setDate(7, java.sql.Date.valueOf("2024-02-29"));
          s.setBoolean(8, true);
          try (ResultSet r = s.executeQuery()) {
            r.next();
            same(r.getInt(1) + r.getString(2) + r.getTimestamp(3).getTime() + r.getBigDecimal(4) + r.getObject(5) + r.getBytes(6).length + r.getDate(7) + r.getBoolean(8),
                "7x17000000001231.50" + new UUID(1, 2) + "22024-02-29true");
          }
        }
      }
    });
    check("parameter metadata", c -> {
      try (PreparedStatement s = c.prepareStatement("SELECT id + ? FROM " + T + " WHERE v = ?")) {
        same(s.getParameterMetaData().getParameterTypeName(1) + s.getParameterMetaData().getParameterTypeName(2), "int4text");
        same(s.getMetaData().getColumnTypeName(1), "int4");
      }
    });
    check("result metadata", c -> {
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT id, v FROM " + T)) {
        ResultSetMetaData m = r.getMetaData();
        same(m.isNullable(1) + " " + m.isNullable(2) + " " + m.isAutoIncrement(1) + " " + m.getTableName(1), "0 1 false " + T);
      }
    });
    check("batch", c -> {
      try (PreparedStatement s = c.prepareStatement("INSERT INTO " + F + " VALUES (?, ?)")) {
        for (int i = 0; i < 100; i++) { s.setInt(1, i); s.setString(2, "x"); s.addBatch(); }
        same(s.executeBatch().length, 100);
      }
      try (Statement s = c.createStatement()) { same(s.executeUpdate("DELETE FROM " + F), 100); }
    });
    check("generated keys", c -> {
      try (PreparedStatement s = c.prepareStatement("INSERT INTO " + F + " VALUES (5, 'x')", Statement.RETURN_GENERATED_KEYS)) {
        s.executeUpdate();
        ResultSet r = s.getGeneratedKeys();
        r.next();
        same(r.getInt("id"), 5);
      }
      run(c, "DELETE FROM " + F);
    });
  }

  /** The value as the driver reads it, sent back as a parameter. */
  static void type(Connection plain, String kind, String text, boolean binary) throws SQLException {
    try (Connection c = DriverManager.getConnection(url + (binary ? "&prepareThreshold=-1" : "&binaryTransfer=false"))) {
      String literal = "('" + text.replace("'", "''") + "'::" + kind + ")";
      Object v;
      try (PreparedStatement s = c.prepareStatement("SELECT " + literal); ResultSet r = s.executeQuery()) {
        r.next();
        v = kind.startsWith("time") && !kind.endsWith("[]") ? r.getString(1) : kind.equals("numeric") && text.equals("NaN") ? Double.NaN : r.getObject(1);
      }
      try (PreparedStatement s = c.prepareStatement("SELECT (?::" + kind + ")::text, " + literal + "::text")) {
        s.setObject(1, v);
        try (ResultSet r = s.executeQuery()) {
          r.next();
          same(r.getString(1), r.getString(2));
        }
      }
    }
  }

  static void errors() {
    String[][] list = {{"23505", "INSERT INTO " + T + " VALUES (1, 'twice')"}, {"42P01", "SELECT * FROM no_such_relation"}, {"22P02", "SELECT 'x'::int4"},
        {"22012", "SELECT 1/0"}, {"42601", "SELEC 1"}, {"42703", "SELECT no_such_column FROM " + T}};
    for (String[] e : list) check("error " + e[0], c -> fails(e[0], c, e[1]));
    check("error 57014, statement_timeout", c -> { run(c, "SET statement_timeout = 50"); fails("57014", c, "SELECT pg_sleep(5)"); });
    check("error 57014, query timeout", c -> {
      try (Statement s = c.createStatement()) {
        s.setQueryTimeout(1);
        s.execute("SELECT pg_sleep(5)");
      } catch (SQLException e) { same(e.getSQLState(), "57014"); return; }
      throw new AssertionError("no error");
    });
    check("cancel", c -> {
      try (Statement s = c.createStatement()) {
        new Timer(true).schedule(new TimerTask() { public void run() { try { s.cancel(); } catch (SQLException e) { e.printStackTrace(); } } }, 300);
        s.execute("SELECT pg_sleep(5)");
      } catch (SQLException e) { same(e.getSQLState(), "57014"); same(one(c, "SELECT 1"), "1"); return; }
      throw new AssertionError("no error");
    });
  }

  static void transactions() {
    check("transaction and savepoint", c -> {
      c.setAutoCommit(false);
      run(c, "INSERT INTO " + F + " VALUES (1, 'kept')");
      Savepoint sp = c.setSavepoint("a");
      fails("23505", c, "INSERT INTO " + F + " VALUES (1, 'twice')");
      fails("25P02", c, "SELECT 1");
      c.rollback(sp);
      c.releaseSavepoint(sp);
      c.commit();
      try (Statement s = c.createStatement()) { same(s.executeUpdate("DELETE FROM " + F), 1); }
      c.rollback();
      same(one(c, "SELECT count(*) FROM " + F), "1");
      run(c, "DELETE FROM " + F);
      c.commit();
    });
    check("failed transaction, COMMIT is ROLLBACK", c -> {
      c.setAutoCommit(false);
      run(c, "INSERT INTO " + F + " VALUES (9, 'gone')");
      fails("22012", c, "SELECT 1/0");
      fails("25P02", c, "SELECT 1");
      c.commit(); // the driver does not tell
      same(one(c, "SELECT count(*) FROM " + F), "0");
    });
    check("DDL in a transaction", c -> {
      c.setAutoCommit(false);
      run(c, "CREATE TABLE ddl_jdbc (id int PRIMARY KEY)", "INSERT INTO ddl_jdbc VALUES (1)", "DROP TABLE ddl_jdbc");
      c.commit();
    });
    check("isolation level", c -> {
      c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      same(c.getTransactionIsolation(), Connection.TRANSACTION_SERIALIZABLE);
      c.setReadOnly(true);
      c.setAutoCommit(false);
      fails("25006", c, "INSERT INTO " + F + " VALUES (1, 'x')");
    });
    check("fetch size", c -> {
      c.setAutoCommit(false);
      try (Statement s = c.createStatement()) {
        s.setFetchSize(7);
        int n = 0;
        try (ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 50) i")) { while (r.next()) same(r.getInt(1), ++n); }
        same(n, 50);
      }
      c.commit();
    });
    check("max rows", c -> {
      try (Statement s = c.createStatement()) {
        s.setMaxRows(3);
        int n = 0;
        try (ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 50) i")) { while (r.next()) n++; }
        same(n, 3);
      }
    });
  }

  static void rest() {
    check("COPY", c -> {
      CopyManager m = c.unwrap(PGConnection.class).getCopyAPI();
      same(m.copyIn("COPY " + F + " FROM STDIN", new StringReader("1\ta\n2\t\\N\n")), 2);
      StringWriter w = new StringWriter();
      same(m.copyOut("COPY (SELECT * FROM " + F + " ORDER BY id) TO STDOUT (FORMAT csv)", w), 2);
      same(w, "1,a\n2,\n");
      try { m.copyIn("COPY " + F + " FROM STDIN", new StringReader("x\ta\n")); throw new AssertionError("no error"); }
      catch (SQLException e) { same(e.getSQLState(), "22P02"); }
      run(c, "DELETE FROM " + F);
    });
    check("LISTEN/NOTIFY", c -> {
      run(c, "LISTEN news_jdbc", "SELECT pg_notify('news_jdbc', 'hello')");
      PGNotification[] got = c.unwrap(PGConnection.class).getNotifications(3000);
      same(got.length + got[0].getName() + got[0].getParameter(), "1news_jdbchello");
    });
    check("schema and catalog", c -> {
      same(c.getSchema(), "public");
      same(c.getCatalog() != null, true);
      same(c.getMetaData().getDatabaseProductName(), "PostgreSQL");
    });
  }

  static List<String> list(ResultSet r, String... columns) throws SQLException {
    List<String> out = new ArrayList<>();
    try (r) {
      while (r.next()) {
        StringJoiner j = new StringJoiner(" ");
        for (String k : columns) j.add(r.getString(k));
        out.add(j.toString());
      }
    }
    return out;
  }

  static void reflection() {
    check("getTables", c -> same(list(c.getMetaData().getTables(null, "public", "jdbc\\_%", new String[] {"TABLE"}), "TABLE_NAME", "TABLE_TYPE"), "[jdbc_child TABLE, jdbc_parent TABLE]"));
    check("getColumns", c -> same(list(c.getMetaData().getColumns(null, "public", "jdbc_parent", null), "COLUMN_NAME", "TYPE_NAME", "COLUMN_SIZE", "IS_NULLABLE"),
        "[a int4 10 NO, b text 2147483647 NO, c numeric 10 YES, d timestamptz 35 YES, e _int4 10 YES, f varchar 20 NO]"));
    check("getPrimaryKeys", c -> same(list(c.getMetaData().getPrimaryKeys(null, "public", "jdbc_parent"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"), "[b 1 jdbc_parent_pkey, a 2 jdbc_parent_pkey]"));
    check("getImportedKeys", c -> same(list(c.getMetaData().getImportedKeys(null, "public", "jdbc_child"), "PKTABLE_NAME", "PKCOLUMN_NAME", "FKCOLUMN_NAME", "KEY_SEQ"), "[jdbc_parent b b 1, jdbc_parent a a 2]"));
    check("getExportedKeys", c -> same(list(c.getMetaData().getExportedKeys(null, "public", "jdbc_parent"), "FKTABLE_NAME").size(), 2));
    check("getIndexInfo", c -> same(list(c.getMetaData().getIndexInfo(null, "public", "jdbc_child", true, false), "INDEX_NAME", "COLUMN_NAME"), "[jdbc_child_pkey id]"));
    check("getSchemas", c -> same(list(c.getMetaData().getSchemas(), "TABLE_SCHEM").contains("public"), true));
    check("getTypeInfo", c -> same(list(c.getMetaData().getTypeInfo(), "TYPE_NAME").contains("int4"), true));
    check("getFunctions", c -> same(list(c.getMetaData().getFunctions(null, null, "lower"), "FUNCTION_NAME").contains("lower"), true));
    check("getBestRowIdentifier", c -> same(list(c.getMetaData().getBestRowIdentifier(null, "public", "jdbc_child", 1, true), "COLUMN_NAME"), "[id]"));
    check("lists", c -> {
      DatabaseMetaData m = c.getMetaData();
      for (ResultSet r : new ResultSet[] {m.getCatalogs(), m.getTableTypes(), m.getUDTs(null, null, "%", null), m.getTablePrivileges(null, "public", "jdbc_child"),
          m.getColumnPrivileges(null, "public", "jdbc_child", "%"), m.getProcedures(null, null, "%"), m.getVersionColumns(null, "public", "jdbc_child"), m.getFunctionColumns(null, null, "lower", null),
          m.getCrossReference(null, "public", "jdbc_parent", null, "public", "jdbc_child")}) { while (r.next()) { } r.close(); }
      same(m.getSQLKeywords().isEmpty(), false);
      same(m.getMaxColumnNameLength(), 63);
    });
  }

  /** Rows of a continuous query, each within a second of its INSERT. */
  static void live(String name, String q, int size) {
    check(name, c -> {
      Map<Integer, Long> sent = Collections.synchronizedMap(new HashMap<>());
      Thread feeder = new Thread(() -> {
        try (Connection d = connect()) {
          Thread.sleep(600);
          for (int i = 1; i <= 4; i++) {
            sent.put(i, System.nanoTime());
            run(d, "INSERT INTO " + F + " VALUES (" + i + ", 'row')");
            Thread.sleep(250);
          }
        } catch (Exception e) { e.printStackTrace(); }
      });
      feeder.start();
      long worst = 0;
      int n = 0;
      c.setAutoCommit(false);
      Timer limit = new Timer(true);
      limit.schedule(new TimerTask() { public void run() { try { c.abort(Runnable::run); } catch (SQLException e) { e.printStackTrace(); } } }, 6000);
      try (Statement s = c.createStatement()) {
        s.setFetchSize(size);
        ResultSet r = s.executeQuery(q);
        int at = r.getMetaData().getColumnCount();
        while (n < 4 && r.next()) {
          n++;
          worst = Math.max(worst, System.nanoTime() - sent.get(r.getInt(at)));
        }
        limit.cancel();
        c.abort(Runnable::run);
      } finally {
        limit.cancel();
        feeder.join();
        try (Connection d = connect()) { run(d, "DELETE FROM " + F); }
      }
      same(n, 4);
      if (worst > 1_000_000_000L) throw new AssertionError("a row came " + worst / 1_000_000 + " ms after its INSERT");
    });
  }
}
