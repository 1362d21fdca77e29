package table

import (
	"fmt"

	"velostream/storage/state"
)

// Commits that write to volatile relations alone do not wait for the disk: a crash
// takes them away, and nobody misses them. But their numbers must not be given to
// others then, since jobs have noted that they have seen them. So the store says, by
// a key of its own, that up to relaxedMax commits may be missing from it, and who
// opens it skips as many numbers.

// relaxedMax bounds how many commits in a row are not waited for.
const relaxedMax = 1 << 16

// relaxed is what is known of commits that are not waited for.
type relaxed struct {
	marked bool // the store says that there may be some
	count  int  // since the last that was waited for
}

var volatileKey = []byte("v")

// skipLost leaves out the numbers of commits that may have been lost.
func (db *DB) skipLost() error {
	b, err := db.store.Get(volatileKey)
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	if db.relaxed.marked = b != nil; db.relaxed.marked {
		db.seq += relaxedMax
	}
	return nil
}

// lasts reports that tx writes something that is to be there after a crash.
func (tx *Tx) lasts() bool {
	if len(tx.own.sequences) > 0 {
		return true
	}
	for _, w := range tx.order {
		if !w.rel.Volatile && !w.empty() {
			return true
		}
	}
	return false
}

// write commits b, and waits for the disk if it is lasting. REQUIRES: publish is held.
func (db *DB) write(b state.Batch, lasting bool) error {
	next := relaxed{marked: db.relaxed.marked}
	switch {
	case lasting:
	case !next.marked:
		b.Put(volatileKey, []byte{1})
		next.marked, lasting = true, true
	case db.relaxed.count+1 < relaxedMax:
		next.count = db.relaxed.count + 1
	default:
		lasting = true
	}
	if err := db.store.Commit(b, lasting); err != nil {
		return err
	}
	db.relaxed = next
	return nil
}
