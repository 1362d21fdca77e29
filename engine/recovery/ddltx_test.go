package recovery

import (
	"context"
	enc "encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/storage/state"
)

// migrations is a client that changes definitions and rows in one transaction
// after the other, as a migration does: number g makes table t<g> with rows,
// indexes and a view, fills in ledger, and drops what number g-1 made.
type migrations struct {
	r     *rand.Rand
	acked int // the last one that was acknowledged
}

const migrationRows = 700

// statements of migration g.
func (m *migrations) statements(g int) []string {
	t := fmt.Sprintf("t%d", g)
	list := []string{
		fmt.Sprintf("INSERT INTO ledger VALUES (%d, %s)", g, ledgerValue(g-1, g)),
		"ALTER TABLE ledger ALTER COLUMN x TYPE " + [...]string{"int USING substr(x, 2)::int", "text USING 'n' || x"}[g%2],
		"CREATE TABLE " + t + " (id int, v int, s serial)",
		fmt.Sprintf("INSERT INTO %s SELECT i, i %% 7 FROM generate_series(1, %d) i", t, migrationRows),
		"CREATE INDEX ON " + t + " (v)",
		"ALTER TABLE " + t + " ADD PRIMARY KEY (id)",
		"SAVEPOINT a",
		"CREATE TABLE aside (x int UNIQUE)",
		"INSERT INTO aside VALUES (1)",
		"CREATE INDEX ON " + t + " (s)",
		"ROLLBACK TO a",
		fmt.Sprintf("ALTER TABLE %s ADD COLUMN w int NOT NULL DEFAULT %d", t, g),
		"UPDATE " + t + " SET v = v + 1 WHERE id <= 100",
		fmt.Sprintf("CREATE MATERIALIZED VIEW m%d AS SELECT count(*) AS n, sum(w) AS w FROM %s", g, t),
		fmt.Sprintf("ALTER TABLE log ADD COLUMN c%d int DEFAULT %d", g, g),
		fmt.Sprintf("INSERT INTO log (g) VALUES (%d)", g),
	}
	if g > 1 {
		list = append(list, fmt.Sprintf("DROP MATERIALIZED VIEW m%d", g-1), fmt.Sprintf("DROP TABLE t%d", g-1),
			fmt.Sprintf("ALTER TABLE log DROP COLUMN c%d", g-1))
	}
	return list
}

// ledgerValue is what ledger has in x for number g after migration at: x is text after
// odd ones.
func ledgerValue(at, g int) string {
	if at%2 == 0 {
		return strconv.Itoa(g)
	}
	return fmt.Sprintf("'n%d'", g)
}

// step runs the next migration, or one that is rolled back.
func (m *migrations) step(ctx context.Context, c *pgx.Conn) error {
	g := m.acked + 1
	end := "COMMIT"
	if m.r.IntN(4) == 0 {
		end = "ROLLBACK"
	}
	for _, sql := range append(append([]string{"BEGIN"}, m.statements(g)...), end) {
		if _, err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	if end == "COMMIT" {
		m.acked = g
	}
	return nil
}

// check demands that the last migration is there as a whole, and no other.
func (m *migrations) check(ctx context.Context, t *testing.T, c *pgx.Conn) {
	t.Helper()
	var g int
	if err := c.QueryRow(ctx, "SELECT coalesce(max(g), 0) FROM ledger", pgx.QueryExecModeSimpleProtocol).Scan(&g); err != nil {
		t.Fatal(err)
	}
	if g != m.acked && g != m.acked+1 {
		t.Fatalf("migration %d is there, %d was acknowledged", g, m.acked)
	}
	m.acked = g
	same(ctx, t, c, "SELECT count(*) FROM ledger", []string{strconv.Itoa(g)})
	rows, err := lines(ctx, c, "SELECT relname FROM pg_class WHERE relkind IN ('r', 'm', 'S') AND relnamespace = 2200 ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ledger", "log", "lv"}
	if g > 0 {
		want = append(want, fmt.Sprintf("m%d", g), fmt.Sprintf("t%d", g), fmt.Sprintf("t%d_s_seq", g))
	}
	if strings.Join(rows, " ") != strings.Join(want, " ") {
		t.Fatalf("there is %v, want %v", rows, want)
	}
	if g == 0 {
		return
	}
	same(ctx, t, c, "SELECT n, s FROM lv", []string{fmt.Sprint(g, " ", g*(g+1)/2)})
	same(ctx, t, c, "SELECT count(*) FROM ledger WHERE x = "+ledgerValue(g, g), []string{"1"})
	same(ctx, t, c, fmt.Sprintf("SELECT * FROM m%d", g), []string{fmt.Sprint(migrationRows, " ", migrationRows*g)})
	same(ctx, t, c, fmt.Sprintf("SELECT count(*), count(DISTINCT s) FROM t%d WHERE w = %d", g, g), []string{fmt.Sprint(migrationRows, " ", migrationRows)})
	same(ctx, t, c, fmt.Sprintf("SELECT id FROM t%d WHERE v = 7 AND id < 30 ORDER BY id", g), []string{"6", "13", "20", "27"})
	same(ctx, t, c, fmt.Sprintf("SELECT v FROM t%d WHERE id = 8", g), []string{"2"})
	same(ctx, t, c, fmt.Sprintf("SELECT count(*) FROM log WHERE c%d = %d", g, g), []string{strconv.Itoa(g)})
}

// TestKillTransactionalDefinitions kills the server while transactions change
// definitions and rows together: each is there as a whole or not at all, and
// leaves nothing behind.
func TestKillTransactionalDefinitions(t *testing.T) {
	m := &migrations{r: rand.New(rand.NewPCG(seed(t), 11))}
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	p.start()
	c := p.mustConnect(ctx)
	for _, sql := range []string{
		"CREATE TABLE ledger (g int PRIMARY KEY, x int)", "CREATE TABLE log (g int)",
		"CREATE MATERIALIZED VIEW lv AS SELECT count(*) AS n, sum(g) AS s FROM ledger",
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close(ctx)
	p.kill()
	p.killWhile(ctx, t, m.r, 250*time.Millisecond, m.check, m.step)
	p.start()
	c = p.mustConnect(ctx)
	m.check(ctx, t, c)
	if g := m.acked; g > 0 {
		for _, sql := range []string{fmt.Sprintf("DROP MATERIALIZED VIEW m%d", g), fmt.Sprintf("DROP TABLE t%d", g), "DROP TABLE log", "DROP MATERIALIZED VIEW lv"} {
			if _, err := c.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Close(ctx)
	p.terminate()
	p.start()
	p.terminate()
	nothingLeft(t, p.dir)
	t.Logf("%d migrations", m.acked)
	onlyRows(t, p.dir, m.acked)
}

// onlyRows checks that the native store has the rows of one table, and neither
// entries of indexes nor sequences.
func onlyRows(t *testing.T, dir string, rows int) {
	t.Helper()
	s, err := state.OpenPebble(filepath.Join(dir, "data"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	found := map[string]int{}
	for e, err := range s.Scan([]byte("i"), []byte("t")) {
		if err != nil {
			t.Fatal(err)
		}
		if k := e.Key[0]; k == 'r' || k == 'i' || k == 's' {
			found[fmt.Sprintf("%c %d", k, enc.BigEndian.Uint32(e.Key[1:]))]++
		}
	}
	if len(found) > 1 || rows > 0 && len(found) == 0 {
		t.Errorf("the store has %v, want %d rows of one table", found, rows)
	}
	for _, n := range found {
		if n != rows {
			t.Errorf("the store has %v, want %d rows of one table", found, rows)
		}
	}
}
