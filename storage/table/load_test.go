package table_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/rowenc"
	"velostream/storage/state"
	"velostream/storage/table"
)

const (
	items = 3 // id int8 primary key, v int8 unique, text; an index on v/10 is the plain one
	notes = 4 // v int8, row id, index on v
)

func openLoad(t testing.TB, s state.Store) *table.DB {
	t.Helper()
	db := open(t, s)
	for _, r := range []*table.Relation{
		{
			ID: items, Schema: "public", Name: "items", KeyName: "items_pkey", Names: []string{"id", "v", "t"}, Types: []types.Type{types.Int8, types.Int8, types.Text},
			Key: []int{0}, RowID: -1, Arrival: -1, NotNull: []bool{true, false, false}, Logged: true,
			Indexes: []*table.Index{{ID: 30, Name: "items_v", Columns: []int{1}, Unique: true}, {ID: 31, Name: "items_t", Columns: []int{2}}},
		},
		{
			ID: notes, Schema: "public", Name: "notes", Names: []string{"v", "rowid"}, Types: []types.Type{types.Int8, types.Int8},
			Key: []int{1}, RowID: 1, Arrival: -1, Logged: true, Indexes: []*table.Index{{ID: 40, Name: "notes_v", Columns: []int{0}}},
		},
	} {
		must(t, db.Define(1, r))
	}
	return db
}

// item is a row of items: v, and text that follows from id and v.
type item struct{ id, v int64 }

func (x item) text() string { return strings.Repeat(string(rune('a'+x.v%7)), int(x.id%5)) }

func itemRows(list ...item) *column.Batch {
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8, types.Text}, len(list))
	for _, x := range list {
		b.Col(0).Ints = append(b.Col(0).Ints, x.id)
		b.Col(1).Ints = append(b.Col(1).Ints, x.v)
		b.Col(2).AppendBytes([]byte(x.text()))
		b.Row(column.Insert)
	}
	return b.Batch()
}

// load adds the rows in batches of some size, tagged by their place from 1 on.
func load(tx *table.Tx, size int, list ...item) (n int, tag uint64, err error) {
	l, err := tx.Load(items)
	if err != nil {
		return 0, 0, err
	}
	defer l.Close()
	for i := 0; i < len(list); i += size {
		part := list[i:min(i+size, len(list))]
		var tags []uint64
		for k := range part {
			tags = append(tags, uint64(i+k+1))
		}
		if err := l.Add(itemRows(part...), tags); err != nil {
			return 0, l.Tag(), err
		}
	}
	n, err = l.Finish()
	return n, l.Tag(), err
}

func itemContent(t testing.TB, tx *table.Tx) map[int64]int64 {
	t.Helper()
	out := map[int64]int64{}
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8, types.Text}, 1)
	last := ""
	for e, err := range tx.Scan(items) {
		must(t, err)
		if string(e.Key) <= last {
			t.Fatalf("key %x after %x", e.Key, last)
		}
		last = string(e.Key)
		b.Reset()
		must(t, rowenc.DecodeRow(e.Value, b))
		b.Row(column.Insert)
		c := b.Batch().Cols
		x := item{c[0].Ints[0], c[1].Ints[0]}
		if string(c[2].Bytes(0)) != x.text() {
			t.Fatalf("row %v has the text %q", x, c[2].Bytes(0))
		}
		out[x.id] = x.v
	}
	return out
}

// byValue finds the id with the value v through the unique index.
func byValue(t testing.TB, tx *table.Tx, v int64) (ids []int64) {
	t.Helper()
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8, types.Text}, 1)
	for e, err := range tx.Lookup(items, 30, []*column.Column{{Type: types.Int8, Ints: []int64{v}}}, 0) {
		must(t, err)
		b.Reset()
		must(t, rowenc.DecodeRow(e.Value, b))
		b.Row(column.Insert)
		ids = append(ids, b.Batch().Cols[0].Ints[0])
	}
	return ids
}

// TestLoadRandom runs random transactions of loads, single changes and
// savepoints against a model, reading after each step; what they commit must
// be what the log says, and what a restart finds.
func TestLoadRandom(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { loadRound(t, rand.New(rand.NewPCG(seed, 9)), t.TempDir()) })
	}
}

