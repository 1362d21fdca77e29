package pgwire

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"velostream/pgwire/pgerror"
)

func TestLimiter(t *testing.T) {
	l := &limiter{free: 3}
	now := time.Unix(1000, 0)
	k := loginKey{address: "10.0.0.1", user: "alice"}
	fail := func(k loginKey) error { return l.settle(k, false, now) }
	for i := range 3 {
		if err := fail(k); err != nil {
			t.Fatalf("failure %d: %v", i, err)
		}
	}
	if err := l.check(k, now); err != nil {
		t.Fatalf("no pause is due yet: %v", err)
	}
	pause := time.Second
	for range 10 {
		if err := fail(k); err != nil {
			t.Fatal(err)
		}
		// Neither a wrong nor the right password is answered now.
		if err := l.check(k, now); pgerror.Code(err) != pgerror.InvalidAuthorization {
			t.Fatalf("a pause is due: %v", err)
		}
		if err := l.settle(k, true, now); err == nil {
			t.Fatal("the right password was answered within a pause")
		}
		// Others are not concerned.
		if err := l.check(loginKey{address: "10.0.0.1", user: "bob"}, now); err != nil {
			t.Fatal(err)
		}
		if err := l.check(loginKey{address: "10.0.0.2", user: "alice"}, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(pause)
		if err := l.check(k, now); err != nil {
			t.Fatalf("after %s: %v", pause, err)
		}
		pause = min(2*pause, limitPauseMax)
	}
	if err := l.settle(k, true, now); err != nil {
		t.Fatal(err)
	}
	if err := fail(k); err != nil {
		t.Fatal(err)
	}
	if err := l.check(k, now); err != nil {
		t.Fatalf("a success forgives: %v", err)
	}
}

func TestLimiterAddress(t *testing.T) {
	l := &limiter{free: 3}
	now := time.Unix(1000, 0)
	n := 0
	for ; n < 1000; n++ {
		if l.settle(loginKey{address: "10.0.0.1", user: fmt.Sprint("u", n)}, false, now) != nil {
			break
		}
	}
	if n != 3*limitAddress+1 {
		t.Errorf("an address was stopped after %d failures of different users", n)
	}
	if err := l.check(loginKey{address: "10.0.0.2", user: "u"}, now); err != nil {
		t.Error(err)
	}
	if err := l.check(loginKey{address: "10.0.0.1", user: "u"}, now.Add(limitForget+time.Second)); err != nil {
		t.Error(err)
	}
}

func TestLimiterBounded(t *testing.T) {
	l := &limiter{free: 3}
	now := time.Unix(1000, 0)
	for i := range 3 * limitEntriesMax {
		_ = l.settle(loginKey{address: strconv.Itoa(i), user: "x"}, false, now)
	}
	if len(l.entries) != limitEntriesMax || l.order.Len() != limitEntriesMax {
		t.Errorf("%d entries, %d in order", len(l.entries), l.order.Len())
	}
	off := &limiter{free: -1}
	for range 100 {
		if err := off.settle(loginKey{address: "a", user: "b"}, false, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(off.entries) != 0 {
		t.Error("what is off remembers")
	}
}
