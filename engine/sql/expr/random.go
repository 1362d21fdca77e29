package expr

import (
	crand "crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	"sync"

	"velostream/pgwire/pgerror"
)

// Random is the generator behind random(), one for each session: xoroshiro128**,
// as in PostgreSQL 15, so that setseed gives the same numbers. The zero value
// seeds itself at first use. It is safe for concurrent use.
type Random struct {
	mu     sync.Mutex
	seeded bool
	s0, s1 uint64
}

// Seed starts the sequence that belongs to seed, from -1 to 1.
func (r *Random) Seed(seed float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := uint64(int64(float64(uint64(1)<<52-1) * seed))
	mix := func() uint64 { // splitmix64
		x += 0x9E3779B97F4A7C15
		v := (x ^ x>>30) * 0xBF58476D1CE4E5B9
		v = (v ^ v>>27) * 0x94D049BB133111EB
		return v ^ v>>31
	}
	r.s0, r.s1, r.seeded = mix(), mix(), true
}

// Float64 is the next number in [0, 1).
func (r *Random) Float64() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seeded {
		var b [16]byte
		_, _ = crand.Read(b[:]) // never fails
		r.s0, r.s1, r.seeded = binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])|1, true
	}
	s0, sx := r.s0, r.s1^r.s0
	v := bits.RotateLeft64(s0*5, 7) * 9
	r.s0 = bits.RotateLeft64(s0, 24) ^ sx ^ sx<<16
	r.s1 = bits.RotateLeft64(sx, 37)
	return math.Ldexp(float64(v>>12), -52)
}

func random(c *CallContext, _ []datum) (datum, error) {
	if c.Env == nil || c.Env.Random == nil {
		return float(new(Random).Float64())
	}
	return float(c.Env.Random.Float64())
}

func setSeed(c *CallContext, a []datum) (datum, error) {
	if s := a[0].F; math.IsNaN(s) || s < -1 || s > 1 {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "setseed parameter %g is out of allowed range [-1,1]", s))
	}
	if c.Env != nil && c.Env.Random != nil {
		c.Env.Random.Seed(a[0].F)
	}
	return str("")
}
