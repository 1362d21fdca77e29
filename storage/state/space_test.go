package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"velostream/pgwire/pgerror"
	"velostream/storage/state"
	"velostream/storage/state/statetest"
)

func TestKeys(t *testing.T) {
	s := state.NewMem(state.MemOptions{})
	statetest.Commit(t, s, false, func(b state.Batch) {
		for _, job := range []uint32{1, 2, 1<<32 - 2} {
			for _, table := range []uint16{0, 1, 65535} {
				for _, shard := range []uint16{0, 255, 65535} {
					b.Put(append(state.Prefix(job, table, shard), "key"...), nil)
				}
			}
		}
	})
	count := func(lo, hi []byte) int { return len(statetest.Dump(t, s, lo, hi)) }
	if n := count(state.JobRange(1)); n != 9 {
		t.Errorf("job: %d", n)
	}
	if n := count(state.JobRange(1<<32 - 2)); n != 9 {
		t.Errorf("a high job: %d", n)
	}
	if lo, hi := state.JobRange(1<<32 - 1); lo == nil || hi != nil {
		t.Errorf("the highest job: %x %x", lo, hi)
	}
	if n := count(state.TableRange(2, 65535)); n != 3 {
		t.Errorf("table: %d", n)
	}
	if n := count(state.ShardRange(2, 1, 255)); n != 1 {
		t.Errorf("shard: %d", n)
	}
	job, table, shard, rest, ok := state.SplitKey(append(state.Prefix(7, 8, 9), 'k'))
	if job != 7 || table != 8 || shard != 9 || string(rest) != "k" || !ok {
		t.Errorf("SplitKey: %d %d %d %q %v", job, table, shard, rest, ok)
	}
	if _, _, _, _, ok := state.SplitKey([]byte("short")); ok {
		t.Error("SplitKey takes a short key")
	}
	sub := state.Sub(s, state.Prefix(2, 1, 255))
	if got := statetest.Dump(t, sub, nil, nil); !slices.Equal(got, []string{"key="}) {
		t.Errorf("Sub: %q", got)
	}
}

// TestSpace is the life of one write.
func TestSpace(t *testing.T) {
	store := state.NewMem(state.MemOptions{})
	sp := state.NewSpace(store, 1, 2)
	a, other := sp.Table(1), sp.Table(2)
	if !a.Fresh() || sp.Table(1) != a {
		t.Fatal("a new table is fresh, and the same each time")
	}
	k := []byte("k")
	check := func(stage string, want ...string) {
		t.Helper()
		if got := statetest.Dump(t, a, nil, nil); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q", stage, got, want)
		}
		for _, w := range want {
			k, v, _ := strings.Cut(w, "=")
			if got, err := a.Get([]byte(k)); string(got) != v || got == nil || err != nil {
				t.Fatalf("%s: Get(%s) = %q, %v", stage, k, got, err)
			}
		}
		if got := statetest.Dump(t, other, nil, nil); len(got) != 0 {
			t.Fatalf("%s: tables mix: %q", stage, got)
		}
	}
	a.Put(k, []byte("1"))
	k[0] = 'x'
	check("put", "k=1")
	if sp.Size() == 0 || sp.SealedSize() != 0 {
		t.Fatalf("Size %d, SealedSize %d", sp.Size(), sp.SealedSize())
	}
	b := store.NewBatch()
	sealed := sp.Seal(b)
	check("sealed", "k=1")
	if sp.Size() != 0 || sp.SealedSize() == 0 || b.Len() != 1 {
		t.Fatalf("Size %d, SealedSize %d, Len %d", sp.Size(), sp.SealedSize(), b.Len())
	}
	a.Put([]byte("k"), nil)
	a.Put([]byte("l"), []byte("2"))
	check("over sealed", "k=", "l=2")
	if err := store.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	check("committed", "k=", "l=2")
	sp.Committed(sealed)
	check("released", "k=", "l=2")
	a.Delete([]byte("k"))
	a.DeleteRange([]byte("l"), nil)
	check("deleted")
	b = store.NewBatch()
	sealed = sp.Seal(b)
	check("deletion sealed")
	if err := store.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	sp.Committed(sealed)
	check("deletion committed")
	sp.Committed(sp.Seal(store.NewBatch())) // nothing to seal

	a.Put([]byte("k"), nil)
	b = store.NewBatch()
	sp.Seal(b)
	if err := store.Commit(b, false); err != nil {
		t.Fatal(err)
	}
	again := state.NewSpace(store, 1, 2)
	if again.Table(1).Fresh() || !again.Table(2).Fresh() || !state.NewSpace(store, 1, 3).Table(1).Fresh() {
		t.Fatal("Fresh is per table and shard")
	}
	if err := a.Put(make([]byte, state.KeyBytesMax), nil); pgerror.Code(err) != pgerror.ProgramLimitExceeded {
		t.Fatalf("a key too long: %v", err)
	}
}

