package job

import (
	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/state"
)

// graphSpec is what a physical plan needs to become stages.
type graphSpec struct {
	plan   *plan.Physical
	shards int
	// source opens the source of a scan in one shard (nil: none there).
	source func(scan *plan.Physical, index, shard int, wake func()) (dataflow.Source, error)
	// timed reports that a scan's rows carry a watermark.
	timed func(scan *plan.Physical) bool
	// context is what operators of one shard are built with.
	context func(stage, shard int) operator.BuildContext
	// root puts the last operator on top: it may add one, and says where the
	// output goes.
	root func(stage, shard int, t *dataflow.Tree, r dataflow.Ref) error
	// after is every task's AfterBarrier; last is set in the plan's root stage.
	after func(stage, shard int, last bool, e state.Epoch) (any, error)
}

// stages cuts the plan at its exchanges. Stage 0 is the plan's root. scanAt
// tells which scan feeds an input of a stage.
func (g *graphSpec) stages() (out []dataflow.Stage, scanAt map[stageInput]int) {
	b := &graphBuilder{spec: g, scanAt: map[stageInput]int{}}
	b.stage(g.plan, -1, 0, nil)
	return b.out, b.scanAt
}

type graphBuilder struct {
	spec   *graphSpec
	out    []dataflow.Stage
	scans  int
	scanAt map[stageInput]int
}

// stage adds the stage of the tree below root, and those it reads. Its output
// goes to input toInput of stage to, through the exchange via.
func (b *graphBuilder) stage(root *plan.Physical, to, toInput int, via *plan.Physical) {
	index := len(b.out)
	b.out = append(b.out, dataflow.Stage{})
	s := dataflow.Stage{Name: string(root.Op), Shards: b.shards(root), To: to, ToInput: toInput}
	s.AfterBarrier = func(shard int, e state.Epoch) (any, error) { return b.spec.after(index, shard, to < 0, e) }
	if via != nil && len(via.Keys) > 0 {
		keys := via.Keys
		s.Partition = func(batch *column.Batch, n int) [][]int32 { return operator.Partition(batch, keys, n) }
	}
	b.inputs(&s, root, index)
	s.New = b.spec.builder(root, index, to < 0)
	s.Out = func(int) dataflow.Output { return nil }
	b.out[index] = s
}

// shards is how many tasks run the stage that root is on top of: one when its
// input was gathered, all otherwise.
func (b *graphBuilder) shards(root *plan.Physical) int {
	if root.Op == plan.OpExchange {
		if len(root.Keys) == 0 {
			return 1
		}
		return b.spec.shards
	}
	if len(root.Inputs) == 0 {
		return b.spec.shards
	}
	n := b.spec.shards
	for _, in := range root.Inputs {
		n = min(n, b.shards(in))
	}
	return n
}

// inputs lists the leaves of the stage in the order in which builder visits
// them, and adds the stages behind exchanges.
func (b *graphBuilder) inputs(s *dataflow.Stage, p *plan.Physical, index int) {
	switch p.Op {
	case plan.OpExchange:
		input := len(s.Inputs)
		s.Inputs = append(s.Inputs, dataflow.Input{Retracting: !p.Inputs[0].AppendOnly && b.spec.shards > 1})
		b.stage(p.Inputs[0], index, input, p)
	case plan.OpScan:
		n := b.scans
		b.scans++
		b.scanAt[stageInput{index, len(s.Inputs)}] = n
		source := b.spec.source
		s.Inputs = append(s.Inputs, dataflow.Input{
			Timeless: !b.spec.timed(p),
			Source: func(shard int, wake func()) (dataflow.Source, error) {
				return source(p, n, shard, wake)
			},
		})
	default:
		for _, in := range p.Inputs {
			b.inputs(s, in, index)
		}
	}
}

// builder makes the trees of the stage that root is on top of.
func (g *graphSpec) builder(root *plan.Physical, stage int, last bool) func(int, dataflow.Output) (*dataflow.Tree, error) {
	return func(shard int, out dataflow.Output) (*dataflow.Tree, error) {
		t := dataflow.NewTree()
		r, err := addNode(t, root, g.context(stage, shard))
		if err != nil {
			return nil, err
		}
		if last {
			return t, g.root(stage, shard, t, r)
		}
		t.Finish(r, out)
		return t, nil
	}
}

// addNode adds the operators of p to t; scans and exchanges become inputs, in
// depth-first order.
func addNode(t *dataflow.Tree, p *plan.Physical, ctx operator.BuildContext) (dataflow.Ref, error) {
	if p.Op == plan.OpScan || p.Op == plan.OpExchange {
		return t.Input(), nil
	}
	var in []dataflow.Ref
	for _, c := range p.Inputs {
		r, err := addNode(t, c, ctx)
		if err != nil {
			return r, err
		}
		in = append(in, r)
	}
	op, err := operator.Build(p, ctx)
	if err != nil {
		return dataflow.Ref{}, err
	}
	return t.Add(op, in...), nil
}

// scansOf lists the scans of a plan in depth-first order: the order of their
// index.
func scansOf(p *plan.Physical) []*plan.Physical {
	if p.Op == plan.OpScan {
		return []*plan.Physical{p}
	}
	var out []*plan.Physical
	for _, in := range p.Inputs {
		out = append(out, scansOf(in)...)
	}
	return out
}

// Scanned are the columns of relation id, by position, that a stored plan takes in:
// those its query reads, and those that identify rows.
func Scanned(stored []byte, id uint32) ([]int, error) {
	p, err := DecodePlan(stored)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, scan := range scansOf(p) {
		if scan.Relation == id {
			out = append(out, scan.Columns...)
		}
	}
	return out, nil
}

// HasType reports that a stored plan computes or passes on values of a type that is holds
// for. Error XX001: the plan cannot be read.
func HasType(stored []byte, is func(types.Type) bool) (bool, error) {
	p, err := DecodePlan(stored)
	if err != nil {
		return false, err
	}
	found := false
	p.EachType(func(t types.Type) { found = found || is(t) })
	return found, nil
}

// DecodePlan reads a stored physical plan.
func DecodePlan(b []byte) (*plan.Physical, error) {
	p, err := plan.Decode(b)
	if err != nil {
		return nil, pgerror.New(pgerror.DataCorrupted, "stored plan cannot be read: %v", err).WithCause(err)
	}
	return p, nil
}
