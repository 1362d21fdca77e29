package log

import (
	"encoding/binary"
	"sort"
)

// Mark is an entry's number and time.
type Mark struct {
	Seq  uint64
	Time int64 // as Entry's
}

// Next returns the first entry with changes after seq; ok is false when there is none yet.
// REQUIRES: Options.Times, for what is not in memory.
func (l *Log) Next(seq uint64) (m Mark, ok bool, err error) {
	l.mu.Lock()
	floor := l.floor
	i := sort.Search(len(l.ring), func(i int) bool { return l.ring[i].Seq > seq })
	if i < len(l.ring) {
		m, ok = Mark{l.ring[i].Seq, l.ring[i].Time}, true
	}
	l.mu.Unlock()
	if seq >= floor {
		return m, ok, nil
	}
	lo, hi := entryKey(nil, l.o.Prefix, seq+1), entryKey(nil, l.o.Prefix, floor+1)
	for kv, err := range l.o.Store.Scan(lo, hi) {
		if err != nil {
			return m, false, err
		}
		k := kv.Key[len(l.o.Prefix):]
		if len(k) == 16 && binary.BigEndian.Uint64(k[8:]) == timeOf && len(kv.Value) == 8 {
			return Mark{binary.BigEndian.Uint64(k), int64(binary.BigEndian.Uint64(kv.Value))}, true, nil
		}
	}
	return m, ok, nil
}

// At returns the newest entry that is not after a time: the number up to which the log
// tells what was known then. It is not before what was deleted from the log.
// REQUIRES: Options.Times.
func (l *Log) At(time int64) (uint64, error) {
	l.mu.Lock()
	lo, hi := l.truncated, l.last
	l.mu.Unlock()
	for lo < hi { // what is up to lo is not after time, what is after hi is
		middle := lo + (hi-lo+1)/2
		m, ok, err := l.Next(middle - 1)
		switch {
		case err != nil:
			return 0, err
		case !ok || m.Time > time:
			hi = middle - 1
		default:
			lo = m.Seq
		}
	}
	return lo, nil
}

// Unread is how many bytes in memory the slowest reader has not read.
func (l *Log) Unread() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := l.last
	for r := range l.watch {
		least = min(least, r.pos)
	}
	n := 0
	for i := len(l.ring) - 1; i >= 0 && l.ring[i].Seq > least; i-- {
		n += l.sizes[i]
	}
	return n
}
