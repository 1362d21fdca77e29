package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	rowClients  = 4
	rowsEach    = 12 // keys of each client in table own
	accounts    = 6
	accountSum  = 1000 // in each, at first
	symbolRows  = tradeSymbols
	rowViewJobs = 9
)

// rowStatements define the tables and what reads them.
func rowStatements() []string {
	out := []string{
		`CREATE TABLE own (id int PRIMARY KEY, grp int NOT NULL, v bigint)`,
		`CREATE TABLE acct (id int PRIMARY KEY, bal bigint NOT NULL)`,
		`CREATE STREAM moves (mid bigint, src int, dst int, amt bigint)`,
		`CREATE TABLE sectors (symbol text PRIMARY KEY, sector text)`,
	}
	for i := range accounts {
		out = append(out, fmt.Sprintf("INSERT INTO acct VALUES (%d, %d)", i, accountSum))
	}
	for i := range symbolRows - 1 { // one symbol has no sector
		out = append(out, fmt.Sprintf("INSERT INTO sectors VALUES ('S%d', 'A')", i))
	}
	for name, query := range rowViews {
		if name != "own_total" {
			out = append(out, "CREATE MATERIALIZED VIEW "+name+" AS "+query)
		}
	}
	return append(out, "CREATE MATERIALIZED VIEW own_total AS "+rowViews["own_total"])
}

// rowViews are views and their queries. What a view holds must be what its
// query returns.
var rowViews = map[string]string{
	"own_grp":    `SELECT grp, count(*) AS n, sum(v) AS s, min(v) AS lo, max(v) AS hi FROM own GROUP BY grp`,
	"own_total":  `SELECT sum(n) AS n, sum(s) AS s FROM own_grp`,
	"own_some":   `SELECT id, v FROM own WHERE v % 2 = 0`,
	"acct_total": `SELECT count(*) AS n, sum(bal) AS s FROM acct`,
	"move_in":    `SELECT dst, count(*) AS n, sum(amt) AS s FROM moves GROUP BY dst`,
	"acct_moves": `SELECT a.id, a.bal, m.mid FROM acct a LEFT JOIN moves m ON a.id = m.dst`,
	"by_sector":  `SELECT s.sector, sum(b.n) AS n, sum(b.q) AS q FROM by_symbol b JOIN sectors s ON b.symbol = s.symbol GROUP BY s.sector`,
	"move_near":  `SELECT a.mid, b.dst, b.amt FROM moves a LEFT JOIN moves b WITHIN INTERVAL '1 hour' ON a.mid = b.mid`,
	"sector_all": `SELECT b.symbol, s.sector, b.n FROM by_symbol b LEFT JOIN sectors s ON b.symbol = s.symbol`,
}

type ownRow struct {
	grp int
	v   int64
}

// move is a transfer between two accounts.
type move struct {
	mid      int64
	src, dst int
	amt      int64
}

// rows is the load through DML and its ledger.
type rows struct {
	clients []*rowClient
	mu      sync.Mutex
	sectors map[string]string // as acknowledged
	doubt   map[string]string // a sector that may have been set
}

// rowClient is one client: its own rows, and the transfers it made.
type rowClient struct {
	n        int
	r        *rand.Rand
	own      map[int]*ownRow // nil: known to be absent
	doubt    map[int]*ownRow // what a transaction that was cut off would have made
	moves    []move
	doubtful []move
	mids     int64
}

func newRows(seed uint64) *rows {
	w := &rows{sectors: map[string]string{}, doubt: map[string]string{}}
	for i := range symbolRows - 1 {
		w.sectors[fmt.Sprintf("S%d", i)] = "A"
	}
	for n := range rowClients {
		w.clients = append(w.clients, &rowClient{
			n: n, r: rand.New(rand.NewPCG(seed, uint64(100+n))), own: map[int]*ownRow{}, doubt: map[int]*ownRow{},
		})
	}
	return w
}

