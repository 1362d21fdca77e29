package recovery

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// binary is the server under test, built once.
var binary string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	if binary = os.Getenv("VELOSTREAM_TEST_BINARY"); binary != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "velostream-recovery-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	root, err := filepath.Abs("../..")
	if err != nil {
		return 1, err
	}
	if err := touchSources(root); err != nil {
		return 1, err
	}
	binary = filepath.Join(dir, "velostream")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/velostream")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the server: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// touchSources looks at every source file, because `go test` answers from its
// cache unless a file that the test itself has looked at has changed.
func touchSources(root string) error {
	for _, dir := range []string{"catalog", "cmd", "engine", "pgwire", "storage"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kills is how often a test kills the server.
func kills(normal int) int {
	if n, err := strconv.Atoi(os.Getenv("VELOSTREAM_TEST_KILLS")); err == nil && n > 0 {
		return n
	}
	if testing.Short() {
		return max(1, normal/10)
	}
	return normal
}

// seed is the run's seed, told when the test fails.
func seed(t *testing.T) uint64 {
	s := uint64(time.Now().UnixNano())
	if v, err := strconv.ParseUint(os.Getenv("VELOSTREAM_TEST_SEED"), 10, 64); err == nil {
		s = v
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("VELOSTREAM_TEST_SEED=%d", s)
		}
	})
	return s
}
