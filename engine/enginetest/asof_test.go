package enginetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/engine"
)

// moment is a time, µs since the Unix epoch, and what the relations held then.
type moment struct {
	at   int64
	rows map[string]map[string]int // by query
}

// TestAsOf: SUBSCRIBE … AS OF a moment that has passed begins with what was there then,
// and goes through every change up to UP TO, each at its time, also after a restart.
func TestAsOf(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 50 * time.Millisecond, Shards: 2})
	c := s.Connect()
	rowsOf(t, c, "CREATE TABLE t (id int PRIMARY KEY, k text, v numeric)")
	rowsOf(t, c, "INSERT INTO t VALUES (1, 'a', 1.50), (2, 'b', 2)")
	rowsOf(t, c, "CREATE MATERIALIZED VIEW mv AS SELECT k, sum(v) AS s FROM t GROUP BY k")
	rowsOf(t, c, "CREATE SUBSCRIPTION keep FROM t; CREATE SUBSCRIPTION keepmv FROM mv")
	queries := []string{"t", "(SELECT id, v * 2 AS w FROM t WHERE id % 3 <> 0)", "(SELECT k, count(*) FROM t GROUP BY k)", "mv"}
	var moments []moment
	note := func() {
		m := moment{rows: map[string]map[string]int{}}
		rowsOf(t, c, "SELECT (SELECT count(*) FROM keep) + count(*) FROM keepmv") // both have come so far
		for _, q := range queries {
			m.rows[q] = map[string]int{}
			for _, r := range rowsOf(t, c, "SELECT * FROM "+q+" x") {
				m.rows[q][strings.Join(r, " ")]++
			}
		}
		m.at = time.Now().UnixMicro()
		moments = append(moments, m)
		time.Sleep(2 * time.Millisecond)
	}
	random := rand.New(rand.NewPCG(3, 4))
	note()
	for i := range 30 {
		for range 1 + random.IntN(3) {
			id, k := random.IntN(12), string(rune('a'+random.IntN(3)))
			switch random.IntN(3) {
			case 0:
				rowsOf(t, c, fmt.Sprintf("DELETE FROM t WHERE id = %d", id))
			default:
				rowsOf(t, c, fmt.Sprintf("UPSERT INTO t VALUES (%d, '%s', %d.5)", id, k, random.IntN(100)))
			}
		}
		note()
		if i == 15 {
			time.Sleep(200 * time.Millisecond) // durable
			s.Stop()
			s.Start()
			c = s.Connect()
		}
	}
	for range 12 {
		i := random.IntN(len(moments) - 1)
		j := i + 1 + random.IntN(len(moments)-1-i)
		for _, q := range queries {
			checkAsOf(t, c, q, moments[i], moments[j])
		}
	}
	checkAsOf(t, c, "t", moments[0], moments[len(moments)-1])
	checkAsOfErrors(t, c, moments)
}

// checkAsOf subscribes from one moment to another, and adds up what comes.
func checkAsOf(t *testing.T, c *pgx.Conn, q string, from, to moment) {
	t.Helper()
	for _, options := range []string{"", " WITH (SNAPSHOT = false)"} {
		sql := fmt.Sprintf("COPY (SUBSCRIBE %s%s AS OF %d UP TO %d) TO STDOUT", q, options, from.at, to.at)
		got := map[string]int{}
		if options != "" {
			got = maps.Clone(from.rows[q])
		}
		var out strings.Builder
		if _, err := c.PgConn().CopyTo(t.Context(), &out, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		last, began := int64(0), options != ""
		add := func(row string, diff int) {
			if got[row] += diff; got[row] == 0 {
				delete(got, row)
			}
		}
		for line := range strings.Lines(out.String()) {
			f := strings.Split(strings.TrimRight(line, "\n"), "\t")
			at, _ := strconv.ParseInt(f[0], 10, 64)
			diff, _ := strconv.Atoi(f[1])
			if at < last || at < from.at || at >= to.at {
				t.Fatalf("%s: %s after %d", sql, line, last)
			}
			if !began && at > from.at+1 {
				began = true
				if !maps.Equal(got, from.rows[q]) {
					t.Fatalf("%s: begins with %v, want %v", sql, got, from.rows[q])
				}
			}
			last = at
			add(strings.Join(f[2:], " "), diff)
		}
		if !maps.Equal(got, to.rows[q]) {
			t.Fatalf("%s: %v, want %v", sql, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(to.rows[q])))
		}
	}
}

func checkAsOfErrors(t *testing.T, c *pgx.Conn, moments []moment) {
	t.Helper()
	rowsOf(t, c, "CREATE TABLE u (id int PRIMARY KEY)")
	for sql, want := range map[string]string{
		fmt.Sprintf("SUBSCRIBE u AS OF %d", moments[0].at):                                             "no history of \"u\" is kept",
		fmt.Sprintf("SUBSCRIBE t AS OF %d", moments[0].at-3_600_000_000):                               "before the history of \"t\"",
		fmt.Sprintf("SUBSCRIBE (SELECT 1 FROM t, mv) AS OF %d", moments[0].at):                         "over one relation",
		fmt.Sprintf("SUBSCRIBE (SELECT id FROM t WHERE now() > '2020-01-01') AS OF %d", moments[0].at): "now()",

		"SUBSCRIBE t AS OF 1000000": "has not come yet",
		"SUBSCRIBE t AS OF 0":       "before the history of \"t\"",
	} {
		if e := failure(t, c, sql); !strings.Contains(e.Message, want) || e.Code == "XX000" {
			t.Errorf("%s: %v", sql, e)
		}
	}
	// The number of an epoch instead of a time.
	newest := rowsOf(t, c, "SELECT newest FROM velo_catalog.subscriptions WHERE name = 'keep'")[0][0]
	var out strings.Builder
	sql := fmt.Sprintf("COPY (SUBSCRIBE t AS OF %s UP TO %d) TO STDOUT", newest, time.Now().UnixMicro())
	if _, err := c.PgConn().CopyTo(t.Context(), &out, sql); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != len(moments[len(moments)-1].rows["t"]) {
		t.Errorf("epoch %s: %d rows", newest, n)
	}
}
