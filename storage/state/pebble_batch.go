package state

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"velostream/pgwire/pgerror"
)

// Limits of one write and one batch.
const (
	// KeyBytesMax and ValueBytesMax bound one entry.
	KeyBytesMax   = 64 << 10
	ValueBytesMax = 256 << 20
	// BatchBytesMax bounds one batch; Pebble's own limit is 4 GiB.
	BatchBytesMax = 2 << 30
)

// endKey is above all keys a store takes, for ranges without an upper end.
var endKey = bytes.Repeat([]byte{0xff}, 16)

// checkEntry refuses what a store does not take.
func checkEntry(k []byte, valueBytes int) *pgerror.Error {
	if len(k) == 0 {
		// Pebble's table files do not take it, and a table's keys have a prefix.
		return pgerror.New(pgerror.InternalError, "empty key in a state store")
	}
	if len(k) > KeyBytesMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "key of %d bytes exceeds the maximum of %d", len(k), KeyBytesMax)
	}
	if valueBytes > ValueBytesMax {
		return pgerror.New(pgerror.ProgramLimitExceeded, "row of %d bytes exceeds the maximum of %d", valueBytes, ValueBytesMax)
	}
	if bytes.Compare(k, endKey) >= 0 {
		return pgerror.New(pgerror.InternalError, "key %x is above the key space of a state store", k)
	}
	return nil
}

// pebbleBatch implements Batch. Put has no error to return, so what it refuses
// comes from Commit.
type pebbleBatch struct {
	s      *pebbleStore
	b      *pebble.Batch // nil once committed
	ranges int
	err    error
}

// NewBatch implements Store.
func (s *pebbleStore) NewBatch() Batch {
	// Not tied to the database, so that a batch may be filled, or dropped,
	// without regard to Close.
	return &pebbleBatch{s: s, b: new(pebble.Batch)}
}

// room reports that n more bytes fit, and that the batch is open.
func (b *pebbleBatch) room(n int) bool {
	if b.b == nil || b.err != nil {
		return false
	}
	if b.b.Len()+n > BatchBytesMax {
		b.err = pgerror.New(pgerror.ProgramLimitExceeded, "state written at once exceeds the maximum of %d bytes", BatchBytesMax).
			WithHint("Shorten the checkpoint interval.")
		return false
	}
	return true
}

func (b *pebbleBatch) keep(err error) {
	if err != nil && b.err == nil {
		b.err = err
	}
}

// Put implements Batch.
func (b *pebbleBatch) Put(k, v []byte) {
	if err := checkEntry(k, len(v)); err != nil {
		b.keep(err)
		return
	}
	if b.room(len(k) + len(v) + 16) {
		b.keep(b.b.Set(k, v, nil))
	}
}

// Delete implements Batch.
func (b *pebbleBatch) Delete(k []byte) {
	if len(k) > 0 && b.room(len(k)+16) {
		b.keep(b.b.Delete(k, nil))
	}
}

// DeleteRange implements Batch. hi nil is to the end.
func (b *pebbleBatch) DeleteRange(lo, hi []byte) {
	if hi == nil {
		hi = endKey
	}
	if bytes.Compare(lo, hi) >= 0 || !b.room(len(lo)+len(hi)+16) {
		return
	}
	b.ranges++
	b.keep(b.b.DeleteRange(lo, hi, nil))
}

// Len implements Batch.
func (b *pebbleBatch) Len() int {
	if b.b == nil {
		return 0
	}
	return int(b.b.Count())
}

// Size implements Batch.
func (b *pebbleBatch) Size() int {
	if b.b == nil || b.b.Empty() {
		return 0
	}
	return b.b.Len()
}

// release uses the batch up.
func (b *pebbleBatch) release() {
	_ = b.b.Close() // only returns its memory to a pool
	b.b = nil
}
