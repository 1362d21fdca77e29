package enginetest

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestStreams runs the files of records in and rows out.
func TestStreams(t *testing.T) {
	files, err := filepath.Glob("../../testdata/streams/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, f := range files {
		if !strings.Contains(f, *only) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			RunStreamFile(t, f, *rewrite)
		})
	}
}
