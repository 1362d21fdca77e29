package pgwire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Many clients at once, doing everything, while they are cancelled, watched
// and shut down: what comes back is right, or an error that fits.
func TestManyClients(t *testing.T) {
	s := startServer(t)
	const clients = 16
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	fail := make(chan error, clients)
	for i := range clients {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := oneClient(ctx, s, rng); err != nil {
					fail <- err
					return
				}
			}
		})
	}
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(99, 1))
		for ctx.Err() == nil {
			for _, c := range s.Connections() {
				switch rng.IntN(4) {
				case 0:
					s.Cancel(c.PID)
				case 1:
					s.backend.mu.Lock()
					to := s.backend.sessions[rng.IntN(len(s.backend.sessions))]
					s.backend.mu.Unlock()
					if to.asked.Load() { // nobody listens before that
						to.n.Notification(1, "c", "p") // also to those that are gone
					}
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	close(fail)
	for err := range fail {
		t.Error(err)
	}
	within(t, "all clients are gone", func() bool { return s.Stats().Open == 0 })
	if s.Stats().Panics != 0 {
		t.Error(s.log.String())
	}
}

func oneClient(ctx context.Context, s *testServer, rng *rand.Rand) error {
	cfg, err := pgx.ParseConfig(s.url("default_query_exec_mode=" + pgxModes[rng.IntN(len(pgxModes))]))
	if err != nil {
		return err
	}
	c, err := pgx.ConnectConfig(context.Background(), cfg)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	for range 10 {
		if ctx.Err() != nil {
			return nil
		}
		var n int64
		var err error
		want := int64(-1)
		switch rng.IntN(4) {
		case 0:
			n, err = countRows(c, fmt.Sprint("rows ", 300))
			want = 300
		case 1:
			var tag pgconn.CommandTag
			tag, err = c.Exec(context.Background(), "insert 5")
			n, want = tag.RowsAffected(), 5
		case 2:
			short, stop := context.WithTimeout(context.Background(), time.Duration(rng.IntN(5))*time.Millisecond)
			_, _ = c.Exec(short, "wait") // the connection is closed by it
			stop()
			return nil
		case 3: // an error must leave the connection usable
			_, err = c.Exec(context.Background(), "error 22012 oops")
			if err == nil {
				return errors.New("no error")
			}
			if pgCode(err) == "22012" {
				err = nil
			}
			want = 0
		}
		if pgCode(err) == "57014" {
			continue
		}
		if err != nil || n != want {
			return fmt.Errorf("%d for %d: %w", n, want, err)
		}
	}
	return nil
}

func countRows(c *pgx.Conn, sql string) (int64, error) {
	rows, err := c.Query(context.Background(), sql)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := int64(0)
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

func pgCode(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.Code
	}
	return ""
}
