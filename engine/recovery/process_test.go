package recovery

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startMax is how long the server may take to be ready after a crash: small
// data here, so seconds, on a machine that does other things too.
const startMax = 20 * time.Second

// stopMax is how long it may take to end after SIGTERM.
const stopMax = 5 * time.Second

// process is the server: one data directory, started and killed many times.
type process struct {
	t    *testing.T
	dir  string   // data directory
	logs string   // what it wrote to standard error, all runs
	args []string // beside the usual

	cmd   *exec.Cmd
	addr  string
	ended chan error
	runs  int
}

// newProcess prepares a server, which start starts. What it leaves is kept when
// the test fails.
func newProcess(t *testing.T, args ...string) *process {
	t.Helper()
	dir, err := os.MkdirTemp("", "velostream-kill-") //nolint:usetesting // it is kept when the test fails
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, dir: filepath.Join(dir, "data"), logs: filepath.Join(dir, "server.log"), args: args}
	t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
		if t.Failed() {
			t.Logf("data directory %s, server's log %s", p.dir, p.logs)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return p
}

var readyLine = regexp.MustCompile(`^ready listen=(\S+) http=(\S+)`)

// spawn starts the process without waiting for it to be ready. ready gets its
// address.
func (p *process) spawn(args ...string) (ready chan string) {
	p.t.Helper()
	p.runs++
	log, err := os.OpenFile(p.logs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	_, _ = io.WriteString(log, "---- run\n")
	cmd := exec.Command(binary, append(append([]string{
		"serve", "--data-dir", p.dir, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
	}, p.args...), args...)...)
	// What configures the test is no setting of the server.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "VELOSTREAM_") })
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	p.cmd, p.ended = cmd, ended
	ready = make(chan string, 1)
	go func() {
		in := bufio.NewScanner(out)
		for in.Scan() {
			if m := readyLine.FindStringSubmatch(in.Text()); m != nil {
				ready <- m[1]
			}
		}
		ended <- cmd.Wait()
	}()
	return ready
}

// start starts the server and waits until it is ready.
func (p *process) start(args ...string) {
	p.t.Helper()
	begun := time.Now()
	ready := p.spawn(args...)
	select {
	case p.addr = <-ready:
	case err := <-p.ended:
		p.cmd = nil
		p.t.Fatalf("run %d: the server did not start: %v\n%s", p.runs, err, p.tail())
	case <-time.After(startMax):
		p.t.Fatalf("run %d: the server is not ready after %v\n%s", p.runs, time.Since(begun), p.tail())
	}
}

// kill ends the process as a power cut does, as far as its memory goes.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	p.cmd = nil
}

// terminate asks the server to end and checks that it does, in time.
func (p *process) terminate() {
	p.t.Helper()
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		p.cmd = nil
		if err != nil {
			p.t.Fatalf("run %d: exit after SIGTERM: %v\n%s", p.runs, err, p.tail())
		}
		if took := time.Since(begun); took > stopMax {
			p.t.Errorf("run %d: ending took %v", p.runs, took)
		}
	case <-time.After(3 * stopMax):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // for the goroutines in the log
		<-p.ended
		p.cmd = nil
		p.t.Fatalf("run %d: the server did not end within %v of SIGTERM", p.runs, time.Since(begun))
	}
}

// tail is the end of the server's log.
func (p *process) tail() string {
	b, err := os.ReadFile(p.logs)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

func (p *process) dsn() string { return "postgres://velo@" + p.addr + "/velostream?sslmode=disable" }

// connect returns a connection, which the caller closes.
func (p *process) connect(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, p.dsn()) }

// mustConnect is connect for the checking side of a test.
func (p *process) mustConnect(ctx context.Context) *pgx.Conn {
	p.t.Helper()
	c, err := p.connect(ctx)
	if err != nil {
		p.t.Fatalf("run %d: connect: %v\n%s", p.runs, err, p.tail())
	}
	return c
}

// sleep waits a random time below most, more often a short one.
func sleep(r *rand.Rand, most time.Duration) {
	time.Sleep(time.Duration(float64(most) * r.Float64() * r.Float64()))
}

// lost reports that err says nothing about the statement: the connection went.
func lost(err error) bool {
	if err == nil {
		return false
	}
	var pg interface{ SQLState() string }
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.SQLState(), "08") || strings.HasPrefix(pg.SQLState(), "57P")
	}
	return true
}
