package main

import (
	"os"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("DURATION", "2s")
	var out, errOut output
	if err := Run(t.Context(), []string{"demo", "--listen", "127.0.0.1:0"}, &out, &errOut); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), errOut.String())
	}
	_, watched, _ := strings.Cut(out.String(), "EMIT CHANGES;")
	for _, want := range []string{" symbol | ", " AAPL   | ", " candles | materialized view | running | ", " alerts  | stream "} {
		if !strings.Contains(watched, want) {
			t.Errorf("missing %q in\n%s", want, watched)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if errOut.String() != "" {
		t.Errorf("standard error: %s", errOut.String())
	}
}

func TestDemoBadFlags(t *testing.T) {
	for _, args := range [][]string{{"--rate", "0"}, {"--duration", "x"}, {"y"}} {
		var out, errOut output
		if err := Run(t.Context(), append([]string{"demo"}, args...), &out, &errOut); err == nil || errOut.String() == "" {
			t.Errorf("%v: %v", args, err)
		}
	}
	t.Setenv("DURATION", "soon")
	var out, errOut output
	if err := Run(t.Context(), []string{"demo"}, &out, &errOut); err == nil || !strings.Contains(errOut.String(), "DURATION") {
		t.Errorf("%v", err)
	}
}
