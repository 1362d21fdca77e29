package ast

// Insert is INSERT or UPSERT.
type Insert struct {
	At
	With       *With
	Upsert     bool // UPSERT INTO
	Table      *TableName
	Columns    []InsertTarget // empty: all
	Overriding string         // "", "SYSTEM", "USER": OVERRIDING … VALUE
	Query      *Query         // VALUES or SELECT; nil: DEFAULT VALUES
	OnConflict *OnConflict
	Returning  []SelectItem
}

// InsertTarget is a target column of INSERT.
type InsertTarget struct {
	At
	Name        string
	Indirection []Indirection
}

// Indirection is .field or [subscript] after a target column.
type Indirection struct {
	At
	Field  string // "" for a subscript
	Lo, Hi Expr
	Slice  bool
}

// OnConflict is ON CONFLICT [target] action.
type OnConflict struct {
	At
	Targets    []IndexItem
	Where      Expr   // of the target
	Constraint string // ON CONSTRAINT name
	DoUpdate   bool   // else DO NOTHING
	Set        []SetItem
	UpdateIf   Expr // WHERE of DO UPDATE
}

// SetItem is an assignment of UPDATE: one column, or (a, b) = row.
type SetItem struct {
	At
	Targets []InsertTarget
	Multi   bool // (a, b) = X; X is then a *Row, *Subquery, …
	X       Expr
}

// Update is UPDATE.
type Update struct {
	At
	With      *With
	Table     *TableName
	Set       []SetItem
	From      []TableRef
	Where     Expr
	Returning []SelectItem
}

// Delete is DELETE.
type Delete struct {
	At
	With      *With
	Table     *TableName
	Using     []TableRef
	Where     Expr
	Returning []SelectItem
}

// Merge is MERGE INTO … USING … ON … WHEN ….
type Merge struct {
	At
	With   *With
	Table  *TableName
	Source TableRef
	On     Expr
	Whens  []MergeWhen
}

// MergeAction is what a branch of MERGE does.
type MergeAction string

// Actions of MERGE.
const (
	MergeInsert  MergeAction = "INSERT"
	MergeUpdate  MergeAction = "UPDATE"
	MergeDelete  MergeAction = "DELETE"
	MergeNothing MergeAction = "DO NOTHING"
)

// MergeWhen is a branch of MERGE.
type MergeWhen struct {
	At
	Matched    bool
	Cond       Expr // AND cond, nil: none
	Action     MergeAction
	Columns    []InsertTarget
	Overriding string
	Values     []Expr // of INSERT; nil: DEFAULT VALUES
	Set        []SetItem
}

// Copy is COPY.
type Copy struct {
	At
	Table   *Name     // exactly one of Table
	Query   Statement // and Query is set
	Columns []Ident
	To      bool   // else FROM
	Stdio   bool   // STDIN or STDOUT
	File    string // a file's name or, with Program, a command
	Program bool
	Options []Option // names as in PostgreSQL's (…) form, the old form rewritten
	Where   Expr
}

func (*Insert) stmt() {}
func (*Update) stmt() {}
func (*Delete) stmt() {}
func (*Merge) stmt()  {}
func (*Copy) stmt()   {}
