// Package kafkatest gives tests a Kafka broker: one in this process (kfake) by
// default, the one at $VELOSTREAM_TEST_KAFKA (host:port) when that is set.
//
// A real broker is shared by all tests of a run and outlives them, so topics
// get names of their own there: always use what Topic returns.
package kafkatest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Env names the variable that holds the address of a real broker.
const Env = "VELOSTREAM_TEST_KAFKA"

// patience bounds each call to the broker.
const patience = 30 * time.Second

// Broker is a broker that a test may use until it ends.
type Broker struct {
	Addr string // host:port

	t      testing.TB
	suffix string         // of topics, "" where the broker is the test's own
	fake   *kfake.Cluster // nil: a real one
}

// Real reports whether tests run against a real broker.
func Real() bool { return os.Getenv(Env) != "" }

// Start returns a broker that is closed, or whose topics are left, at the end
// of the test.
func Start(t testing.TB) *Broker {
	t.Helper()
	if addr := os.Getenv(Env); addr != "" {
		return &Broker{Addr: addr, t: t, suffix: fmt.Sprintf("-%x", time.Now().UnixNano())}
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatalf("kfake: %v", err)
	}
	t.Cleanup(c.Close)
	return &Broker{Addr: c.ListenAddrs()[0], t: t, fake: c}
}

// Fake is the broker in this process, for faults; nil: it is a real one.
func (b *Broker) Fake() *kfake.Cluster { return b.fake }

// Topic is what the test's topic name is called on the broker.
func (b *Broker) Topic(name string) string { return name + b.suffix }

// Create makes a topic and returns its name on the broker.
func (b *Broker) Create(name string, partitions int32) string {
	b.t.Helper()
	b.admin(func(ctx context.Context, adm *kadm.Client) error {
		r, err := adm.CreateTopic(ctx, partitions, 1, nil, b.Topic(name))
		if err != nil {
			return err
		}
		return r.Err
	})
	return b.Topic(name)
}

// Grow adds partitions to a topic until it has n.
func (b *Broker) Grow(name string, n int) {
	b.t.Helper()
	b.admin(func(ctx context.Context, adm *kadm.Client) error {
		r, err := adm.UpdatePartitions(ctx, n, b.Topic(name))
		if err != nil {
			return err
		}
		return r.Error()
	})
}

func (b *Broker) admin(f func(context.Context, *kadm.Client) error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.DisableClientMetrics())
	if err == nil {
		defer cl.Close()
		err = f(ctx, kadm.NewClient(cl))
	}
	if err != nil {
		b.t.Fatalf("kafka: %v", err)
	}
}

// Client is a client of the broker, closed with the test.
func (b *Broker) Client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addr), kgo.DisableClientMetrics()}, opts...)...)
	if err != nil {
		b.t.Fatalf("kafka: %v", err)
	}
	b.t.Cleanup(cl.Close)
	return cl
}

// Committed returns the records of a topic that a read_committed consumer
// gets, up to the end that every partition has now. It waits for transactions
// that are open.
func (b *Broker) Committed(name string) []*kgo.Record {
	b.t.Helper()
	topic := b.Topic(name)
	var ends, starts kadm.ListedOffsets
	b.admin(func(ctx context.Context, adm *kadm.Client) (err error) {
		if ends, err = adm.ListEndOffsets(ctx, topic); err != nil {
			return err
		}
		starts, err = adm.ListStartOffsets(ctx, topic)
		return err
	})
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if s, _ := starts.Lookup(topic, o.Partition); o.Err == nil && o.Offset > s.Offset {
			left[o.Partition] = o.Offset
		}
	})
	if len(left) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.DisableClientMetrics(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		b.t.Fatalf("kafka: %v", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out []*kgo.Record
	for len(left) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err0(); err != nil {
			b.t.Fatalf("kafka: reading %s up to %v: %v", topic, left, err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
			if end, ok := left[r.Partition]; ok && r.Offset >= end-1 {
				delete(left, r.Partition)
			}
		})
	}
	return out
}

// Missing reports whether the topic is not there.
func (b *Broker) Missing(name string) (missing bool) {
	b.t.Helper()
	b.admin(func(ctx context.Context, adm *kadm.Client) error {
		d, err := adm.ListTopics(ctx, b.Topic(name))
		missing = err == nil && !d.Has(b.Topic(name))
		return err
	})
	return missing
}

// Addrs splits the address as client options want it.
func (b *Broker) Addrs() []string { return strings.Split(b.Addr, ",") }
