// Package plan holds the two families of plan nodes: logical (what a query
// means; the binder makes it, the optimizer rewrites it) and physical (how it
// runs: operators, exchanges, state tables). Both are plain structs; there
// are no visitors. A physical plan marshals to JSON and is stored in the
// catalog with the SQL text of its job.
package plan

import (
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// Column is one column of a node's output.
type Column struct {
	Name   string     `json:"name"`
	Type   types.Type `json:"type"`
	Hidden bool       `json:"hidden,omitempty"` // not part of *: row ids, carried keys, system columns
	Table  uint32     `json:"table,omitempty"`  // OID of the relation it comes from unchanged, 0: none
	Attr   int16      `json:"attr,omitempty"`   // attribute number there
}

// Schema is the columns of a node's output rows.
type Schema []Column

// Types lists the column types.
func (s Schema) Types() []types.Type {
	out := make([]types.Type, len(s))
	for i, c := range s {
		out[i] = c.Type
	}
	return out
}

// Logical is a node of the logical plan. Nodes are immutable once made.
type Logical interface {
	Schema() Schema
	Inputs() []Logical
	// WithInputs returns the node over other inputs of the same schemas.
	WithInputs([]Logical) Logical
}

// Emit says when results leave (DIALECT §4).
type Emit uint8

// Times of emission.
const (
	EmitDefault Emit = iota
	EmitChanges
	EmitFinal // on window close, or at the end of bounded input
)

// WindowKind is a kind of time window.
type WindowKind uint8

// Time windows.
const (
	Tumbling WindowKind = iota
	Hopping
	Session
	Cumulate
)

// TimeWindow describes a time window; durations in µs.
type TimeWindow struct {
	Kind    WindowKind `json:"kind"`
	Size    int64      `json:"size"`
	Advance int64      `json:"advance,omitempty"` // hopping; cumulate's step
	Gap     int64      `json:"gap,omitempty"`     // session
	MaxSize int64      `json:"max_size,omitempty"`
	Offset  int64      `json:"offset,omitempty"`
}

// AggCall is one aggregate of an Aggregate node. Args and Filter refer to the
// input's columns.
type AggCall struct {
	Name     string      `json:"name"` // count, sum, avg, min, max, stddev…, first_value, last_value
	Args     []expr.Expr `json:"args"` // none: count(*)
	Distinct bool        `json:"distinct,omitempty"`
	Filter   expr.Expr   `json:"filter,omitempty"`
	OrderBy  []SortKey   `json:"order_by,omitempty"`
	T        types.Type  `json:"t"`
}

// SortKey is one ORDER BY item over the input's columns.
type SortKey struct {
	Expr       expr.Expr `json:"expr"`
	Desc       bool      `json:"desc,omitempty"`
	NullsFirst bool      `json:"nulls_first,omitempty"`
}

// JoinKind is a kind of join.
type JoinKind uint8

// Joins.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin // rows of the left with a match
	AntiJoin // rows of the left without a match
	CrossJoin
)

// Scan reads a relation. Columns lists the attributes it yields, by position
// in the relation's column list; the optimizer narrows it.
type Scan struct {
	Relation uint32 // OID
	Name     string // for EXPLAIN
	Columns  []int
	Out      Schema
	Key      []int // positions in Out that identify a row; the hidden row id columns for streams
	Bounded  bool  // false: in a continuous query
	// AppendOnly: rows are never deleted (streams).
	AppendOnly bool
	// EventTime is the position in Out of the watermark column, -1: none.
	EventTime int
	// Timed: the relation has a watermark column, read or not.
	Timed bool
	// Keyed: rows are kept by Key, a primary key or the stream key of a view, so
	// they can be looked up by it.
	Keyed bool
	// Lookup are the values that the primary key columns must equal, all of them:
	// a point lookup, set by the optimizer; index = position in the primary key.
	Lookup []expr.Expr
	// Indexes are the secondary indexes that Lookup may use instead of the primary
	// key; Index is the one it uses, nil: the primary key.
	Indexes []IndexKey
	Index   *IndexKey
	// Access narrows what is read, nil: all of it, or Lookup.
	Access *Access
}

// Access is a part of an index to read instead of the whole relation: the
// entries whose first columns are Equal, and of the next one those with a value
// of Among, or in Array, or from Low to High, both inclusive, nil for no bound.
// It may yield more rows than a condition wants, never fewer.
type Access struct {
	Index   uint32      `json:"index,omitempty"`   // a secondary index, 0: the primary key
	Name    string      `json:"name,omitempty"`    // of the index
	Columns []int       `json:"columns,omitempty"` // the columns spoken of, by position in the relation
	Equal   []expr.Expr `json:"equal,omitempty"`
	Among   []expr.Expr `json:"among,omitempty"`
	Array   expr.Expr   `json:"array,omitempty"`
	Low     expr.Expr   `json:"low,omitempty"`
	High    expr.Expr   `json:"high,omitempty"`
	// Labels name the columns where some are expressions of the index; nil: none is.
	Labels []string `json:"labels,omitempty"`
	// Join is the number, from 1, of the key of the join above whose values are
	// Among: those that the other side has, known only while the query runs. 0: none.
	Join int `json:"join,omitempty"`
}

