package ast

// Query is a SELECT, VALUES or TABLE statement with all that surrounds it.
// It is a Statement, and the content of every subquery.
type Query struct {
	At
	With    *With
	Body    SelectBody
	OrderBy []OrderItem
	Limit   *Limit
	Locking []Locking

	// The streaming clauses; they apply to the query as a whole.
	Emit    *Emit
	Sink    *Name     // INTO sink, after FROM
	Options []Option  // WITH (…) after the query
	Late    *LateRows // LATE ROWS …
}

// With is a WITH clause.
type With struct {
	At
	Recursive bool
	CTEs      []CTE
}

// CTE is one named query of WITH.
type CTE struct {
	At
	Name         string
	Columns      []string
	Materialized TriState
	Stmt         Statement // *Query, *Insert, *Update, *Delete
	Search       *Search
	Cycle        *Cycle
}

// Search is SEARCH {BREADTH|DEPTH} FIRST BY Columns SET Set.
type Search struct {
	At
	Breadth bool
	Columns []string
	Set     string
}

// Cycle is CYCLE Columns SET Mark [TO Value DEFAULT Default] USING Path.
type Cycle struct {
	At
	Columns        []string
	Mark           string
	Value, Default Expr // nil: true and false
	Path           string
}

// Select is a simple SELECT.
type Select struct {
	At
	Distinct   bool
	DistinctOn []Expr // DISTINCT ON (…)
	Items      []SelectItem
	Into       *SelectInto // PostgreSQL's SELECT … INTO table, before FROM
	From       []TableRef  // comma-separated items
	Where      Expr
	GroupBy    *GroupBy
	Having     Expr
	Window     *Window      // WINDOW TUMBLING(…): the time window
	Windows    []WindowSpec // WINDOW name AS (…)
}

// SelectInto is the target of SELECT INTO.
type SelectInto struct {
	At
	Name     Name
	Temp     bool
	Unlogged bool
}

// SelectItem is an item of a select list or of RETURNING.
type SelectItem struct {
	At
	X          Expr
	Alias      string // "" if there is none
	AliasPos   int    // -1 if there is none
	PrimaryKey bool   // expr [AS a] PRIMARY KEY
}

// SetOpKind is UNION, INTERSECT or EXCEPT.
type SetOpKind string

// Set operations.
const (
	Union     SetOpKind = "UNION"
	Intersect SetOpKind = "INTERSECT"
	Except    SetOpKind = "EXCEPT"
)

// SetOp is L op [ALL] R; its position is the operator's.
type SetOp struct {
	At
	Kind SetOpKind
	All  bool
	L, R SelectBody
}

// Values is VALUES (…), (…).
type Values struct {
	At
	Rows [][]Expr
}

// TableCommand is TABLE name.
type TableCommand struct {
	At
	Table *TableName
}

// OrderItem is an item of ORDER BY.
type OrderItem struct {
	At
	X     Expr
	Desc  bool
	Asc   bool      // ASC was written
	Using *Operator // ORDER BY x USING <
	Nulls NullsOrder
}

// NullsOrder is NULLS FIRST or LAST.
type NullsOrder uint8

// Values of NullsOrder.
const (
	NullsUnspecified NullsOrder = iota
	NullsFirst
	NullsLast
)

// Limit is LIMIT/FETCH and OFFSET.
type Limit struct {
	At
	Count     Expr // nil: none or ALL
	Offset    Expr // nil: none
	All       bool // LIMIT ALL
	WithTies  bool
	OffsetPos int
}

// Locking is FOR UPDATE and its relatives.
type Locking struct {
	At
	Strength string // "UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"
	Of       []Name
	Wait     string // "", "NOWAIT", "SKIP LOCKED"
}

// GroupBy is a GROUP BY clause.
type GroupBy struct {
	At
	Distinct bool // GROUP BY DISTINCT
	Items    []GroupItem
}

// GroupKind is the kind of a grouping item.
type GroupKind uint8

// Kinds of grouping items.
const (
	GroupExpr   GroupKind = iota // X
	GroupEmpty                   // ()
	GroupRollup                  // ROLLUP (Exprs)
	GroupCube                    // CUBE (Exprs)
	GroupSets                    // GROUPING SETS (Sets)
	GroupWindow                  // a time window as grouping item
)

// GroupItem is an item of GROUP BY or of GROUPING SETS.
type GroupItem struct {
	At
	Kind   GroupKind
	X      Expr        // of GroupExpr; a *Row groups by its items together
	Exprs  []Expr      // of GroupRollup and GroupCube
	Sets   []GroupItem // of GroupSets
	Window *Window     // of GroupWindow
}

