package table

import "sync"

// recentMax bounds how many changed keys are remembered for conflict checks;
// beyond it the oldest are forgotten and transactions that are older conflict.
const recentMax = 2 << 20

// recent remembers which commit changed a key last, for as long as a
// transaction that began before may still commit.
type recent struct {
	last  map[string]uint64
	fifo  []recentKey
	floor uint64 // commits up to here are forgotten
	bulks []bulk // ranges of keys that runs have added
}

type recentKey struct {
	key string
	seq uint64
}

func newRecent() recent { return recent{last: map[string]uint64{}} }

func (r *recent) note(tx *Tx, seq uint64) {
	r.noteRuns(tx, seq)
	for _, w := range tx.writes {
		if w.rel.RowID >= 0 && w.inserted == len(w.rows) {
			continue // new row ids: nobody else can know these keys
		}
		if w.rel.shared {
			continue // the row's own key says it
		}
		for k := range w.rows {
			r.last[k] = seq
			r.fifo = append(r.fifo, recentKey{k, seq})
		}
	}
}

// prune forgets the commits up to oldest, the one that the oldest open
// transaction reads.
func (r *recent) prune(oldest uint64) {
	n := 0
	for n < len(r.fifo) && (r.fifo[n].seq <= oldest || len(r.fifo)-n > recentMax) {
		e := r.fifo[n]
		if r.last[e.key] == e.seq {
			delete(r.last, e.key)
		}
		if e.seq > oldest {
			r.floor = e.seq
		}
		n++
	}
	r.fifo = r.fifo[n:]
	r.pruneRuns(oldest)
}

// changedAfter reports that a commit after seq changed the row under key.
func (db *DB) changedAfter(key string, seq uint64) bool {
	db.recentMu.Lock()
	defer db.recentMu.Unlock()
	return db.recent.changedAfter(key, seq)
}

func (r *recent) changedAfter(key string, seq uint64) bool {
	return seq < r.floor || r.last[key] > seq
}

// activeSet knows the snapshots that open transactions read.
type activeSet struct {
	mu   sync.Mutex
	seqs map[uint64]int
}

func newActiveSet() activeSet { return activeSet{seqs: map[uint64]int{}} }

func (a *activeSet) add(seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seqs[seq]++
}

func (a *activeSet) remove(seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seqs[seq]--; a.seqs[seq] <= 0 {
		delete(a.seqs, seq)
	}
}

// oldest is the oldest snapshot in use, or now.
func (a *activeSet) oldest(now uint64) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	for seq := range a.seqs {
		now = min(now, seq)
	}
	return now
}

// others reports that transactions beside these are open.
func (a *activeSet) others(these []*commitRequest) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	open := 0
	for _, n := range a.seqs {
		open += n
	}
	for _, req := range these {
		if req.tx.snap != nil {
			open--
		}
		if req.tx.holding {
			open--
		}
	}
	return open > 0
}
