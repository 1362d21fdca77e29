package plan

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// Physical is a node of the physical plan, a tree of operators. One struct
// for all of them keeps it easily stored: Op says which one, and only the
// fields of that operator are set. Columns of inputs are referred to by
// position (expr.Col, []int).
//
// Every node of a continuous plan has a stream key: the columns that identify
// a row of its output, so that a Delete finds the Insert it cancels. Nodes that
// need state name their tables; IDs are unique in the plan and stay for ever.
type Physical struct {
	Op     PhysicalOp  `json:"op"`
	Inputs []*Physical `json:"inputs,omitempty"`
	Out    Schema      `json:"out"`
	// Key is the stream key, positions in Out. Empty: a relation of one row,
	// or (bounded plans only) unknown.
	Key []int `json:"key,omitempty"`
	// AppendOnly: the output never has a Delete.
	AppendOnly bool `json:"append_only,omitempty"`
	// EventTime is the position in Out of a column that the watermark is
	// about: no row to come is earlier. -1: none.
	EventTime int `json:"event_time"`
	// Tables are the state tables of this node, in the order that its
	// operator documents.
	Tables []uint16 `json:"tables,omitempty"`

	// OpScan
	Relation uint32      `json:"relation,omitempty"`
	Name     string      `json:"name,omitempty"`
	Columns  []int       `json:"columns,omitempty"` // attribute positions in the relation, in the order of Out
	Lookup   []expr.Expr `json:"lookup,omitempty"`  // point lookup by primary key
	// Index is the secondary index that Lookup uses, 0: the primary key.
	Index     uint32 `json:"index,omitempty"`
	IndexName string `json:"index_name,omitempty"`
	// Access narrows a bounded scan, nil: all of it, or Lookup.
	Access *Access `json:"access,omitempty"`
	// OpValues, OpSeries (start, stop, step in one row)
	Rows [][]expr.Expr `json:"rows,omitempty"`
	// OpFilter; residual condition of OpJoin over the concatenated row
	Cond expr.Expr `json:"cond,omitempty"`
	// OpProject; OpWindow: Exprs[0] is the time
	Exprs []expr.Expr `json:"exprs,omitempty"`
	// OpExchange: hash of these columns; empty: all to shard 0
	// OpAggregate: the group columns of the input
	// OpJoin: the equal columns of the left input
	Keys []int `json:"keys,omitempty"`
	// OpJoin: the equal columns of the right input
	RightKeys []int    `json:"right_keys,omitempty"`
	Join      JoinKind `json:"join,omitempty"`
	// OpJoin: how many of the keys, from the first, match NULL with NULL
	NullSafe int `json:"null_safe,omitempty"`
	// OpIntervalJoin: as OpJoin, and the times that match
	Within *TimeBounds `json:"within,omitempty"`
	// OpLookupJoin, OpTemporalJoin: as OpJoin, and which rows of the right input count
	Temporal *Temporal `json:"temporal,omitempty"`
	// OpOver: Keys is the partition, Sort the order; output = input columns, calls. With Emit
	// final rows leave when their window closes (WindowEnd, a column of the input; Lateness).
	Over []OverCall `json:"over,omitempty"`
	// OpOver: a row leaves once, when it comes, over the rows so far
	Once bool `json:"once,omitempty"`
	// with Ahead > 0: when so many rows have come behind it; the calls look at most Back rows back
	Ahead int `json:"ahead,omitempty"`
	Back  int `json:"back,omitempty"`
	// OpExpand: output = input columns, the calls' columns, the row's number
	Table []TableCall `json:"table,omitempty"`
	// OpRecursive, OpWorkTable: which recursion; OpRecursive without repeated rows
	Recursion int  `json:"recursion,omitempty"`
	Distinct  bool `json:"distinct,omitempty"`
	// Shared, when not 0, numbers a subplan that several nodes read and that runs once
	// (bounded plans only).
	Shared int `json:"shared,omitempty"`
	// OpAggregate; Args are OpProject-ed columns or any expression over the input
	Aggs []AggCall `json:"aggs,omitempty"`
	Emit Emit      `json:"emit,omitempty"`
	// OpAggregate: position in Keys of window_end; OpOver: in the input; -1: none
	WindowEnd int `json:"window_end"`
	// OpAggregate, OpIntervalJoin, OpOver, OpSession: how far rows may be behind the
	// watermark, see Timing
	Lateness int64 `json:"lateness,omitempty"`
	// OpAggregate: what becomes of late rows. With LateUpdate windows are corrected for Retention µs;
	// with LateNext Window is the time window, WindowStart the position in Keys of its start
	Late        LateRows `json:"late,omitempty"`
	Retention   int64    `json:"retention,omitempty"`
	WindowStart int      `json:"window_start,omitempty"`
	// OpWindow
	Window TimeWindow `json:"window,omitzero"`
	// OpClock: now() Ops[k] Exprs[k] holds for all k
	Ops []string `json:"ops,omitempty"`
	// OpEvery: how often changes leave, µs
	Every int64 `json:"every,omitempty"`
	// OpAggregate, OpOver with Emit final: windows also close by the clock, so many µs after
	// their end and their last row; 0: they do not
	Timeout int64 `json:"timeout,omitempty"`
	// OpSession: Keys is whose sessions; window_start and window_end number the session and
	// bound its end, for an aggregate above
	IDs bool `json:"ids,omitempty"`
	// OpSort, OpTopN, OpLimit. A second input of the last two is one row with Count and
	// Offset, see Limit (bounded plans only)
	Sort   []SortKey `json:"sort,omitempty"`
	Count  expr.Expr `json:"count,omitempty"`
	Offset expr.Expr `json:"offset,omitempty"`
}

