// Package pgcatalog computes PostgreSQL's system catalogs (pg_catalog,
// information_schema) and Velostream's own (velo_catalog) from one snapshot of
// the catalog. They are ordinary relations: the binder finds them by name
// (Catalog.Relation), the session scans them (Catalog.Scan), and all else
// about a query on them is the SQL engine's.
//
// Column lists of PostgreSQL's relations are in relations.txt, OIDs of its
// functions and operators in functions.txt; both are written by the SQL scripts
// of the same names from a running PostgreSQL 15:
//
//	psql -XAtq -f relations.sql > relations.txt
//
// A relation without a source here exists and is empty. A source names the
// columns that it fills; others are NULL, or zero where they cannot be.
//
// A Catalog belongs to one statement and one goroutine.
package pgcatalog

import (
	"iter"
	"time"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Names of the schemas of system relations.
const (
	schemaPG   = "pg_catalog"
	schemaInfo = "information_schema"
	schemaVelo = "velo_catalog"
)

// scanRows is the size of the batches of a scan.
const scanRows = 1024

// Source is what the catalogs are computed from. The functions are called
// when a relation that needs them is read, at most once a Catalog each; nil
// ones give nothing.
type Source struct {
	Snapshot   *catalog.Snapshot
	Database   string
	User       string
	SearchPath []string // schemas that are there; pg_catalog comes first if it is not named
	// Temp is the schema of the session's temporary objects, "": none; TempImplied says that
	// it is the first of SearchPath though search_path does not name it.
	Temp        string
	TempImplied bool
	Version     string
	Format      *types.Format
	Started     time.Time // of the server
	PID         uint32
	Encoding    string // client_encoding

	Functions func() []Function
	Settings  func() []Setting
	Activity  func() []Activity
	Jobs      func() []Job
	Sinks     func() []Sink
	Cursors   func() []Cursor
	// Subscriptions are the named ones.
	Subscriptions func() []Subscription
	Statements    func() []Statement
	// SetConfig is set_config: it returns the new value.
	SetConfig func(name, value string, local bool) (string, error)
	// Cancel and Terminate end what a connection does, or the connection; Sleep
	// waits, or ends with the statement.
	Cancel, Terminate func(pid uint32) bool
	Sleep             func(seconds float64) error
	// Reload is pg_reload_conf, nil: there is nothing to reload.
	Reload func() (bool, error)
	// Advisory are the session's advisory locks, nil: it has none.
	Advisory Advisory
	// HBA are the host-based rules in force.
	HBA func() auth.Rules
	// Notify is pg_notify; nil: nothing happens.
	Notify func(channel, payload string) error
	// LastValue is the number a sequence gave last, and whether it gave one.
	LastValue func(r *catalog.Relation) (int64, bool)
	// Printer prints what is stored; nil: it is shown as it was written.
	Printer Printer
	// Measure says how many rows a relation has and what they take, in bytes, -1
	// where that is not known; MeasureIndex what a secondary index takes.
	Measure      func(r *catalog.Relation) (rows, bytes int64)
	MeasureIndex func(oid uint32) int64
}

// Function is an entry of the function registry.
type Function struct {
	Name       string
	Args       []types.OID
	Ret        types.OID
	Kind       byte // f, a (aggregate), w (window), o (operator)
	Variadic   bool
	Set        bool // returns rows
	Strict     bool
	Volatility byte // i, s, v
	Doc        string
}

// Setting is a run-time parameter.
type Setting struct {
	Name, Value, Initial, Reset, Kind, Context, Category, Doc, Unit string
	Source                                                          string // where Value is from, "": the default
	Enum                                                            []string
	Min, Max                                                        string
}

// Activity is a connection.
type Activity struct {
	PID                           uint32
	User, Database, Application   string
	Address                       string // host:port
	Started, QueryStarted, Change time.Time
	TxStarted                     time.Time
	State, Query                  string
}

// Job is a running job, as SHOW JOBS tells.
type Job struct {
	Relation              *catalog.Relation
	State, Error          string
	Shards                int
	RowsIn, RowsOut       int64
	LateRows, DeadLetters int64
	NullTimes             int64
	Epoch                 uint64
	Watermark             int64 // µs since 2000, NoWatermark: none
	Checkpoint, Started   time.Time
	Backlog               Backlog
}

// Backlog is what a job or sink has not read of its inputs, and for how long it has been
// behind without moving.
type Backlog struct {
	Rows, Bytes int64
	Age         time.Duration
}

func (b Backlog) age() types.Datum {
	return types.Datum{Iv: types.Interval{Micros: b.Age.Microseconds()}}
}

// NoWatermark is the Watermark of a job that has none.
const NoWatermark = -1 << 63

// Sink is a running sink, as SHOW SINKS tells.
type Sink struct {
	Relation     *catalog.Relation
	State, Error string
	Position     uint64
	Rows         int64
	Backlog      Backlog
}

// Subscription is a named subscription: its epochs from Oldest to Newest are
// kept, Position is what its reader acknowledged last.
type Subscription struct {
	Relation                 *catalog.Relation
	State                    string
	Position, Oldest, Newest uint64
	Acknowledged             time.Time // zero: never
}

// Cursor is an open cursor.
type Cursor struct {
	Name, Statement      string
	Hold, Binary, Scroll bool
	Opened               time.Time
}

// Statement is a prepared statement.
type Statement struct {
	Name, SQL string
	Params    []types.OID
	FromSQL   bool // made by PREPARE
	Prepared  time.Time
}

// Catalog answers for one snapshot.
type Catalog struct {
	Source

	// Computed at first use.
	schemas   []schema
	functions []proc
	rels      []*catalog.Relation
	allRoles  []*auth.Role
	seenRels  []*catalog.Relation
	sawRels   bool
	allIndex  []index
	procByOID map[uint32]int
	rolesOnly bool // grants to everybody are left out
}

// New makes the catalogs of s. Nothing is computed before it is asked for.
func New(s Source) *Catalog { return &Catalog{Source: s} }

// Relation finds a system relation; an empty schema means pg_catalog. nil: there
// is none.
func Relation(schema, name string) *catalog.Relation {
	if schema == "" {
		schema = schemaPG
	}
	return system().byName[schema+"."+name]
}

// HasSchema reports that a schema is one of the system's.
func HasSchema(name string) bool {
	return name == schemaPG || name == schemaInfo || name == schemaVelo
}

// ByID finds a system relation by OID; nil: there is none.
func ByID(id uint32) *catalog.Relation {
	if i, ok := system().byID[id]; ok {
		return system().all[i].rel
	}
	return nil
}

// Scan yields the rows of a system relation, in batches of the wanted columns,
// each valid until the next.
func (c *Catalog) Scan(id uint32, wanted []int) iter.Seq2[*column.Batch, error] {
	i, ok := system().byID[id]
	if !ok {
		return func(yield func(*column.Batch, error) bool) {
			yield(nil, pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", id))
		}
	}
	r := &system().all[i]
	return func(yield func(*column.Batch, error) bool) {
		if r.source.rows == nil {
			return
		}
		e := newEmitter(r, wanted, yield)
		r.source.rows(c, e)
		e.end()
	}
}

// relations lists the relations of the snapshot that clients may see.
func (c *Catalog) relations() []*catalog.Relation {
	if c.rels == nil {
		c.rels = c.Snapshot.Relations()
	}
	return c.rels
}
