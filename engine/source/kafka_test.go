package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/connector/kafka"
	"velostream/engine/connector/kafka/kafkatest"
	"velostream/engine/format"
	"velostream/engine/format/json"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/pgwire/pgerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster returns a broker with topic "t" of so many partitions.
func cluster(t testing.TB, partitions int32) *kafkatest.Broker {
	t.Helper()
	b := kafkatest.Start(t)
	b.Create("t", partitions)
	return b
}

func client(t testing.TB, c *kafkatest.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.Addr), kgo.DefaultProduceTopic(c.Topic("t")), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics(),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func produce(t testing.TB, cl *kgo.Client, partition int32, values ...string) {
	t.Helper()
	var rs []*kgo.Record
	for _, v := range values {
		r := &kgo.Record{Partition: partition}
		key, value, ok := strings.Cut(v, "=")
		if ok {
			r.Key = []byte(key)
		} else {
			value = v
		}
		if value != "" {
			r.Value = []byte(value)
		}
		rs = append(rs, r)
	}
	if err := cl.ProduceSync(context.Background(), rs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func kafkaSource(t testing.TB, c *kafkatest.Broker, extra ...string) connector.Source {
	t.Helper()
	given := []option.Given{{Name: "brokers", Value: c.Addr}, {Name: "topic", Value: c.Topic("t")}, {Name: "connect.timeout", Value: "2s"}}
	for i := 0; i+1 < len(extra); i += 2 {
		given = append(given, option.Given{Name: extra[i], Value: extra[i+1]})
	}
	k := kafka.Connector()
	o, err := option.Parse(given, nil, k.SourceOptions)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var fields = []format.Field{{Name: "id", Type: types.Int8}, {Name: "ts", Type: types.Timestamptz}}

func options(t testing.TB, src connector.Source) source.Options {
	d, err := json.New(fields, json.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return source.Options{Name: "s", Connector: src, Decoder: d, Fields: fields, Discover: -1}
}

func open(t testing.TB, o source.Options, positions map[string]int64) *source.Input {
	t.Helper()
	in, err := source.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(t.Context(), positions); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// ids reads until n rows came and returns their first column.
func ids(t testing.TB, in *source.Input, n int) (out []int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for len(out) < n {
		c, err := in.Next(ctx)
		if err != nil {
			t.Fatalf("%v after %v", err, out)
		}
		out = append(out, c.Batch.Cols[0].Ints...)
	}
	if len(out) != n {
		t.Fatalf("%d rows, want %d", len(out), n)
	}
	return out
}

func row(id int) string { return fmt.Sprintf(`{"id":%d,"ts":%d}`, id, 946684800000+id) }

func TestResume(t *testing.T) {
	c := cluster(t, 2)
	cl := client(t, c)
	for i := range 10 {
		produce(t, cl, int32(i%2), row(i))
	}
	o := options(t, kafkaSource(t, c))
	o.MaxRows = 3
	o.RowID = true
	o.System = []source.System{source.Partition, source.Offset, source.Topic, source.Headers, source.KeyText, source.Timestamp}
	in := open(t, o, nil)
	seen := map[int64]bool{}
	rows := 0
	for rows < 4 {
		ch, err := in.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows += ch.Batch.N
		for i := range ch.Batch.N {
			id := ch.Batch.Cols[0].Ints[i]
			if seen[id] {
				t.Fatalf("%d twice", id)
			}
			seen[id] = true
			if p := ch.Batch.Cols[2].Ints[i]; p != id%2 || ch.Batch.Cols[8].Ints[i] != p {
				t.Fatalf("partition %d of %d", p, id)
			}
			if off := ch.Batch.Cols[3].Ints[i]; off != id/2 || ch.Batch.Cols[9].Ints[i] != off {
				t.Fatalf("offset %d of %d", off, id)
			}
			if string(ch.Batch.Cols[4].Bytes(i)) != c.Topic("t") || string(ch.Batch.Cols[5].Bytes(i)) != "{}" || !ch.Batch.Cols[6].Null(i) || ch.Batch.Cols[7].Null(i) {
				t.Fatal("system columns")
			}
		}
	}
	positions := in.Positions()
	o2 := options(t, kafkaSource(t, c))
	in2 := open(t, o2, positions)
	for _, id := range ids(t, in2, 10-rows) {
		if seen[id] {
			t.Fatalf("%d twice", id)
		}
	}
	produce(t, cl, 1, row(77))
	if got := ids(t, in2, 1); got[0] != 77 {
		t.Fatal(got)
	}
	if _, ok, err := in2.TryNext(); ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestLatestIsFixedAtOpen(t *testing.T) {
	c := cluster(t, 1)
	cl := client(t, c)
	produce(t, cl, 0, row(1))
	in := open(t, options(t, kafkaSource(t, c, "scan.startup.mode", "latest")), nil)
	positions := in.Positions()
	if positions["0"] != 1 {
		t.Fatal(positions)
	}
	produce(t, cl, 0, row(2))
	in2 := open(t, options(t, kafkaSource(t, c, "scan.startup.mode", "latest")), positions)
	if got := ids(t, in2, 1); got[0] != 2 {
		t.Fatal(got)
	}
}

func TestBoundedWithTransactions(t *testing.T) {
	c := cluster(t, 2)
	plain := client(t, c)
	produce(t, plain, 0, row(1))
	txn := client(t, c, kgo.TransactionalID(c.Topic("x")))
	for i, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := txn.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, txn, 0, row(10+i))
		if err := txn.EndTransaction(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	in := open(t, options(t, kafkaSource(t, c).(connector.Bounded).Bound()), nil)
	produce(t, plain, 0, row(99))
	var got []int64
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		ch, err := in.Next(ctx)
		cancel()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err, got)
		}
		got = append(got, ch.Batch.Cols[0].Ints...)
	}
	if fmt.Sprint(got) != "[1 10]" {
		t.Fatal(got)
	}
}

func TestPoison(t *testing.T) {
	c := cluster(t, 1)
	produce(t, client(t, c), 0, row(1), `{"id":"x"}`, row(3))
	in := open(t, options(t, kafkaSource(t, c)), nil)
	if got := ids(t, in, 1); got[0] != 1 {
		t.Fatal(got)
	}
	_, err := in.Next(t.Context())
	e := pgerror.From(err)
	if e == nil || e.Code != "22P02" || !strings.Contains(e.Where, "partition 0, offset 1") {
		t.Fatalf("%v %+v", err, e)
	}
	if p := in.Positions(); p["0"] != 1 {
		t.Fatal(p)
	}
	o := options(t, kafkaSource(t, c))
	o.OnError = source.SendElsewhere
	var dead []string
	o.DeadLetter = func(d source.DeadLetter) error {
		dead = append(dead, fmt.Sprintf("%s %d %s", d.Record.Value, d.Record.Position, pgerror.Code(d.Err)))
		return nil
	}
	in = open(t, o, nil)
	if got := ids(t, in, 2); got[1] != 3 {
		t.Fatal(got)
	}
	if fmt.Sprint(dead) != `[{"id":"x"} 1 22P02]` || in.Stats().Poisoned != 1 {
		t.Fatal(dead)
	}
}

func TestUpsert(t *testing.T) {
	c := cluster(t, 1)
	produce(t, client(t, c), 0, "1="+row(1), "1=", "2="+row(2))
	o := options(t, kafkaSource(t, c))
	keyFields := []format.Field{{Name: "id", Type: types.Int8}}
	kd, _ := json.New([]format.Field{{Name: "id", Type: types.Int8, Whole: true}}, json.Options{})
	o.Upsert, o.Key = true, &source.Key{Decoder: kd, Fields: keyFields, Into: []int{0}}
	in := open(t, o, nil)
	var got []string
	for len(got) < 3 {
		ch, err := in.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range ch.Batch.N {
			got = append(got, fmt.Sprint(ch.Batch.Op(i), ch.Batch.Cols[0].Ints[i], ch.Batch.Cols[1].Null(i)))
		}
	}
	if fmt.Sprint(got) != "[0 1 false 1 1 true 0 2 false]" {
		t.Fatal(got)
	}
}

func TestNewPartitions(t *testing.T) {
	c := cluster(t, 1)
	cl := client(t, c)
	produce(t, cl, 0, row(1))
	o := options(t, kafkaSource(t, c, "scan.startup.mode", "latest"))
	o.Discover = 50 * time.Millisecond
	in := open(t, o, nil)
	c.Grow("t", 2)
	cl2 := client(t, c)
	produce(t, cl2, 1, row(5))
	if got := ids(t, in, 1); got[0] != 5 {
		t.Fatal(got)
	}
}

func TestTopicDeleted(t *testing.T) {
	c := cluster(t, 1)
	cl := client(t, c)
	produce(t, cl, 0, row(1))
	o := options(t, kafkaSource(t, c))
	o.Discover = 30 * time.Millisecond
	in := open(t, o, nil)
	ids(t, in, 1)
	if _, err := kadm.NewClient(cl).DeleteTopics(t.Context(), c.Topic("t")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, err := in.Next(ctx); err != nil {
			if pgerror.Code(err) != pgerror.UndefinedObject {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestNoSplitsAtFirst(t *testing.T) {
	c := cluster(t, 1)
	o := options(t, kafkaSource(t, c))
	o.Discover = 50 * time.Millisecond
	o.Owns = func(s connector.Split) bool { return s.Partition == 1 }
	in := open(t, o, nil)
	c.Grow("t", 2)
	produce(t, client(t, c), 1, row(5))
	if got := ids(t, in, 1); got[0] != 5 {
		t.Fatal(got)
	}
}

func TestWatermark(t *testing.T) {
	c := cluster(t, 2)
	cl := client(t, c)
	o := options(t, kafkaSource(t, c))
	now := time.Now()
	o.Now = func() time.Time { return now }
	o.Watermark = &source.Watermark{Column: 1, Delay: 1000, IdleTimeout: time.Minute}
	in := open(t, o, nil)
	produce(t, cl, 0, row(10), row(20), row(15), `{"id":1}`)
	ids(t, in, 4)
	if w, _ := in.Watermark(now); w != source.NoWatermark {
		t.Fatal("partition 1 is waited for", w)
	}
	if next := in.NextIdle(now); !next.Equal(now.Add(time.Minute)) {
		t.Fatal(next)
	}
	later := now.Add(time.Minute)
	now = later
	produce(t, cl, 0, row(21))
	ids(t, in, 1)
	if w, idle := in.Watermark(now); w != 21_000-1000 || idle {
		t.Fatal(w, idle)
	}
	produce(t, cl, 1, row(5))
	ids(t, in, 1)
	if w, _ := in.Watermark(now); w != 20_000 {
		t.Fatal("it went back", w)
	}
	if _, idle := in.Watermark(now.Add(time.Hour)); !idle {
		t.Fatal("not idle")
	}
}

// Splits that become idle between two looks at the watermark free it all the
// same: the one with records does not take it along.
func TestWatermarkAllIdle(t *testing.T) {
	c := cluster(t, 3)
	cl := client(t, c)
	o := options(t, kafkaSource(t, c))
	now := time.Now()
	o.Now = func() time.Time { return now }
	o.Watermark = &source.Watermark{Column: 1, Delay: 1000, IdleTimeout: time.Minute}
	in := open(t, o, nil)
	produce(t, cl, 0, row(10))
	produce(t, cl, 1, row(5))
	ids(t, in, 2)
	if w, _ := in.Watermark(now); w != source.NoWatermark {
		t.Fatal("partition 2 is waited for", w)
	}
	if w, idle := in.Watermark(now.Add(time.Minute)); w != 9000 || !idle {
		t.Fatal(w, idle)
	}
}

func TestErrors(t *testing.T) {
	c := cluster(t, 1)
	locked, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, c.Topic("t")), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer locked.Close()
	for _, x := range []struct {
		options []string
		code    string
	}{
		{[]string{"topic.name", "nope"}, "42704"},
		{[]string{"brokers", "127.0.0.1:1", "connect.timeout", "300ms"}, "08006"},
		{[]string{"brokers", locked.ListenAddrs()[0], "security.protocol", "sasl_plaintext", "sasl.username", "admin", "sasl.password", "p"}, "08006"},
		{[]string{"brokers", locked.ListenAddrs()[0], "security.protocol", "sasl_plaintext", "sasl.username", "admin", "sasl.password", "secret"}, ""},
		{[]string{"brokers", locked.ListenAddrs()[0], "connect.timeout", "500ms"}, "08006"},
	} {
		given := []option.Given{}
		has := func(n string) bool {
			for i := 0; i < len(x.options); i += 2 {
				if strings.HasPrefix(x.options[i], n) {
					return true
				}
			}
			return false
		}
		if !has("brokers") {
			given = append(given, option.Given{Name: "brokers", Value: c.Addr})
		}
		if !has("topic") {
			given = append(given, option.Given{Name: "topic", Value: c.Topic("t")})
		}
		for i := 0; i < len(x.options); i += 2 {
			given = append(given, option.Given{Name: x.options[i], Value: x.options[i+1]})
		}
		k := kafka.Connector()
		o, err := option.Parse(given, nil, k.SourceOptions)
		if err != nil {
			t.Fatal(err)
		}
		s, err := k.NewSource(o)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = s.(connector.Checker).Check(t.Context())
		if pgerror.Code(err) != x.code || time.Since(start) > 4*time.Second {
			t.Errorf("%v: %v after %v", x.options, err, time.Since(start))
		}
		t.Log(err)
	}
	in, _ := source.New(options(t, kafkaSource(t, c)))
	err = in.Open(t.Context(), map[string]int64{"0": 5000})
	if err == nil {
		_, err = in.Next(t.Context())
		in.Close()
	}
	if pgerror.Code(err) != "55000" {
		t.Error(err)
	}
}
