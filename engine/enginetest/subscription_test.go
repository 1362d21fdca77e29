package enginetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5"
)

// changes are diff and columns of fetched rows, without their times.
func changesOf(rows [][]string) string {
	var out []string
	for _, r := range rows {
		out = append(out, strings.Join(r[1:], " "))
	}
	return strings.Join(out, ", ")
}

// fetchSub declares a cursor of the subscription and fetches what is there.
func fetchSub(t *testing.T, c *pgx.Conn, from string) string {
	t.Helper()
	rowsOf(t, c, "DECLARE c SUBSCRIPTION CURSOR FOR "+from)
	return changesOf(rowsOf(t, c, "FETCH 100 FROM c WITH (timeout = '700ms')"))
}

// TestSubscription: a subscription keeps where its reader is, which moves on
// with a commit or CLOSE and not with a rollback, also over a restart.
func TestSubscription(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 100 * time.Millisecond})
	c := s.Connect()
	step := func(end, from, want string) {
		t.Helper()
		rowsOf(t, c, "BEGIN")
		if got := fetchSub(t, c, from); got != want {
			t.Errorf("%s: got %q, want %q", from, got, want)
		}
		rowsOf(t, c, end)
	}
	rowsOf(t, c, "CREATE TABLE t (id int PRIMARY KEY, v text)")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW n AS SELECT v, count(*) AS n FROM t GROUP BY v")
	rowsOf(t, c, "INSERT INTO t VALUES (1, 'a'), (2, 'a')")
	rowsOf(t, c, "CREATE SUBSCRIPTION sub FROM n WITH (retention = '1 day')")
	rowsOf(t, c, "INSERT INTO t VALUES (3, 'b')")
	step("ROLLBACK", "sub", "1 b 1")
	step("COMMIT", "sub", "1 b 1")
	step("COMMIT", "sub", "")
	step("ROLLBACK", "sub FULL", "1 a 2, 1 b 1")
	rowsOf(t, c, "INSERT INTO t VALUES (4, 'a')")
	time.Sleep(300 * time.Millisecond) // durable
	s.Stop()
	s.Start()
	c = s.Connect()
	step("COMMIT", "sub", "-1 a 2, 1 a 3")
	step("COMMIT", "sub SINCE now() - interval '1 hour'", "1 a 2, 1 b 1, -1 a 2, 1 a 3")
	rowsOf(t, c, "DELETE FROM t WHERE id = 3")
	rowsOf(t, c, "BEGIN")
	fetchSub(t, c, "sub")
	rowsOf(t, c, "CLOSE c; ROLLBACK")
	step("COMMIT", "sub", "")
	if r := rowsOf(t, c, "SELECT name, relation, state, position = newest, retention FROM velo_catalog.subscriptions"); len(r) != 1 ||
		strings.Join(r[0], " ") != "sub n running t 24:00:00" {
		t.Error(r)
	}
	for sql, code := range map[string]string{
		"DROP MATERIALIZED VIEW n":                                     "2BP01",
		"DROP STREAM sub":                                              "42809",
		"CREATE SUBSCRIPTION sub FROM n":                               "42P07",
		"CREATE SUBSCRIPTION x FROM nope":                              "42P01",
		"CREATE SUBSCRIPTION x FROM n WITH (retention = 'soon')":       "22023",
		"CREATE SUBSCRIPTION x FROM n WITH (nope = 1)":                 "42704",
		"DECLARE c SUBSCRIPTION CURSOR WITH HOLD FOR n":                "42809",
		"DECLARE c SCROLL SUBSCRIPTION CURSOR WITH HOLD FOR sub":       "0A000",
		"CREATE SUBSCRIPTION x AS SELECT 1":                            "0A000",
		"CREATE SUBSCRIPTION x FROM n WITH (notify = '')":              "22023",
		"DECLARE c SUBSCRIPTION CURSOR WITH HOLD FOR sub SINCE 'what'": "22007",
	} {
		if e := failure(t, c, sql); e.Code != code {
			t.Errorf("%s: %v", sql, e)
		}
	}
	rowsOf(t, c, "DROP SUBSCRIPTION sub; DROP MATERIALIZED VIEW n")
}

// TestSubscriptionRetention: what is older than the retention goes, whether it
// was read or not; a reader that comes too late is told, and delays nobody.
func TestSubscriptionRetention(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 50 * time.Millisecond})
	c, slow := s.Connect(), s.Connect()
	rowsOf(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
	rowsOf(t, c, "CREATE SUBSCRIPTION sub FROM t WITH (retention = '500ms')")
	rowsOf(t, slow, "DECLARE c SUBSCRIPTION CURSOR WITH HOLD FOR sub")
	rowsOf(t, c, "DECLARE d SUBSCRIPTION CURSOR WITH HOLD FOR sub")
	for i := range 20 {
		rowsOf(t, c, fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	if r := rowsOf(t, c, "FETCH 20 FROM d"); len(r) != 20 { // beside one that does not read
		t.Error(len(r))
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if r := rowsOf(t, c, "SELECT oldest > 15 FROM velo_catalog.subscriptions"); r[0][0] == "t" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nothing was deleted")
		}
		rowsOf(t, c, "INSERT INTO t SELECT max(id) + 1 FROM t") // a job that rests makes no epochs
		time.Sleep(time.Second)
	}
	if e := failure(t, slow, "FETCH 1 FROM c WITH (timeout = '1s')"); e.Code != "55000" || e.Hint == "" {
		t.Error(e, e.Hint)
	}
	rowsOf(t, slow, "CLOSE c")
	if got := len(strings.Split(fetchSubHeld(t, slow, "sub FULL"), ",")); got < 20 {
		t.Error(got)
	}
}

func fetchSubHeld(t *testing.T, c *pgx.Conn, from string) string {
	t.Helper()
	rowsOf(t, c, "DECLARE c SUBSCRIPTION CURSOR WITH HOLD FOR "+from)
	return changesOf(rowsOf(t, c, "FETCH 100 FROM c WITH (timeout = '700ms')"))
}

// TestListenTransaction: LISTEN and NOTIFY count from the commit on, and what
// a savepoint takes back was never said.
func TestListenTransaction(t *testing.T) {
	s := Start(t, engine.Options{})
	c := s.Connect()
	rowsOf(t, c, "BEGIN; LISTEN gone; ROLLBACK; NOTIFY gone, 'no'")
	rowsOf(t, c, "BEGIN; LISTEN a; NOTIFY a, 'one'; SAVEPOINT s; NOTIFY a, 'two'; ROLLBACK TO s; NOTIFY a, 'one'; NOTIFY a, 'three'; COMMIT")
	var got []string
	for range 2 {
		n, err := c.WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n.PID != c.PgConn().PID() {
			t.Errorf("pid %d", n.PID)
		}
		got = append(got, n.Payload)
	}
	if strings.Join(got, " ") != "one three" {
		t.Error(got)
	}
}
