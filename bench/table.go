package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is the whole table.
type report struct {
	Machine string    `json:"machine"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	Time    time.Time `json:"time"`
	Rows    []row     `json:"rows"`
}

// row is one measurement beside what it is compared with.
type row struct {
	Work    string  `json:"work"`
	Unit    string  `json:"unit"`
	Ours    float64 `json:"ours"`
	Against string  `json:"against"` // roofline, PostgreSQL, target
	Other   float64 `json:"other"`
	// OursCPU and OtherCPU are processor µs for one operation, 0: not measured.
	OursCPU  float64 `json:"ours_cpu_us"`
	OtherCPU float64 `json:"other_cpu_us"`
	// Ratio is how much of the other's speed ours has, by processor time where
	// the other is the roofline, by the clock otherwise; more is better.
	Ratio float64 `json:"ratio"`
	// Spread is the ratio's least and greatest of the repetitions.
	Spread  [2]float64 `json:"spread"`
	Ship    float64    `json:"ship"` // the ratio to reach
	Aim     float64    `json:"aim"`
	Verdict string     `json:"verdict"`
}

func (r *row) judge() {
	switch {
	case r.Ship == 0:
		r.Verdict = ""
	case r.Ratio >= r.Aim:
		r.Verdict = "aim"
	case r.Ratio >= r.Ship:
		r.Verdict = "ship"
	default:
		r.Verdict = "below"
	}
}

func newReport() *report {
	r := &report{Go: runtime.Version(), Time: time.Now().UTC().Truncate(time.Second)}
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	load := "?"
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(b), " ")
	}
	r.Machine = fmt.Sprintf("%d x %s, load %s at the start", runtime.NumCPU(), model, load)
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	return r
}

func (r *report) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func readReport(path string) (*report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

const rowFormat = "%-48s %12s %12s  %-11s %9s %9s %7s %7s %6s %s\n"

func printHead(w io.Writer, r *report) {
	fmt.Fprintf(w, "%s, %s, commit %s\n\n", r.Machine, r.Go, r.Commit)
	fmt.Fprintf(w, rowFormat, "work", "ours", "other", "the other", "cpu µs", "other µs", "ratio", "ship", "aim", "")
}

func printRow(w io.Writer, r row) {
	fmt.Fprintf(w, rowFormat, r.Work, figure(r.Ours)+" "+r.Unit, figure(r.Other), r.Against,
		figure(r.OursCPU), figure(r.OtherCPU), figure(r.Ratio), figure(r.Ship), figure(r.Aim), r.Verdict)
}

// figure prints three digits that count.
func figure(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v >= 10e6:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1e6:
		return fmt.Sprintf("%.2fM", v/1e6)
	case v >= 10e3:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// compare prints the rows of two reports side by side and fails when a ratio
// fell by more than noise explains: by a fifth, and below all that the base's
// repetitions had.
func compare(w io.Writer, basePath, path string) error {
	base, err := readReport(basePath)
	if err != nil {
		return err
	}
	now, err := readReport(path)
	if err != nil {
		return err
	}
	was := map[string]row{}
	for _, r := range base.Rows {
		was[r.Work] = r
	}
	worse := 0
	fmt.Fprintf(w, "%-48s %8s %8s\n", "work", base.Commit, now.Commit)
	for _, r := range now.Rows {
		b, ok := was[r.Work]
		if !ok {
			fmt.Fprintf(w, "%-48s %8s %8s new\n", r.Work, "-", figure(r.Ratio))
			continue
		}
		note := ""
		switch {
		case r.Ship > 0 && r.Ratio < 0.8*b.Ratio && r.Spread[1] < b.Spread[0]:
			note = "WORSE"
			worse++
		case r.Ratio > 1.25*b.Ratio && r.Spread[0] > b.Spread[1]:
			note = "better"
		}
		fmt.Fprintf(w, "%-48s %8s %8s %s\n", r.Work, figure(b.Ratio), figure(r.Ratio), note)
	}
	if worse > 0 {
		return fmt.Errorf("%d rows are worse than in %s", worse, basePath)
	}
	return nil
}
