// Package session is what a connection talks to: it implements
// pgwire.Session. Prepare is one switch from a statement's syntax to the file
// that knows the statement; settings, the transaction and cursors live here.
package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/operator"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/spool"
	"velostream/storage/table"
)

// Engine is what sessions work on; one for all of them.
type Engine struct {
	Catalog    *catalog.Catalog
	Tables     *table.DB
	Jobs       *job.Manager
	Connectors *connector.Registry
	Version    string // of the server, as in version()
	Shards     int
	Memory     *operator.Memory // nil: queries keep what query_memory allows
	Logger     *slog.Logger
	// Reload reads the server's files of settings again, nil: there are none.
	Reload func() error
	// HBA are the host-based rules in force, nil: there are none.
	HBA func() auth.Rules

	logins logins
	temps  temps
	Temp   *spool.Area // of rows that are not kept in memory; nil: they must be

	// dry: definitions are checked and go into a catalog that is thrown away;
	// nothing is stored, run or contacted.
	dry bool

	channels channels
}

// Backend makes sessions on e.
type Backend struct{ Engine *Engine }

// Connect implements pgwire.Backend.
func (b Backend) Connect(ctx context.Context, s pgwire.Startup, n pgwire.Notifier) (pgwire.Session, error) {
	x := &Session{
		e: b.Engine, database: s.Database, pid: s.PID, notify: n,
		settings: newSettings(b.Engine),
	}
	role, err := b.Engine.enter(ctx, s.User)
	if err != nil {
		return nil, err
	}
	if err := mayConnectTo(b.Engine.Catalog.Snapshot(), role, s.Database); err != nil {
		return nil, err
	}
	x.logIn(role)
	x.remote = s.RemoteAddr
	var ok bool
	if x.names, ok = n.(pgwire.Names); !ok {
		return nil, pgerror.New(pgerror.InternalError, "the connection keeps no names")
	}
	x.settings.regs = &names{s: x}
	x.takeLoginSettings(role.Name)
	if err := x.start(s); err != nil {
		return nil, err
	}
	if err := b.Engine.logins.enter(role); err != nil {
		return nil, err
	}
	return x, nil
}

// Session is one connection. Used by one goroutine.
type Session struct {
	random   expr.Random
	e        *Engine
	identity identity
	searched searchPath
	remote   string // address of the client
	database string
	pid      uint32
	notify   pgwire.Notifier
	settings *settings
	names    pgwire.Names // cursors and prepared statements

	given given // what nextval gave
	// loose are the parameters set outside of a block since the last Sync: an
	// error before the next one takes them back.
	loose []assignment

	tx *transaction // nil: none is open, not even an implicit one
	// advisory are the locks that outlive transactions, nil: it never had one.
	advisory *table.Advisory
	// final: the statement that runs next is the last before a Sync, as far as
	// the server knows; see Final.
	final  bool
	shapes shapes // of lookups by key
	// frozen: a cursor is being opened, whose rows are those of now.
	frozen bool
	// temp is the number of its schema of temporary objects, 0: it has had none.
	temp int
	// quiet: the client hears of no notices.
	quiet bool
}

// Final says whether the next statement is the last one before Sync: then it
// may commit by itself, before its result is sent.
func (s *Session) Final(last bool) { s.final = last }

// Parse implements pgwire.Session.
func (s *Session) Parse(sql string) ([]pgwire.Parsed, error) {
	if l := s.shapes.match(s, sql); l != nil {
		return []pgwire.Parsed{l}, nil
	}
	list, err := parser.Parse(sql)
	if err != nil {
		return nil, err
	}
	out := make([]pgwire.Parsed, len(list))
	for i, p := range list {
		out[i] = p
	}
	return out, nil
}

// Prepare implements pgwire.Session.
func (s *Session) Prepare(ctx context.Context, p pgwire.Parsed, params []types.OID) (pgwire.Statement, error) {
	if l, ok := p.(*lookup); ok {
		if l.shape.holds(s, params) {
			return l, s.allowed(l.shape.st.q)
		}
		var err error
		if p, err = l.parse(); err != nil {
			return nil, err
		}
	}
	parsed, ok := p.(ast.Parsed)
	if !ok {
		return nil, pgerror.New(pgerror.InternalError, "statement of another parser")
	}
	if err := s.allowed(parsed.Stmt); err != nil {
		return nil, err
	}
	st, err := s.prepare(ctx, parsed, params)
	if err != nil {
		return nil, err
	}
	s.keepShape(parsed, params, st)
	return s.audit(parsed, st), nil
}

