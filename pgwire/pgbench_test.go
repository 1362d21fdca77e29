package pgwire

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pgbench in its three query modes, and with a pipeline.
func TestPgbench(t *testing.T) {
	path, err := exec.LookPath("pgbench")
	if err != nil {
		t.Skip("pgbench is not on the PATH")
	}
	s := startServer(t)
	host, port := s.hostPort()
	for mode, script := range map[string]string{
		"simple":   "rows 3;\ninsert 1;\n",
		"extended": "rows 3;\ninsert 1;\n",
		"prepared": "\\set a 5\nrows 3;\nbegin;\ninsert 1;\ncommit;\n",
		"pipeline": "\\startpipeline\nrows 3;\ninsert 1;\nrows 200;\n\\endpipeline\n",
	} {
		t.Run(mode, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "script.sql")
			if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			protocol := mode
			if mode == "pipeline" {
				protocol = "extended"
			}
			cmd := exec.CommandContext(t.Context(), path, "-n", "-f", file, "-M", protocol, "-c", "4", "-j", "2", "-t", "50",
				"-h", host, "-p", port, "-U", "alice", "db")
			cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=/nonexistent"}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "number of transactions actually processed: 200/200") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
