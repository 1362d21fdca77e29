package datagen

import (
	"math"
	"strconv"
	"time"
)

// Trades makes up trades of stocks as JSON, about 150 bytes each:
//
//	{"symbol":"AAPL","trade_id":1,"price":189.43,"quantity":250,"side":"BUY","venue":"XNAS","trader_id":"t-0042","event_time":"2025-01-31T12:34:56.789Z"}
//
// Prices walk at random around a level of their own per symbol, with a daily
// wave and jitter; few symbols have most of the trades. Event times run up to
// 3 s behind the record's time, and one trade in 500 is 5 to 60 s late.
type Trades struct {
	seed    uint64
	symbols []symbol
	share   []uint64 // cumulated, of 1<<32
}

type symbol struct {
	name  string
	key   []byte
	cents float64
}

var tickers = []string{
	"AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "AVGO", "JPM", "V", "UNH", "XOM", "MA", "PG", "COST", "HD", "NFLX", "KO", "PEP", "ORCL",
}

var venues = []string{"XNAS", "XNYS", "ARCX", "BATS", "IEXG"}

// NewTrades returns the generator of a seed with n symbols.
func NewTrades(seed int64, n int) *Trades {
	n = max(1, min(n, 100_000))
	t := &Trades{seed: uint64(seed)}
	var total float64
	for i := range n {
		total += 1 / math.Sqrt(float64(i+1))
	}
	var sum float64
	for i := range n {
		name := "S" + strconv.Itoa(i)
		if i < len(tickers) {
			name = tickers[i]
		}
		level := 2000 + mix(t.seed^uint64(i)*0x9e3779b97f4a7c15)%60000
		t.symbols = append(t.symbols, symbol{name: name, key: []byte(name), cents: float64(level)})
		sum += 1 / math.Sqrt(float64(i+1)) / total
		t.share = append(t.share, uint64(sum*(1<<32)))
	}
	return t
}

// mix is a finalizer that spreads its input's bits (SplitMix64's).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Append appends the n-th trade of a split to dst, at the nominal time at (µs
// since 1970), and returns it with its key, the symbol.
func (t *Trades) Append(dst []byte, split int, n, at int64) (value, key []byte) {
	value, key = t.append(dst, split, n, at)
	return value, key
}

func (t *Trades) append(dst []byte, split int, n, at int64) (value, key []byte) {
	r := mix(t.seed + mix(uint64(n)<<10|uint64(split)))
	pick := r & (1<<32 - 1)
	lo, hi := 0, len(t.share)-1
	for lo < hi {
		if mid := (lo + hi) / 2; t.share[mid] > pick {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	s := &t.symbols[lo]
	r2 := mix(r)
	event := at - int64(r2%3_000_000)
	if r2>>32%500 == 0 {
		event = at - 5_000_000 - int64(r2%55_000_000)
	}
	// A sum of waves of unlike periods stands in for a walk: it can be had at
	// any position without the ones before.
	sec, phase := float64(event)/1e6, float64(lo)
	wave := 0.03*math.Sin(sec/2311+phase) + 0.011*math.Sin(sec/173+2*phase) + 0.004*math.Sin(sec/19+3*phase) + 0.001*math.Sin(sec/2.3+5*phase)
	cents := int64(s.cents * (1 + wave))
	cents += int64(r2>>40%9) - 4
	dst = append(dst, `{"symbol":"`...)
	dst = append(dst, s.name...)
	dst = append(dst, `","trade_id":`...)
	dst = strconv.AppendInt(dst, n*1024+int64(split), 10)
	dst = append(dst, `,"price":`...)
	dst = strconv.AppendInt(dst, cents/100, 10)
	dst = append(dst, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	dst = append(dst, `,"quantity":`...)
	dst = strconv.AppendUint(dst, 1+r>>33%100*10, 10)
	side := `,"side":"BUY","venue":"`
	if r2>>20&1 == 1 {
		side = `,"side":"SELL","venue":"`
	}
	dst = append(dst, side...)
	dst = append(dst, venues[r2>>24%uint64(len(venues))]...)
	dst = append(dst, `","trader_id":"t-`...)
	trader := r >> 50 % 1000
	dst = append(dst, byte('0'+trader/1000), byte('0'+trader/100%10), byte('0'+trader/10%10), byte('0'+trader%10))
	dst = append(dst, `","event_time":"`...)
	dst = time.UnixMicro(event).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `"}`...)
	return dst, s.key
}
