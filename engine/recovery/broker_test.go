package recovery

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"velostream/engine/connector/kafka/kafkatest"
)

// TestBrokerRestart restarts the broker while records come in and go out, and
// then kills the server as well. It needs a broker that keeps its data.
func TestBrokerRestart(t *testing.T) {
	ctl := os.Getenv("VELOSTREAM_TEST_KAFKA_CTL")
	if !kafkatest.Real() || ctl == "" {
		t.Skip("only with a real broker (make test-kafka)")
	}
	s := seed(t)
	k := newTrades(t, s)
	p := newProcess(t, "--shards", "2", "--checkpoint-interval", "100ms")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	p.start()
	c := p.mustConnect(ctx)
	for _, sql := range k.statements() {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	r := rand.New(rand.NewPCG(s, 3))
	for round := range 3 {
		run, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.produce(run, t)
		}()
		sleep(r, time.Second)
		if out, err := exec.CommandContext(ctx, ctl, "restart").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		sleep(r, time.Second)
		if round == 1 {
			_ = c.Close(ctx)
			p.kill()
			p.start()
			c = p.mustConnect(ctx)
		}
		stop()
		<-done
		k.check(ctx, t, c)
		running(ctx, t, c, tradeJobs)
	}
	_ = c.Close(ctx)
	p.terminate()
}
