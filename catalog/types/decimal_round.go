package types

import "math/big"

// roundBig divides by 10^n, half away from zero. It may change b.
func roundBig(b *big.Int, n int) *big.Int {
	if n <= 0 {
		return b
	}
	p := bigPow10(n)
	q, r := new(big.Int).QuoRem(b, p, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(p) >= 0 {
		if b.Sign() < 0 {
			return q.Sub(q, bigOne)
		}
		return q.Add(q, bigOne)
	}
	return q
}
