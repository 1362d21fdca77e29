package session

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// prepareExplainTimestamp is EXPLAIN TIMESTAMP FOR a query: the moment at which a read of
// it is served now, and how far each of its inputs has come. It waits as the read would.
func (s *Session) prepareExplainTimestamp(p ast.Parsed, n *ast.Explain, params []types.OID) (pgwire.Statement, error) {
	q, ok := n.Stmt.(*ast.Query)
	if !ok || q.Emit != nil {
		return nil, pgerror.Unsupported("EXPLAIN TIMESTAMP is for queries that end").At(p.Position(n.Pos()))
	}
	r, err := binder.BindQuery(s.bindOptions(p, params), q)
	if err != nil {
		return nil, err
	}
	t := newTextRows("QUERY PLAN")
	st := t.statement("EXPLAIN", func(ctx context.Context, t *textRows) error {
		if err := s.permit(s.catalog(), r.Access, r.Functions); err != nil {
			return err
		}
		if err := s.committed(r.Inputs); err != nil {
			return err
		}
		tree, err := s.timestampTree(ctx, r.Inputs)
		if err != nil {
			return err
		}
		for _, l := range tree.Text() {
			t.add(l)
		}
		return nil
	})
	st.(*rowsStatement).params = r.Params
	return st, nil
}

// timestampTree reads what the inputs' jobs have come to, as a query does.
func (s *Session) timestampTree(ctx context.Context, inputs []uint32) (*plan.Node, error) {
	snap := s.reading()
	var jobs []uint32
	for _, id := range inputs {
		if r := snap.ByID(id); r != nil && len(r.Plan) > 0 {
			jobs = append(jobs, id)
		}
	}
	consistency := s.settings.get("read_consistency")
	read := func() (*job.View, error) { return s.e.Jobs.Read(ctx, jobs) }
	if consistency == "relaxed" {
		read = func() (*job.View, error) { return s.e.Jobs.ReadRelaxed(jobs) }
	}
	began := time.Now()
	v, err := read()
	if err != nil {
		return nil, err
	}
	at := time.Now()
	if err := v.Close(); err != nil {
		return nil, err
	}
	top := &plan.Node{Title: "Timestamp"}
	top.Add("Read Consistency", consistency)
	top.Add("Query Time", s.momentText(at.UnixMicro()))
	top.Add("Commit", strconv.FormatUint(v.Seq, 10))
	top.Add("Waited", fmt.Sprintf("%.3f ms", float64(at.Sub(began).Nanoseconds())/1e6))
	seen := map[uint32]bool{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(inputs))) {
		if r := snap.ByID(id); r != nil && id >= catalog.FirstID {
			top.Plans = append(top.Plans, s.inputTimestamp(snap, v, r, seen))
		}
	}
	return top, nil
}

// inputTimestamp is how far the relation r has come in v, and, below, what it reads.
func (s *Session) inputTimestamp(snap *catalog.Snapshot, v *job.View, r *catalog.Relation, seen map[uint32]bool) *plan.Node {
	n := &plan.Node{Title: fmt.Sprintf("%s %s.%s", kindOf(r), ast.QuoteIdent(r.Schema), ast.QuoteIdent(r.Name))}
	switch {
	case r.Sourced():
		n.Add("Frontier", "the end of the connector's data when it is read")
	case len(r.Plan) > 0:
		s.jobTimestamp(snap, v, r, n, seen)
	default:
		n.Add("Frontier", "commit "+strconv.FormatUint(v.Seq, 10))
	}
	return n
}

func (s *Session) jobTimestamp(snap *catalog.Snapshot, v *job.View, r *catalog.Relation, n *plan.Node, seen map[uint32]bool) {
	n.Add("Frontier", "epoch "+strconv.FormatUint(v.Epoch(r.ID), 10))
	if f, err := s.e.Jobs.Frontier(r.ID); err == nil {
		if f.Time != 0 {
			n.Add("Newest Epoch", fmt.Sprintf("%d, ended %s", f.Epoch, s.momentText(f.Time)))
		}
		n.Add("Durable Epoch", strconv.FormatUint(f.Durable, 10))
		if f.Watermark != pgWatermarkNone && f.Watermark != types.TimestampInfinity {
			n.Add("Watermark", s.momentText(types.ToTime(f.Watermark).UnixMicro()))
		}
	}
	if seen[r.ID] {
		return
	}
	seen[r.ID] = true
	for _, id := range r.Inputs {
		if in := snap.ByID(id); in != nil {
			n.Plans = append(n.Plans, s.inputTimestamp(snap, v, in, seen))
		}
	}
}

// pgWatermarkNone is the watermark of a job that has none.
const pgWatermarkNone = -1 << 63

// momentText shows a moment, µs since the Unix epoch, as a number, which AS OF and UP TO
// take, and as a time.
func (s *Session) momentText(at int64) string {
	text := types.AppendText(nil, types.Timestamptz, types.IntDatum(at-types.EpochSeconds*types.MicrosPerSecond), s.settings.format())
	return fmt.Sprintf("%d (%s)", at, text)
}