func loadRound(t *testing.T, r *rand.Rand, dir string) {
	openStore := func() state.Store {
		s, err := state.OpenPebble(dir, state.Options{TableFileBytes: 20000, IngestEntriesMin: 1000})
		must(t, err)
		return s
	}
	s := openStore()
	db := openLoad(t, s)
	db.Limits(3000+r.IntN(20000), r.IntN(2)*20000, 1000+r.IntN(4)*5000, 4)
	committed, logged := map[int64]int64{}, map[item]int{}
	reader := db.Log().NewReader(0, []uint32{items}, nil)
	reader.InParts()
	for range 15 {
		now := maps.Clone(committed)
		tx := begin(t, db)
		m := &loadModel{t: t, r: r, tx: tx, now: now}
		for range 1 + r.IntN(8) {
			m.step()
		}
		if m.bad || r.IntN(4) == 0 {
			must(t, tx.Rollback())
		} else {
			commit(t, tx)
			committed = m.now
		}
		follow(t, reader, db.Log().Last(), logged)
		if !sameRows(logged, committed) {
			t.Fatalf("the log says %d rows, %d are committed", len(logged), len(committed))
		}
		if r.IntN(6) == 0 {
			must(t, s.Close())
			s = openStore()
			db = openLoad(t, s)
			db.Limits(3000+r.IntN(20000), 0, 1000, 4)
			at := reader.Pos()
			reader = db.Log().NewReader(at, []uint32{items}, nil)
			reader.InParts()
		}
		tx = begin(t, db)
		if got := itemContent(t, tx); !maps.Equal(got, committed) {
			t.Fatalf("%d rows, want %d", len(got), len(committed))
		}
		must(t, tx.Rollback())
	}
	must(t, s.Close())
}

// follow reads the log up to a commit into rows, how often each is there.
func follow(t *testing.T, reader *log.Reader, upTo uint64, rows map[item]int) {
	t.Helper()
	for reader.Pos() < upTo {
		list, err := reader.Next(upTo)
		must(t, err)
		for _, e := range list {
			for _, c := range e.Changes {
				for i := range c.Batch.Each {
					x := item{c.Batch.Cols[0].Ints[i], c.Batch.Cols[1].Ints[i]}
					if c.Batch.Op(i) == column.Insert {
						rows[x]++
					} else {
						rows[x]--
					}
					if rows[x] == 0 {
						delete(rows, x)
					}
				}
			}
		}
	}
}

// sameRows reports that rows are those of content, each once.
func sameRows(rows map[item]int, content map[int64]int64) bool {
	for x, n := range rows {
		if v, ok := content[x.id]; n != 1 || !ok || v != x.v {
			return false
		}
	}
	return len(rows) == len(content)
}

// loadModel is a transaction and what it must see.
type loadModel struct {
	t   *testing.T
	r   *rand.Rand
	tx  *table.Tx
	now map[int64]int64
	bad bool // a statement failed

	saved map[int64]int64
	mark  int
}

func (m *loadModel) step() {
	if m.bad {
		return
	}
	switch m.r.IntN(8) {
	case 0, 1, 2:
		m.load(1 << m.r.IntN(11))
	case 3:
		m.remove(1 + m.r.IntN(20))
	case 4:
		m.update(1 + m.r.IntN(20))
	case 5:
		m.load(1 + m.r.IntN(3))
	case 6:
		m.saved, m.mark = maps.Clone(m.now), m.tx.Savepoint()
	default:
		if m.saved != nil {
			m.tx.RollbackTo(m.mark)
			m.now = maps.Clone(m.saved)
		}
	}
	if m.bad {
		return
	}
	if got := itemContent(m.t, m.tx); !maps.Equal(got, m.now) {
		m.t.Fatalf("the transaction sees %d rows, want %d", len(got), len(m.now))
	}
	for id, v := range m.now {
		if ids := byValue(m.t, m.tx, v); len(ids) != 1 || ids[0] != id {
			m.t.Fatalf("the index has %v for %d, want %d", ids, v, id)
		}
		row, err := m.tx.Get(items, []*column.Column{{Type: types.Int8, Ints: []int64{id}}}, 0)
		if err != nil || row == nil {
			m.t.Fatalf("Get %d: %x, %v", id, row, err)
		}
		if m.r.IntN(3) == 0 {
			break
		}
	}
	if ids := byValue(m.t, m.tx, 1); len(ids) != 0 {
		m.t.Fatalf("the index has %v for a value nobody has", ids)
	}
}