// load runs all clients until ctx ends or the server goes away.
func (w *rows) load(ctx context.Context, t *testing.T, p *process) {
	var wg sync.WaitGroup
	for _, c := range w.clients {
		wg.Go(func() {
			conn, err := p.connect(ctx)
			if err != nil {
				return
			}
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			for ctx.Err() == nil {
				if err := w.step(ctx, c, conn); err != nil {
					if !lost(err) {
						t.Errorf("client %d: %v", c.n, err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
}

func (w *rows) step(ctx context.Context, c *rowClient, conn *pgx.Conn) error {
	switch k := c.r.IntN(20); {
	case k < 8:
		return c.change(ctx, conn, 1)
	case k < 11:
		return c.change(ctx, conn, 2+c.r.IntN(4))
	case k < 17:
		return c.transfer(ctx, conn)
	case k < 18 && c.n == 0:
		return w.sector(ctx, c, conn)
	default:
		return c.look(ctx, conn)
	}
}

// change inserts, updates and deletes n of the client's own rows in one
// transaction; sometimes a part is rolled back to a savepoint.
func (c *rowClient) change(ctx context.Context, conn *pgx.Conn, n int) (err error) {
	will := map[int]*ownRow{}
	begin := n > 1 || c.r.IntN(3) == 0
	if begin {
		if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
			return err
		}
	}
	// After an error that is not the server's answer, nobody knows.
	defer func() {
		if lost(err) && len(will) > 0 {
			c.doubt = will
		}
	}()
	for range n {
		id := c.n + rowClients*c.r.IntN(rowsEach)
		now, known := will[id]
		if !known {
			now = c.own[id]
		}
		if begin && c.r.IntN(6) == 0 {
			for _, sql := range []string{"SAVEPOINT s", c.statement(id, now, &ownRow{9, -1}), "ROLLBACK TO s"} {
				if _, err := conn.Exec(ctx, sql); err != nil {
					return err
				}
			}
		}
		next := &ownRow{c.r.IntN(4), c.r.Int64N(1000)}
		if now != nil && c.r.IntN(3) == 0 {
			next = nil
		}
		if now == nil && next == nil {
			continue
		}
		will[id] = next
		tag, err := conn.Exec(ctx, c.statement(id, now, next))
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("%s: %w", c.statement(id, now, next), errRows)
		}
	}
	if begin {
		if c.r.IntN(8) == 0 {
			_, err := conn.Exec(ctx, "ROLLBACK")
			clear(will)
			return err
		}
		if _, err := conn.Exec(ctx, "COMMIT"); err != nil {
			return err
		}
	}
	maps.Copy(c.own, will)
	return nil
}

var errRows = errors.New("other than one row was changed")

func (c *rowClient) statement(id int, now, next *ownRow) string {
	switch {
	case next == nil:
		return fmt.Sprintf("DELETE FROM own WHERE id = %d", id)
	case now == nil:
		return fmt.Sprintf("INSERT INTO own VALUES (%d, %d, %d)", id, next.grp, next.v)
	default:
		return fmt.Sprintf("UPDATE own SET grp = %d, v = %d WHERE id = %d", next.grp, next.v, id)
	}
}

// transfer moves money between accounts that all clients use, and notes it in
// a stream, in one transaction.
func (c *rowClient) transfer(ctx context.Context, conn *pgx.Conn) error {
	c.mids++
	m := move{mid: int64(c.n)*1e9 + c.mids, src: c.r.IntN(accounts), amt: 1 + c.r.Int64N(20)}
	m.dst = (m.src + 1 + c.r.IntN(accounts-1)) % accounts
	for i, sql := range []string{
		"BEGIN",
		fmt.Sprintf("UPDATE acct SET bal = bal - %d WHERE id = %d", m.amt, m.src),
		fmt.Sprintf("UPDATE acct SET bal = bal + %d WHERE id = %d", m.amt, m.dst),
		fmt.Sprintf("INSERT INTO moves VALUES (%d, %d, %d, %d)", m.mid, m.src, m.dst, m.amt),
		"COMMIT",
	} {
		_, err := conn.Exec(ctx, sql)
		if err == nil {
			continue
		}
		if code := sqlState(err); code == "40001" || code == "40P01" {
			_, err := conn.Exec(ctx, "ROLLBACK")
			return err
		}
		if lost(err) && i == 4 {
			c.doubtful = append(c.doubtful, m)
		}
		return fmt.Errorf("%s: %w", sql, err)
	}
	c.moves = append(c.moves, m)
	return nil
}

func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// sector changes the table that a view over Kafka is joined with.
func (w *rows) sector(ctx context.Context, c *rowClient, conn *pgx.Conn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	symbol, sector := fmt.Sprintf("S%d", c.r.IntN(symbolRows-1)), string(rune('A'+c.r.IntN(3)))
	_, err := conn.Exec(ctx, fmt.Sprintf("UPDATE sectors SET sector = '%s' WHERE symbol = '%s'", sector, symbol))
	switch {
	case err == nil:
		w.sectors[symbol] = sector
	case lost(err):
		w.doubt[symbol] = sector
	}
	return err
}

// look reads what must hold at every moment: the client's own last write in a
// view, and the sum of all accounts.
func (c *rowClient) look(ctx context.Context, conn *pgx.Conn) error {
	var n, sum int64
	for _, sql := range []string{"SELECT n, s FROM acct_total", rowViews["acct_total"]} {
		if err := conn.QueryRow(ctx, sql, pgx.QueryExecModeSimpleProtocol).Scan(&n, &sum); err != nil {
			return err
		}
		if n != accounts || sum != accounts*accountSum {
			return fmt.Errorf("%s: %d accounts with %d: %w", sql, n, sum, errTorn)
		}
	}
	got, err := lines(ctx, conn, fmt.Sprintf("SELECT id, v FROM own_some WHERE id %% %d = %d", rowClients, c.n))
	if err != nil {
		return err
	}
	var want []string
	for id, r := range c.own {
		if r != nil && r.v%2 == 0 {
			want = append(want, fmt.Sprintf("%d %d", id, r.v))
		}
	}
	slices.Sort(want)
	if d := diff(got, want); d != "" {
		return fmt.Errorf("own writes in own_some: %s: %w", d, errTorn)
	}
	return nil
}

// errTorn is a moment that no client may see. It is not a lost connection.
var errTorn = &pgconn.PgError{Code: "XX001", Message: "an inconsistent moment was seen"}

// settle finds out what became of what was cut off, and checks that each was
// done as a whole or not at all.
func (w *rows) settle(ctx context.Context, t *testing.T, conn *pgx.Conn) {
	t.Helper()
	stored := map[int]*ownRow{}
	rs, err := conn.Query(ctx, "SELECT id, grp, v FROM own")
	if err != nil {
		t.Fatal(err)
	}
	for rs.Next() {
		var id int
		var r ownRow
		if err := rs.Scan(&id, &r.grp, &r.v); err != nil {
			t.Fatal(err)
		}
		stored[id] = &r
	}
	if rs.Err() != nil {
		t.Fatal(rs.Err())
	}
	for _, c := range w.clients {
		c.settleOwn(t, stored)
	}
	w.settleMoves(ctx, t, conn)
	for symbol, sector := range w.doubt {
		var now string
		if err := conn.QueryRow(ctx, "SELECT sector FROM sectors WHERE symbol = $1", symbol).Scan(&now); err != nil {
			t.Fatal(err)
		}
		if now == sector {
			w.sectors[symbol] = sector
		}
	}
	clear(w.doubt)
}

func (c *rowClient) settleOwn(t *testing.T, stored map[int]*ownRow) {
	t.Helper()
	is := func(id int, want *ownRow) bool {
		got := stored[id]
		return got == nil && want == nil || got != nil && want != nil && *got == *want
	}
	done, undone := 0, 0
	for id, next := range c.doubt {
		switch {
		case is(id, next) && is(id, c.own[id]):
		case is(id, next):
			done++
		case is(id, c.own[id]):
			undone++
		default:
			t.Fatalf("client %d: row %d is %+v; before the kill it was %+v, or became %+v", c.n, id, stored[id], c.own[id], next)
		}
	}
	if done > 0 && undone > 0 {
		t.Fatalf("client %d: half a transaction: %d rows changed, %d not", c.n, done, undone)
	}
	if done > 0 {
		maps.Copy(c.own, c.doubt)
	}
	c.doubt = map[int]*ownRow{}
	for id := c.n; id < rowClients*rowsEach; id += rowClients {
		if !is(id, c.own[id]) {
			t.Fatalf("client %d: row %d is %+v, acknowledged was %+v", c.n, id, stored[id], c.own[id])
		}
	}
}

// settleMoves checks the transfers and, from them, the accounts.
func (w *rows) settleMoves(ctx context.Context, t *testing.T, conn *pgx.Conn) {
	t.Helper()
	stored := map[int64]int{}
	rs, err := conn.Query(ctx, "SELECT mid FROM moves")
	if err != nil {
		t.Fatal(err)
	}
	mids, err := pgx.CollectRows(rs, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(err)
	}
	for _, mid := range mids {
		stored[mid]++
	}
	want := 0
	for _, c := range w.clients {
		for _, m := range c.doubtful {
			if stored[m.mid] > 0 {
				c.moves = append(c.moves, m)
			}
		}
		c.doubtful = nil
		want += len(c.moves)
		for _, m := range c.moves {
			if stored[m.mid] != 1 {
				t.Fatalf("client %d: acknowledged transfer %d is there %d times", c.n, m.mid, stored[m.mid])
			}
		}
	}
	if len(mids) != want {
		t.Fatalf("%d transfers, %d were made", len(mids), want)
	}
}

// check compares tables, views and ledger.
func (w *rows) check(ctx context.Context, t *testing.T, conn *pgx.Conn) {
	t.Helper()
	w.settle(ctx, t, conn)
	balance := make([]int64, accounts)
	for _, c := range w.clients {
		for _, m := range c.moves {
			balance[m.src] -= m.amt
			balance[m.dst] += m.amt
		}
	}
	var want []string
	for id, b := range balance {
		want = append(want, fmt.Sprintf("%d %d", id, accountSum+b))
	}
	same(ctx, t, conn, "SELECT * FROM acct", want)
	want = nil
	for symbol, sector := range w.sectors {
		want = append(want, symbol+" "+sector)
	}
	same(ctx, t, conn, "SELECT * FROM sectors", want)
	for name, query := range rowViews {
		equal(ctx, t, conn, "SELECT * FROM "+name, query)
	}
	var s []string
	n, sum := 0, int64(0)
	for _, c := range w.clients {
		for _, r := range c.own {
			if r != nil {
				n, sum = n+1, sum+r.v
			}
		}
	}
	if s = []string{fmt.Sprintf("%d %d", n, sum)}; n == 0 {
		s = []string{"- -"}
	}
	same(ctx, t, conn, "SELECT * FROM own_total", s)
}