// TestSpaceScanAndWrite writes to a table from within a scan of it.
func TestSpaceScanAndWrite(t *testing.T) {
	store := state.NewMem(state.MemOptions{})
	sp := state.NewSpace(store, 1, 0)
	a := sp.Table(0)
	for i := range 100 {
		a.Put(fmt.Appendf(nil, "%03d", i), []byte("old"))
		if i == 30 || i == 60 {
			b := store.NewBatch()
			x := sp.Seal(b)
			if i == 30 {
				store.Commit(b, false)
				sp.Committed(x)
			}
		}
	}
	a.DeleteRange([]byte("200"), []byte("300"))
	n := 0
	for e, err := range a.Scan(nil, nil) {
		if err != nil || string(e.Value) != "old" || string(e.Key) != fmt.Sprintf("%03d", n) {
			t.Fatalf("entry %d: %q=%q %v", n, e.Key, e.Value, err)
		}
		switch n % 4 {
		case 0:
			a.Delete(e.Key)
		case 1:
			a.Put(fmt.Appendf(nil, "%03d", n+1), []byte("new"))
		case 2:
			a.DeleteRange(e.Key, fmt.Appendf(nil, "%03d", n+2))
		case 3:
			for range a.Scan([]byte("050"), []byte("051")) {
				break
			}
		}
		n++
	}
	if n != 100 {
		t.Fatalf("%d entries, want 100", n)
	}
}

// TestSpaceRandom runs random operations on a few spaces over each kind of
// store, with seals that are committed later, and crashes, against maps.
func TestSpaceRandom(t *testing.T) {
	for round := range uint64(20) {
		seed := crashSeed(t)*1000 + round
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			m := &spaceModel{t: t, r: rand.New(rand.NewPCG(seed, 1))}
			if round%4 != 0 {
				m.fs = vfs.NewCrashableMem()
			}
			m.run()
		})
	}
}

const modelShards, modelTables = 2, 3

type content [modelShards][modelTables]map[string]string

func (c *content) copy() *content {
	var out content
	for i := range c {
		for j := range c[i] {
			if out[i][j] = maps.Clone(c[i][j]); out[i][j] == nil {
				out[i][j] = map[string]string{}
			}
		}
	}
	return &out
}

type spaceModel struct {
	t      *testing.T
	r      *rand.Rand
	fs     *vfs.MemFS // nil: in memory
	store  state.Store
	spaces [modelShards]*state.Space
	now    *content
	// commits has the content after each; pending are sealed and not committed.
	commits []*content
	durable int
	pending []pendingCommit
}

type pendingCommit struct {
	b      state.Batch
	sealed [modelShards]*state.Sealed
	then   *content
}

var epochKey = []byte{0}

func (m *spaceModel) run() {
	m.now = (&content{}).copy()
	m.commits = []*content{m.now.copy()}
	m.open()
	for range 400 {
		switch p := m.r.IntN(100); {
		case p < 60:
			m.write()
		case p < 80:
			m.read()
		case p < 88:
			m.seal()
		case p < 97:
			m.commit()
		case m.fs != nil:
			m.crash()
		}
	}
	m.compareAll()
	if err := m.store.Close(); err != nil {
		m.t.Fatal(err)
	}
}

func (m *spaceModel) open() {
	if m.fs == nil {
		m.store = state.NewMem(state.MemOptions{})
	} else {
		m.store = open(m.t, "data", state.Options{FS: m.fs, MemTableBytes: 1 << 20, IngestEntriesMin: 20})
	}
	for i := range m.spaces {
		m.spaces[i] = state.NewSpace(m.store, 5, uint16(i))
	}
}

func (m *spaceModel) pick() (shard, table int) { return m.r.IntN(modelShards), m.r.IntN(modelTables) }

