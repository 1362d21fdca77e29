package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Postgres is a real PostgreSQL server on a temporary directory, the judge of
// what a statement's answer is. It is safe for concurrent use.
type Postgres struct {
	dir  string
	port int
	cmd  *exec.Cmd
	done chan error
	next atomic.Int64
}

// StartPostgres starts the PostgreSQL found on the PATH; it returns nil, nil
// where none is installed. It listens only on a socket in its own directory,
// and runs as nobody when the caller is root, which PostgreSQL refuses to be.
// The caller must Stop it.
func StartPostgres(ctx context.Context) (*Postgres, error) {
	initdb, noInitdb := exec.LookPath("initdb")
	server, noServer := exec.LookPath("postgres")
	if noInitdb != nil || noServer != nil {
		return nil, nil //nolint:nilerr // it is not installed: there is nothing to compare with
	}
	dir, err := os.MkdirTemp("", "velopg")
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir, port: 20000 + os.Getpid()%40000, done: make(chan error, 1)}
	if err := p.start(ctx, initdb, server); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *Postgres) start(ctx context.Context, initdb, server string) error {
	cred, err := unprivileged(p.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	var out bytes.Buffer
	mk := exec.CommandContext(ctx, initdb, "-D", data, "-U", "velo", "-A", "trust", "-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "--no-sync")
	mk.Stdout, mk.Stderr, mk.SysProcAttr, mk.Dir = &out, &out, cred, p.dir
	if err := mk.Run(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out.String())
	}
	p.cmd = exec.Command(server, "-D", data, "-k", p.dir, "-p", strconv.Itoa(p.port), "-h", "",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off",
		"-c", "shared_buffers=16MB", "-c", "timezone=UTC", "-c", "max_connections=40", "-c", "jit=off",
		"-c", "max_parallel_workers_per_gather=0")
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr, p.cmd.Dir = nil, nil, cred, p.dir
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { p.done <- p.cmd.Wait() }()
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := pgconn.Connect(ctx, p.DSN("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		if time.Now().After(end) {
			p.Stop()
			return fmt.Errorf("postgres does not start: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// unprivileged gives dir to nobody, and says how to run as nobody, when we are
// root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

// DSN is how a client connects to a database of the server.
func (p *Postgres) DSN(database string) string {
	return fmt.Sprintf("host=%s port=%d user=velo dbname=%s sslmode=disable", p.dir, p.port, database)
}

// Database makes a new, empty database and returns its DSN.
func (p *Postgres) Database(ctx context.Context) (string, error) {
	c, err := pgconn.Connect(ctx, p.DSN("postgres"))
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	name := fmt.Sprintf("t%d", p.next.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name).ReadAll(); err != nil {
		return "", err
	}
	return p.DSN(name), nil
}

// Stop ends the server and removes its directory.
func (p *Postgres) Stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // immediate: nothing is worth keeping
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	_ = os.RemoveAll(p.dir)
}
