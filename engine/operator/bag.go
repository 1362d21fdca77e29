package operator

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// bag keeps rows in the order they came; a Delete takes out an equal row. An index of
// rows is made only when the first Delete comes.
type bag struct {
	label  string
	budget budget
	b      *column.Builder
	width  int // columns that make a row equal
	dead   column.Bitmap
	index  map[string][]int32
	key    []byte
}

func newBag(label string, budget budget, ts []types.Type, width int) *bag {
	return &bag{label: label, budget: budget, b: column.NewBuilder(ts, 0), width: width}
}

// add takes in the selected rows of in, whose columns are those of the bag, and returns how many
// bytes it keeps.
func (g *bag) add(in *column.Batch) (int64, error) {
	rows := in.Select(nil)
	if !hasDeletes(in) && g.index == nil {
		g.b.AppendRows(in, rows, column.Insert)
		return g.size(), nil
	}
	if g.index == nil {
		g.index = make(map[string][]int32)
		for i := range g.b.Len() {
			g.enter(i)
		}
	}
	for _, i := range rows {
		if in.Op(int(i)) == column.Insert {
			g.b.AppendRow(in, int(i), column.Insert)
			g.enter(g.b.Len() - 1)
			continue
		}
		g.key = rowenc.AppendRow(g.key[:0], in.Cols[:g.width], int(i))
		list := g.index[string(g.key)]
		if len(list) == 0 {
			return 0, broken(g.label, "a row is deleted that is not there")
		}
		at := int(list[len(list)-1])
		g.index[string(g.key)] = list[:len(list)-1]
		for len(g.dead) <= at>>6 {
			g.dead = append(g.dead, 0)
		}
		g.dead.Set(at)
	}
	return g.size(), nil
}

func (g *bag) enter(i int) {
	g.key = rowenc.AppendRow(g.key[:0], g.b.Batch().Cols[:g.width], i)
	g.index[string(g.key)] = append(g.index[string(g.key)], int32(i))
}

// size is about how many bytes the bag keeps.
func (g *bag) size() int64 {
	n := g.b.Batch().MemSize()
	if g.index != nil {
		n *= 3
	}
	return n
}

// check is the error of a bag of n bytes that has nowhere to go.
func (g *bag) check(n int64) error {
	if n > g.budget.now() {
		return g.budget.exceeded(g.label, n)
	}
	return nil
}

// rows lists the rows that are left, in order.
func (g *bag) rows() []int32 {
	out := make([]int32, 0, g.b.Len())
	for i := range g.b.Len() {
		if !g.dead.Get(i) {
			out = append(out, int32(i))
		}
	}
	return out
}

func (g *bag) reset() {
	g.b.Reset()
	g.dead, g.index = nil, nil
}

// emit hands on the given rows of the bag, its first width columns, by batches.
func (g *bag) emit(rows []int32, out dataflow.Output) error {
	all := g.b.Batch()
	next := column.NewBuilder(typesOf(all.Cols[:g.width]), min(len(rows), maxBatch))
	for at := 0; at < len(rows); at += maxBatch {
		next.AppendRows(all, rows[at:min(len(rows), at+maxBatch)], column.Insert)
		if err := out.Emit(next.Batch()); err != nil {
			return err
		}
		next.Reset()
	}
	return nil
}

func typesOf(cols []*column.Column) []types.Type {
	out := make([]types.Type, len(cols))
	for j, c := range cols {
		out[j] = c.Type
	}
	return out
}