// allowed refuses everything but the end of a failed transaction.
func (s *Session) allowed(stmt ast.Statement) error {
	if s.tx == nil || !s.tx.failed {
		return nil
	}
	if t, ok := stmt.(*ast.Transaction); ok {
		switch t.Kind {
		case ast.TxCommit, ast.TxRollback, ast.TxRollbackTo:
			return nil
		default:
		}
	}
	return pgerror.New(pgerror.InFailedTransaction,
		"current transaction is aborted, commands ignored until end of transaction block")
}

// prepare is the switch from syntax to statement. One line a kind.
//
//nolint:revive // function-length: a switch with a line for each statement
func (s *Session) prepare(ctx context.Context, p ast.Parsed, params []types.OID) (pgwire.Statement, error) {
	switch n := p.Stmt.(type) {
	case *ast.Query:
		return s.prepareQuery(p, n, params)
	case *ast.Subscribe:
		return s.prepareSubscribe(p, n, params)
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.Merge:
		return s.prepareChange(p, n, params)
	case *ast.Truncate:
		return s.command(p, func(ctx context.Context) (string, error) { return "TRUNCATE TABLE", s.truncate(ctx, p, n) }), nil
	case *ast.CreateRelation:
		return s.prepareCreateRelation(p, n, params)
	case *ast.CreateView:
		return s.prepareCreateView(p, n)
	case *ast.CreateSink:
		return s.prepareCreateSink(p, n)
	case *ast.CreateIndex:
		return s.command(p, func(ctx context.Context) (string, error) { return "CREATE INDEX", s.createIndex(ctx, p, n) }), nil
	case *ast.CreateSequence:
		return s.command(p, func(ctx context.Context) (string, error) { return s.createSequence(ctx, p, n) }), nil
	case *ast.CreateFunction:
		return s.command(p, func(ctx context.Context) (string, error) { return "CREATE FUNCTION", s.createFunction(ctx, p, n) }), nil
	case *ast.CreateType:
		return s.command(p, func(ctx context.Context) (string, error) { return p.Tag(), s.createType(ctx, p, n) }), nil
	case *ast.CreateNamed:
		if n.Kind == "SUBSCRIPTION" {
			return s.command(p, func(ctx context.Context) (string, error) {
				return "CREATE SUBSCRIPTION", s.createSubscription(ctx, p, n)
			}), nil
		}
	case *ast.Alter:
		return s.command(p, func(ctx context.Context) (string, error) { return "ALTER " + n.Kind, s.alter(ctx, p, n) }), nil
	case *ast.Comment:
		return s.command(p, func(ctx context.Context) (string, error) { return "COMMENT", s.comment(ctx, p, n) }), nil
	case *ast.CreateSchema:
		return s.command(p, func(ctx context.Context) (string, error) { return "CREATE SCHEMA", s.createSchema(ctx, n) }), nil
	case *ast.Drop:
		return s.command(p, func(ctx context.Context) (string, error) { return s.drop(ctx, p, n) }), nil
	case *ast.Transaction:
		return s.command(p, func(ctx context.Context) (string, error) { return s.transact(ctx, n) }), nil
	case *ast.Set:
		return s.command(p, func(context.Context) (string, error) { return "SET", s.set(p, n) }), nil
	case *ast.LockTable:
		return s.command(p, func(ctx context.Context) (string, error) { return "LOCK TABLE", s.lockTables(ctx, p, n) }), nil
	case *ast.SetConstraints:
		return s.command(p, func(ctx context.Context) (string, error) { return s.setConstraints(ctx, n) }), nil
	case *ast.SetTransaction:
		return s.command(p, func(context.Context) (string, error) { return "SET", s.setTransaction(n) }), nil
	case *ast.Reset:
		return s.command(p, func(context.Context) (string, error) { return "RESET", s.reset(n) }), nil
	case *ast.Discard:
		return s.command(p, func(ctx context.Context) (string, error) { return "DISCARD " + n.What, s.discard(ctx, n) }), nil
	case *ast.ShowSetting:
		return s.prepareShowSetting(p, n)
	case *ast.Show:
		return s.prepareShow(p, n)
	case *ast.Explain:
		return s.prepareExplain(p, n, params)
	case *ast.DeclareCursor:
		return s.prepareDeclare(p, n, params)
	case *ast.Fetch:
		return s.prepareFetch(p, n)
	case *ast.CloseCursor:
		return s.command(p, func(context.Context) (string, error) { return s.closeCursor(n) }), nil
	case *ast.Prepare:
		return s.command(p, func(ctx context.Context) (string, error) { return "PREPARE", s.prepareNamed(ctx, p, n) }), nil
	case *ast.Execute:
		return s.prepareExecute(ctx, p, n)
	case *ast.Deallocate:
		return s.command(p, func(context.Context) (string, error) { return s.deallocate(n) }), nil
	case *ast.Copy:
		return s.prepareCopy(p, n, params)
	case *ast.Job:
		return s.command(p, func(ctx context.Context) (string, error) { return s.jobCommand(ctx, p, n) }), nil
	case *ast.Listen:
		return s.command(p, func(context.Context) (string, error) { return "LISTEN", s.listen(n.Channel) }), nil
	case *ast.Unlisten:
		return s.command(p, func(context.Context) (string, error) { return "UNLISTEN", s.unlisten(n) }), nil
	case *ast.Notify:
		return s.command(p, func(context.Context) (string, error) { return "NOTIFY", s.notifyChannel(n.Channel, n.Payload) }), nil
	case *ast.Checkpoint:
		return s.command(p, func(context.Context) (string, error) { return "CHECKPOINT", s.mayCheckpoint() }), nil
	case *ast.CreateRole:
		return s.command(p, func(ctx context.Context) (string, error) { return p.Tag(), s.createRole(ctx, p, n) }), nil
	case *ast.Grant:
		return s.command(p, func(ctx context.Context) (string, error) { return p.Tag(), s.grant(ctx, p, n) }), nil
	case *ast.Owned:
		return s.command(p, func(ctx context.Context) (string, error) { return p.Tag(), s.ownedObjects(ctx, n) }), nil
	case *ast.AlterDefaultPrivileges:
		return s.command(p, func(ctx context.Context) (string, error) { return p.Tag(), s.alterDefaults(ctx, p, n) }), nil
	case *ast.Vacuum:
		return s.prepareVacuum(p, n)
	case *ast.Call:
		return nil, s.noProcedure(p, n)
	case *ast.CreateExtension:
		return s.command(p, func(context.Context) (string, error) { return p.Tag(), s.createExtension(p, n) }), nil
	case *ast.Refresh:
		return s.prepareRefresh(p, n)
	case *ast.Validate:
		return s.prepareValidate(n), nil
	case nil:
		return s.command(p, func(context.Context) (string, error) { return "", nil }), nil
	}
	return nil, pgerror.Unsupported("%s is not supported yet", p.Tag()).At(p.Position(p.Stmt.Pos()))
}

