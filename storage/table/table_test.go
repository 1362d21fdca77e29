package table_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
	"velostream/storage/table"
)

const (
	accounts = 1 // id int8 primary key, v int8
	events   = 2 // v int8, row id
)

func open(t testing.TB, s state.Store) *table.DB {
	t.Helper()
	db, err := table.Open(s)
	if err != nil {
		t.Fatal(err)
	}
	ints := []types.Type{types.Int8, types.Int8}
	for _, r := range []*table.Relation{
		{ID: accounts, Schema: "public", Name: "accounts", Names: []string{"id", "v"}, Types: ints, Key: []int{0}, RowID: -1, Arrival: -1, NotNull: []bool{true, false}, Logged: true},
		{ID: events, Schema: "public", Name: "events", Names: []string{"v", "rowid"}, Types: ints, Key: []int{1}, RowID: 1, Arrival: -1, Logged: true},
	} {
		if err := db.Define(1, r); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func mem() state.Store { return state.NewMem(state.MemOptions{}) }

// rows are id, v pairs as a batch.
func rows(pairs ...int64) *column.Batch {
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1)
	for i := 0; i < len(pairs); i += 2 {
		b.Col(0).Ints = append(b.Col(0).Ints, pairs[i])
		b.Col(1).Ints = append(b.Col(1).Ints, pairs[i+1])
		b.Row(column.Insert)
	}
	return b.Batch()
}

func begin(t testing.TB, db *table.DB) *table.Tx {
	tx := db.Begin()
	tx.Waiting(t.Context(), 5*time.Second)
	return tx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func insert(t testing.TB, tx *table.Tx, pairs ...int64) {
	t.Helper()
	n, err := tx.Insert(accounts, rows(pairs...), false)
	must(t, err)
	if n != len(pairs)/2 {
		t.Fatalf("%d inserted", n)
	}
}

func commit(t testing.TB, tx *table.Tx) uint64 {
	t.Helper()
	seq, err := tx.Commit()
	must(t, err)
	return seq
}

// content is what tx sees of a relation, as a map of its first column.
func content(t testing.TB, tx *table.Tx, rel uint32) map[int64]int64 {
	t.Helper()
	out := map[int64]int64{}
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1)
	last := ""
	for e, err := range tx.Scan(rel) {
		must(t, err)
		if string(e.Key) <= last {
			t.Fatalf("key %x after %x", e.Key, last)
		}
		last = string(e.Key)
		b.Reset()
		must(t, rowenc.DecodeRow(e.Value, b))
		b.Row(column.Insert)
		out[b.Batch().Cols[0].Ints[0]] = b.Batch().Cols[1].Ints[0]
	}
	return out
}

func want(t testing.TB, tx *table.Tx, text string) {
	t.Helper()
	if got := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(content(t, tx, accounts)), "map["), "]"); got != text {
		t.Fatalf("%s, want %s", got, text)
	}
}

func TestVisibility(t *testing.T) {
	db := open(t, mem())
	a, b := begin(t, db), begin(t, db)
	insert(t, a, 1, 10, 2, 20)
	want(t, a, "1:10 2:20")
	want(t, b, "")
	commit(t, a)
	want(t, b, "")
	must(t, b.Refresh())
	want(t, b, "1:10 2:20")
	n, err := b.Update(accounts, rows(1, 10), rows(1, 11))
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	n, err = b.Delete(accounts, rows(2, 20, 7, 0))
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	want(t, b, "1:11")
	must(t, b.Rollback())
	c := begin(t, db)
	want(t, c, "1:10 2:20")
	must(t, c.Rollback())
}

