package column

import "velostream/catalog/types"

// netBatch is how many rows a batch of Net has at most.
const netBatch = 4096

// Net collects the changes of an epoch and gives back what is left of them: a Delete
// and an Insert of the very same row (IdenticalAt) cancel, whichever came first. What
// it gives back may be put in any order without a Delete coming before its Insert, so
// deletes go first: a row that moves is gone before it is there again.
type Net struct {
	rows    *Builder
	deletes bool
	head    map[uint64]int32
	next    []int32
	dead    Bitmap
	hashes  []uint64
	sel     []int32
	all     []int32
	out     *Builder
}

// NewNet returns an empty Net for rows of the types ts.
func NewNet(ts []types.Type) *Net {
	return &Net{rows: NewBuilder(ts, 0), out: NewBuilder(ts, 0), head: make(map[uint64]int32)}
}

// Add copies the selected rows of b; columns beyond those of the Net are left out.
func (n *Net) Add(b *Batch) {
	if b.Ops == nil {
		rows := b.Sel
		if rows == nil {
			for i := len(n.all); i < b.N; i++ {
				n.all = append(n.all, int32(i))
			}
			rows = n.all[:b.N]
		}
		n.rows.AppendRows(b, rows, Insert)
		return
	}
	for i := range b.Each {
		op := b.Op(i)
		n.deletes = n.deletes || op == Delete
		n.rows.AppendRow(b, i, op)
	}
}

// Len is how many rows were added since the last Drain; MemSize about their bytes.
func (n *Net) Len() int { return n.rows.Len() }

// MemSize is about how many bytes the rows take.
func (n *Net) MemSize() int64 { return n.rows.Batch().MemSize() }

// Drain hands what is left to emit, all deletes, then all inserts, and empties the Net.
// Batches are valid until emit returns.
func (n *Net) Drain(emit func(*Batch) error) error {
	defer n.reset()
	if n.deletes {
		n.cancel()
	}
	for _, op := range []Op{Delete, Insert} {
		if op == Delete && !n.deletes {
			continue
		}
		if err := n.emit(op, emit); err != nil {
			return err
		}
	}
	return nil
}

func (n *Net) reset() {
	n.rows.Reset()
	n.deletes, n.dead, n.next = false, n.dead[:0], n.next[:0]
	clear(n.head)
}

func (n *Net) cancel() {
	b := n.rows.Batch()
	n.hashes = HashRows(n.hashes, b.Cols, nil, b.N)
	n.dead = append(n.dead[:0], NewBitmap(b.N)...)
	for i, h := range n.hashes {
		first, ok := n.head[h]
		if !ok {
			first = -1
		}
		if n.cancelled(h, first, i) {
			n.next = append(n.next, -1)
			continue
		}
		n.next = append(n.next, first)
		n.head[h] = int32(i)
	}
}

// cancelled looks for a row of the chain that row i cancels, and takes it out.
func (n *Net) cancelled(h uint64, first int32, i int) bool {
	b := n.rows.Batch()
	prev := int32(-1)
	for at := first; at >= 0; prev, at = at, n.next[at] {
		if b.Op(int(at)) == b.Op(i) || !identicalRow(b, int(at), i) {
			continue
		}
		n.dead.Set(int(at))
		n.dead.Set(i)
		if prev >= 0 {
			n.next[prev] = n.next[at]
		} else {
			n.head[h] = n.next[at]
		}
		return true
	}
	return false
}

func identicalRow(b *Batch, i, j int) bool {
	for _, c := range b.Cols {
		if !IdenticalAt(c, i, c, j) {
			return false
		}
	}
	return true
}

func (n *Net) emit(op Op, emit func(*Batch) error) error {
	b := n.rows.Batch()
	if !n.deletes && b.N <= netBatch {
		if b.N == 0 {
			return nil
		}
		return emit(b)
	}
	for from := 0; from < b.N; {
		n.sel = n.sel[:0]
		for ; from < b.N && len(n.sel) < netBatch; from++ {
			if b.Op(from) == op && !n.dead.Get(from) {
				n.sel = append(n.sel, int32(from))
			}
		}
		if len(n.sel) == 0 {
			return nil
		}
		n.out.Reset()
		n.out.AppendRows(b, n.sel, op)
		if err := emit(n.out.Batch()); err != nil {
			return err
		}
	}
	return nil
}