// WindowSpec is an OVER clause or a definition in WINDOW.
type WindowSpec struct {
	At
	Name        string // WINDOW Name AS (…)
	Ref         string // OVER Ref, OVER (Ref …)
	Bare        bool   // OVER Ref without parentheses
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *Frame
	Buffer      *RowsBuffer // ROWS WINDOW BUFFER …
}

// FrameMode is ROWS, RANGE or GROUPS.
type FrameMode string

// Frame modes.
const (
	FrameRows   FrameMode = "ROWS"
	FrameRange  FrameMode = "RANGE"
	FrameGroups FrameMode = "GROUPS"
)

// Frame is a window frame; without BETWEEN the end is the current row.
type Frame struct {
	At
	Mode       FrameMode
	Start, End Bound
	Between    bool
	Exclude    string // "", "CURRENT ROW", "GROUP", "TIES", "NO OTHERS"
}

// BoundKind is the kind of a frame bound.
type BoundKind uint8

// Frame bounds.
const (
	UnboundedPreceding BoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// Bound is one end of a frame.
type Bound struct {
	At
	Kind   BoundKind
	Offset Expr // of the Offset kinds
}

// RowsBuffer is ROWS WINDOW BUFFER Rows ROWS …: the last rows of a partition.
// PARTITION BY, ORDER BY and the frame are in the WindowSpec.
type RowsBuffer struct {
	At
	Rows        Expr
	EmitFull    bool // EMIT ON BUFFER FULL; else EVERY RECORD
	EmitSet     bool // one of the two was written
	ExpireAfter Expr // an interval of inactivity, nil: none given
	ExpireNever bool // EXPIRE AFTER NEVER was written
}

// Alias is [AS] Name [(Columns)].
type Alias struct {
	At
	Name    string
	Columns []string
}

// TableName is a relation in FROM, or the target of DML.
type TableName struct {
	At
	Name   Name
	Only   bool
	Alias  *Alias
	AsOf   *AsOf // FOR SYSTEM_TIME AS OF …
	Sample *Sample
}

// AsOf is FOR SYSTEM_TIME AS OF Time. PROCTIME() is the function call proctime.
type AsOf struct {
	At
	Time Expr
}

// Sample is TABLESAMPLE Method (Args) [REPEATABLE (Seed)].
type Sample struct {
	At
	Method Name
	Args   []Expr
	Seed   Expr
}

// SubqueryRef is a query in FROM.
type SubqueryRef struct {
	At
	Query   *Query
	Lateral bool
	Alias   *Alias
}

// FuncRef is a function in FROM, or ROWS FROM (f(), g()).
type FuncRef struct {
	At
	Funcs      []RefFunc
	RowsFrom   bool
	Ordinality bool
	Lateral    bool
	Alias      *Alias
	ColDefs    []ColumnDef // AS t (a int, b text)
}

// RefFunc is one function of a FuncRef. X is a *FuncCall, or what else looks
// like a function: *SQLValue, *Cast.
type RefFunc struct {
	At
	X       Expr
	ColDefs []ColumnDef // of ROWS FROM
}

// WindowRef is a windowing table function: tumble(rel, ts, size). Its Window
// has Place PlaceTable.
type WindowRef struct {
	At
	Input  TableRef // *TableName or *SubqueryRef
	Window *Window
	Alias  *Alias
}

// JoinKind is the kind of a join.
type JoinKind string

// Joins.
const (
	InnerJoin JoinKind = "INNER"
	LeftJoin  JoinKind = "LEFT"
	RightJoin JoinKind = "RIGHT"
	FullJoin  JoinKind = "FULL"
	CrossJoin JoinKind = "CROSS"
)

// Join is L kind JOIN R. Exactly one of Natural, Using, On is set, none for
// CROSS. Its position is that of its first keyword.
type Join struct {
	At
	Kind       JoinKind
	AsOf       bool // ASOF [LEFT] JOIN
	Natural    bool
	L, R       TableRef
	Within     Expr // JOIN b WITHIN INTERVAL … ON
	Using      []Ident
	UsingAlias string
	On         Expr
	Alias      *Alias // (a JOIN b …) AS x
}

func (*Query) stmt() {}

// Tag is SELECT.
func (*Query) Tag() string { return "SELECT" }

func (*Query) selectBody()        {}
func (*Select) selectBody()       {}
func (*SetOp) selectBody()        {}
func (*Values) selectBody()       {}
func (*TableCommand) selectBody() {}

func (*TableName) tableRef()   {}
func (*SubqueryRef) tableRef() {}
func (*FuncRef) tableRef()     {}
func (*WindowRef) tableRef()   {}
func (*Join) tableRef()        {}