// load inserts n rows; now and then one is there already, or comes twice.
func (m *loadModel) load(n int) {
	values := map[int64]bool{}
	for _, v := range m.now {
		values[v] = true
	}
	var list []item
	next := maps.Clone(m.now)
	from := m.r.Int64N(100000)
	for len(list) < n {
		x := item{m.r.Int64N(100000), 2 + m.r.Int64N(1<<30)}
		if n%3 == 0 { // ascending
			from++
			x.id = from
		}
		if _, there := next[x.id]; there || values[x.v] {
			continue
		}
		next[x.id], values[x.v] = x.v, true
		list = append(list, x)
	}
	wrong := 0
	if m.r.IntN(6) == 0 && len(next) > 0 {
		for id, v := range next { // any
			x := item{id, v + 1<<31}
			if m.r.IntN(2) == 0 {
				x = item{id + 200000, v}
			}
			list = append(list, x)
			wrong = len(list)
			break
		}
	}
	count, tag, err := load(m.tx, 1+m.r.IntN(300), list...)
	if wrong == 0 {
		must(m.t, err)
		if count != n {
			m.t.Fatalf("%d rows loaded, want %d", count, n)
		}
		m.now = next
		return
	}
	m.bad = true
	if pgerror.Code(err) != pgerror.UniqueViolation {
		m.t.Fatalf("a row twice, of %d: %v", n, err)
	}
	if tag != uint64(wrong) && tag != 0 {
		m.t.Errorf("the error is about row %d, want %d: %v", tag, wrong, err)
	}
}

// some picks n rows.
func (m *loadModel) some(n int) (list []item) {
	for id, v := range m.now {
		if len(list) < n {
			list = append(list, item{id, v})
		}
	}
	return list
}

func (m *loadModel) remove(n int) {
	list := m.some(n)
	_, err := m.tx.Delete(items, itemRows(list...))
	must(m.t, err)
	for _, x := range list {
		delete(m.now, x.id)
	}
	if len(list) > 1 && m.r.IntN(2) == 0 { // one comes back, in a load with others
		again := []item{list[0], {300000 + m.r.Int64N(1000), 1 << 40}}
		for i := range again {
			again[i].v = 1<<40 + m.r.Int64N(1<<30)
		}
		if _, there := m.now[again[1].id]; !there {
			_, _, err := load(m.tx, 1, again...)
			must(m.t, err)
			m.now[again[0].id], m.now[again[1].id] = again[0].v, again[1].v
		}
	}
}

func (m *loadModel) update(n int) {
	list := m.some(n)
	next := make([]item, len(list))
	for i, x := range list {
		next[i] = item{x.id, 1<<41 + m.r.Int64N(1<<40)}
		m.now[x.id] = next[i].v
	}
	_, err := m.tx.Update(items, itemRows(list...), itemRows(next...))
	must(m.t, err)
}

// many are n rows from an id on.
func many(from, n int64) []item {
	list := make([]item, n)
	for i := range list {
		list[i] = item{from + int64(i), from + int64(i) + 1000}
	}
	return list
}