// IndexKey is a secondary index of a relation: its columns, by position in the
// relation.
type IndexKey struct {
	ID   uint32
	Name string
	// Columns of the relation, or catalog.ExprColumn(k) for Exprs[k], over the
	// relation's columns.
	Columns []int
	Exprs   []expr.Expr
	Where   []expr.Expr // conditions, over the relation's columns, of the rows that are in it
	Unique  bool
}

// Values yields constant rows.
type Values struct {
	Rows [][]expr.Expr
	Out  Schema
}

// Series is generate_series(Start, Stop, Step) as a relation.
type Series struct {
	Start, Stop, Step expr.Expr
	Out               Schema
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	Input Logical
	Cond  expr.Expr
}

// Project computes Exprs over its input.
type Project struct {
	Input Logical
	Exprs []expr.Expr
	Out   Schema
}

// Window appends window_start and window_end (of Time's type) to each row, a
// row per window the row is in. Rows whose time is NULL get no window.
type Window struct {
	Input Logical
	Spec  TimeWindow
	Time  expr.Expr
	Keys  []expr.Expr // session windows: whose sessions
	// Of session windows: with EmitFinal rows leave when their session is closed, Lateness µs
	// after its end.
	Emit     Emit
	Lateness int64
	Out      Schema // input columns, window_start, window_end
}

// Aggregate groups by Groups and computes Aggs: output = groups, then aggs.
// Without Groups it is one row, also over no input (but see Windowed).
type Aggregate struct {
	Input  Logical
	Groups []expr.Expr
	Aggs   []AggCall
	Emit   Emit
	// WindowEnd is the position in Groups of window_end when the groups are
	// those of a time window (rows leave on close when Emit is EmitFinal; state is
	// freed when the watermark has passed), -1: no window.
	WindowEnd int
	Lateness  int64 // µs a window stays open after its end
	// Late is what becomes of rows whose window has closed. LateUpdate corrects windows for
	// Retention µs after they closed; LateNext puts rows into the first open window of Window,
	// whose start is the group WindowStart.
	Late        LateRows
	Retention   int64
	Window      TimeWindow
	WindowStart int
	Out         Schema
}

// LateRows is what becomes of rows that come after their window has closed; all are counted.
type LateRows string

// What becomes of late rows.
const (
	LateDrop   LateRows = ""
	LateNext   LateRows = "include_in_next"
	LateUpdate LateRows = "update_previous"
	// LateLetters: dropped, and kept as dead letters by the job. No plan node has it.
	LateLetters LateRows = "dead_letter"
)

// Join joins Left and Right: output = left columns, then right columns (only
// left's for semi and anti joins). EqualLeft[i] = EqualRight[i] for all i, and
// Cond (over the concatenated row, nil: none).
type Join struct {
	Kind        JoinKind
	Left, Right Logical
	EqualLeft   []expr.Expr
	EqualRight  []expr.Expr
	// NullSafe is how many of the equal pairs, from the first, match NULL with NULL.
	NullSafe int
	Cond     expr.Expr
	// Temporal, when set, restricts the rows of Right that a row of Left meets.
	Temporal *TemporalJoin
	Out      Schema
}

// TemporalJoin is FOR SYSTEM_TIME AS OF or ASOF: an inner or left Join in which a row of Left meets
// the rows of Right that are there when it comes (Times nil), or the newest one of its
// keys at its time. Right must keep its key.
type TemporalJoin struct {
	Times  []expr.Expr // over the left row, over the right row
	Before bool        // strictly older
	// Changes: Right is a table whose rows are replaced; else its rows are the versions.
	Changes bool
}

// Union is UNION ALL of inputs with equal column types.
type Union struct {
	All []Logical
	Out Schema
}

// Sort orders; in a continuous query only under Limit (a maintained Top-N).
type Sort struct {
	Input Logical
	Keys  []SortKey
}

// Limit keeps Count rows after Offset (nil: no limit, none).
type Limit struct {
	Input         Logical
	Count, Offset expr.Expr
	// Bounds, if set, is one row with the count and the offset, NULL where there is none:
	// they depend on a query. Count and Offset are nil then.
	Bounds Logical
}
