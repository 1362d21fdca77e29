package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// overBig is a partition that does not fit into memory, on disk: its rows in order, each with all that
// the calls need of it, the positions where groups of peers begin, and the results. Calls are computed one
// after another by the code that computes partitions in memory; they go through the rows in order, in as many
// places at a time as a frame has ends, so a few blocks are enough.
//
// What a call itself keeps must fit: the values of a moving frame of min, max or a list.
type overBig struct {
	ctx   BuildContext
	eval  *overEval
	width int // columns of the input
	file  *spool.File
	ts    []types.Type

	chunk *column.Builder // rows to be written: input columns
	last  *column.Builder // the row before, as written
	rows  *spool.List
	first *spool.List   // by group
	out   []*spool.List // by call
	n     int

	err    error // of the disk, which ends the call at hand
	blocks []bigBlock
	use    int
	starts bigBlock // of first
	group  int      // of the position asked for last, and its bounds
	lo, hi int
	call   int // at hand
	all    []int32
}

// bigBlock is a block in memory.
type bigBlock struct {
	b          *column.Batch
	start, end int // positions
	used       int
}

// overBlocks is how many blocks of a partition are in memory.
const overBlocks = 6

func newOverBig(ctx BuildContext, eval *overEval, in []types.Type) *overBig {
	p := &overBig{ctx: ctx, eval: eval, width: len(in), file: ctx.Disk.NewFile(), chunk: column.NewBuilder(in, 0)}
	p.first = p.file.NewList([]types.Type{types.Int8}, ctx.spillBlock())
	return p
}

// need are the columns that calls need of a row, besides those of the input.
func (w *overEval) need() []*column.Column {
	out := append([]*column.Column(nil), w.keys...)
	w.eachArg(func(a *overArg) { out = append(out, a.col) })
	return out
}

func (w *overEval) eachArg(f func(a *overArg)) {
	for _, c := range w.calls {
		for i := range c.args {
			f(&c.args[i])
		}
		for _, a := range []*overArg{c.filter, c.key, c.lo, c.hi} {
			if a != nil {
				f(a)
			}
		}
	}
}

// add appends a row, the next in order.
func (p *overBig) add(b *column.Batch, i int) error {
	p.chunk.AppendRow(b, i, column.Insert)
	n := p.chunk.Len()
	if n < 1024 && (n&63 != 0 || p.chunk.Batch().MemSize() < p.ctx.spillBlock()) {
		return nil
	}
	return p.write()
}

// write evaluates and writes the chunk.
func (p *overBig) write() error {
	in := p.chunk.Batch()
	if in.N == 0 {
		return nil
	}
	if err := p.eval.prepare(in); err != nil {
		return err
	}
	b := &column.Batch{N: in.N, Cols: append(append([]*column.Column(nil), in.Cols...), p.eval.need()...)}
	if p.rows == nil {
		p.ts = typesOf(b.Cols)
		p.rows, p.last = p.file.NewList(p.ts, p.ctx.spillBlock()), column.NewBuilder(p.ts, 1)
		at := p.width + len(p.eval.keys)
		p.eval.eachArg(func(a *overArg) { a.at, at = at, at+1 })
	}
	start := column.NewBuilder([]types.Type{types.Int8}, 0)
	for i := range b.N {
		if p.n == 0 || !p.peersOf(i, b) {
			start.Col(0).Ints = append(start.Col(0).Ints, int64(p.n))
			start.Row(column.Insert)
		}
		p.n++
	}
	p.last.Reset()
	p.last.AppendRow(b, b.N-1, column.Insert)
	if err := p.first.Append(start.Batch(), start.Batch().Select(nil)); err != nil {
		return err
	}
	err := p.rows.Append(b, b.Select(nil))
	p.chunk.Reset()
	return err
}

// peersOf reports that row i of b and the row before it are peers.
func (p *overBig) peersOf(i int, b *column.Batch) bool {
	before, k := b, i-1
	if i == 0 {
		before, k = p.last.Batch(), 0
	}
	for j, key := range p.eval.sort {
		if compareKeys(before.Cols[p.width+j], k, b.Cols[p.width+j], i, key) != 0 {
			return false
		}
	}
	return true
}

