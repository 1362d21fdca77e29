package column

import (
	"math/rand/v2"
	"testing"

	"velostream/catalog/types"
)

func TestNet(t *testing.T) {
	ts := []types.Type{types.Int8, types.Text}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := NewNet(ts)
		for range 2 { // used again after Drain
			want := map[int64]int{}
			b := NewBuilder(ts, 0)
			for range r.IntN(200) {
				v, op := int64(r.IntN(5)), Op(r.IntN(2))
				b.Col(0).Append(types.IntDatum(v))
				b.Col(1).AppendNull()
				b.Row(op)
				want[v] += 1 - 2*int(op)
			}
			n.Add(b.Batch())
			inserts := false
			err := n.Drain(func(b *Batch) error {
				for i := range b.Each {
					if b.Op(i) == Insert {
						inserts = true
					} else if inserts {
						t.Error("a delete after an insert")
					}
					d := 1 - 2*int(b.Op(i))
					if v := b.Cols[0].Ints[i]; want[v]*d <= 0 {
						t.Errorf("%d is not net", v)
					}
					want[b.Cols[0].Ints[i]] -= d
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for v, d := range want {
				if d != 0 {
					t.Errorf("%d is off by %d", v, d)
				}
			}
		}
	}
}