func TestKeys(t *testing.T) {
	db := open(t, mem())
	tx := begin(t, db)
	insert(t, tx, 1, 10, 2, 20)
	_, err := tx.Insert(accounts, rows(3, 30, 2, 21), false)
	if pgerror.Code(err) != pgerror.UniqueViolation {
		t.Fatal(err)
	}
	must(t, tx.Rollback())

	tx = begin(t, db)
	insert(t, tx, 1, 10, 2, 20)
	commit(t, tx)
	tx = begin(t, db)
	if n, err := tx.Insert(accounts, rows(2, 99, 3, 30), true); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	// Keys that change places are no duplicates.
	if n, err := tx.Update(accounts, rows(1, 10, 2, 20), rows(2, 10, 1, 20)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	want(t, tx, "1:20 2:10 3:30")
	if _, err := tx.Update(accounts, rows(3, 30), rows(1, 30)); pgerror.Code(err) != pgerror.UniqueViolation {
		t.Fatal(err)
	}
	must(t, tx.Rollback())

	// Deleted and inserted again in one transaction: the log has both.
	before := db.Log().Last()
	tx = begin(t, db)
	_, err = tx.Delete(accounts, rows(1, 10))
	must(t, err)
	insert(t, tx, 1, 12)
	commit(t, tx)
	es, err := db.Log().NewReader(before, nil, nil).Next(before + 1)
	must(t, err)
	b := es[0].Changes[0].Batch
	if b.Rows() != 2 || b.Op(0) != column.Delete || b.Cols[1].Ints[0] != 10 || b.Op(1) != column.Insert || b.Cols[1].Ints[1] != 12 {
		t.Fatalf("%+v", b)
	}
}

func TestConflict(t *testing.T) {
	db := open(t, mem())
	tx := begin(t, db)
	insert(t, tx, 1, 10)
	commit(t, tx)
	old, quick := begin(t, db), begin(t, db)
	_, err := quick.Update(accounts, rows(1, 10), rows(1, 11))
	must(t, err)
	commit(t, quick)
	if _, err := old.Update(accounts, rows(1, 10), rows(1, 12)); !errors.Is(err, table.ErrConflict) {
		t.Fatalf("update of a row changed since: %v", err)
	}
	must(t, old.Refresh())
	_, err = old.Update(accounts, rows(1, 11), rows(1, 12))
	must(t, err)
	commit(t, old)

	// Who waits for a row gets the answer of the one who had it.
	first := begin(t, db)
	_, err = first.Delete(accounts, rows(1, 12))
	must(t, err)
	second := db.Begin()
	second.Waiting(t.Context(), 20*time.Millisecond)
	if _, err := second.Update(accounts, rows(1, 12), rows(1, 13)); pgerror.Code(err) != "55P03" {
		t.Fatalf("waiting longer than lock_timeout: %v", err)
	}
	must(t, second.Rollback())
	must(t, first.Rollback())
}

// TestRefreshKeepsConflicts: the row that an early statement read is still
// compared at the commit, however often the transaction was refreshed.
func TestRefreshKeepsConflicts(t *testing.T) {
	db := open(t, mem())
	tx := begin(t, db)
	for id := range int64(4) {
		insert(t, tx, id, 0)
	}
	commit(t, tx)
	const each, clients = 150, 4
	var wg sync.WaitGroup
	for c := range uint64(clients) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(c, 5))
			for done := 0; done < each; {
				tx := begin(t, db)
				err := add(tx, int64(r.IntN(4)))
				if err == nil {
					err = tx.Refresh()
				}
				if err == nil {
					err = add(tx, int64(r.IntN(4)))
				}
				if err != nil {
					_ = tx.Rollback()
				} else if _, err = tx.Commit(); err == nil {
					done++
				}
				if err != nil && !errors.Is(err, table.ErrConflict) && pgerror.Code(err) != "40P01" {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	tx = begin(t, db)
	sum := int64(0)
	for _, v := range content(t, tx, accounts) {
		sum += v
	}
	must(t, tx.Rollback())
	if sum != 2*each*clients {
		t.Errorf("%d updates are left of %d", sum, 2*each*clients)
	}
}

// add reads account id and adds one.
func add(tx *table.Tx, id int64) error {
	k := &column.Column{Type: types.Int8, Ints: []int64{id}}
	row, err := tx.Get(accounts, []*column.Column{k}, 0)
	if err != nil {
		return err
	}
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1)
	if err := rowenc.DecodeRow(row, b); err != nil {
		return err
	}
	b.Row(column.Insert)
	v := b.Batch().Cols[1].Ints[0]
	_, err = tx.Update(accounts, rows(id, v), rows(id, v+1))
	return err
}

// TestSavepoints runs random writes with savepoints against a plain map.
func TestSavepoints(t *testing.T) {
	type mark struct {
		at    int
		state map[int64]int64
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		db := open(t, mem())
		stored := map[int64]int64{}
		for range 3 {
			tx := begin(t, db)
			now := maps.Clone(stored)
			marks := []mark{{tx.Savepoint(), maps.Clone(now)}}
			for range 25 {
				id, v := r.Int64N(8), r.Int64N(100)
				old, there := now[id]
				switch k := r.IntN(6); {
				case k < 2 && !there:
					insert(t, tx, id, v)
					now[id] = v
				case k < 4 && there:
					_, err := tx.Delete(accounts, rows(id, old))
					must(t, err)
					delete(now, id)
				case k == 4 && there:
					to := r.Int64N(8)
					if _, taken := now[to]; taken && to != id {
						continue
					}
					_, err := tx.Update(accounts, rows(id, old), rows(to, v))
					must(t, err)
					delete(now, id)
					now[to] = v
				case k == 5 && r.IntN(2) == 0:
					marks = append(marks, mark{tx.Savepoint(), maps.Clone(now)})
				case k == 5:
					m := marks[r.IntN(len(marks))]
					marks = slices.DeleteFunc(marks, func(x mark) bool { return x.at > m.at })
					tx.RollbackTo(m.at)
					now = maps.Clone(m.state)
				}
				if got := content(t, tx, accounts); !maps.Equal(got, now) {
					t.Fatalf("seed %d: %v, want %v", seed, got, now)
				}
			}
			if r.IntN(4) == 0 {
				must(t, tx.Rollback())
			} else {
				commit(t, tx)
				stored = now
			}
		}
		tx := begin(t, db)
		if got := content(t, tx, accounts); !maps.Equal(got, stored) {
			t.Fatalf("seed %d: stored %v, want %v", seed, got, stored)
		}
		must(t, tx.Rollback())
		replay(t, db, 0, stored)
	}
}

// replay applies the log from the beginning: what it deletes must be there as
// it says, and the end must be want. This is the check that the commits, in
// their order, are a serial history: each changed what was there just before.
func replay(t *testing.T, db *table.DB, upTo uint64, want map[int64]int64) {
	t.Helper()
	if upTo == 0 {
		upTo = db.Log().Last()
	}
	now := map[int64]int64{}
	r := db.Log().NewReader(0, []uint32{accounts}, nil)
	defer r.Close()
	for {
		es, err := r.Next(upTo)
		must(t, err)
		if len(es) == 0 {
			break
		}
		for _, e := range es {
			for _, c := range e.Changes {
				for i := range c.Batch.Each {
					id, v := c.Batch.Cols[0].Ints[i], c.Batch.Cols[1].Ints[i]
					old, there := now[id]
					switch {
					case c.Batch.Op(i) == column.Delete && (!there || old != v):
						t.Fatalf("commit %d deletes %d:%d, there is %d:%d (%v)", e.Seq, id, v, id, old, there)
					case c.Batch.Op(i) == column.Delete:
						delete(now, id)
					case there:
						t.Fatalf("commit %d inserts %d:%d, there is %d:%d", e.Seq, id, v, id, old)
					default:
						now[id] = v
					}
				}
			}
		}
	}
	if !maps.Equal(now, want) {
		t.Fatalf("log up to %d gives %v, want %v", upTo, now, want)
	}
}

// TestSerial runs concurrent transactions over few keys. Their commits must be
// a serial history, every moment fixed by Cut a prefix of it, and the sum over
// all accounts the same at each.
func TestSerial(t *testing.T) {
	const keys, clients, each = 5, 6, 120
	s := mem()
	db := open(t, s)
	tx := begin(t, db)
	for id := range int64(keys) {
		insert(t, tx, id, 100)
	}
	commit(t, tx)
	ctx, stop := context.WithCancel(t.Context())
	var cutter, wg sync.WaitGroup
	type moment struct {
		seq  uint64
		rows map[int64]int64
	}
	var moments []moment
	cutter.Go(func() {
		for ctx.Err() == nil {
			tx := begin(t, db)
			var m moment
			var snap state.Snapshot
			db.Cut(func(seq uint64, s state.Snapshot) { m.seq, snap = seq, s })
			tx.ReadAt(snap)
			m.rows = content(t, tx, accounts)
			_ = tx.Rollback()
			_ = snap.Close()
			moments = append(moments, m)
			time.Sleep(time.Millisecond)
		}
	})
	for c := range uint64(clients) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(c, 9))
			last := uint64(0)
			for done := 0; done < each; {
				tx := begin(t, db)
				seq, err := transfer(tx, r, keys)
				switch {
				case err == nil && seq <= last:
					t.Errorf("commit %d was acknowledged after %d", seq, last)
					return
				case err == nil:
					last = seq
					done++
				case !errors.Is(err, table.ErrConflict) && pgerror.Code(err) != "40P01":
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	stop()
	cutter.Wait()
	tx = begin(t, db)
	final := content(t, tx, accounts)
	must(t, tx.Rollback())
	replay(t, db, 0, final)
	for _, m := range append(moments[:min(len(moments), 40)], moment{db.Log().Last(), final}) {
		sum := int64(0)
		for _, v := range m.rows {
			sum += v
		}
		if sum != keys*100 {
			t.Fatalf("at %d: %v", m.seq, m.rows)
		}
		replay(t, db, m.seq, m.rows)
	}
	reopened := open(t, s)
	tx = begin(t, reopened)
	if got := content(t, tx, accounts); !maps.Equal(got, final) {
		t.Errorf("after a restart %v, want %v", got, final)
	}
	must(t, tx.Rollback())
	replay(t, reopened, 0, final)
}

// transfer moves an amount between two accounts, reading both from one
// snapshot; sometimes an account is deleted and made again.
func transfer(tx *table.Tx, r *rand.Rand, keys int) (seq uint64, err error) {
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	a := r.Int64N(int64(keys))
	b := (a + 1 + r.Int64N(int64(keys-1))) % int64(keys)
	var v [2]int64
	for i, id := range []int64{a, b} {
		row, err := tx.Get(accounts, []*column.Column{{Type: types.Int8, Ints: []int64{id}}}, 0)
		if err != nil {
			return 0, err
		}
		d := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1)
		if err := rowenc.DecodeRow(row, d); err != nil {
			return 0, err
		}
		d.Row(column.Insert)
		v[i] = d.Batch().Cols[1].Ints[0]
	}
	amount := r.Int64N(30)
	if r.IntN(3) == 0 {
		if _, err := tx.Delete(accounts, rows(a, v[0])); err != nil {
			return 0, err
		}
		if _, err := tx.Insert(accounts, rows(a, v[0]-amount), false); err != nil {
			return 0, err
		}
	} else if _, err := tx.Update(accounts, rows(a, v[0]), rows(a, v[0]-amount)); err != nil {
		return 0, err
	}
	if _, err := tx.Update(accounts, rows(b, v[1]), rows(b, v[1]+amount)); err != nil {
		return 0, err
	}
	return tx.Commit()
}

// counting counts the durable commits.
type counting struct {
	state.Store
	mu    sync.Mutex
	syncs int
}

func (c *counting) Commit(b state.Batch, sync bool) error {
	if sync {
		time.Sleep(2 * time.Millisecond) // a disk
		c.mu.Lock()
		c.syncs++
		c.mu.Unlock()
	}
	return c.Store.Commit(b, sync)
}

func TestGroupCommit(t *testing.T) {
	s := &counting{Store: mem()}
	db := open(t, s)
	const clients, each = 16, 10
	var wg sync.WaitGroup
	for c := range int64(clients) {
		wg.Go(func() {
			for i := range int64(each) {
				tx := begin(t, db)
				insert(t, tx, c*100+i, i)
				commit(t, tx)
			}
		})
	}
	wg.Wait()
	if s.syncs > clients*each/2 {
		t.Errorf("%d fsyncs for %d commits of %d clients", s.syncs, clients*each, clients)
	}
	if db.Log().Last() != clients*each {
		t.Errorf("last commit is %d", db.Log().Last())
	}
	tx := begin(t, db)
	if n := len(content(t, tx, accounts)); n != clients*each {
		t.Errorf("%d rows", n)
	}
	must(t, tx.Rollback())
}

// failing refuses durable commits.
type failing struct {
	state.Store
	err error
}

func (f *failing) Commit(b state.Batch, sync bool) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.Commit(b, sync)
}

