package log

import (
	"encoding/binary"

	"velostream/storage/state"
)

// Backlog is what a log holds after an entry.
type Backlog struct {
	Rows  int64 // of the relations asked for
	Bytes int64 // of all
}

// backlogMax is how many stored changes Backlog counts one by one.
const backlogMax = 20_000

// Counted remembers what Backlog counted of the stored entries, which do not change: while
// after is the same, only those stored since are counted. The zero value has counted none.
type Counted struct {
	after, to uint64
	Backlog
}

// Backlog says what the log holds after the entry after; of much it is an estimate. rels
// are the relations whose rows are counted, nil: all; had is of the same relations.
func (l *Log) Backlog(after uint64, rels map[uint32]bool, had *Counted) (Backlog, error) {
	var out Backlog
	l.mu.Lock()
	stored := min(l.persisted, l.last)
	for i, e := range l.ring {
		if e.Seq <= after || e.Seq <= stored {
			continue
		}
		out.Bytes += int64(l.sizes[i])
		for _, c := range e.Changes {
			if rels == nil || rels[c.Relation] {
				out.Rows += int64(c.Batch.Rows())
			}
		}
	}
	l.mu.Unlock()
	if had.after != after || had.to < after {
		*had = Counted{after: after, to: after}
	}
	if had.to < stored {
		more, err := l.stored(had.to, stored, rels)
		if err != nil {
			return out, err
		}
		had.Rows, had.Bytes, had.to = had.Rows+more.Rows, had.Bytes+more.Bytes, stored
	}
	out.Rows += had.Rows
	out.Bytes += had.Bytes
	return out, nil
}

// stored counts the entries in the store after after, up to last.
func (l *Log) stored(after, last uint64, rels map[uint32]bool) (out Backlog, err error) {
	lo, hi := entryKey(nil, l.o.Prefix, after+1), entryKey(nil, l.o.Prefix, last+1)
	n := 0
	var bytes, rows int64
	for kv, err := range l.o.Store.Scan(lo, hi) {
		if err != nil {
			return out, err
		}
		if n++; n > backlogMax {
			break
		}
		bytes += int64(len(kv.Key) + len(kv.Value))
		k := kv.Key[len(l.o.Prefix):]
		if len(k) == 16 && len(kv.Value) > 1 && (rels == nil || rels[binary.BigEndian.Uint32(k[8:])]) && binary.BigEndian.Uint64(k[8:]) != timeOf {
			count, _ := binary.Uvarint(kv.Value[1:]) // the number of rows stands behind the version
			rows += int64(count)
		}
	}
	if n > backlogMax && bytes > 0 {
		_, all, err := state.Measure(l.o.Store, lo, hi)
		if err != nil {
			return out, err
		}
		if all > bytes {
			rows = int64(float64(rows) * float64(all) / float64(bytes))
			bytes = all
		}
	}
	return Backlog{Rows: rows, Bytes: bytes}, nil
}
