package source

import (
	"math"
	"time"

	"velostream/storage/column"
)

// NoWatermark is before all time: nothing is known yet.
const NoWatermark int64 = math.MinInt64

// Watermark says how event time moves: in each split it is the greatest time
// seen less Delay, for the input the minimum over its splits.
type Watermark struct {
	// Column is the position in the batches of the time: timestamp,
	// timestamptz, or date (taken as days).
	Column int
	// Eval, when set, computes the time column from a batch instead.
	Eval func(*column.Batch) (*column.Column, error)
	// Delay is how late rows may be, in the column's unit (µs).
	Delay int64
	// IdleTimeout is after how long without records a split is no longer
	// waited for; 0: it always is.
	IdleTimeout time.Duration
}

type watermarks struct {
	spec *Watermark
	at   int64
	set  bool
}

// observe takes the times of the batch just decoded from s.
func (w *watermarks) observe(in *Input, s *splitState) error {
	if w.spec == nil || in.batch.N == 0 {
		return nil
	}
	var col *column.Column
	if w.spec.Eval != nil {
		var err error
		if col, err = w.spec.Eval(&in.batch); err != nil {
			return err
		}
	} else {
		col = in.batch.Cols[w.spec.Column]
	}
	n := in.batch.N
	if col.Const {
		n = 1
	}
	top, some := s.max, s.seen
	if !col.Nulls.Any() {
		for _, v := range col.Ints[:n] {
			if v > top || !some {
				top, some = v, true
			}
		}
	} else {
		for i, v := range col.Ints[:n] {
			if !col.Nulls.Get(i) && (v > top || !some) {
				top, some = v, true
			}
		}
	}
	s.max, s.seen = top, some
	return nil
}

// Watermark returns the input's watermark in the time column's terms
// (NoWatermark: none yet), and whether the input is idle: then it does not
// hold back others. It is the least of the splits that are not idle, of all
// idle ones the greatest; it never goes back.
func (in *Input) Watermark(now time.Time) (at int64, idle bool) {
	w := &in.clock
	if !w.set {
		w.at, w.set = NoWatermark, true
	}
	if w.spec == nil {
		return w.at, false
	}
	low, active := int64(math.MaxInt64), 0
	for _, s := range in.order {
		if in.idle(s, now) {
			continue
		}
		active++
		if !s.seen {
			low = NoWatermark
		} else {
			low = min(low, lessDelay(s.max, w.spec.Delay))
		}
	}
	if active == 0 {
		// None is waited for, so the greatest holds, as between inputs. Were it
		// the last that was left, it would depend on when somebody looked.
		for _, s := range in.order {
			if s.seen {
				w.at = max(w.at, lessDelay(s.max, w.spec.Delay))
			}
		}
		return w.at, len(in.order) > 0
	}
	w.at = max(w.at, low)
	return w.at, false
}

func lessDelay(t, delay int64) int64 {
	if t < math.MinInt64+1+delay {
		return math.MinInt64 + 1
	}
	return t - delay
}

// idle reports that s is not waited for. A split that is known to hold records
// which were not handed out is slow, not idle.
func (in *Input) idle(s *splitState, now time.Time) bool {
	d := in.clock.spec.IdleTimeout
	return d > 0 && now.Sub(s.lastAlive) >= d && s.position >= s.end
}

// NextIdle returns when the next split becomes idle if nothing comes, the zero
// time if none does: then the watermark may move without a record.
func (in *Input) NextIdle(now time.Time) time.Time {
	var next time.Time
	if in.clock.spec == nil || in.clock.spec.IdleTimeout <= 0 {
		return next
	}
	for _, s := range in.order {
		if in.idle(s, now) {
			continue
		}
		if t := s.lastAlive.Add(in.clock.spec.IdleTimeout); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}
