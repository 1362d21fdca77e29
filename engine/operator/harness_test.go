package operator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// rig runs one operator on a store that it can be reopened on.
type rig struct {
	t     testing.TB
	p     *plan.Physical
	ctx   BuildContext
	store state.Store
	space *state.Space
	op    dataflow.Operator
	epoch uint64
	rows  map[string]int // net output
	log   []string       // output since the last take
	quiet bool
	times map[string][]int64 // the integers behind the first column, if not nil
}

func newRig(t testing.TB, p *plan.Physical, tables bool) *rig {
	r := &rig{t: t, p: p, rows: map[string]int{}, ctx: BuildContext{Shards: 1, Name: "v"}}
	if tables {
		r.store = state.NewMem(state.MemOptions{})
		t.Cleanup(func() { r.store.Close() })
	}
	r.open()
	return r
}

func (r *rig) open() {
	r.t.Helper()
	if r.store != nil {
		r.space = state.NewSpace(r.store, 1, 0)
		r.ctx.Table = r.space.Table
	}
	var err error
	if r.p.Op == "materialize" {
		var t state.Table
		if r.store != nil {
			t = r.space.Table(0)
		}
		r.op, err = NewMaterialize(r.p, "v", t)
	} else {
		r.op, err = Build(r.p, r.ctx)
	}
	if err != nil {
		r.t.Fatalf("build: %v", err)
	}
}

// Emit implements dataflow.Output.
func (r *rig) Emit(b *column.Batch) error {
	if b.Rows() > maxBatch && r.p.Op != plan.OpFilter && r.p.Op != plan.OpProject {
		r.t.Errorf("batch of %d rows", b.Rows())
	}
	for i := range b.Each {
		s := rowText(b, i)
		if r.times != nil {
			var n []int64
			for _, c := range b.Cols[1:] {
				n = append(n, c.Ints[i])
			}
			r.times[s] = n
		}
		if b.Op(i) == column.Insert {
			r.rows[s]++
			r.note("+ " + s)
			continue
		}
		if r.rows[s]--; r.rows[s] == 0 {
			delete(r.rows, s)
		}
		r.note("- " + s)
	}
	return nil
}

func (r *rig) note(s string) {
	if !r.quiet {
		r.log = append(r.log, s)
	}
}

func (r *rig) process(port int, b *column.Batch) {
	r.t.Helper()
	if err := r.op.Process(port, b, r); err != nil {
		r.t.Fatalf("process: %v", err)
	}
}

func (r *rig) barrier(flush bool) {
	r.t.Helper()
	r.epoch++
	if err := r.op.Barrier(state.Epoch{ID: r.epoch, Flush: flush}, r); err != nil {
		r.t.Fatalf("barrier: %v", err)
	}
	if flush && r.space != nil {
		r.commit()
	}
}

func (r *rig) commit() {
	b := r.store.NewBatch()
	s := r.space.Seal(b)
	if err := r.store.Commit(b, true); err != nil {
		r.t.Fatal(err)
	}
	r.space.Committed(s)
}

func (r *rig) watermark(w dataflow.Watermark) {
	r.t.Helper()
	if err := r.op.Watermark(w, r); err != nil {
		r.t.Fatalf("watermark: %v", err)
	}
}

func rowText(b *column.Batch, i int) string {
	parts := make([]string, len(b.Cols))
	for j, c := range b.Cols {
		if c.Null(i) {
			parts[j] = "NULL"
			continue
		}
		parts[j] = string(types.AppendText(nil, c.Type, c.Datum(i), nil))
	}
	return strings.Join(parts, "|")
}

// sorted lists the net rows, each as often as it is there.
func (r *rig) sorted() []string {
	var out []string
	for _, s := range slices.Sorted(maps.Keys(r.rows)) {
		if n := r.rows[s]; n != 1 {
			s = fmt.Sprintf("%s  ×%d", s, n)
		}
		out = append(out, s)
	}
	return out
}

// changes is rows to be given to an operator.
type changes struct {
	types []types.Type
	rows  []change
}

type change struct {
	op  column.Op
	row []types.Datum
}

func (c *changes) add(op column.Op, row []types.Datum) { c.rows = append(c.rows, change{op, row}) }

// batch makes a batch of the rows from to to, sometimes with a selection over junk.
func (c *changes) batch(from, to int, junk bool) *column.Batch {
	b := column.NewBuilder(c.types, 0)
	var sel []int32
	for _, ch := range c.rows[from:to] {
		if junk {
			for j := range c.types {
				b.Col(j).AppendNull()
			}
			b.Row(column.Delete)
		}
		sel = append(sel, int32(b.Len()))
		for j, d := range ch.row {
			b.Col(j).Append(d)
		}
		b.Row(ch.op)
	}
	out := *b.Batch()
	if junk {
		out.Sel = sel
	}
	return &out
}

func col(i int, t types.Type) expr.Expr { return &expr.Col{Index: i, T: t} }

func schema(ts ...types.Type) plan.Schema {
	s := make(plan.Schema, len(ts))
	for i, t := range ts {
		s[i] = plan.Column{Name: fmt.Sprintf("c%d", i), Type: t}
	}
	return s
}

// input is a node whose output is given by the test.
func input(appends bool, key []int, ts ...types.Type) *plan.Physical {
	return &plan.Physical{Op: plan.OpScan, Out: schema(ts...), Key: key, AppendOnly: appends, EventTime: -1, WindowEnd: -1}
}

func dec(s string) types.Datum {
	d, err := types.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return types.DecimalDatum(d)
}

func diff(t testing.TB, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	var b strings.Builder
	for _, s := range got {
		if !slices.Contains(want, s) {
			fmt.Fprintf(&b, "  got  %s\n", s)
		}
	}
	for _, s := range want {
		if !slices.Contains(got, s) {
			fmt.Fprintf(&b, "  want %s\n", s)
		}
	}
	t.Fatalf("%s:\n%s", what, b.String())
}

func decodeRow(t testing.TB, v []byte, b *column.Builder) {
	t.Helper()
	if err := rowenc.DecodeRow(v, b); err != nil {
		t.Fatal(err)
	}
	b.Row(column.Insert)
}