func (m *spaceModel) write() {
	shard, table := m.pick()
	w := tableWriter{m.t, m.spaces[shard].Table(uint16(table))}
	for range 1 + m.r.IntN(1<<m.r.IntN(7)) {
		statetest.Apply(m.r, w, m.now[shard][table], 60)
	}
	if m.r.IntN(40) == 0 {
		w.DeleteRange([]byte("k3"), nil)
		for k := range m.now[shard][table] {
			if k >= "k3" {
				delete(m.now[shard][table], k)
			}
		}
	}
}

type tableWriter struct {
	t *testing.T
	state.Table
}

func (w tableWriter) Put(k, v []byte)           { w.check(w.Table.Put(k, v)) }
func (w tableWriter) Delete(k []byte)           { w.check(w.Table.Delete(k)) }
func (w tableWriter) DeleteRange(lo, hi []byte) { w.check(w.Table.DeleteRange(lo, hi)) }

func (w tableWriter) check(err error) {
	if err != nil {
		w.t.Fatal(err)
	}
}

func (m *spaceModel) read() {
	shard, table := m.pick()
	tb, model := m.spaces[shard].Table(uint16(table)), m.now[shard][table]
	if m.r.IntN(3) > 0 {
		k := fmt.Sprintf("k%0*d", 1+m.r.IntN(3), m.r.IntN(60))
		v, err := tb.Get([]byte(k))
		if w, ok := model[k]; err != nil || ok != (v != nil) || string(v) != w {
			m.t.Fatalf("Get(%s) = %q, %v; want %q, %v", k, v, err, w, ok)
		}
		return
	}
	lo, hi := fmt.Sprintf("k%d", m.r.IntN(70)), fmt.Sprintf("k%d", m.r.IntN(70))
	want := slices.DeleteFunc(statetest.Lines(model), func(line string) bool {
		k, _, _ := strings.Cut(line, "=")
		return k < lo || k >= hi
	})
	if got := statetest.Dump(m.t, tb, []byte(lo), []byte(hi)); !slices.Equal(got, want) {
		m.t.Fatalf("scan from %s to %s:\n got %q\nwant %q", lo, hi, got, want)
	}
}

func (m *spaceModel) seal() {
	if len(m.pending) == 3 {
		return
	}
	p := pendingCommit{b: m.store.NewBatch()}
	for i, sp := range m.spaces {
		p.sealed[i] = sp.Seal(p.b)
	}
	p.then = m.now.copy()
	p.b.Put(epochKey, fmt.Append(nil, len(m.commits)+len(m.pending)))
	m.pending = append(m.pending, p)
}

func (m *spaceModel) commit() {
	if len(m.pending) == 0 {
		return
	}
	p := m.pending[0]
	m.pending = m.pending[1:]
	sync := m.r.IntN(3) == 0
	if err := m.store.Commit(p.b, sync); err != nil {
		m.t.Fatal(err)
	}
	m.commits = append(m.commits, p.then)
	if sync {
		m.durable = len(m.commits) - 1
	}
	for i, sp := range m.spaces {
		done := make(chan struct{})
		go func() { // from another goroutine, as the coordinator does
			sp.Committed(p.sealed[i])
			close(done)
		}()
		<-done
	}
}

func (m *spaceModel) crash() {
	clone := m.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: m.r.IntN(3) * 50, RNG: m.r})
	if err := m.store.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.fs, m.pending = clone, nil
	m.open()
	n := 0
	v, err := m.store.Get(epochKey)
	if err != nil {
		m.t.Fatal(err)
	}
	fmt.Sscan(string(v), &n)
	if n < m.durable || n >= len(m.commits) {
		m.t.Fatalf("epoch %d after a crash, %d was durable, %d committed", n, m.durable, len(m.commits)-1)
	}
	m.commits, m.durable = m.commits[:n+1], n
	m.now = m.commits[n].copy()
	m.compareAll()
	statetest.Commit(m.t, m.store, true, func(state.Batch) {})
}

func (m *spaceModel) compareAll() {
	for i := range m.now {
		for j := range m.now[i] {
			if got, want := statetest.Dump(m.t, m.spaces[i].Table(uint16(j)), nil, nil), statetest.Lines(m.now[i][j]); !slices.Equal(got, want) {
				m.t.Fatalf("shard %d table %d:\n got %q\nwant %q", i, j, got, want)
			}
		}
	}
}