// PhysicalOp names an operator.
type PhysicalOp string

// Operators.
const (
	OpScan      PhysicalOp = "scan"      // a relation's rows: source of a job, or a snapshot of a bounded query
	OpValues    PhysicalOp = "values"    // constant rows
	OpSeries    PhysicalOp = "series"    // generate_series
	OpFilter    PhysicalOp = "filter"    // stateless
	OpProject   PhysicalOp = "project"   // stateless
	OpWindow    PhysicalOp = "window"    // stateless: adds window_start, window_end (tumbling, hopping, cumulate)
	OpSession   PhysicalOp = "session"   // adds window_start, window_end of sessions; tables 0: rows, 1: sessions, 2: sessions by end
	OpClock     PhysicalOp = "clock"     // rows come and go as now() moves; table 0: those that wait or will go
	OpEvery     PhysicalOp = "every"     // holds changes back; table 0: those held
	OpExchange  PhysicalOp = "exchange"  // rows to the shard of their key
	OpAggregate PhysicalOp = "aggregate" // groups; state table 0: groups, table 1: values of min/max/first/last/distinct with retractions
	OpJoin      PhysicalOp = "join"      // inner, left, right, full, semi, anti equi-join; table 0: left rows, 1: right rows
	// OpIntervalJoin is a join of two append-only inputs whose times are near each other;
	// tables as OpJoin, bounded by the watermark.
	OpIntervalJoin PhysicalOp = "intervaljoin"
	// OpLookupJoin gives each row of an append-only left input those that the right one has
	// at the end of the epoch in which it comes; OpTemporalJoin the newest one at its time.
	// Table 0: left rows that wait (none of a look-up), 1: right rows.
	OpLookupJoin   PhysicalOp = "lookupjoin"
	OpTemporalJoin PhysicalOp = "temporaljoin"
	// OpUpsert makes the changelog of a table of the records of a topic: Keys are the primary
	// key, Sort the version if there is one, Distinct: the first row stays. Table 0: rows.
	OpUpsert    PhysicalOp = "upsert"
	OpUnion     PhysicalOp = "union"     // all inputs; Out has a hidden branch number when the key needs it
	OpOver      PhysicalOp = "over"      // window functions; table 0: the rows of each partition in order, with their results
	OpExpand    PhysicalOp = "expand"    // stateless: set-returning functions per row
	OpRecursive PhysicalOp = "recursive" // bounded only: inputs base and step
	OpWorkTable PhysicalOp = "worktable" // bounded only: the last round of a recursion
	OpTopN      PhysicalOp = "topn"      // maintained ORDER BY … LIMIT; table 0: rows in order
	OpSort      PhysicalOp = "sort"      // bounded only
	OpLimit     PhysicalOp = "limit"     // bounded, and LIMIT n of a continuous query
)

// Types lists the node's output column types.
func (p *Physical) Types() []types.Type { return p.Out.Types() }
