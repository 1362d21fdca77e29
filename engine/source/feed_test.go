package source_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"velostream/engine/connector"
	"velostream/engine/connector/kafka/kafkatest"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/pgwire/pgerror"
)

// script is a source of ids 0 to n-1 in one split, whose readers fail after
// every third record with what fails says, and refuse to open a few times.
type script struct {
	n, refuse int64
	fail      error
	opened    atomic.Int64
}

func (s *script) Splits(context.Context) ([]connector.Split, error) {
	return []connector.Split{{ID: "x", Place: "script"}}, nil
}

func (s *script) Open(_ context.Context, starts []connector.Start) (connector.Reader, error) {
	if n := s.opened.Add(1); n > 1 && n%4 < s.refuse {
		return nil, pgerror.New(pgerror.ConnectionFailure, "refused")
	}
	return &scriptReader{s: s, at: max(0, starts[0].Position)}, nil
}

type scriptReader struct {
	s     *script
	at, n int64
}

func (r *scriptReader) Read(_ context.Context, c *connector.Chunk) error {
	c.Reset()
	if r.at == r.s.n {
		return io.EOF
	}
	if r.n == 3 {
		return r.s.fail
	}
	c.Buf = append(c.Buf, row(int(r.at))...)
	c.Records = append(c.Records, connector.Record{Value: c.Buf, Position: r.at})
	r.at++
	r.n++
	c.Split, c.Next = connector.Split{ID: "x", Place: "script"}, r.at
	return nil
}

func (r *scriptReader) Close() error { return nil }

func TestRetry(t *testing.T) {
	o := options(t, &script{n: 50, refuse: 2, fail: pgerror.New(pgerror.ConnectionFailure, "gone")})
	o.Retry = source.Retry{Initial: time.Millisecond, Max: 2 * time.Millisecond}
	in := open(t, o, nil)
	for i, id := range ids(t, in, 50) {
		if id != int64(i) {
			t.Fatalf("%d at %d", id, i)
		}
	}
	if _, err := in.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	o = options(t, &script{n: 50, refuse: 100, fail: pgerror.New(pgerror.ConnectionFailure, "gone")})
	o.Retry = source.Retry{Initial: time.Millisecond, Attempts: 3}
	in = open(t, o, nil)
	ids(t, in, 3)
	if _, err := in.Next(t.Context()); pgerror.Code(err) != pgerror.ConnectionFailure || !strings.Contains(pgerror.From(err).Where, `"s"`) {
		t.Fatal(err)
	}
	o = options(t, &script{n: 50, fail: pgerror.New(pgerror.UndefinedObject, "no such topic")})
	in = open(t, o, nil)
	ids(t, in, 3)
	if _, err := in.Next(t.Context()); pgerror.Code(err) != pgerror.UndefinedObject {
		t.Fatal(err)
	}
}

func TestStateWhileDown(t *testing.T) {
	if kafkatest.Real() {
		t.Skip("the broker is everyone's")
	}
	c := cluster(t, 1)
	produce(t, client(t, c), 0, row(1))
	in := open(t, options(t, kafkaSource(t, c)), nil)
	ids(t, in, 1)
	if err := in.State(); err != nil {
		t.Fatal(err)
	}
	c.Fake().Close()
	for began := time.Now(); in.State() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatal("all seems well")
		}
	}
	if s := in.State(); pgerror.Code(s) != pgerror.ConnectionFailure {
		t.Fatal(s)
	}
}

func TestReady(t *testing.T) {
	c := cluster(t, 1)
	in := open(t, options(t, kafkaSource(t, c)), nil)
	drain := func() (n int) {
		for {
			ch, ok, err := in.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				return n
			}
			n += ch.Batch.N
		}
	}
	drain()
	produce(t, client(t, c), 0, row(1))
	for n := 0; n == 0; n = drain() {
		select {
		case <-in.Ready():
		case <-time.After(5 * time.Second):
			t.Fatal("not told")
		}
	}
	if in.Pending() {
		t.Fatal("pending")
	}
}

func TestParse(t *testing.T) {
	parse := func(kv ...string) (source.Settings, error) {
		var given []option.Given
		for i := 0; i < len(kv); i += 2 {
			given = append(given, option.Given{Name: kv[i], Value: kv[i+1]})
		}
		o, err := option.Parse(given, nil, source.Specs())
		if err != nil {
			return source.Settings{}, err
		}
		return source.Parse(o)
	}
	s, err := parse("watermark.max_out_of_orderness", "3s", "on_error", "SKIP", "event.time.field", "ts", "event.time.format", "epoch_millis", "retry.backoff.strategy", "fixed")
	if err != nil || s.Delay != 3*time.Second || !s.HasDelay || s.OnError != source.Skip || s.Retry.Multiplier != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	for _, bad := range [][]string{
		{"watermark.strategy", "ascending", "watermark.max_out_of_orderness", "1s"},
		{"event.time.format", "%Q"},
		{"retry.multiplier", "x"},
		{"on_error", "skip", "dead.letter.queue.enabled", "true"},
		{"dead.letter.queue.topic", "d"},
		{"watermark.idle_timeot", "1s"},
	} {
		if s, err := parse(bad...); err == nil {
			t.Errorf("%v: %+v", bad, s)
		} else if c := pgerror.Code(err); c != "22023" && c != "42704" {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
