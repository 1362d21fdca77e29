// Package binder gives meaning to syntax trees: it looks up names in one
// catalog snapshot, derives types by PostgreSQL's rules, and makes logical
// plans. There is no bound tree in between. It reads its arguments and
// nothing else: no clock, no settings, no I/O.
//
// Errors are *pgerror.Error with PostgreSQL's SQLSTATE, message and position;
// what is valid SQL but not offered is 0A000 and names the missing piece.
package binder

import (
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// maxDepth bounds how deep views and subqueries may be nested.
const maxDepth = 100

// Options say what a statement is bound against.
type Options struct {
	Snapshot *catalog.Snapshot
	// System finds relations that are not in the snapshot: pg_catalog and its
	// like. nil: there are none. It is asked before the search path.
	System func(schema, name string) *catalog.Relation
	// SearchPath are the schemas searched for unqualified names; empty: public.
	SearchPath []string
	// Temp is the schema that pg_temp stands for, "": none.
	Temp string
	// SQL is the text that the tree's offsets point into.
	SQL string
	// Params are declared parameter types, 0 where they are to be inferred.
	Params []types.OID
	// Format says how literals of dates and the like are read; nil: defaults.
	Format *types.Format
	// Session gives values of functions that depend on the session, such as
	// current_user; ok is false for all others.
	Session func(name string, args []expr.Expr) (e expr.Expr, ok bool)

	// Refs, if set, say what relation names mean and what their columns were
	// called: the query was stored, and names may have changed since.
	Refs []catalog.Ref
	// TypeRefs, if set, say what the names of user-made types mean.
	TypeRefs []catalog.TypeRef
	// FunctionRefs, if set, are the functions that a stored query uses: their names mean
	// these, whatever search_path is now.
	FunctionRefs []uint32

	// Usable, if set, returns an error for a schema that is named and whose objects
	// may not be looked up.
	Usable func(schema string) error

	// Current gives the key of the row of rel that a cursor is on, for WHERE CURRENT OF; nil:
	// none is known yet.
	Current func(cursor string, rel *catalog.Relation) ([]types.Datum, error)

	// Continuous binds for a job or an EMIT query rather than a bounded read.
	Continuous bool
	// Late are the options about late rows of a persistent query.
	Late LateOptions
	// Bounds are those of its join by options.
	Bounds JoinBounds
	// Trace, if set, is told what the parts of the tree mean.
	Trace *Trace
	// View is set for the query of a materialised view or table, whose default
	// is EMIT CHANGES also with windows.
	View bool

	// shapes are the record types of the statement; New makes them.
	shapes *rowShapes
}

// LateOptions are what a statement's options say about rows that come after their window has
// closed.
type LateOptions struct {
	// Strategy is late.data.strategy, "": not given; LATE ROWS of the query goes before it.
	Strategy string
	// Retention is late.data.retention, µs; 0: the default.
	Retention int64
	// Letters: the statement makes a relation that can have dead letters.
	Letters bool
	// Pos and RetentionPos are where they stand, as in errors.
	Pos, RetentionPos int
}

// JoinBounds say how far the event times of the two streams of a join are apart: right is from
// left + Lower to left + Upper, µs.
type JoinBounds struct {
	Given        bool
	Lower, Upper int64
	Pos          int // of the option, as in errors
}

// Result is a bound query.
type Result struct {
	Plan plan.Logical
	// Columns are the columns the client sees, in order; they are the ones of
	// Plan's schema that are not Hidden.
	Columns []plan.Column
	// Params are the types of $1, $2, …
	Params []types.OID
	Emit   plan.Emit
	// Every is how often changes leave, µs; 0: with each epoch.
	Every int64
	// Timeout is how long after its end, and its last row, the clock closes a window, µs; 0: it does not.
	Timeout int64
	// Ends: all relations read come to an end.
	Ends bool
	// LateLetters: late rows are to be kept as dead letters.
	LateLetters bool
	// Continuous: an EMIT clause makes the query continuous when it stands alone.
	Continuous bool
	// PrimaryKey are positions in Columns of the items marked PRIMARY KEY.
	PrimaryKey []int
	// Inputs are the OIDs of the relations read, views expanded, each once.
	Inputs []uint32
	// Refs say what the relation names in the query mean, Functions are the OIDs of
	// the SQL functions it uses: what a stored query keeps.
	Refs      []catalog.Ref
	Functions []uint32
	// TypeRefs say what the names of user-made types in the query mean.
	TypeRefs []catalog.TypeRef
	// Access is what the query does to relations, and as whom.
	Access []catalog.Access
	// Warnings are notices for the user.
	Warnings []*pgerror.Error
}

// Binder binds one statement. Not safe for concurrent use; make one per
// statement.
type Binder struct {
	Options
	params []*expr.Param // by number; all uses of a parameter share the node
	inputs []uint32
	// functions are the OIDs of the SQL functions used, names what the relations
	// read were called.
	functions []uint32
	names     []catalog.Ref
	typeRefs  []catalog.TypeRef // user-made types named
	warnings  []*pgerror.Error
	// access is what the statement does to relations; via is the view whose query
	// is being bound, 0 outside of views.
	access []*catalog.Access
	via    uint32
	ctes   *cteScope
	// top is the WITH of a statement that may change rows in it, parts are those that do.
	top   *ast.With
	parts []Part
	// changes: what is bound may change and lock rows.
	changes bool
	ids     *int // of shared subplans and recursions given out, also those of views
	depth   int
	ascii   bool
	nodes   int
	emit    emitSpec
	// boundJoins is how many joins Bounds was applied to.
	boundJoins int
	// end is the whole statement's query, nil: it is no query.
	end *ast.Query
}

// New makes a binder.
func New(o Options) *Binder {
	if o.shapes == nil {
		o.shapes = &rowShapes{}
	}
	b := &Binder{ids: new(int), Options: o, ascii: isASCII(o.SQL), params: make([]*expr.Param, len(o.Params))}
	for i, t := range o.Params {
		b.params[i] = &expr.Param{Number: i + 1, T: types.Unknown}
		if t != 0 {
			b.params[i].T = types.Type{OID: t, Mod: -1}
		}
	}
	return b
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// pos turns a byte offset into the position of an error.
func (b *Binder) pos(offset int) int {
	if offset < 0 || b.SQL == "" {
		return 0
	}
	if b.ascii {
		return min(offset, len(b.SQL)) + 1
	}
	return ast.CharPos(b.SQL, offset)
}

// missing refuses what the engine has no operator for.
func (b *Binder) missing(at ast.Node, format string, args ...any) *pgerror.Error {
	e := pgerror.Unsupported(format, args...)
	if at == nil {
		return e
	}
	return e.At(b.pos(at.Pos()))
}

// BindQuery binds a query with all that belongs to it.
func BindQuery(o Options, q *ast.Query) (*Result, error) {
	return New(o).Query(q)
}

// Query binds q as a whole statement.
func (b *Binder) Query(q *ast.Query) (*Result, error) {
	b.end = q
	if err := b.bindEmit(q); err != nil {
		return nil, err
	}
	r, err := b.query(q, nil)
	if err != nil {
		return nil, err
	}
	if err := b.checkEmit(q, r.plan); err != nil {
		return nil, err
	}
	if err := b.checkLate(r.plan); err != nil {
		return nil, err
	}
	if err := b.checkBounds(); err != nil {
		return nil, err
	}
	if err := b.textForUnknown(r); err != nil {
		return nil, err
	}
	res := &Result{
		Plan: r.plan, Columns: visible(r.plan.Schema()), Params: b.finish(), Emit: b.emit.mode, Every: b.emit.every, Timeout: b.emit.timeout, Ends: b.inputsEnd(), LateLetters: b.emit.late == plan.LateLetters,
		Continuous: q.Emit != nil, PrimaryKey: r.primaryKey, Inputs: b.inputs, Warnings: b.warnings,
		Refs: b.names, Functions: b.functions, TypeRefs: b.typeRefs, Access: b.accessList(),
	}
	return res, nil
}

func visible(s plan.Schema) []plan.Column {
	out := make([]plan.Column, 0, len(s))
	for _, c := range s {
		if !c.Hidden {
			c.Type = plainRecord(c.Type)
			out = append(out, c)
		}
	}
	return out
}

// finish gives parameters whose type nothing decided the type text.
func (b *Binder) finish() []types.OID {
	out := make([]types.OID, len(b.params))
	for i, p := range b.params {
		switch {
		case p == nil:
			out[i] = types.OIDText
			continue
		case p.T.OID == types.OIDUnknown:
			p.T = types.Text
		}
		out[i] = p.T.OID
	}
	return out
}

func (b *Binder) addInput(id uint32) {
	if !slices.Contains(b.inputs, id) {
		b.inputs = append(b.inputs, id)
	}
}
