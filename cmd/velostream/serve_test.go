package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is a writer that a test reads while a command writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a running `velostream serve`.
type process struct {
	t          *testing.T
	addr, http string
	stderr     output
	cancel     context.CancelFunc
	done       chan error
}

// serving starts a server with free ports and waits until it is ready.
func serving(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{t: t, cancel: cancel, done: make(chan error, 1)}
	r, w := io.Pipe()
	go func() {
		args := append([]string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, args...)
		err := Run(ctx, args, w, &p.stderr)
		_ = w.CloseWithError(io.EOF)
		p.done <- err
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatalf("no ready line: %v\n%s", <-p.done, p.stderr.String())
	}
	m := regexp.MustCompile(`^ready listen=(127\.0\.0\.1:\d+) http=(127\.0\.0\.1:\d+)$`).FindStringSubmatch(lines.Text())
	if m == nil {
		t.Fatalf("ready line: %q", lines.Text())
	}
	p.addr, p.http = m[1], m[2]
	go func() { // one line only: see stop
		for lines.Scan() {
			t.Errorf("more on standard output: %q", lines.Text())
		}
	}()
	t.Cleanup(func() { p.stop() })
	return p
}

// stop ends the server as a signal does, and checks that it takes no longer
// than promised.
func (p *process) stop() {
	if p.cancel == nil {
		return
	}
	began := time.Now()
	p.cancel()
	p.cancel = nil
	if err := <-p.done; err != nil {
		p.t.Errorf("serve: %v\n%s", err, p.stderr.String())
	}
	if took := time.Since(began); took > 5*time.Second {
		p.t.Errorf("stopping took %s", took)
	}
}

func (p *process) dsn() string {
	return "postgres://velo@" + p.addr + "/velostream?sslmode=disable"
}

// sql runs `velostream sql`.
func (p *process) sql(args ...string) (stdout, stderr string, err error) {
	var out, errOut output
	err = Run(p.t.Context(), append([]string{"sql", "--dsn", p.dsn()}, args...), &out, &errOut)
	return out.String(), errOut.String(), err
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.http+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServeKeepsData(t *testing.T) {
	dir := t.TempDir()
	p := serving(t, dir)
	out, errOut, err := p.sql("-c", `CREATE TABLE t (k int PRIMARY KEY, v text);
		CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM t;
		INSERT INTO t VALUES (1, 'a'), (2, 'b')`, "-c", "SELECT * FROM t ORDER BY k")
	want := "CREATE TABLE\nCREATE MATERIALIZED VIEW\nINSERT 0 2\n k | v\n---+---\n 1 | a\n 2 | b\n(2 rows)\n\n"
	if err != nil || out != want {
		t.Fatalf("%v\n%s\n%s", err, out, errOut)
	}
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": `velostream_job_info{job="n",schema="public",state="running"} 1`,
	} {
		if code, body := p.get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if _, body := p.get("/metrics"); !strings.Contains(body, "velostream_pgwire_connections_accepted_total 1") {
		t.Error("no metrics of connections")
	}
	p.stop()

	p = serving(t, dir)
	out, errOut, err = p.sql("-c", "SELECT n FROM n")
	if want := " n\n---\n 2\n(1 row)\n\n"; err != nil || out != want {
		t.Errorf("after a restart: %v\n%s\n%s", err, out, errOut)
	}
}

func TestServeRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open := filepath.Join(t.TempDir(), "open")
	write(t, open, "u:p\n", 0o644)
	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, "# nobody\n", 0o600)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no data dir", []string{}, "data_dir: is not set"},
		{"open to all", []string{"--data-dir", dir, "--listen", "0.0.0.0:0"}, "set password_file"},
		{"unknown flag", []string{"--data-dir", dir, "--listne", "x"}, "unknown flag: --listne"},
		{"no config file", []string{"--config", "/nonexistent.yaml"}, "/nonexistent.yaml"},
		{"no password file", []string{"--data-dir", dir, "--password-file", "/nonexistent"}, "password_file: "},
		{"readable passwords", []string{"--data-dir", dir, "--password-file", open}, "chmod 600"},
		{"no passwords", []string{"--data-dir", dir, "--password-file", empty}, "has no users"},
		{"no certificate", []string{"--data-dir", dir, "--tls-cert-file", "/nonexistent", "--tls-key-file", "/nonexistent"}, "tls_cert_file: "},
		{"argument", []string{"x"}, `unknown command "x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut output
			err := Run(t.Context(), append([]string{"serve"}, tt.args...), &out, &errOut)
			if err == nil || !strings.Contains(errOut.String(), tt.want) || out.String() != "" {
				t.Errorf("%v\n%s", err, errOut.String())
			}
		})
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused server made its data directory")
	}
}

func TestServeDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	serving(t, dir)
	var out, errOut output
	err := Run(t.Context(), []string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, &out, &errOut)
	if err == nil || !strings.Contains(errOut.String(), dir) {
		t.Errorf("%v\n%s", err, errOut.String())
	}
}

func TestServePortInUse(t *testing.T) {
	p := serving(t, t.TempDir())
	var out, errOut output
	err := Run(t.Context(), []string{"serve", "--data-dir", t.TempDir(), "--listen", p.addr, "--http-listen", "127.0.0.1:0"}, &out, &errOut)
	if err == nil || !strings.Contains(errOut.String(), "listen: ") || !strings.Contains(errOut.String(), "address already in use") {
		t.Errorf("%v\n%s", err, errOut.String())
	}
}

func TestServePasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwords")
	var line, errOut output
	cmd := newRoot()
	cmd.SetArgs([]string{"auth", "hash", "ann"})
	cmd.SetIn(strings.NewReader("s3cret\n"))
	cmd.SetOut(&line)
	cmd.SetErr(&errOut)
	if err := cmd.ExecuteContext(t.Context()); err != nil || !strings.HasPrefix(line.String(), "ann:SCRAM-SHA-256$4096:") {
		t.Fatalf("%v %q", err, line.String())
	}
	write(t, file, "# users\n"+line.String()+"bob:plain text\n", 0o600)
	p := serving(t, t.TempDir(), "--password-file", file)
	try := func(user, password string) error {
		var out, errOut output
		dsn := "host=127.0.0.1 port=" + strings.TrimPrefix(p.addr, "127.0.0.1:") + " dbname=velostream sslmode=disable user=" + user + " password='" + password + "'"
		return Run(t.Context(), []string{"sql", "--dsn", dsn, "-c", "SELECT 1"}, &out, &errOut)
	}
	for _, ok := range [][2]string{{"ann", "s3cret"}, {"bob", "plain text"}} {
		if err := try(ok[0], ok[1]); err != nil {
			t.Errorf("%s: %v", ok[0], err)
		}
	}
	for _, bad := range [][2]string{{"ann", "wrong"}, {"eve", "s3cret"}, {"ann", ""}} {
		if err := try(bad[0], bad[1]); err == nil {
			t.Errorf("%s with %q was let in", bad[0], bad[1])
		}
	}
}

func TestServeDevKafkaKeepsTopics(t *testing.T) {
	dir := t.TempDir()
	p := serving(t, dir, "--dev-kafka", "127.0.0.1:0", "--dev-kafka-topics", "in,out")
	p.stop()
	p = serving(t, dir, "--dev-kafka", "127.0.0.1:0", "--dev-kafka-topics", "in,more")
	p.stop()
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
