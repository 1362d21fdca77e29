package optimizer

import (
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
)

// LowerUpsert plans the job of a table that a connector feeds: the scan reads the records of
// the relation itself, and the newest row of each key is kept. version is the column whose
// greater value wins, -1: the last one does; first: the first row of a key stays.
func LowerUpsert(scan *plan.Scan, key []int, version int, first bool, shards int) *plan.Physical {
	l := &lowering{o: LowerOptions{Continuous: true, View: true, Shards: max(shards, 2)}}
	in := newNode(plan.OpScan, scan.Out)
	in.Relation, in.Name, in.Columns = scan.Relation, scan.Name, scan.Columns
	// Records keep their order on the way: what deletes among them mean the upsert decides.
	in.Key, in.AppendOnly = key, true
	in = l.exchange(in, key)
	n := newNode(plan.OpUpsert, in.Out, in)
	n.Keys, n.Key, n.Distinct, n.Tables = key, key, first, l.newTables(1)
	if version >= 0 {
		n.Sort = []plan.SortKey{{Expr: &expr.Col{Index: version, T: in.Out[version].Type, Name: in.Out[version].Name}}}
	}
	return n
}
