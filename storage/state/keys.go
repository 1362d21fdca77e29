package state

import (
	"encoding/binary"
	"iter"
	"math"
)

// Keys in a Store:
//
//	| job uint32 | table uint16 | shard uint16 | key in the table |
//	   big-endian, so a job's state is one range of the store, within it each
//	   table is one, and within that each shard
//
// Dropping a job is one DeleteRange; a reader of a view scans one table over
// all shards.

// PrefixLen is the length of what comes before a table's own keys.
const PrefixLen = 8

// Prefix begins the keys of one table in one shard of a job.
func Prefix(job uint32, table, shard uint16) []byte {
	return AppendPrefix(make([]byte, 0, PrefixLen), job, table, shard)
}

// AppendPrefix appends Prefix(job, table, shard) to dst.
func AppendPrefix(dst []byte, job uint32, table, shard uint16) []byte {
	dst = binary.BigEndian.AppendUint32(dst, job)
	dst = binary.BigEndian.AppendUint16(dst, table)
	return binary.BigEndian.AppendUint16(dst, shard)
}

// SplitKey takes a store's key apart; rest shares its memory. ok is false for
// a key too short to be a table's.
func SplitKey(k []byte) (job uint32, table, shard uint16, rest []byte, ok bool) {
	if len(k) < PrefixLen {
		return 0, 0, 0, nil, false
	}
	return binary.BigEndian.Uint32(k), binary.BigEndian.Uint16(k[4:]), binary.BigEndian.Uint16(k[6:]), k[PrefixLen:], true
}

// JobRange is all state of a job: lo <= key < hi. hi is nil, to the end, for
// the highest job.
func JobRange(job uint32) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint32(nil, job)
	if job < math.MaxUint32 {
		hi = binary.BigEndian.AppendUint32(nil, job+1)
	}
	return lo, hi
}

// TableRange is one table of a job over all shards.
func TableRange(job uint32, table uint16) (lo, hi []byte) {
	lo = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(nil, job), table)
	return lo, prefixEnd(lo)
}

// ShardRange is one table in one shard of a job.
func ShardRange(job uint32, table, shard uint16) (lo, hi []byte) {
	lo = Prefix(job, table, shard)
	return lo, prefixEnd(lo)
}

// prefixEnd is the first key after all that begin with p, nil when there is none.
func prefixEnd(p []byte) []byte {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Sub reads the keys of r that begin with prefix, without it: for one, the
// content of a table at a snapshot. It keeps prefix.
func Sub(r Reader, prefix []byte) Reader {
	return sub{r: r, prefix: prefix, end: prefixEnd(prefix)}
}

type sub struct {
	r           Reader
	prefix, end []byte
}

// Get implements Reader.
func (s sub) Get(k []byte) ([]byte, error) { return s.r.Get(concat(s.prefix, k)) }

// Scan implements Reader.
func (s sub) Scan(lo, hi []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		end := s.end
		if hi != nil {
			end = concat(s.prefix, hi)
		}
		for e, err := range s.r.Scan(concat(s.prefix, lo), end) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			e.Key = e.Key[len(s.prefix):]
			if !yield(e, nil) {
				return
			}
		}
	}
}

func concat(a, b []byte) []byte {
	return append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
}
