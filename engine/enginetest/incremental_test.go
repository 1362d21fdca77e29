package enginetest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestIncremental checks the promise: a view holds exactly what its query
// returns, and both are PostgreSQL's answer, under random data, epochs and
// restarts. VELOSTREAM_ORACLE_SECONDS makes it longer, VELOSTREAM_ORACLE_SEED
// begins at another seed.
func TestIncremental(t *testing.T) {
	files, err := filepath.Glob("../../testdata/views/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	budget := envNumber(t, "VELOSTREAM_ORACLE_SECONDS", 15)
	seed := uint64(envNumber(t, "VELOSTREAM_ORACLE_SEED", 1))
	pg := postgres(t)
	each := time.Duration(budget) * time.Second / time.Duration(len(files))
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".sql"), func(t *testing.T) {
			s, err := ReadSchema(f)
			if err != nil {
				t.Fatal(err)
			}
			end := time.Now().Add(each)
			n := 0
			for ; n == 0 || time.Now().Before(end); n++ {
				e := NewEpisode(s, seed+uint64(n), 60)
				fail, err := e.Run(t, pg)
				if err != nil {
					t.Fatal(err)
				}
				if fail == nil {
					continue
				}
				t.Logf("first: %s after action %d\n%s", fail.View, fail.Action, fail.What)
				e, fail = e.Shrink(t, pg, fail, 15*time.Second)
				t.Fatalf("%s\nafter the last action: %s: %s", e, fail.View, fail.What)
			}
			t.Logf("%d episodes", n)
		})
	}
}

func envNumber(t *testing.T, name string, otherwise int) int {
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
