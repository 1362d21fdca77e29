// Package pgwire speaks PostgreSQL's frontend/backend protocol 3 to clients:
// accept, TLS, start-up, authentication, simple and extended queries, COPY,
// cancel. It keeps all protocol state (prepared statements, portals, the
// skip-to-Sync mode after an error, cancel keys); the engine behind Backend
// only parses, prepares and runs, and its results are pulled, a column batch
// at a time, so a portal with a row limit is "stop pulling".
//
// This file is the contract towards the engine. Optional parts of it: Rows may
// be CopyOut or Continuous, a Statement CopyIn, a Session Limiter and Committer,
// and the Notifier implements Names and Peers.
package pgwire

import (
	"context"
	"io"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// Startup is what a client said when it connected, after authentication.
type Startup struct {
	User       string
	Database   string
	Params     map[string]string // run-time parameters (names lower-cased) incl. those in options=-c …
	PID        uint32            // the backend process id this connection was given
	RemoteAddr string
}

// Notifier carries what the server says unasked. Safe for concurrent use;
// messages reach the client in order, between other messages.
type Notifier interface {
	// Notice sends a NoticeResponse; n.Severity is NOTICE, WARNING, INFO, …
	Notice(n *pgerror.Error)
	// Parameter sends a ParameterStatus after a reported setting changed, with
	// the next ReadyForQuery.
	Parameter(name, value string)
	// Notification sends what NOTIFY delivers.
	Notification(pid uint32, channel, payload string)
}

// Backend makes sessions. Connect's errors end the connection (FATAL).
type Backend interface {
	Connect(ctx context.Context, s Startup, n Notifier) (Session, error)
}

// Session is one connection's engine side. Used by one goroutine at a time.
type Session interface {
	// Parse splits a query string into statements; syntax only, because
	// statement 2 may name what statement 1 creates. Positions in errors of
	// any later step count from the start of sql.
	Parse(sql string) ([]Parsed, error)
	// Prepare resolves names and types. params are declared parameter types,
	// 0 where the client leaves it to the server; there may be fewer than
	// there are parameters.
	Prepare(ctx context.Context, p Parsed, params []types.OID) (Statement, error)
	// Sync ends what was run since the last Sync outside a BEGIN block (one
	// simple Query message, or everything up to a Sync message): it commits
	// the implicit transaction, or rolls it back when failed. Inside a BEGIN
	// block, failed marks the transaction as failed.
	Sync(ctx context.Context, failed bool) error
	// TxStatus is 'I' idle, 'T' in a transaction, 'E' in a failed one.
	TxStatus() byte
	// Params are the values for ParameterStatus at start-up, in order.
	Params() []Param
	// Format is how values are shown at present (time zone, styles).
	Format() *types.Format
	// Close frees all; the session's open transaction is rolled back.
	Close() error
}

// Param is a reported run-time parameter.
type Param struct{ Name, Value string }

// Parsed is one statement, syntactically right.
type Parsed interface {
	// Tag is the command tag for statements known by syntax alone ("BEGIN"),
	// used in messages only.
	Tag() string
	// Empty reports an empty statement (answered by EmptyQueryResponse).
	Empty() bool
}

// Statement is a prepared statement; it may be run many times, also after
// the catalog changed (then it plans again, or fails with 0A000 where its
// result columns would differ).
type Statement interface {
	// Params are the types of $1, $2, …
	Params() []types.OID
	// Columns describes the result; nil for a statement without rows.
	Columns() []ResultColumn
	// Query runs the statement. It does not wait for the first row. args are
	// in the types of Params. ctx ends with the cancel request, the timeout,
	// or the connection.
	Query(ctx context.Context, args []types.Datum) (Rows, error)
}

// ResultColumn is a field of RowDescription.
type ResultColumn struct {
	Name  string
	Type  types.Type
	Table uint32 // OID of the relation the column comes from, 0: none
	Attr  int16  // its attribute number there
}

// Rows is a running statement's result.
type Rows interface {
	// Next returns the next batch of rows (deletes never occur), in the
	// column types of Statement.Columns; io.EOF ends. A batch of no rows says
	// "nothing at hand now": the server flushes what it has and calls again.
	// Next blocks until there is something, or until ctx ends. The batch is
	// valid until the next call.
	Next(ctx context.Context) (*column.Batch, error)
	// Tag is the command tag, after io.EOF; a tag that ends in a blank gets
	// the count of rows sent appended ("SELECT ", "FETCH ").
	Tag() string
	Close() error
}

// Ended is implemented by Rows that know when the batch they gave was the last
// one: then Next is not called again.
type Ended interface {
	Rows
	Ended() bool
}

// CopyOut is implemented by the Rows of COPY … TO STDOUT. Its batches have
// one column of bytes: each row is the payload of one CopyData.
type CopyOut interface {
	Rows
	// CopyFormat is 0 text or 1 binary, and the number of columns.
	CopyFormat() (format byte, columns int)
}

// CopyIn is implemented by the Statement of COPY … FROM STDIN; the server
// calls CopyFrom instead of Query.
type CopyIn interface {
	Statement
	CopyFormat() (format byte, columns int)
	// CopyFrom reads the CopyData payloads as one stream until io.EOF; a
	// CopyFail or a lost client is an error from r. Returns the command tag.
	CopyFrom(ctx context.Context, r io.Reader) (tag string, err error)
}
