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

// Backlog says what the log holds after the entry after; of much it is an estimate. rels
// are the relations whose rows are counted, nil: all.
func (l *Log) Backlog(after uint64, rels map[uint32]bool) (Backlog, error) {
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
	if after >= stored {
		return out, nil
	}
	lo, hi := entryKey(nil, l.o.Prefix, after+1), entryKey(nil, l.o.Prefix, stored+1)
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
	out.Rows += rows
	out.Bytes += bytes
	return out, nil
}
