package recovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestKill kills the server under load from Kafka and from clients, and
// compares everything with the truth after each restart.
func TestKill(t *testing.T) {
	s := seed(t)
	r := rand.New(rand.NewPCG(s, 0))
	k, w := newTrades(t, s), newRows(s)
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()

	p.start(pace(r)...)
	conn := p.mustConnect(ctx)
	for _, sql := range append(k.statements(), rowStatements()...) {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	_ = conn.Close(ctx)
	p.kill() // right after the last CREATE

	n := kills(50)
	for i := range n {
		if r.IntN(6) == 0 {
			p.spawn(pace(r)...)
			sleep(r, 300*time.Millisecond)
			p.kill()
		}
		if r.IntN(3) == 0 {
			k.lateFirst(t) // the watermark must be known before the first record
		}
		p.start(pace(r)...)
		verify(ctx, t, p, k, w)
		if i == 2 {
			time.Sleep(500 * time.Millisecond) // a checkpoint with a watermark is made
			k.late = true
		}
		underLoad(ctx, t, p, k, w, func() {
			sleep(r, 500*time.Millisecond)
			if r.IntN(12) == 0 {
				p.terminate()
			} else {
				p.kill()
			}
		})
		if t.Failed() {
			t.Fatalf("after %d of %d kills", i+1, n)
		}
	}
	p.start()
	verify(ctx, t, p, k, w)
	p.terminate()
	t.Logf("%d kills, %d records, %d runs", n, len(k.ledger), p.runs)
}

// pace is how often epochs and checkpoints are made in the next run, and how
// many shards new jobs would get.
func pace(r *rand.Rand) []string {
	return []string{
		"--shards", strconv.Itoa(1 + r.IntN(3)),
		"--epoch-interval", fmt.Sprint(time.Duration(1+r.IntN(30)) * time.Millisecond),
		"--checkpoint-interval", fmt.Sprint(time.Duration(20+r.IntN(180)) * time.Millisecond),
	}
}

// killWhile kills the server again and again within most of its start, while a
// client runs step after step; before that check looks at what is there. REQUIRES:
// p does not run.
func (p *process) killWhile(ctx context.Context, t *testing.T, r *rand.Rand, most time.Duration,
	check func(context.Context, *testing.T, *pgx.Conn), step func(context.Context, *pgx.Conn) error,
) {
	t.Helper()
	for i := range kills(14) {
		p.start(pace(r)...)
		c := p.mustConnect(ctx)
		check(ctx, t, c)
		after := time.Duration(r.Int64N(int64(most)))
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				if err := step(ctx, c); lost(err) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
		time.Sleep(after)
		p.kill()
		wg.Wait()
		_ = c.Close(ctx)
		if t.Failed() {
			t.Fatalf("after %d kills", i+1)
		}
	}
}

// underLoad runs the load while f runs, and a little longer.
func underLoad(ctx context.Context, t *testing.T, p *process, k *trades, w *rows, f func()) {
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { k.produce(run, t) })
	wg.Go(func() { w.load(ctx, t, p) })
	f()
	stop()
	wg.Wait()
}

// verify compares everything with the ledgers.
func verify(ctx context.Context, t *testing.T, p *process, k *trades, w *rows) {
	t.Helper()
	conn := p.mustConnect(ctx)
	defer func() { _ = conn.Close(ctx) }()
	k.check(ctx, t, conn)
	w.check(ctx, t, conn)
	running(ctx, t, conn, tradeJobs+rowViewJobs)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
