package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"velostream/engine"
	"velostream/pgwire"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// child is what this program does as a process of its own: "serve DIR
// [PROFILE]" or "kafka TRADES". It prints its address and ends when standard
// input does.
func child(ctx context.Context, what string, w io.Writer) error {
	f := strings.Split(what, "|")
	switch f[0] {
	case "serve":
		return serve(f[1], f[2], w)
	case "kafka":
		n, err := strconv.Atoi(f[1])
		if err != nil {
			return err
		}
		return broker(ctx, n, w)
	}
	return fmt.Errorf("unknown child %q", what)
}

func waitForEnd() { _, _ = bufio.NewReader(os.Stdin).ReadByte() }

// serve is the server on a data directory.
func serve(dir, profile string, w io.Writer) (err error) {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	e, err := engine.Open(context.Background(), engine.Options{DataDir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	s, err := pgwire.New(pgwire.Options{Backend: e.Backend(), Authenticator: pgwire.Trust})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	fmt.Fprintln(w, ln.Addr())
	waitForEnd()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = s.Shutdown(ctx)
	<-done
	return err
}

// partitions of the topic of trades.
const partitions = 4

// broker is a Kafka broker whose topic trades has n of them.
func broker(ctx context.Context, n int, w io.Writer) error {
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "trades"), kfake.SeedTopics(1, "probes"))
	if err != nil {
		return err
	}
	defer k.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(100_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	failed := error(nil)
	for i := range n {
		cl.Produce(ctx, &kgo.Record{Topic: "trades", Partition: int32(i / 1024 % partitions), Value: appendTrade(nil, i)},
			func(_ *kgo.Record, err error) {
				if err != nil {
					failed = err
				}
			})
	}
	if err := errors.Join(cl.Flush(ctx), failed); err != nil {
		return err
	}
	cl.Close()
	fmt.Fprintln(w, k.ListenAddrs()[0])
	waitForEnd()
	return nil
}

// tradesBase is the time of the first trade.
var tradesBase = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// orders is how many order numbers there are: trade i has one of them, spread
// so that all come once before one comes again.
const (
	orders   = 1_000_000
	accounts = 5000
	symbols  = 100
)

// quantity of trade i.
func quantity(i int) int { return 1 + i*31%500 }

// appendTrade appends trade i as JSON, 150 to 170 bytes.
func appendTrade(dst []byte, i int) []byte {
	return fmt.Appendf(dst, `{"id":%d,"symbol":"SYM%03d","price":%d.%02d,"qty":%d,"side":"buy","ord":%d,"account":%d,"ts":"%s"}`,
		i, i*7%symbols, 100+i%50, i%100, quantity(i), i*7919%orders, i*13%accounts,
		tradesBase.Add(time.Duration(i)*100*time.Microsecond).Format("2006-01-02T15:04:05.000000Z"))
}

// startServer starts the server on a folder named name, new unless it is there.
func (b *bench) startServer(ctx context.Context, name string) (*process, error) {
	profile := ""
	if b.profile != "" {
		if err := os.MkdirAll(b.profile, 0o755); err != nil {
			return nil, err
		}
		profile = filepath.Join(b.profile, name+".prof")
	}
	return startChild(ctx, "serve|"+filepath.Join(b.tmp, name)+"|"+profile)
}

// startKafka starts a broker.
func (b *bench) startKafka(ctx context.Context) (*process, error) {
	return startChild(ctx, "kafka|"+strconv.Itoa(b.trades))
}

func (p *process) dsn() string {
	return "postgres://velo@" + p.addr + "/velostream?sslmode=disable"
}

// client is a connection on which statements are run in text.
type client struct{ *pgconn.PgConn }

func dial(ctx context.Context, dsn string) (client, error) {
	c, err := pgconn.Connect(ctx, dsn)
	return client{c}, err
}

// exec runs statements.
func (c client) exec(ctx context.Context, sql string, args ...any) error {
	sql = fmt.Sprintf(sql, args...)
	if err := c.Exec(ctx, sql).Close(); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// rows runs one query.
func (c client) rows(ctx context.Context, sql string) ([][][]byte, error) {
	list, err := c.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	return list[len(list)-1].Rows, nil
}

// number runs a query of one number.
func (c client) number(ctx context.Context, sql string) (int64, error) {
	rows, err := c.rows(ctx, sql)
	if err != nil || len(rows) != 1 {
		return 0, errors.Join(err, fmt.Errorf("%s: %d rows", sql, len(rows)))
	}
	return strconv.ParseInt(string(rows[0][0]), 10, 64)
}
