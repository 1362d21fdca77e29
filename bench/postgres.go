package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// postgres is a PostgreSQL server with the settings that initdb gives it: the
// commits of both servers are durable.
type postgres struct {
	cmd  *exec.Cmd
	dir  string
	port int
}

// withPostgres starts PostgreSQL at the first call; it runs until the end.
func (b *bench) withPostgres(ctx context.Context) (*postgres, error) {
	if b.postgres != nil {
		return b.postgres, nil
	}
	p, err := startPostgres(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	b.postgres = p
	b.closers = append(b.closers, p.stop)
	return p, nil
}

// startPostgres starts the PostgreSQL on the PATH, as nobody when we are root,
// which PostgreSQL refuses to be.
func startPostgres(ctx context.Context, parent string) (*postgres, error) {
	dir, err := os.MkdirTemp(parent, "velobenchpg")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	attr, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	var out bytes.Buffer
	mk := exec.CommandContext(ctx, "initdb", "-D", data, "-U", "velo", "-A", "trust", "-E", "UTF8", "--locale=C")
	mk.Dir, mk.Stdout, mk.Stderr, mk.SysProcAttr = dir, &out, &out, attr
	if err := mk.Run(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out.String())
	}
	p.cmd = exec.Command("postgres", "-D", data, "-k", dir, "-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1")
	p.cmd.Dir, p.cmd.SysProcAttr = dir, attr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := dial(ctx, p.dsn())
		if err == nil {
			return p, c.Close(ctx)
		}
		if time.Now().After(end) {
			p.stop()
			return nil, fmt.Errorf("postgres does not start: %w", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}

// unprivileged gives dir to nobody, and says how to run as nobody.
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

func (p *postgres) dsn() string {
	return fmt.Sprintf("postgres://velo@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

func (p *postgres) cpu() time.Duration { return processTime(p.cmd.Process.Pid) }

func (p *postgres) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}
