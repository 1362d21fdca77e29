package kafka

import (
	"fmt"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"velostream/engine/connector"
	"velostream/engine/connector/connectortest"
	"velostream/engine/connector/kafka/kafkatest"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testSink(t *testing.T, c *kafkatest.Broker, extra ...string) connector.Sink {
	t.Helper()
	given := []option.Given{{Name: "brokers", Value: c.Addr}, {Name: "topic", Value: c.Topic("out")}, {Name: "partitions", Value: "2"}, {Name: "replication.factor", Value: "1"}}
	for i := 0; i < len(extra); i += 2 {
		given = append(given, option.Given{Name: extra[i], Value: extra[i+1]})
	}
	k := Connector()
	o, err := option.Parse(given, nil, k.SinkOptions)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.NewSink(o, c.Topic("job1"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, s connector.Sink) connector.Writer {
	t.Helper()
	w, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func rec(v string) []connector.Record {
	return []connector.Record{{Key: []byte("k"), Value: []byte(v), Headers: []connector.Header{{Key: "h", Value: []byte("1")}}}}
}

func readAll(t *testing.T, c *kafkatest.Broker) string {
	t.Helper()
	var out []string
	for _, r := range c.Committed("out") {
		out = append(out, string(r.Value))
	}
	return fmt.Sprint(out)
}

func TestExactlyOnce(t *testing.T) {
	c := kafkatest.Start(t)
	s := testSink(t, c)
	w := open(t, s)
	position := func(w connector.Writer) string {
		p, ok, err := w.(connector.Positioner).Position(t.Context())
		return fmt.Sprint(p, ok, err)
	}
	if p := position(w); p != "0 false <nil>" {
		t.Fatal(p)
	}
	for i := range 2 {
		if err := w.Write(t.Context(), rec(fmt.Sprint("a", i))); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(t.Context(), uint64(10+i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(t.Context(), 12); err != nil { // nothing written
		t.Fatal(err)
	}
	// Left open by a writer that hangs, then fenced by the next one.
	if err := w.Write(t.Context(), rec("lost")); err != nil {
		t.Fatal(err)
	}
	if err := w.(*txnWriter).cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w2 := open(t, s)
	if p := position(w2); p != "11 true <nil>" {
		t.Fatal(p)
	}
	if err := w2.Write(t.Context(), rec("b")); err != nil {
		t.Fatal(err)
	}
	if err := w2.Commit(t.Context(), 12); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), 13); pgerror.Code(err) != pgerror.ObjectInUse {
		t.Errorf("zombie: %v", err)
	}
	if p := position(w2); p != "12 true <nil>" {
		t.Error(p)
	}
	// Closed without commit: gone at once.
	if err := w2.Write(t.Context(), rec("gone")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	w2.Close()
	if got := readAll(t, c); got != "[a0 a1 b]" {
		t.Error(got)
	}
}

func TestAtLeastOnce(t *testing.T) {
	c := kafkatest.Start(t)
	w := open(t, testSink(t, c, "delivery", "at_least_once", "acks", "1", "compression", "zstd"))
	if err := w.Write(t.Context(), rec("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.(connector.Positioner); ok {
		t.Error("no positions at least once")
	}
	w.Close()
	if got := readAll(t, c); got != "[x]" {
		t.Error(got)
	}
}

func TestConformance(t *testing.T) {
	c := kafkatest.Start(t)
	w := open(t, testSink(t, c))
	for i := range 3000 {
		if err := w.Write(t.Context(), []connector.Record{{Key: []byte(strconv.Itoa(i)), Value: []byte("v")}}); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 999 {
			if err := w.Commit(t.Context(), uint64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Close()
	k := Connector()
	o, err := option.Parse([]option.Given{{Name: "brokers", Value: c.Addr}, {Name: "topic", Value: c.Topic("out")}}, nil, k.SourceOptions)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	connectortest.Bounded(t, s.(connector.Bounded).Bound())
}
