package binder

import (
	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// Merge is a bound MERGE. Its plan yields each source row with the target row that it
// matches: Source columns first, then all columns of the target, NULL where none
// matches, then values of subqueries. A source row comes once per match.
type Merge struct {
	Change
	Source int
	Whens  []MergeWhen
	// Computed are the target's generated columns over its full row, nil for others.
	Computed []expr.Expr
}

// MergeWhen is a branch: the first whose Matched fits and whose Cond is true or nil
// acts on a row.
type MergeWhen struct {
	Matched bool
	Cond    expr.Expr
	Action  ast.MergeAction
	// Exprs are all columns of the new row, over the plan's row.
	Exprs []expr.Expr
}

func (b *Binder) merge(s *ast.Merge) (*Merge, error) {
	if err := b.with(s.With, nil); err != nil {
		return nil, err
	}
	rel, err := b.target(s.Table, "merge into")
	if err != nil {
		return nil, err
	}
	if rel.AppendOnly {
		return nil, pgerror.New(pgerror.WrongObjectType, "cannot merge into %q: it is append-only", rel.Name).At(b.pos(s.Table.Name.Pos()))
	}
	table := s.Table
	if len(table.Name.Parts) == 1 && b.ctes.find(table.Name.Last()) != nil { // which is not what is meant
		named := *table
		named.Name.Parts = []string{rel.Schema, rel.Name}
		if table = &named; table.Alias == nil {
			table.Alias = &ast.Alias{At: s.Table.At, Name: rel.Name}
		}
	}
	f, err := b.join(&ast.Join{At: s.At, Kind: ast.LeftJoin, L: s.Source, R: table, On: s.On}, surroundings{})
	if err != nil {
		return nil, err
	}
	m := &Merge{Source: len(f.plan.Schema()) - len(rel.Columns)}
	if m.Computed, err = b.Computed(rel); err != nil {
		return nil, err
	}
	k := &block{b: b, sel: &ast.Select{}, scope: f.scope, input: f.plan, windowEnd: -1}
	for _, w := range s.Whens {
		x, err := b.mergeWhen(rel, k, m.Source, w)
		if err != nil {
			return nil, err
		}
		m.Whens = append(m.Whens, *x)
	}
	m.Change = Change{Target: rel, Plan: k.input}
	return m, nil
}

// sourceNames are the names of the first n columns alone: what WHEN NOT MATCHED sees.
func sourceNames(sc *Scope, n int) *Scope {
	out := &Scope{}
	for _, c := range sc.cols {
		if c.index < n {
			out.cols = append(out.cols, c)
		}
	}
	out.tables = sc.tables[:max(0, len(sc.tables)-1)]
	return out
}

func (b *Binder) mergeWhen(rel *catalog.Relation, k *block, source int, w ast.MergeWhen) (*MergeWhen, error) {
	out := &MergeWhen{Matched: w.Matched, Action: w.Action}
	cx := k.context("MERGE", false)
	if !w.Matched {
		cx.scope = sourceNames(k.scope, source)
	}
	if w.Cond != nil {
		c, err := b.boolean(w.Cond, cx, "MERGE WHEN AND condition")
		if err != nil {
			return nil, err
		}
		if out.Cond, err = k.input0(c); err != nil {
			return nil, err
		}
	}
	var err error
	switch w.Action {
	case ast.MergeInsert:
		out.Exprs, err = b.mergeInsert(rel, cx, k, w)
	case ast.MergeUpdate:
		var set []int
		var exprs []expr.Expr
		if set, exprs, err = b.setItems(rel, w.Set, cx, k, source); err != nil {
			return nil, err
		}
		for i, c := range rel.Columns {
			out.Exprs = append(out.Exprs, &expr.Col{Index: source + i, T: c.Type, Name: c.Name})
		}
		for i, c := range set {
			out.Exprs[c] = exprs[i]
		}
		b.uses(rel).Update(set...)
	case ast.MergeDelete:
		b.uses(rel).Delete()
	case ast.MergeNothing:
	}
	return out, err
}

func (b *Binder) mergeInsert(rel *catalog.Relation, cx *context, k *block, w ast.MergeWhen) ([]expr.Expr, error) {
	ins := &ast.Insert{At: w.At, Columns: w.Columns, Overriding: w.Overriding}
	if w.Values != nil {
		ins.Query = &ast.Query{At: w.At, Body: &ast.Values{At: w.At, Rows: [][]ast.Expr{w.Values}}}
	}
	places, err := b.insertPlaces(rel, ins)
	if err != nil {
		return nil, err
	}
	b.uses(rel).Insert(columnsOf(places)...)
	if err := b.checkGenerated(rel, places, ins); err != nil {
		return nil, err
	}
	if w.Values != nil {
		if err := b.insertCount(rel, len(w.Values), places, ins, func(i int) int { return leftmost(w.Values[i]) }); err != nil {
			return nil, err
		}
	}
	out := make([]expr.Expr, len(rel.Columns))
	for j, p := range places[:min(len(places), len(w.Values))] {
		if w.Overriding == "USER" && rel.Columns[p.column].Identity != "" {
			continue
		}
		e, err := b.setNew(rel, &p, w.Values[j], cx)
		if err != nil {
			return nil, err
		}
		if e, err = p.into(b, orNull(out[p.column], rel.Columns[p.column].Type), e); err != nil {
			return nil, err
		}
		if out[p.column], err = k.input0(e); err != nil {
			return nil, err
		}
	}
	for i, c := range rel.Columns {
		if out[i] != nil {
			continue
		}
		if out[i], err = b.Default(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}
