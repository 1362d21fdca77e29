package session

import (
	"bytes"
	"iter"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// indexRowsMax is how many rows are read one by one through a secondary index;
// for more than that reading all rows in their order costs less.
const indexRowsMax = 4096

// span is a range of encoded keys, from lo up to hi; hi nil: to the end.
type span struct{ lo, hi []byte }

// access reads the part of rel that p.Access speaks of, or all of it.
func (r *reader) access(rel *catalog.Relation, p *plan.Physical) iter.Seq2[*column.Batch, error] {
	if p.Access.Index != 0 && rel.Index(p.Access.Index) == nil {
		return failed(pgerror.New(pgerror.UndefinedObject, "index %q does not exist", p.Access.Name))
	}
	spans, err := r.spans(rel, p.Access)
	if err != nil {
		return failed(err)
	}
	switch {
	case p.Access.Index != 0:
		return r.indexScan(rel, p, spans)
	case rel.Native():
		return decode(rel, p.Columns, concat(spans, func(s span) iter.Seq2[state.Entry, error] {
			return r.tx.ScanKeys(rel.ID, s.lo, s.hi)
		}))
	}
	var parts []span // of each shard
	for shard := range r.view.Shards(rel.ID) {
		prefix := job.ShardKey(rel.ID, shard, nil)
		for _, s := range spans {
			hi := rowenc.PrefixEnd(prefix)
			if s.hi != nil {
				hi = append(slices.Clone(prefix), s.hi...)
			}
			parts = append(parts, span{append(slices.Clone(prefix), s.lo...), hi})
		}
	}
	src, _, _ := r.view.Rows(rel.ID)
	return decode(rel, p.Columns, concat(parts, func(s span) iter.Seq2[state.Entry, error] { return src.Scan(s.lo, s.hi) }))
}

// indexScan reads through a secondary index, unless that finds too many rows:
// there are no statistics, so it is found out by looking.
func (r *reader) indexScan(rel *catalog.Relation, p *plan.Physical, spans []span) iter.Seq2[*column.Batch, error] {
	var keys []string
	for _, s := range spans {
		found, more, err := r.tx.IndexKeys(rel.ID, p.Access.Index, s.lo, s.hi, indexRowsMax-len(keys))
		if err != nil {
			return failed(err)
		}
		if more {
			return decode(rel, p.Columns, r.tx.Scan(rel.ID))
		}
		keys = append(keys, found...)
	}
	return decode(rel, p.Columns, r.tx.RowsOf(rel.ID, keys))
}

func concat(spans []span, scan func(span) iter.Seq2[state.Entry, error]) iter.Seq2[state.Entry, error] {
	return func(yield func(state.Entry, error) bool) {
		for _, s := range spans {
			for e, err := range scan(s) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// spans are the ranges of keys that a speaks of, in order and apart.
func (r *reader) spans(rel *catalog.Relation, a *plan.Access) ([]span, error) {
	var prefix []byte
	for i, e := range a.Equal {
		d, err := expr.EvalConst(e, r.env)
		if err != nil || d.Null {
			return nil, err
		}
		prefix = appendKey(prefix, keyType(rel, a, i), d)
	}
	if a.Among != nil || a.Array != nil {
		return r.listed(rel, a, prefix)
	}
	s := span{lo: prefix, hi: rowenc.PrefixEnd(prefix)}
	for _, bound := range []struct {
		e  expr.Expr
		of *[]byte
	}{{a.Low, &s.lo}, {a.High, &s.hi}} {
		if bound.e == nil {
			continue
		}
		d, err := expr.EvalConst(bound.e, r.env)
		if err != nil || d.Null {
			return nil, err
		}
		*bound.of = appendKey(slices.Clone(prefix), keyType(rel, a, len(a.Equal)), d)
	}
	if a.High != nil {
		s.hi = rowenc.PrefixEnd(s.hi)
	}
	if s.hi != nil && bytes.Compare(s.lo, s.hi) >= 0 {
		return nil, nil
	}
	return []span{s}, nil
}

// listed is a range for each of the values that a lists.
func (r *reader) listed(rel *catalog.Relation, a *plan.Access, prefix []byte) ([]span, error) {
	var list []types.Datum
	for _, e := range a.Among {
		d, err := expr.EvalConst(e, r.env)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	if a.Array != nil {
		d, err := expr.EvalConst(a.Array, r.env)
		if err != nil || d.Null {
			return nil, err
		}
		list = d.List
	}
	var keys [][]byte
	for _, d := range list {
		if !d.Null {
			keys = append(keys, appendKey(slices.Clone(prefix), keyType(rel, a, len(a.Equal)), d))
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	spans := make([]span, 0, len(keys))
	for _, k := range slices.CompactFunc(keys, bytes.Equal) {
		spans = append(spans, span{k, rowenc.PrefixEnd(k)})
	}
	return spans, nil
}

// keyType is the type of column i of a.
func keyType(rel *catalog.Relation, a *plan.Access, i int) types.Type {
	if c := a.Columns[i]; c >= 0 {
		return rel.Columns[c].Type
	}
	return rel.KeyType(rel.Index(a.Index), a.Columns[i])
}

// appendKey appends value d of a column of type t to an encoded key.
func appendKey(key []byte, t types.Type, d types.Datum) []byte {
	return rowenc.AppendKey(key, []*column.Column{column.Constant(t, d)}, []int{0}, 0)
}