// TxStatus implements pgwire.Session.
func (s *Session) TxStatus() byte {
	switch {
	case s.tx == nil || s.tx.implicit:
		return 'I'
	case s.tx.failed:
		return 'E'
	}
	return 'T'
}

// Format implements pgwire.Session.
func (s *Session) Format() *types.Format { return s.settings.format() }

// Params implements pgwire.Session.
func (s *Session) Params() []pgwire.Param { return s.settings.reported() }

// Close implements pgwire.Session.
func (s *Session) Close() error {
	s.e.channels.forget(s)
	s.unlockAdvisory()
	s.e.logins.leave(s.identity.ids[s.identity.login])
	var err error
	if tx := s.tx; tx != nil {
		s.tx = nil
		err = tx.rollback()
	}
	s.quiet = true // nobody hears it
	return errors.Join(err, s.closeTemp())
}

// notice sends a NOTICE.
func (s *Session) notice(format string, args ...any) {
	s.noticeOf("00000", format, args...)
}

// noticeOf sends a NOTICE with an SQLSTATE of its own.
func (s *Session) noticeOf(code, format string, args ...any) {
	n := pgerror.New(code, format, args...)
	n.Severity = "NOTICE"
	s.tellClient(n)
}

// severities are those of client_min_messages that can make a difference, the
// mildest first.
var severities = []string{"notice", "warning", "error"}

// tellClient sends a NOTICE or WARNING, unless the client wants none.
func (s *Session) tellClient(n *pgerror.Error) {
	if s.quiet {
		return
	}
	n = types.NamedError(n, s.settings.format())
	least := slices.Index(severities, s.settings.get("client_min_messages")) // -1: all
	if slices.Index(severities, lower(n.Severity)) >= least || n.Severity == "INFO" {
		s.notify.Notice(n)
	}
}

// warn sends notices made while planning.
func (s *Session) warn(list []*pgerror.Error) {
	for _, w := range list {
		if w.Severity == "" {
			w.Severity = "NOTICE"
		}
		s.tellClient(w)
	}
}

// env is what expressions of a statement depend on.
func (s *Session) env() *expr.Env {
	now := types.FromTime(time.Now())
	at := now
	if s.tx != nil && !s.tx.implicit {
		at = s.tx.started
	}
	return &expr.Env{
		Sequences: sequences{s},
		Format:    s.evalFormat(), Now: at, StmtTime: now,
		User: s.who(), Database: s.database, Schema: s.currentSchema(),
		Version: s.e.Version, PID: int64(s.pid), Catalog: &lateCatalog{s: s}, Random: &s.random,
		Setting: s.settings.value,
	}
}
