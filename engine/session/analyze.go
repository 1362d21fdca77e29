package session

import (
	"context"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// analysis is one relation that ANALYZE reads.
type analysis struct {
	rel     *catalog.Relation
	columns []int
}

// prepareAnalyze is ANALYZE, and VACUUM (ANALYZE).
func (s *Session) prepareAnalyze(p ast.Parsed, n *ast.Vacuum) (pgwire.Statement, error) {
	if s.e.dry {
		return s.command(p, func(context.Context) (string, error) { return p.Tag(), nil }), nil
	}
	return s.command(p, func(ctx context.Context) (string, error) {
		list, err := s.analyses(p, n)
		if err != nil {
			return "", err
		}
		for _, a := range list {
			if err := s.analyze(ctx, a); err != nil {
				return "", err
			}
		}
		return p.Tag(), nil
	}), nil
}

// analyses are the relations that n names, or all that can be analyzed and are the
// session's to analyze.
func (s *Session) analyses(p ast.Parsed, n *ast.Vacuum) ([]analysis, error) {
	snap := s.catalog()
	var out []analysis
	if len(n.Tables) == 0 {
		for _, r := range snap.Relations() {
			if s.keepsRows(r) && s.owns(snap, r) == nil {
				out = append(out, analysis{r, visibleAttributes(r)})
			}
		}
		return out, nil
	}
	for _, t := range n.Tables {
		r, err := s.relation(snap, p, t.Name)
		if err != nil {
			return nil, err
		}
		a := analysis{r, visibleAttributes(r)}
		if len(t.Columns) > 0 {
			a.columns = nil
		}
		for _, c := range t.Columns {
			i := r.ColumnIndex(c.Name)
			if i < 0 || r.Columns[i].Hidden || r.Columns[i].Dropped {
				return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", c.Name, r.Name).At(p.Position(c.Pos()))
			}
			if slices.Contains(a.columns, i) {
				return nil, pgerror.New(pgerror.DuplicateColumn, "column %q of relation %q appears more than once", c.Name, r.Name).At(p.Position(c.Pos()))
			}
			a.columns = append(a.columns, i)
		}
		switch {
		case r.ID < catalog.FirstID: // made when it is read
		case s.owns(snap, r) != nil:
			s.warning("01000", "permission denied to analyze %q, skipping it", r.Name)
		case !s.keepsRows(r):
			s.warning("01000", "skipping %q --- cannot analyze a %s whose rows are not kept here", r.Name, kindOf(r))
		default:
			out = append(out, a)
		}
	}
	return out, nil
}

// keepsRows reports a relation whose rows are kept here.
func (s *Session) keepsRows(r *catalog.Relation) bool {
	return r.Native() && r.Kind != catalog.Sequence || len(r.Plan) > 0 && s.e.Jobs.KeepsRows(r.ID)
}

func visibleAttributes(r *catalog.Relation) []int {
	var out []int
	for i, c := range r.Columns {
		if !c.Hidden && !c.Dropped {
			out = append(out, i)
		}
	}
	return out
}

// analyze reads the rows of a relation and keeps what they say.
func (s *Session) analyze(ctx context.Context, a analysis) error {
	smp, err := s.sample(ctx, a)
	if err != nil {
		return err
	}
	_, err = s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		if snap.ByID(a.rel.ID) == nil {
			return nil, nil // dropped meanwhile
		}
		next := &catalog.Statistics{Relation: a.rel.ID}
		if smp.rows > 0 {
			for i, at := range a.columns {
				next.Columns = append(next.Columns, smp.statistics(i, at))
			}
		}
		if was := snap.Statistics(a.rel.ID); was != nil {
			for _, c := range was.Columns {
				if !slices.Contains(a.columns, c.Column) || smp.rows == 0 {
					next.Columns = append(next.Columns, c)
				}
			}
		}
		slices.SortFunc(next.Columns, func(x, y catalog.ColumnStatistics) int { return x.Column - y.Column })
		return []catalog.Change{{PutStatistics: next}}, nil
	})
	return err
}

func (s *Session) sample(ctx context.Context, a analysis) (_ *sample, err error) {
	rd, err := s.reader(ctx, []uint32{a.rel.ID})
	if err != nil {
		return nil, err
	}
	defer func() { err = rd.close(err) }()
	ts := make([]types.Type, len(a.columns))
	for i, at := range a.columns {
		ts[i] = a.rel.Columns[at].Type
	}
	out := newSample(ts)
	for b, err := range rd.scan(&plan.Physical{Op: plan.OpScan, Relation: a.rel.ID, Name: a.rel.Name, Columns: a.columns}) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		out.add(b)
	}
	return out, nil
}
