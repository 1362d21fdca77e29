package recovery

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/jackc/pgx/v5"

	"velostream/engine"
	"velostream/engine/enginetest"
	"velostream/storage/state"
)

// fault makes every write to the disk fail from the moment it is armed.
type fault struct {
	err   error
	armed atomic.Bool
}

// MaybeError implements errorfs.Injector.
func (f *fault) MaybeError(op errorfs.Op) error {
	if !f.armed.Load() {
		return nil
	}
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo,
		errorfs.OpCreate, errorfs.OpRename, errorfs.OpLink, errorfs.OpReuseForWrite, errorfs.OpFilePreallocate:
		return f.err
	default:
		return nil
	}
}

// String implements errorfs.Injector.
func (f *fault) String() string { return "fault" }

// TestDiskFails takes the disk away from one of the stores: statements that
// need it get the reason, everything can still be read, and a restart on a
// mended disk has all that was acknowledged.
func TestDiskFails(t *testing.T) {
	for _, c := range []struct {
		store, code string
		err         error
	}{
		{"data", "53100", syscall.ENOSPC},
		{"data", "58030", syscall.EIO},
		{"state", "53100", syscall.ENOSPC},
		{"state", "58030", syscall.EIO},
	} {
		t.Run(c.store+" "+c.code, func(t *testing.T) { testDiskFails(t, c.store, c.code, c.err) })
	}
}

func testDiskFails(t *testing.T, store, code string, disk error) {
	f := &fault{err: disk}
	s := enginetest.Start(t, engine.Options{
		Shards: 2, CheckpointInterval: 50 * time.Millisecond,
		TuneStore: func(name string, o *state.Options) {
			if name == store {
				o.FS = errorfs.Wrap(vfs.Default, f)
			}
		},
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn := s.Connect()
	for _, sql := range []string{
		"CREATE TABLE t (id int PRIMARY KEY, k int, v int)",
		"CREATE MATERIALIZED VIEW m AS SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	const writers = 3
	var acked [writers]atomic.Int64
	var refused [writers]error
	var wg sync.WaitGroup
	for w := range writers {
		c := s.Connect()
		wg.Go(func() {
			for i := range 400 {
				_, err := c.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d, %d, %d)", w*1000+i, i%5, i))
				if err != nil {
					refused[w] = err
					return
				}
				acked[w].Add(1)
			}
		})
	}
	time.Sleep(80 * time.Millisecond)
	f.armed.Store(true)
	wg.Wait()
	for _, err := range refused {
		if store == "data" && sqlState(err) != code {
			t.Errorf("INSERT on a failing disk: %v, want %s", err, code)
		} else if store == "state" && err != nil {
			t.Errorf("INSERT: %v", err)
		}
	}
	total := int64(0)
	for w := range writers {
		total += acked[w].Load()
	}
	// What was refused is not there, for whoever reads, now and later.
	for range 3 {
		counts(ctx, t, conn, total, total)
		counts(ctx, t, s.Connect(), total, total)
	}
	var one int64
	last := acked[0].Load()
	err := conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM t WHERE id = %d", last), pgx.QueryExecModeSimpleProtocol).Scan(&one)
	if err != nil || one != 0 && store == "data" {
		t.Errorf("the row that was refused: %d, %v", one, err)
	}
	if store == "state" {
		jobFails(ctx, t, conn, code)
	}
	// The view's last checkpoint can be read in any case.
	if _, err := conn.Exec(ctx, "SET read_consistency = 'relaxed'"); err != nil {
		t.Fatal(err)
	}
	if _, err := lines(ctx, conn, "SELECT * FROM m"); err != nil {
		t.Errorf("relaxed read: %v", err)
	}
	_ = conn.Close(ctx)

	stopBroken(t, s, code)
	f.armed.Store(false)
	s.Start()
	conn = s.Connect()
	// After a restart a refused row may be there: its fsync failed, its bytes need not have.
	counts(ctx, t, conn, total, total+writers)
	equal(ctx, t, conn, "SELECT * FROM m", "SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k")
	if _, err := conn.Exec(ctx, "INSERT INTO t VALUES (99999, 1, 1)"); err != nil {
		t.Error(err)
	}
}

// counts checks that the table has at least the rows acknowledged, and at most
// those tried.
func counts(ctx context.Context, t *testing.T, c *pgx.Conn, acked, tried int64) {
	t.Helper()
	var n int64
	if err := c.QueryRow(ctx, "SELECT count(*) FROM t", pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n < acked || n > tried {
		t.Errorf("%d rows, %d were acknowledged, %d tried", n, acked, tried)
	}
}

// jobFails waits until the view's job has failed and says why.
func jobFails(ctx context.Context, t *testing.T, c *pgx.Conn, code string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		rows, err := lines(ctx, c, "SHOW JOBS")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(rows, "\n")
		if strings.Contains(text, "failed") {
			if !strings.Contains(text, code) {
				t.Errorf("SHOW JOBS does not say %s:\n%s", code, text)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job has not failed:\n%s", text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stopBroken ends a server whose stores report that they are broken.
func stopBroken(t *testing.T, s *enginetest.Server, code string) {
	t.Helper()
	if err := s.StopError(); err != nil && !strings.Contains(err.Error(), code) {
		t.Errorf("stop: %v", err)
	}
}

// TestTornTails leaves rubbish after the end of the files that are appended
// to, as a power cut can: what was acknowledged before it is there.
func TestTornTails(t *testing.T) {
	p := newProcess(t, "--shards", "2")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rows := 0
	for round := range 4 {
		p.start("--checkpoint-interval", "20ms")
		c := p.mustConnect(ctx)
		if round == 0 {
			for _, sql := range []string{
				"CREATE TABLE t (id int PRIMARY KEY, v int)",
				"CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n, sum(v) AS s FROM t",
			} {
				if _, err := c.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 50 {
			if _, err := c.Exec(ctx, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", rows, rows)); err != nil {
				t.Fatal(err)
			}
			rows++
		}
		same(ctx, t, c, "SELECT * FROM m", []string{fmt.Sprint(rows, " ", rows*(rows-1)/2)})
		_ = c.Close(ctx)
		p.kill()
		tear(t, p.dir)
	}
}

// tear appends rubbish to the newest log of each store, and to the catalog's.
func tear(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range []string{"meta/meta.log", "data/*.log", "state/*.log"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		f, err := os.OpenFile(files[len(files)-1], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		rubbish := make([]byte, 37)
		_, _ = rand.Read(rubbish)
		if _, err := f.Write(rubbish); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
