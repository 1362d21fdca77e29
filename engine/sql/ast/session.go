package ast

// Transaction is BEGIN, COMMIT, ROLLBACK and their spellings, SAVEPOINT,
// RELEASE and ROLLBACK TO.
type Transaction struct {
	At
	Kind      TxKind
	Savepoint string
	Options   []Option // isolation, read only ("true"/"false"), deferrable
	Chain     TriState // AND [NO] CHAIN
	GID       string   // of the two-phase kinds
	Start     bool     // START TRANSACTION
}

// TxKind is the kind of a transaction statement.
type TxKind string

// Transaction statements, by their command tags.
const (
	TxBegin            TxKind = "BEGIN"
	TxCommit           TxKind = "COMMIT"
	TxRollback         TxKind = "ROLLBACK"
	TxSavepoint        TxKind = "SAVEPOINT"
	TxRelease          TxKind = "RELEASE"
	TxRollbackTo       TxKind = "ROLLBACK TO"
	TxPrepare          TxKind = "PREPARE TRANSACTION"
	TxCommitPrepared   TxKind = "COMMIT PREPARED"
	TxRollbackPrepared TxKind = "ROLLBACK PREPARED"
)

// SetScope is the scope of SET.
type SetScope string

// Scopes of SET.
const (
	ScopeDefault SetScope = ""
	ScopeSession SetScope = "SESSION"
	ScopeLocal   SetScope = "LOCAL"
)

// SetValue is a value of SET.
type SetValue struct {
	At
	Kind ValueKind // ValueString, ValueNumber, ValueWord
	Text string
}

// Set is SET name {=|TO} values, and the special forms under the setting they
// are about: SET TIME ZONE (timezone), SET NAMES (client_encoding), SET
// SCHEMA (search_path), SET ROLE (role), SET SESSION AUTHORIZATION
// (session_authorization), SET XML OPTION (xmloption).
type Set struct {
	At
	Scope   SetScope
	Name    string // lower case, dots kept
	Values  []SetValue
	Default bool      // TO DEFAULT
	Zone    *Interval // SET TIME ZONE INTERVAL '…'
	Current bool      // FROM CURRENT
}

// SetTransaction is SET [SESSION CHARACTERISTICS AS] TRANSACTION modes.
type SetTransaction struct {
	At
	Session  bool
	Local    bool
	Options  []Option
	Snapshot string // SET TRANSACTION SNAPSHOT 'id'
}

// SetConstraints is SET CONSTRAINTS.
type SetConstraints struct {
	At
	All      bool
	Names    []Name
	Deferred bool
}

// Reset is RESET name or ALL.
type Reset struct {
	At
	Name string // "" with All
	All  bool
}

// Discard is DISCARD.
type Discard struct {
	At
	What string // "ALL", "PLANS", "SEQUENCES", "TEMP"
}

// ShowSetting is SHOW name of PostgreSQL: a run-time setting.
type ShowSetting struct {
	At
	Name string // "all" for SHOW ALL
}

// Prepare is PREPARE name [(types)] AS statement.
type Prepare struct {
	At
	Name  string
	Types []*TypeName
	Stmt  Statement
}

// Execute is EXECUTE name [(args)].
type Execute struct {
	At
	Name string
	Args []Expr
}

// Deallocate is DEALLOCATE.
type Deallocate struct {
	At
	Name string // "" with All
	All  bool
}

// DeclareCursor is DECLARE name [options] CURSOR FOR query, or DECLARE name
// SUBSCRIPTION CURSOR FOR sub [SINCE … | FULL].
type DeclareCursor struct {
	At
	Name        string
	Binary      bool
	Sensitivity string    // "", "INSENSITIVE", "ASENSITIVE"
	Scroll      TriState  // No: NO SCROLL
	Hold        TriState  // WITH or WITHOUT HOLD
	Query       Statement // *Query, *Subscribe, *Execute; nil of a subscription cursor

	Subscription Name
	Since        Expr
	Full         bool
}

// FetchDirection is where a FETCH or MOVE goes.
type FetchDirection string

// Directions; Count of Fetch is set for the last four.
const (
	FetchNext     FetchDirection = "NEXT"
	FetchPrior    FetchDirection = "PRIOR"
	FetchFirst    FetchDirection = "FIRST"
	FetchLast     FetchDirection = "LAST"
	FetchAbsolute FetchDirection = "ABSOLUTE"
	FetchRelative FetchDirection = "RELATIVE"
	FetchForward  FetchDirection = "FORWARD"
	FetchBackward FetchDirection = "BACKWARD"
)

// Fetch is FETCH or MOVE. FETCH n is FORWARD n, FETCH ALL is FORWARD ALL, a
// plain FETCH is NEXT; FORWARD and BACKWARD alone have Count 1.
type Fetch struct {
	At
	Move      bool
	Direction FetchDirection
	Count     int64
	All       bool
	Cursor    string
	Options   []Option // WITH (timeout = '1s')
}

// CloseCursor is CLOSE.
type CloseCursor struct {
	At
	Name string // "" with All
	All  bool
}

// Listen is LISTEN.
type Listen struct {
	At
	Channel string
}

// Unlisten is UNLISTEN.
type Unlisten struct {
	At
	Channel string // "" for *
	All     bool
}

// Notify is NOTIFY.
type Notify struct {
	At
	Channel string
	Payload string
}

// LockTable is LOCK [TABLE].
type LockTable struct {
	At
	Tables []*TableName
	Mode   string // "ACCESS EXCLUSIVE" unless given
	NoWait bool
}

// Vacuum is VACUUM or ANALYZE.
type Vacuum struct {
	At
	Analyze bool     // the statement is ANALYZE
	Options []Option // full, freeze, verbose, analyze, …
	Tables  []VacuumTable
}

// VacuumTable is a relation of VACUUM or ANALYZE.
type VacuumTable struct {
	At
	Name    Name
	Columns []Ident
}

// Do is DO 'body'.
type Do struct {
	At
	Language string
	Body     string
}

// Call is CALL procedure(args).
type Call struct {
	At
	Func *FuncCall
}

// Checkpoint is CHECKPOINT.
type Checkpoint struct{ At }

// Load is LOAD 'file'.
type Load struct {
	At
	File string
}

// Explain is EXPLAIN of a statement, or of a running object.
type Explain struct {
	At
	Plan      bool     // EXPLAIN PLAN
	Options   []Option // analyze, verbose, costs, type, trace, format, …; the words of the old form too
	Stmt      Statement
	Timestamp bool    // EXPLAIN TIMESTAMP FOR query
	Object    *Object // EXPLAIN ANALYZE {MATERIALIZED VIEW | SINK | JOB} x
	Duration  string  // (duration '10s') of it
}

func (*Transaction) stmt()    {}
func (*Set) stmt()            {}
func (*SetTransaction) stmt() {}
func (*SetConstraints) stmt() {}
func (*Reset) stmt()          {}
func (*Discard) stmt()        {}
func (*ShowSetting) stmt()    {}
func (*Prepare) stmt()        {}
func (*Execute) stmt()        {}
func (*Deallocate) stmt()     {}
func (*DeclareCursor) stmt()  {}
func (*Fetch) stmt()          {}
func (*CloseCursor) stmt()    {}
func (*Listen) stmt()         {}
func (*Unlisten) stmt()       {}
func (*Notify) stmt()         {}
func (*LockTable) stmt()      {}
func (*Vacuum) stmt()         {}
func (*Do) stmt()             {}
func (*Call) stmt()           {}
func (*Checkpoint) stmt()     {}
func (*Load) stmt()           {}
func (*Explain) stmt()        {}