// finish computes and emits the partition, and frees it. to takes the rows.
func (p *overBig) finish(to *emitter, out dataflow.Output) error {
	if err := p.write(); err != nil {
		return err
	}
	if err := p.rows.End(); err != nil {
		return err
	}
	if err := p.first.End(); err != nil {
		return err
	}
	for k, c := range p.eval.calls {
		l := p.file.NewList([]types.Type{c.plan.T}, p.ctx.spillBlock())
		p.out, p.call = append(p.out, l), k
		p.group, p.lo, p.hi = 0, 0, 0
		c.from, c.to = 0, 0
		dst := column.New(c.plan.T, 0)
		if err := c.run(&overPart{big: p}, dst); err != nil {
			return err
		}
		if err := p.drain(dst); err != nil {
			return err
		}
		if err := l.End(); err != nil {
			return err
		}
	}
	if err := p.emit(to, out); err != nil {
		return err
	}
	return p.file.Close()
}

// drain writes the results in dst.
func (p *overBig) drain(dst *column.Column) error {
	if p.err != nil {
		return p.err
	}
	b := &column.Batch{Cols: []*column.Column{dst}, N: dst.Len()}
	err := p.out[p.call].Append(b, b.Select(nil))
	dst.Reset()
	return err
}

// emit puts rows and results together.
func (p *overBig) emit(to *emitter, out dataflow.Output) error {
	cursors := make([]spool.Cursor, len(p.out))
	batches, at := make([]*column.Batch, len(p.out)), make([]int, len(p.out))
	for k, l := range p.out {
		cursors[k] = l.Cursor()
	}
	for b, err := range p.rows.All() {
		if err != nil {
			return err
		}
		for j := range p.width {
			to.b.Col(j).AppendRows(b.Cols[j], b.Select(nil))
		}
		for k := range p.out {
			for need := b.N; need > 0; {
				if batches[k] == nil || at[k] == batches[k].N {
					if batches[k], err = cursors[k].Next(); err != nil {
						return err
					}
					at[k] = 0
				}
				n := min(need, batches[k].N-at[k])
				p.all = growSelect(p.all, batches[k])
				to.b.Col(p.width+k).AppendRows(batches[k].Cols[0], p.all[at[k]:at[k]+n])
				at[k], need = at[k]+n, need-n
			}
		}
		to.b.Rows(b.N, column.Insert)
		if err := to.flush(out); err != nil {
			return err
		}
	}
	return nil
}

// at is the block that has position i, and its row there. After an error of the disk, which err
// keeps, it is a row of NULLs.
func (p *overBig) at(i int) (*column.Batch, int) {
	least := 0
	for k := range p.blocks {
		x := &p.blocks[k]
		if i >= x.start && i < x.end {
			p.use++
			x.used = p.use
			return x.b, i - x.start
		}
		if x.used < p.blocks[least].used {
			least = k
		}
	}
	if len(p.blocks) < overBlocks {
		least = len(p.blocks)
		p.blocks = append(p.blocks, bigBlock{})
	}
	p.use++
	x := &p.blocks[least]
	*x = p.read(p.rows, i)
	x.used = p.use
	return x.b, i - x.start
}

func (p *overBig) read(l *spool.List, i int) bigBlock {
	n, first := l.BlockOf(int64(i))
	b, err := l.Block(n)
	if err == nil {
		return bigBlock{b: b, start: int(first), end: int(first) + b.N}
	}
	if p.err == nil {
		p.err = err
	}
	none := column.NewBuilder(l.Types(), 1)
	for j := range l.Types() {
		none.Col(j).AppendNull()
	}
	none.Row(column.Insert)
	return bigBlock{b: none.Batch(), start: i, end: i + 1}
}

// groupStart is the first position of group g, the number of rows when there is none.
func (p *overBig) groupStart(g int64) int {
	if g >= p.first.Rows() {
		return p.n
	}
	if x := &p.starts; x.b == nil || int(g) < x.start || int(g) >= x.end {
		*x = p.read(p.first, int(g))
	}
	return int(p.starts.b.Cols[0].Ints[int(g)-p.starts.start])
}

// peers are the bounds of the peers of position i, and the number of their group. To be asked in the
// order of positions.
func (p *overBig) peers(i int) (start, end, group int) {
	if p.hi == 0 || i < p.lo {
		p.group, p.lo, p.hi = 0, 0, p.groupStart(1)
	}
	for i >= p.hi && p.err == nil {
		p.group++
		p.lo, p.hi = p.hi, p.groupStart(int64(p.group)+1)
	}
	return p.lo, p.hi, p.group
}
