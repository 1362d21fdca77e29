package catalog

import (
	"encoding/json"

	"velostream/catalog/auth"
	"velostream/catalog/types"
)

// Kind is what a relation is.
type Kind string

// Kinds of relations.
const (
	Stream           Kind = "stream"            // append-only: native, or bound to a connector, or CREATE STREAM … AS
	Table            Kind = "table"             // native keyed rows
	View             Kind = "view"              // a name for a query
	MaterializedView Kind = "materialized view" // maintained result of a query
	Sink             Kind = "sink"              // the way out of a relation or query
	Sequence         Kind = "sequence"          // numbers for nextval
)

// Relation is a stream, table, view, materialised view or sink. Immutable once
// in a snapshot.
type Relation struct {
	ID      uint32   `json:"id"` // its OID
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Kind    Kind     `json:"kind"`
	Owner   string   `json:"owner"`
	Columns []Column `json:"columns"`
	// Key is the columns, by position, that identify a row: the primary key,
	// or hidden row ids, or the stream key of a view. Empty: at most one row.
	Key []int `json:"key,omitempty"`
	// PrimaryKey: Key was declared by the user and is enforced.
	PrimaryKey bool `json:"primary_key,omitempty"`
	// AppendOnly: rows are never deleted.
	AppendOnly bool `json:"append_only,omitempty"`
	// EventTime is the position of the watermark column, -1: none.
	EventTime int `json:"event_time"`
	// WatermarkDelay is how far the watermark is behind the greatest event
	// time, in µs.
	WatermarkDelay int64 `json:"watermark_delay,omitempty"`

	// Version is the position + 1 of the column whose greater value wins when a row of a
	// table is replaced (WITH VERSION COLUMN), and from when on a row is valid; 0: none.
	Version int `json:"version,omitempty"`
	// OnConflict is what a row does whose key a table has already: "" an error (a topic's
	// row overwrites), "OVERWRITE" or "IGNORE".
	OnConflict string `json:"on_conflict,omitempty"`

	// Connector is the type of the connector ("kafka", "file", "datagen"), ""
	// for what is kept here. Options are its settings, or those of a view, names lower-cased.
	Connector string            `json:"connector,omitempty"`
	Options   map[string]string `json:"options,omitempty"`

	// Definition is the CREATE statement. Query is the SELECT in it, Plan the
	// physical plan of its job (engine/sql/plan), Inputs the relations read.
	Definition string          `json:"definition,omitempty"`
	Query      string          `json:"query,omitempty"`
	Plan       json.RawMessage `json:"plan,omitempty"`
	Inputs     []uint32        `json:"inputs,omitempty"`
	// Retracts: the output of a stream's query has deletes (a changelog stream).
	Retracts bool `json:"retracts,omitempty"`
	// Subscription is set for a stream that is a named subscription: the changes
	// of its one input, kept for a reader that remembers where it is.
	Subscription *Subscription `json:"subscription,omitempty"`
	// SinkOf is the relation a sink writes out.
	SinkOf uint32 `json:"sink_of,omitempty"`
	// PartOf is the relation that this one belongs to and goes with: a stream's
	// dead letters, the sink of CREATE … AS. 0: it stands alone.
	PartOf uint32 `json:"part_of,omitempty"`
	// Ends: what the connector reads comes to an end.
	Ends bool `json:"ends,omitempty"`
	// DeadLetters is the table that takes the stream's undecodable records.
	DeadLetters uint32 `json:"dead_letters,omitempty"`
	// LateLetters is the table that takes the rows that its job drops since they are late.
	LateLetters uint32 `json:"late_letters,omitempty"`
	// Paused: its job is not to run.
	Paused bool `json:"paused,omitempty"`
	// Overrun says why its job or sink has failed for good: it stood still, and what it had
	// not read became too much to keep. "": it has not.
	Overrun string `json:"overrun,omitempty"`
	Comment string `json:"comment,omitempty"`

	// KeyName is the name of the primary key, "": KeyConstraint says.
	KeyName string `json:"key_name,omitempty"`
	// Constraints are CHECK, UNIQUE and FOREIGN KEY; Indexes the secondary ones,
	// those behind UNIQUE among them.
	Constraints []Constraint `json:"constraints,omitempty"`
	Indexes     []Index      `json:"indexes,omitempty"`
	// Numbers are the settings of a Sequence.
	Numbers *Numbers `json:"numbers,omitempty"`
	// Refs say what the relation names in Query mean, so that a view goes on
	// reading what it read when others are renamed or get new columns.
	Refs []Ref `json:"refs,omitempty"`
	// Replaces is the relation whose place this one is to take; if a crash comes
	// first, it is dropped.
	Replaces uint32 `json:"replaces,omitempty"`
	// OnCommit is what a commit does with a temporary table: OnCommitDelete, OnCommitDrop, or
	// nothing.
	OnCommit string `json:"on_commit,omitempty"`
	// Storage is where the rows of a native relation are kept, 0: under its OID.
	// A relation whose rows are written anew gets another.
	Storage uint32 `json:"storage,omitempty"`
	// Functions are the OIDs of the SQL functions that Query uses.
	Functions []uint32 `json:"functions,omitempty"`
	// TypeRefs say what the names of user-made types in Query mean, as Refs do for those
	// of relations.
	TypeRefs []TypeRef `json:"types,omitempty"`
	// ACL says who may do what, nil: its owner everything.
	ACL auth.ACL `json:"acl,omitzero"`
	// Access is what the job of the relation does to others; it does so with the
	// rights of Owner.
	Access []Access `json:"access,omitempty"`
}

