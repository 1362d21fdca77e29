package types

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDecimalWord compares the short forms with the operations they stand for.
func TestDecimalWord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	edges := []int64{0, 1, -1, math.MaxInt64, -math.MaxInt64, 1 << 32, -1 << 32, 3037000499, -3037000500}
	big, err := ParseDecimal("123456789012345678901234567890.5")
	if err != nil {
		t.Fatal(err)
	}
	some := func() Decimal {
		switch r.IntN(8) {
		case 0:
			return []Decimal{DecimalNaN, DecimalInf, DecimalNegInf, big}[r.IntN(4)]
		case 1, 2:
			return Decimal{coef: edges[r.IntN(len(edges))], scale: r.Int32N(3)}
		}
		return Decimal{coef: r.Int64() >> r.IntN(63), scale: r.Int32N(3)}
	}
	used := 0
	for range 20000 {
		a, b := some(), some()
		if a.form == finite && r.IntN(4) == 0 {
			a.coef = -a.coef
		}
		if c, ok := a.CmpWord(&b); ok && c != a.Cmp(b) {
			t.Fatalf("%v CmpWord %v: %d", a, b, c)
		}
		for name, op := range map[string]struct {
			word func(d, o, to *Decimal) bool
			full func(d, o Decimal) (Decimal, error)
		}{
			"+": {(*Decimal).AddWord, Decimal.Add}, "-": {(*Decimal).SubWord, Decimal.Sub}, "*": {(*Decimal).MulWord, Decimal.Mul},
		} {
			got := some()
			if !op.word(&a, &b, &got) {
				continue
			}
			used++
			want, err := op.full(a, b)
			if err != nil || got != want {
				t.Fatalf("%v %s %v = %v, want %v, %v", a, name, b, got, want, err)
			}
		}
		scale := r.Int32N(30)
		if c, exact, ok := a.FloorWord(scale); ok {
			floor, above := NewDecimal(c, scale), NewDecimal(c+1, scale)
			if exact != (floor.Cmp(a) == 0) || floor.Cmp(a) > 0 || c < math.MaxInt64 && above.Cmp(a) <= 0 {
				t.Fatalf("%v FloorWord(%d): %d, %v", a, scale, c, exact)
			}
		}
	}
	if used < 10000 {
		t.Errorf("only %d were words", used)
	}
}