func TestCommitFails(t *testing.T) {
	s := &failing{Store: mem()}
	db := open(t, s)
	s.err = pgerror.New(pgerror.DiskFull, "full")
	tx := begin(t, db)
	insert(t, tx, 1, 1)
	if _, err := tx.Commit(); pgerror.Code(err) != pgerror.DiskFull {
		t.Fatal(err)
	}
	s.err = nil
	tx = begin(t, db)
	want(t, tx, "")
	insert(t, tx, 1, 2)
	if seq := commit(t, tx); seq != 1 {
		t.Errorf("commit %d", seq)
	}
	replay(t, db, 0, map[int64]int64{1: 2})
}

// TestDroppedMidway: a transaction over two relations of which one is dropped
// leaves nothing, and takes nobody with it.
func TestDroppedMidway(t *testing.T) {
	s := mem()
	db := open(t, s)
	tx := begin(t, db)
	insert(t, tx, 1, 1)
	if _, err := tx.Insert(events, rows(7, 0), false); err != nil {
		t.Fatal(err)
	}
	must(t, db.Drop(events))
	if _, err := tx.Commit(); pgerror.Code(err) != pgerror.UndefinedTable {
		t.Fatal(err)
	}
	other := begin(t, db)
	insert(t, other, 2, 2)
	commit(t, other)
	tx = begin(t, db)
	want(t, tx, "2:2")
	must(t, tx.Rollback())
}