// Subscription says how a named subscription is kept.
type Subscription struct {
	Retention int64  `json:"retention"`        // µs that changes are kept
	Notify    string `json:"notify,omitempty"` // channel that hears of each epoch, "": none
}

// Column is one column of a relation.
type Column struct {
	Name    string     `json:"name"`
	Type    types.Type `json:"type"`
	NotNull bool       `json:"not_null,omitempty"`
	// Hidden columns are not part of *: row ids, carried keys, and the system
	// columns of connectors (_timestamp, _partition, _offset, _key, _topic).
	Hidden bool `json:"hidden,omitempty"`
	// System names what a connector fills a hidden column with; "": nothing.
	System string `json:"system,omitempty"`
	// Default is the SQL text of the DEFAULT expression; Computed that of a
	// column declared AS (expr).
	Default  string `json:"default,omitempty"`
	Computed string `json:"computed,omitempty"`
	// Expr is Computed as a typed expression (engine/sql/expr) over the
	// relation's columns, where a connector fills the others.
	Expr    json.RawMessage `json:"expr,omitempty"`
	Comment string          `json:"comment,omitempty"`

	// Domain is the OID of the domain that the column was declared with, 0: none. Type is
	// its base type.
	Domain uint32 `json:"domain,omitempty"`
	// Sequence is the OID of the sequence that gives the default (serial and
	// identity columns). Identity is "", "ALWAYS" or "BY DEFAULT".
	Sequence uint32 `json:"sequence,omitempty"`
	Identity string `json:"identity,omitempty"`
	// Dropped columns keep their place: stored rows and plans know columns by
	// position. They are hidden and have a name that nobody can write.
	Dropped bool `json:"dropped,omitempty"`
	// Missing is the value, as text, of rows that are older than the column;
	// nil: NULL.
	Missing *string `json:"missing,omitempty"`
	// ACL is what roles may do with the column beyond what the relation's says.
	ACL auth.ACL `json:"acl,omitempty"`
}

// Persistent reports that a job of its own keeps r up to date.
func (r *Relation) Persistent() bool { return len(r.Plan) > 0 || r.SinkOf != 0 }

// RowStorage is where the rows of a native relation are kept.
func (r *Relation) RowStorage() uint32 {
	if r.Storage != 0 {
		return r.Storage
	}
	return r.ID
}

// Native reports that rows come by DML.
func (r *Relation) Native() bool {
	return (r.Kind == Stream || r.Kind == Table) && r.Connector == "" && len(r.Plan) == 0
}

// Sourced reports that rows are read from the connector each time; a table bound to one has
// a job that keeps them.
func (r *Relation) Sourced() bool { return r.Connector != "" && len(r.Plan) == 0 }

// ColumnIndex returns the position of the column name, -1 if there is none.
func (r *Relation) ColumnIndex(name string) int {
	for i := range r.Columns {
		if r.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Types lists the column types.
func (r *Relation) Types() []types.Type {
	out := make([]types.Type, len(r.Columns))
	for i := range r.Columns {
		out[i] = r.Columns[i].Type
	}
	return out
}

// SecurityInvoker is the option of a view that is read with the rights of who
// reads it, not with those of its owner.
const SecurityInvoker = "security_invoker"

// Invoker reports that r is such a view.
func (r *Relation) Invoker() bool { return r.Kind == View && r.Options[SecurityInvoker] != "" }
