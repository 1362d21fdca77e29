package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"velostream/engine"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// streamWait is how long a wanted answer may take to come.
const streamWait = 8 * time.Second

// RunStreamFile runs a file of records in and rows out; testdata/README.md
// describes the notation. With rewrite, results that differ are written into
// the file.
func RunStreamFile(t *testing.T, path string, rewrite bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &streamPlayer{t: t, path: path, conns: map[string]*pgconn.PgConn{}, running: map[string]*running{}}
	defer p.close()
	sc := bufio.NewScanner(strings.NewReader(string(b)))
	var out []string
	for sc.Scan() {
		p.line++
		l := strings.TrimRight(sc.Text(), " ")
		if l == "" || strings.HasPrefix(l, "#") {
			out = append(out, l)
			continue
		}
		head := p.line
		lines := []string{l}
		for sc.Scan() {
			p.line++
			next := strings.TrimRight(sc.Text(), " ")
			if next == "" {
				break
			}
			lines = append(lines, next)
		}
		at := slices.Index(lines, "----")
		var want []string
		if at >= 0 {
			lines, want = lines[:at], lines[at+1:]
		}
		got, err := p.block(lines, want, rewrite)
		if err != nil {
			t.Fatalf("%s:%d: %s\n%v", path, head, strings.Join(lines, "\n"), err)
		}
		if at >= 0 {
			if !slices.Equal(got, want) && !rewrite {
				t.Errorf("%s:%d: %s\nwanted\n%s\ngot\n%s", path, head, strings.Join(lines, "\n"), strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
			lines = append(append(lines, "----"), got...)
		}
		out = append(append(out, lines...), "")
	}
	if rewrite {
		text := strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// streamPlayer is a file being run.
type streamPlayer struct {
	t       *testing.T
	path    string
	line    int
	options engine.Options
	server  *Server
	kafka   *kfake.Cluster
	client  *kgo.Client
	conns   map[string]*pgconn.PgConn
	running map[string]*running
}

// running is a continuous query whose rows are collected.
type running struct {
	conn   *pgconn.PgConn
	rows   chan string
	cancel context.CancelFunc
	done   chan struct{}
}

func (p *streamPlayer) close() {
	for _, r := range p.running {
		r.stop()
	}
	for _, c := range p.conns {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = c.Close(ctx)
		cancel()
	}
	if p.server != nil {
		p.server.Stop()
	}
	if p.client != nil {
		p.client.Close()
	}
	if p.kafka != nil {
		p.kafka.Close()
	}
}

func (r *running) stop() {
	r.cancel()
	<-r.done
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.conn.Close(ctx)
}

// block does one block of the file.
func (p *streamPlayer) block(lines, want []string, rewrite bool) ([]string, error) {
	f := strings.Fields(lines[0])
	rest := strings.TrimSpace(strings.TrimPrefix(lines[0], f[0]))
	sql := strings.Join(append([]string{rest}, lines[1:]...), "\n")
	switch f[0] {
	case "options":
		return nil, p.setOptions(f[1:])
	case "topic":
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		return nil, p.topic(f[1], int32(n))
	case "produce":
		part, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		return nil, p.produce(f[1], int32(part), lines[1:])
	case "sql":
		_, err := p.ask(sql)
		return nil, err
	case "error":
		want, text, _ := strings.Cut(sql, " ")
		_, err := p.ask(text)
		if err == nil || code(err) != want {
			p.t.Errorf("%s:%d: wanted error %s, got %v", p.path, p.line, want, err)
		}
		return nil, nil
	case "rows", "sorted":
		return p.eventually(want, rewrite, func() ([]string, error) {
			a, err := p.ask(sql)
			if f[0] == "sorted" {
				slices.Sort(a)
			}
			return a, err
		})
	case "job":
		return p.eventually(want, rewrite, func() ([]string, error) { return p.job(f[1], f[2:]) })
	case "watch":
		return nil, p.watch(f[1], strings.TrimSpace(strings.TrimPrefix(sql, f[1])))
	case "take":
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		return p.take(f[1], n)
	case "read":
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return nil, err
		}
		return p.read(f[1], n)
	case "restart":
		return nil, p.restart()
	case "sleep":
		d, err := time.ParseDuration(f[1])
		time.Sleep(d)
		return nil, err
	}
	return nil, fmt.Errorf("unknown directive %q", f[0])
}

func (p *streamPlayer) setOptions(f []string) error {
	for _, o := range f {
		k, v, _ := strings.Cut(o, "=")
		var err error
		switch k {
		case "shards":
			p.options.Shards, err = strconv.Atoi(v)
		case "epoch":
			p.options.EpochInterval, err = time.ParseDuration(v)
		case "checkpoint":
			p.options.CheckpointInterval, err = time.ParseDuration(v)
		default:
			err = fmt.Errorf("unknown option %q", k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *streamPlayer) topic(name string, partitions int32) error {
	var err error
	if p.kafka == nil {
		if p.kafka, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, name)); err != nil {
			return err
		}
		p.client, err = kgo.NewClient(kgo.SeedBrokers(p.kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		return err
	}
	return p.kafka.CreateTopic(name, partitions, nil)
}

// produce sends each line, key=value or value, as a record.
func (p *streamPlayer) produce(topic string, partition int32, lines []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), streamWait)
	defer cancel()
	for _, l := range lines {
		r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(l)}
		if k, v, ok := strings.Cut(l, "=> "); ok {
			r.Key, r.Value = []byte(strings.TrimSpace(k)), []byte(v)
		}
		if string(r.Value) == "(null)" {
			r.Value = nil
		}
		if err := p.client.ProduceSync(ctx, r).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

func (p *streamPlayer) start() {
	if p.server == nil {
		p.server = Start(p.t, p.options)
	}
}

func (p *streamPlayer) restart() error {
	p.start()
	for name, r := range p.running {
		r.stop()
		delete(p.running, name)
	}
	for name, c := range p.conns {
		_ = c.Close(context.Background())
		delete(p.conns, name)
	}
	p.server.Stop()
	p.server.Start()
	return nil
}

// ask runs sql; ${brokers} is where Kafka is.
func (p *streamPlayer) ask(sql string) ([]string, error) {
	p.start()
	ctx, cancel := context.WithTimeout(context.Background(), streamWait)
	defer cancel()
	c := p.conns["main"]
	if c == nil || c.IsClosed() {
		var err error
		if c, err = pgconn.Connect(ctx, p.server.DSN()); err != nil {
			return nil, err
		}
		p.conns["main"] = c
	}
	_, rows, _, err := simple(ctx, c, p.expand(sql))
	return rows, err
}

func (p *streamPlayer) expand(sql string) string {
	if p.kafka != nil {
		sql = strings.ReplaceAll(sql, "${brokers}", p.kafka.ListenAddrs()[0])
	}
	return sql
}

// eventually asks until the answer is the wanted one: what goes through Kafka
// takes its time.
func (p *streamPlayer) eventually(want []string, rewrite bool, ask func() ([]string, error)) ([]string, error) {
	end := time.Now().Add(streamWait)
	if rewrite {
		end = time.Now().Add(1500 * time.Millisecond)
	}
	for {
		got, err := ask()
		if err != nil {
			got = append(got, "error "+code(err))
			if code(err) == "" {
				return nil, err
			}
		}
		if slices.Equal(got, want) && !rewrite || time.Now().After(end) {
			return got, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

var numbers = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// job is a job's fields, of SHOW JOBS.
func (p *streamPlayer) job(name string, fields []string) ([]string, error) {
	p.start()
	ctx, cancel := context.WithTimeout(context.Background(), streamWait)
	defer cancel()
	c, err := pgconn.Connect(ctx, p.server.DSN())
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	columns, rows, _, err := simple(ctx, c, "SHOW JOBS")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		cells := strings.Split(r, separator)
		if cells[0] != name {
			continue
		}
		var out []string
		for _, f := range fields {
			for i, col := range columns {
				if col.Name == f {
					out = append(out, f+" "+numbers.ReplaceAllString(cells[i], "BROKER"))
				}
			}
		}
		return out, nil
	}
	return []string{"no such job"}, nil
}

// watch starts a continuous query on a connection of its own.
func (p *streamPlayer) watch(name, sql string) error {
	p.start()
	c, err := pgconn.Connect(context.Background(), p.server.DSN())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{conn: c, rows: make(chan string, 1000), cancel: cancel, done: make(chan struct{})}
	p.running[name] = r
	go func() {
		defer close(r.done)
		m := c.Exec(ctx, p.expand(sql))
		for m.NextResult() {
			rr := m.ResultReader()
			for rr.NextRow() {
				var cells []string
				for _, v := range rr.Values() {
					cells = append(cells, cell(v))
				}
				r.rows <- strings.Join(cells, separator)
			}
		}
		if err := m.Close(); err != nil {
			r.rows <- "error " + code(err)
			return
		}
		r.rows <- "end"
	}()
	return nil
}

// take returns the next n rows of a continuous query, and any that follow at
// once; fewer if they do not come.
func (p *streamPlayer) take(name string, n int) ([]string, error) {
	r := p.running[name]
	if r == nil {
		return nil, fmt.Errorf("nothing is watched as %s", name)
	}
	var out []string
	timer := time.NewTimer(streamWait)
	defer timer.Stop()
	for {
		select {
		case row := <-r.rows:
			out = append(out, row)
			if len(out) >= n {
				timer.Reset(50 * time.Millisecond)
			}
		case <-timer.C:
			return out, nil
		}
	}
}

// read returns the first n records of a topic, by partition and offset.
func (p *streamPlayer) read(topic string, n int) ([]string, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(p.kafka.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), streamWait)
	defer cancel()
	var out []string
	for len(out) < n && ctx.Err() == nil {
		c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			out = append(out, fmt.Sprintf("%s => %s", r.Key, r.Value))
		})
	}
	slices.Sort(out)
	return out, nil
}
