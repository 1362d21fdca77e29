package recovery

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestReadsDoNotGoBack kills the server while a client reads a view over Kafka:
// the first read after the restart shows at least what the last one before
// showed, although no checkpoint was made in between.
func TestReadsDoNotGoBack(t *testing.T) {
	s := seed(t)
	r := rand.New(rand.NewPCG(s, 2))
	k := newTrades(t, s)
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()

	args := []string{"--checkpoint-interval", "1h"}
	p.start(args...)
	conn := p.mustConnect(ctx)
	for _, sql := range append(k.statements()[:1], "CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM trades") {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	_ = conn.Close(ctx)

	var seen int64
	read := func() bool {
		c, err := p.connect(ctx)
		if err != nil {
			return false
		}
		defer func() { _ = c.Close(ctx) }()
		for first := true; ; first = false {
			var n int64
			if err := c.QueryRow(ctx, "SELECT n FROM total").Scan(&n); err != nil {
				return !first
			}
			if n < seen {
				t.Errorf("the view counts %d rows, it counted %d before", n, seen)
				return true
			}
			seen = n
		}
	}
	for range 8 {
		run, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() { k.produce(run, t) })
		wg.Go(func() {
			if !read() {
				t.Error("nothing could be read")
			}
		})
		time.Sleep(300 * time.Millisecond)
		sleep(r, 300*time.Millisecond)
		p.kill()
		stop()
		wg.Wait()
		if t.Failed() {
			return
		}
		p.start(args...)
	}
	p.terminate()
	t.Logf("%d rows", seen)
}