func TestRestart(t *testing.T) {
	s := mem()
	db := open(t, s)
	seen := map[int64]bool{}
	for round := range 3 {
		tx := begin(t, db)
		if _, err := tx.Insert(events, rows(int64(round), 0, int64(round), 0), false); err != nil {
			t.Fatal(err)
		}
		lost := begin(t, db) // takes row ids, and never commits
		if _, err := lost.Insert(events, rows(99, 0), false); err != nil {
			t.Fatal(err)
		}
		if seq := commit(t, tx); seq != uint64(round+1) {
			t.Errorf("commit %d in round %d", seq, round)
		}
		must(t, lost.Rollback())
		db = open(t, s)
	}
	tx := begin(t, db)
	n := 0
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, 1)
	for e, err := range tx.Scan(events) {
		must(t, err)
		b.Reset()
		must(t, rowenc.DecodeRow(e.Value, b))
		b.Row(column.Insert)
		id := b.Batch().Cols[1].Ints[0]
		if seen[id] {
			t.Errorf("row id %d twice", id)
		}
		seen[id] = true
		n++
	}
	must(t, tx.Rollback())
	if n != 6 {
		t.Errorf("%d rows", n)
	}
}

func TestSweep(t *testing.T) {
	s := mem()
	db := open(t, s)
	tx := begin(t, db)
	insert(t, tx, 1, 1, 2, 2)
	if _, err := tx.Insert(events, rows(7, 0), false); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	db = open(t, s)
	must(t, db.Sweep(map[uint32]bool{accounts: true}, nil, func(uint32) bool { return true }))
	db = open(t, s)
	tx = begin(t, db)
	want(t, tx, "1:1 2:2")
	if got := content(t, tx, events); len(got) != 0 {
		t.Error(got)
	}
	must(t, tx.Rollback())
}

func TestTruncate(t *testing.T) {
	s := mem()
	db := open(t, s)
	for i := range int64(5) {
		tx := begin(t, db)
		insert(t, tx, i, i)
		commit(t, tx)
	}
	must(t, db.Truncate(3))
	db = open(t, s)
	es, err := db.Log().NewReader(3, nil, nil).Next(10)
	must(t, err)
	if len(es) != 2 || es[0].Seq != 4 {
		t.Fatalf("%+v", es)
	}
	tx := begin(t, db)
	want(t, tx, "0:0 1:1 2:2 3:3 4:4")
	must(t, tx.Rollback())
}
