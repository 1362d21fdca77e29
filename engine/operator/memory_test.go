package operator

import "testing"

func TestBudgetShrinks(t *testing.T) {
	const limit = 1000 << 20
	for _, c := range []struct{ live, want int64 }{ // MB
		{0, 160}, {400, 160}, {550, 80}, {690, 10}, {700, 10}, {2000, 10},
	} {
		m := &Memory{limit: limit}
		m.parts.Store(partsOf(c.live<<20, limit))
		if got := (budget{160 << 20, m}).now() >> 20; got != c.want {
			t.Errorf("at %d MB of 1000 a budget of 160 MB is %d MB, want %d", c.live, got, c.want)
		}
	}
	m := &Memory{limit: limit}
	m.parts.Store(1)
	if got := (budget{2 << 20, m}).now(); got != budgetMin {
		t.Errorf("a small budget shrinks to %d", got)
	}
	if got := (budget{bytes: 5}).half().now(); got != 2 {
		t.Errorf("half of 5 is %d", got)
	}
}