// TestLoadConcurrent lets transactions add the same keys while a load is under
// way: one of them must lose, whoever comes first.
func TestLoadConcurrent(t *testing.T) {
	s, err := state.OpenPebble(t.TempDir(), state.Options{})
	must(t, err)
	defer s.Close()
	db := openLoad(t, s)
	db.Limits(4000, 0, 1<<20, 4)

	// The other commits first.
	a, b := begin(t, db), begin(t, db)
	_, _, err = load(a, 100, many(0, 2000)...)
	must(t, err)
	_, err = b.Insert(items, itemRows(item{1999, 5}), false)
	must(t, err)
	commit(t, b)
	if _, err := a.Commit(); pgerror.Code(err) != pgerror.UniqueViolation || !strings.Contains(pgerror.From(err).Detail, "(id)=(1999)") {
		t.Fatalf("commit after another added a key: %v, %s", err, pgerror.From(err).Detail)
	}

	// The same by the unique index.
	a, b = begin(t, db), begin(t, db)
	_, _, err = load(a, 100, many(3000, 2000)...)
	must(t, err)
	_, err = b.Insert(items, itemRows(item{9999, 4500}), false)
	must(t, err)
	commit(t, b)
	if _, err := a.Commit(); pgerror.Code(err) != pgerror.UniqueViolation || !strings.Contains(pgerror.From(err).Detail, "(v)=(4500)") {
		t.Fatalf("commit after another added a value: %v, %s", err, pgerror.From(err).Detail)
	}

	// The load commits first: who began before must not write over it.
	a, b = begin(t, db), begin(t, db)
	c := begin(t, db)
	_, err = c.Insert(items, itemRows(item{11500, 7}), false) // not seen by the load
	must(t, err)
	_, _, err = load(a, 100, many(10000, 2000)...)
	must(t, err)
	commit(t, a)
	if _, err := b.Insert(items, itemRows(item{11000, 6}), false); !errors.Is(err, table.ErrConflict) {
		t.Fatalf("insert of a key that was loaded meanwhile: %v", err)
	}
	must(t, b.Refresh())
	if _, err := b.Insert(items, itemRows(item{11000, 6}), false); pgerror.Code(err) != pgerror.UniqueViolation {
		t.Fatalf("once refreshed: %v", err)
	}
	must(t, b.Rollback())
	if _, err := c.Commit(); !errors.Is(err, table.ErrConflict) {
		t.Fatalf("commit of a key that was loaded meanwhile: %v", err)
	}

	// Two loads.
	a, b = begin(t, db), begin(t, db)
	_, _, err = load(a, 100, many(20000, 2000)...)
	must(t, err)
	_, _, err = load(b, 100, many(21999, 2000)...)
	must(t, err)
	commit(t, a)
	if _, err := b.Commit(); pgerror.Code(err) != pgerror.UniqueViolation {
		t.Fatalf("two loads of a key: %v", err)
	}
	// And of none in common.
	a, b = begin(t, db), begin(t, db)
	_, _, err = load(a, 100, many(30000, 2000)...)
	must(t, err)
	_, _, err = load(b, 100, many(32000, 2000)...)
	must(t, err)
	commit(t, a)
	commit(t, b)
	tx := begin(t, db)
	if n := len(itemContent(t, tx)); n != 2+2000+2000+4000 {
		t.Fatalf("%d rows", n)
	}
	must(t, tx.Rollback())
}

// TestLoadMemory loads and commits far more than the limits, with views above and
// without: what is held stays the same.
func TestLoadMemory(t *testing.T) {
	s, err := state.OpenPebble(t.TempDir(), state.Options{MemTableBytes: 4 << 20, CacheBytes: 1 << 20})
	must(t, err)
	defer s.Close()
	db := openLoad(t, s)
	db.Limits(1<<20, 1<<20, 1<<20, 16)
	base := heap()
	tx := begin(t, db)
	l, err := tx.Load(notes)
	must(t, err)
	const batches, size = 400, 1024
	peak := int64(0)
	b := column.NewBuilder([]types.Type{types.Int8, types.Int8}, size)
	for i := range batches {
		b.Reset()
		for k := range size {
			b.Col(0).Ints = append(b.Col(0).Ints, int64(i*7919+k*104729)%1000003)
			b.Col(1).Ints = append(b.Col(1).Ints, 0)
			b.Row(column.Insert)
		}
		must(t, l.Add(b.Batch(), nil))
		if i%50 == 49 {
			peak = max(peak, heap()-base)
		}
	}
	n, err := l.Finish()
	must(t, err)
	must(t, l.Close())
	if n != batches*size {
		t.Fatalf("%d rows", n)
	}
	peak = max(peak, heap()-base)
	seq := commit(t, tx)
	peak = max(peak, heap()-base)
	if peak > 12<<20 { // the rows and their index entries are 40 MB
		t.Errorf("%d MB were held", peak>>20)
	}
	// The log gives the commit in parts.
	r := db.Log().NewReader(0, []uint32{notes}, nil)
	r.InParts()
	rows, steps := 0, 0
	for r.Pos() < seq {
		list, err := r.Next(seq)
		must(t, err)
		for _, e := range list {
			for _, c := range e.Changes {
				rows += c.Batch.Rows()
			}
		}
		steps++
	}
	if rows != batches*size || steps < 2 {
		t.Errorf("the log has %d rows in %d steps", rows, steps)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
