package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is this program run again as a server or a broker. It ends when its
// standard input does.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	addr  string
	start time.Time
}

// startChild runs a child and waits for the address it prints.
func startChild(ctx context.Context, what string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(exe, "-child", what), start: time.Now()}
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = p.stop()
		return nil, errors.Join(fmt.Errorf("child %q did not start: %w", what, err), ctx.Err())
	}
	p.addr = strings.TrimSpace(line)
	return p, nil
}

// stop lets the process end by itself.
func (p *process) stop() error {
	_ = p.stdin.Close()
	return p.cmd.Wait()
}

// kill ends it as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) cpu() time.Duration { return processTime(p.cmd.Process.Pid) }

// tick is a unit of /proc/pid/stat; 100 a second on every Linux there is.
const tick = 10 * time.Millisecond

// processTime is the processor time that a process and its children have used.
func processTime(pid int) time.Duration {
	t := statTime(pid)
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range children {
		b, _ := os.ReadFile(f)
		for c := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(c); err == nil {
				t += processTime(n)
			}
		}
	}
	return t
}

func statTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	s := string(b)
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	total := int64(0)
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		n, _ := strconv.ParseInt(f[i], 10, 64)
		total += n
	}
	return time.Duration(total) * tick
}

// memory is the process's resident memory in bytes.
func (p *process) memory() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb * 1024
		}
	}
	return 0
}

// ownTime is the processor time that this process has used.
func ownTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sample is one timed piece of work.
type sample struct{ wall, cpu time.Duration }

// timed measures f by the clock and by what cpu says.
func timed(cpu func() time.Duration, f func() error) (sample, error) {
	start, from := time.Now(), cpu()
	err := f()
	return sample{time.Since(start), cpu() - from}, err
}

// pair is two figures that are compared, each for one repetition.
type pair struct{ ours, other sample }

// pairs repeats ours and other in turn, so that both meet the same noise.
func pairs(reps int, ours, other func() (sample, error)) ([]pair, error) {
	var list []pair
	for range reps {
		var p pair
		var err error
		if p.other, err = other(); err != nil {
			return nil, err
		}
		if p.ours, err = ours(); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// median of v, which is sorted by it.
func median(v []float64) float64 {
	slices.Sort(v)
	return quantile(v, 0.5)
}

// quantile of sorted values.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return v[min(len(v)-1, int(q*float64(len(v))))]
}

// each picks a figure of each pair.
func each(list []pair, f func(p pair) float64) []float64 {
	var out []float64
	for _, p := range list {
		out = append(out, f(p))
	}
	return out
}

// rates makes a row of pairs that each did n operations. The ratio is by
// processor time when byCPU, else by the clock.
func rates(work, unit, against string, n int, list []pair, byCPU bool) row {
	k := float64(n)
	r := row{Work: work, Unit: unit, Against: against}
	r.Ours = median(each(list, func(p pair) float64 { return k / p.ours.wall.Seconds() }))
	r.Other = median(each(list, func(p pair) float64 { return k / p.other.wall.Seconds() }))
	r.OursCPU = median(each(list, func(p pair) float64 { return p.ours.cpu.Seconds() * 1e6 / k }))
	r.OtherCPU = median(each(list, func(p pair) float64 { return p.other.cpu.Seconds() * 1e6 / k }))
	ratios := each(list, func(p pair) float64 {
		if byCPU {
			return p.other.cpu.Seconds() / p.ours.cpu.Seconds()
		}
		return p.other.wall.Seconds() / p.ours.wall.Seconds()
	})
	r.Ratio = median(ratios)
	r.Spread = [2]float64{ratios[0], ratios[len(ratios)-1]}
	return r
}
