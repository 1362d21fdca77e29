package recovery

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	loadRows   = 40_000
	loadFiller = 300 // bytes, so that a load is written as files
)

// TestKillLoad kills the server while large COPYs are under way: each must be
// there whole or not at all, in the table, its index and the views, those that
// were acknowledged must be, and their files must not be left over.
func TestKillLoad(t *testing.T) {
	r := rand.New(rand.NewPCG(seed(t), 5))
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	p.start()
	conn := p.mustConnect(ctx)
	for _, sql := range []string{
		"CREATE TABLE loaded (id bigint PRIMARY KEY, load int NOT NULL, code text UNIQUE, filler text)",
		"CREATE MATERIALIZED VIEW loads AS SELECT load, count(*) AS n, sum(id) AS s FROM loaded GROUP BY load",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	acked := map[int]bool{}
	load := 0
	for range kills(8) {
		run, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for run.Err() == nil {
				load++
				n := load
				data := loadData(r, n)
				if _, err := conn.PgConn().CopyFrom(run, bytes.NewReader(data), "COPY loaded FROM STDIN"); err != nil {
					if !lost(err) {
						t.Errorf("COPY: %v", err)
					}
					return
				}
				acked[n] = true
			}
		}()
		time.Sleep(time.Duration(200+r.IntN(2000)) * time.Millisecond)
		p.kill()
		stop()
		<-done
		_ = conn.Close(ctx)
		p.start()
		conn = p.mustConnect(ctx)
		checkLoads(ctx, t, conn.PgConn(), acked, load)
		left, err := filepath.Glob(filepath.Join(p.dir, "*", "staging", "*"))
		if err != nil || len(left) > 0 {
			t.Fatalf("left over: %v, %v", left, err)
		}
		if t.Failed() {
			return
		}
	}
	_ = conn.Close(ctx)
	p.terminate()
	t.Logf("%d of %d loads were acknowledged", len(acked), load)
}

// loadData is the rows of a load. Loads interleave: their ids and codes lie between
// those of others.
func loadData(r *rand.Rand, load int) []byte {
	var b bytes.Buffer
	for _, i := range r.Perm(loadRows) {
		id := i*1000 + load
		fmt.Fprintf(&b, "%d\t%d\tc%d\t%s\n", id, load, id*7919%1_000_000_007, strings.Repeat("x", loadFiller))
	}
	return b.Bytes()
}

// checkLoads compares what is there with what was acknowledged; at most the last
// load may be there without.
func checkLoads(ctx context.Context, t *testing.T, conn *pgconn.PgConn, acked map[int]bool, last int) {
	t.Helper()
	for _, sql := range []string{
		"SELECT load, count(*), sum(id) FROM loaded GROUP BY load",
		"SELECT load, n, s FROM loads",
	} {
		got := map[int]bool{}
		res, err := conn.Exec(ctx, sql).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range res[0].Rows {
			var n, count, sum int
			if _, err := fmt.Sscan(string(row[0])+" "+string(row[1])+" "+string(row[2]), &n, &count, &sum); err != nil {
				t.Fatal(err)
			}
			if want := loadRows*(loadRows-1)/2*1000 + loadRows*n; count != loadRows || sum != want {
				t.Errorf("%s: load %d has %d rows, sum %d, want %d", sql, n, count, sum, want)
			}
			if !acked[n] && n != last {
				t.Errorf("%s: load %d, which failed before, is there", sql, n)
			}
			got[n] = true
		}
		for n := range acked {
			if !got[n] {
				t.Errorf("%s: load %d was acknowledged and is gone", sql, n)
			}
		}
		if got[last] {
			acked[last] = true
		}
	}
	for n := range acked { // the index leads to the rows
		id := (loadRows/2)*1000 + n
		res, err := conn.Exec(ctx, fmt.Sprintf("SELECT id FROM loaded WHERE code = 'c%d'", id*7919%1_000_000_007)).ReadAll()
		if err != nil || len(res[0].Rows) != 1 || string(res[0].Rows[0][0]) != strconv.Itoa(id) {
			t.Errorf("by code of %d: %v, %v", id, res, err)
		}
	}
}
