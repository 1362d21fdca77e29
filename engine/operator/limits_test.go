package operator

import (
	"fmt"
	"testing"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

func ints(n, from int) *column.Batch {
	b := column.NewBuilder([]types.Type{types.Int8, types.Text}, n)
	for i := range n {
		b.Col(0).Ints = append(b.Col(0).Ints, int64(from+i))
		b.Col(1).AppendBytes(fmt.Appendf(nil, "some text to take memory %d", from+i))
		b.Row(column.Insert)
	}
	return b.Batch()
}

// TestOutOfMemory checks that an operator without tables ends at its budget, by name, with a
// hint; and that with tables it goes on.
func TestOutOfMemory(t *testing.T) {
	in := input(true, []int{0}, types.Int8, types.Text)
	counts := aggPlan(in, []int{0, 1}, []plan.AggCall{call("count", types.Int8)})
	distinct := aggPlan(in, nil, []plan.AggCall{{Name: "count", Args: []expr.Expr{col(1, types.Text)}, Distinct: true, T: types.Int8}})
	sorted := &plan.Physical{Op: plan.OpSort, Inputs: []*plan.Physical{in}, Out: in.Out, Sort: []plan.SortKey{{Expr: col(1, types.Text)}}}
	joined := &plan.Physical{
		Op: plan.OpJoin, Inputs: []*plan.Physical{in, in}, Out: append(schema(types.Int8, types.Text), schema(types.Int8, types.Text)...),
		Keys: []int{0}, RightKeys: []int{0}, Tables: []uint16{1, 2},
	}
	for name, p := range map[string]*plan.Physical{"aggregate": counts, "distinct": distinct, "sort": sorted, "join": joined} {
		t.Run(name, func(t *testing.T) {
			op, err := Build(p, BuildContext{Shards: 1, MemoryBudget: 64 << 10, Name: "v"})
			if err != nil {
				t.Fatal(err)
			}
			if err = fill(op, p.Op != plan.OpSort); pgerror.Code(err) != pgerror.OutOfMemory || pgerror.From(err).Hint == "" {
				t.Fatalf("got %v", err)
			}
			if p.Op == plan.OpSort {
				return // bounded only: has no table
			}
			rg := newRig(t, p, true)
			rg.ctx.MemoryBudget = 64 << 10
			rg.open()
			if err := fill(rg.op, true); err != nil {
				t.Fatalf("with a table: %v", err)
			}
		})
	}
}

func fill(op dataflow.Operator, barriers bool) error {
	out := &null{}
	for k := range 40 {
		if err := op.Process(0, ints(100, 100*k), out); err != nil {
			return err
		}
		if !barriers {
			continue
		}
		if err := op.Barrier(state.Epoch{ID: uint64(k)}, out); err != nil {
			return err
		}
	}
	return nil
}

// TestBroken checks that changelogs that cannot be end the job.
func TestBroken(t *testing.T) {
	del := func(b *column.Batch) *column.Batch {
		b.Ops = make([]column.Op, b.N)
		for i := range b.Ops {
			b.Ops[i] = column.Delete
		}
		return b
	}
	p := &plan.Physical{Op: "materialize", Out: schema(types.Int8, types.Text), Key: []int{0}}
	for name, steps := range map[string][]*column.Batch{
		"two rows of one key in an epoch": {ints(1, 1), ints(1, 1), nil},
		"two rows of one key":             {ints(1, 1), nil, ints(1, 1), nil},
		"deleted twice in an epoch":       {ints(1, 1), nil, del(ints(1, 1)), del(ints(1, 1)), nil},
		"deleted twice":                   {ints(1, 1), nil, del(ints(1, 1)), nil, del(ints(1, 1)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			rg := newRig(t, p, true)
			var err error
			for _, b := range steps {
				if err != nil {
					break
				}
				if b == nil {
					err = rg.op.Barrier(state.Epoch{}, rg)
				} else {
					err = rg.op.Process(0, b, rg)
				}
			}
			if pgerror.Code(err) != pgerror.InternalError {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// TestCorruptState checks that damaged state is an error, whatever it is, never a panic.
func TestCorruptState(t *testing.T) {
	aggs, arrival := everyAgg()
	p := aggPlan(input(true, nil, aggInput...), []int{0, 2}, append(aggs, arrival...))
	rg := newRig(t, p, true)
	c := &changes{types: aggInput}
	c.add(column.Insert, []types.Datum{
		types.StringDatum("a"), types.IntDatum(1), dec("1.5"), types.FloatDatum(1), types.BoolDatum(true), {Iv: types.Interval{Days: 1}},
	})
	rg.process(0, c.batch(0, 1, false))
	rg.barrier(true)
	var key, value []byte
	for e, err := range rg.space.Table(1).Scan([]byte{spaceGroups}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		key, value = append(key, e.Key...), append(value, e.Value...)
	}
	for cut := range len(value) {
		for _, bad := range [][]byte{value[:cut], append(append(append([]byte(nil), value[:cut]...), ^value[cut]), value[cut+1:]...)} {
			if err := rg.space.Table(1).Put(key, bad); err != nil {
				t.Fatal(err)
			}
			op, err := Build(p, rg.ctx)
			if err == nil {
				err = op.Process(0, c.batch(0, 1, false), rg)
			}
			if code := pgerror.Code(err); err != nil && code != pgerror.DataCorrupted {
				t.Fatalf("byte %d: %v", cut, err)
			}
		}
	}
}

func TestPartition(t *testing.T) {
	b := ints(1000, 0)
	parts := Partition(b, []int{1}, 4)
	n := 0
	for k, rows := range parts {
		if len(rows) < 150 {
			t.Errorf("shard %d has %d rows of 1000", k, len(rows))
		}
		n += len(rows)
	}
	if n != 1000 || len(Partition(b, nil, 4)[0]) != 1000 {
		t.Error("rows are lost")
	}
}
