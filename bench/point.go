package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// target is a server that pgbench is pointed at.
type target struct {
	dsn string
	cpu func() time.Duration
}

// point compares short statements: pgbench runs the same script on both
// servers in turn.
func point(ctx context.Context, b *bench) error {
	ours, other, stop, err := b.both(ctx, "point")
	if err != nil {
		return err
	}
	defer stop()
	if err := b.pointTables(ctx, ours, other); err != nil {
		return err
	}
	id := fmt.Sprintf("\\set id random(0, %d)\n", b.table-1)
	for _, w := range []struct {
		work, script string
		clients      []int
		modes        []string
		ship, aim    float64
	}{
		{"SELECT by key, table", id + "SELECT v FROM points WHERE id = :id;\n", []int{1, 4, 16, 64}, []string{"simple", "extended", "prepared"}, 1, 1.5},
		{"SELECT by key, view", id + "SELECT v FROM points_view WHERE id = :id;\n", []int{1, 16, 64}, []string{"prepared"}, 1, 1.5},
		{"INSERT, autocommit", "\\set id random(0, 1000000000)\nINSERT INTO inserted VALUES (:id, 'some text of a row');\n", []int{16}, []string{"prepared"}, 1, 2},
	} {
		for _, mode := range w.modes {
			for _, n := range w.clients {
				r, err := b.pgbench(ctx, w.script, mode, n, ours, other)
				if err != nil {
					return fmt.Errorf("%s: %w", w.work, err)
				}
				r.Work = fmt.Sprintf("%s, %d clients, %s", w.work, n, mode)
				r.Ship, r.Aim = w.ship, w.aim
				b.add(r)
			}
		}
	}
	return nil
}

// both starts our server and PostgreSQL.
func (b *bench) both(ctx context.Context, name string) (ours, other target, stop func(), err error) {
	pg, err := b.withPostgres(ctx)
	if err != nil {
		return ours, other, nil, err
	}
	s, err := b.startServer(ctx, name)
	if err != nil {
		return ours, other, nil, err
	}
	return target{s.dsn(), s.cpu}, target{pg.dsn(), pg.cpu}, func() { _ = s.stop() }, nil
}

// pointTables makes the same relations on both; a view of ours is a table
// there.
func (b *bench) pointTables(ctx context.Context, ours, other target) error {
	insert := fmt.Sprintf("INSERT INTO %%s SELECT g, 'value ' || g, g * 2 FROM generate_series(0, %d) AS t(g);", b.table-1)
	const columns = " (id bigint PRIMARY KEY, v text, n bigint);"
	common := "CREATE TABLE points" + columns + fmt.Sprintf(insert, "points") + "CREATE TABLE inserted (id bigint, v text);"
	for _, x := range []struct {
		t   target
		sql string
	}{
		{ours, common + "CREATE MATERIALIZED VIEW points_view AS SELECT id, v, n FROM points"},
		{other, common + "CREATE TABLE points_view" + columns + fmt.Sprintf(insert, "points_view") + "VACUUM ANALYZE"},
	} {
		c, err := dial(ctx, x.t.dsn)
		if err != nil {
			return err
		}
		for sql := range strings.SplitSeq(x.sql, ";") {
			if err := c.exec(ctx, "%s", sql); err != nil {
				return err
			}
		}
		n, err := c.number(ctx, "SELECT count(*) FROM points_view WHERE v IS NOT NULL")
		if err != nil || n != int64(b.table) {
			return fmt.Errorf("points_view has %d rows, want %d: %w", n, b.table, err)
		}
		_ = c.Close(ctx)
	}
	return nil
}

// pgbench runs the script on both servers in turn.
func (b *bench) pgbench(ctx context.Context, script, mode string, clients int, ours, other target) (row, error) {
	path := filepath.Join(b.tmp, "script.sql")
	if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
		return row{}, err
	}
	r := row{Unit: "/s", Against: "PostgreSQL"}
	var mine, theirs, mineCPU, theirsCPU, ratio []float64
	for range b.reps {
		a, ac, err := pgbench(ctx, path, mode, clients, b.seconds, ours)
		if err != nil {
			return r, err
		}
		o, oc, err := pgbench(ctx, path, mode, clients, b.seconds, other)
		if err != nil {
			return r, err
		}
		mine, theirs, ratio = append(mine, a), append(theirs, o), append(ratio, a/o)
		mineCPU, theirsCPU = append(mineCPU, ac), append(theirsCPU, oc)
	}
	r.Ours, r.Other, r.OursCPU, r.OtherCPU, r.Ratio = median(mine), median(theirs), median(mineCPU), median(theirsCPU), median(ratio)
	r.Spread = [2]float64{ratio[0], ratio[len(ratio)-1]}
	return r, nil
}

// pgbench returns transactions a second, and the server's processor µs for one.
func pgbench(ctx context.Context, script, mode string, clients int, d time.Duration, t target) (rate, cpu float64, err error) {
	o, err := pgconn.ParseConfig(t.dsn)
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, "pgbench", "-n", "-f", script, "-M", mode, "-c", strconv.Itoa(clients), "-T", strconv.Itoa(max(1, int(d.Seconds()))),
		"-h", o.Host, "-p", strconv.Itoa(int(o.Port)), "-U", o.User, o.Database)
	var out []byte
	m, err := timed(t.cpu, func() (err error) {
		out, err = cmd.CombinedOutput()
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	done := 0.0
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "tps = "); ok {
			rate, _ = strconv.ParseFloat(strings.Fields(v)[0], 64)
		}
		if v, ok := strings.CutPrefix(line, "number of transactions actually processed: "); ok {
			done, _ = strconv.ParseFloat(strings.TrimSpace(v), 64)
		}
	}
	if rate == 0 || done == 0 {
		return 0, 0, fmt.Errorf("pgbench: %s", out)
	}
	return rate, m.cpu.Seconds() * 1e6 / done, nil
}
