package session

import (
	"context"
	"strings"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/pgcatalog"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// system finds relations of the system catalogs: pg_catalog comes before the
// search path, the other schemas where they are named or in the path.
func (s *Session) system(schema, name string) *catalog.Relation {
	if schema != "" {
		return pgcatalog.Relation(schema, name)
	}
	if r := pgcatalog.Relation("", name); r != nil {
		return r
	}
	snap := s.catalog()
	for _, p := range s.path() {
		if snap.Relation(p, name) != nil {
			return nil
		}
		if r := pgcatalog.Relation(p, name); r != nil {
			return r
		}
	}
	return nil
}

// catalogs are the system catalogs at the snapshot snap, for a statement that
// runs under ctx.
func (s *Session) catalogs(ctx context.Context, snap *catalog.Snapshot) *pgcatalog.Catalog {
	src := pgcatalog.Source{
		Snapshot: snap, Database: s.database, User: s.who(), SearchPath: s.path(), Version: s.e.Version,
		Temp: s.tempIn(snap), TempImplied: s.searched.implied,
		Format: s.settings.format(), Started: started, PID: s.pid, Encoding: s.settings.get("client_encoding"),
		Functions: registeredFunctions, Settings: s.listSettings, Jobs: s.listJobs, Sinks: s.listSinks,
		Subscriptions: s.listSubscriptions, Cursors: s.listCursors, Statements: s.listStatements, SetConfig: s.setConfig,
		Notify: s.notifyChannel, LastValue: s.lastValue, Measure: s.measure, MeasureIndex: s.measureIndex,
		Sleep: func(seconds float64) error { return sleep(ctx, seconds) },
	}
	src.HBA = s.e.HBA
	src.Reload, src.Advisory = s.reload, advisory{s: s, ctx: ctx}
	if p, ok := s.notify.(pgwire.Peers); ok {
		src.Activity = func() []pgcatalog.Activity { return activity(p.Connections()) }
		src.Cancel, src.Terminate = p.Cancel, p.Terminate
	}
	cat := pgcatalog.New(src)
	s.printStored(cat, snap)
	return cat
}

// measure is how many rows a relation has and what they take, in bytes; -1: not
// known.
func (s *Session) measure(r *catalog.Relation) (rows, bytes int64) {
	var err error
	switch {
	case r.Native():
		rows, bytes, err = s.e.Tables.Measure(r.ID)
	case len(r.Plan) > 0 && s.e.Jobs.KeepsRows(r.ID):
		rows, bytes, err = s.e.Jobs.Measure(r.ID)
	default:
		return -1, -1
	}
	if err != nil {
		s.e.Logger.Warn("size not known", "relation", r.Name, "error", err.Error())
		return -1, -1
	}
	return rows, bytes
}

// lastValue is the number a sequence gave last, and whether it gave one.
func (s *Session) lastValue(r *catalog.Relation) (int64, bool) {
	state := s.e.Tables.SequenceState
	if s.tx != nil {
		state = s.tx.tx.SequenceState
	}
	v, called, err := state(r.ID, r.Numbers.Start)
	return v, called && err == nil
}

func (s *Session) measureIndex(oid uint32) int64 {
	n, err := s.e.Tables.MeasureIndex(oid)
	if err != nil {
		s.e.Logger.Warn("size not known", "index", oid, "error", err.Error())
	}
	return n
}

// lateCatalog makes the system catalogs when a function needs them.
type lateCatalog struct {
	s    *Session
	ctx  context.Context   // nil: of a statement that does not wait
	snap *catalog.Snapshot // nil: the present one
	cat  *pgcatalog.Catalog
}

func (l *lateCatalog) catalog() *pgcatalog.Catalog {
	if l.cat == nil {
		snap := l.snap
		if snap == nil {
			snap = l.s.catalog()
		}
		l.cat = l.s.catalogs(l.ctx, snap)
	}
	return l.cat
}

// Call implements expr.Catalog.
func (l *lateCatalog) Call(name string, args []types.Datum) (types.Datum, error) {
	return l.catalog().Call(name, args)
}

// Set implements expr.Catalog.
func (l *lateCatalog) Set(name string, args []types.Datum, row func([]types.Datum) error) error {
	return l.catalog().Set(name, args, row)
}

// started is when the server's process began, as far as sessions know.
var started = time.Now()

func sleep(ctx context.Context, seconds float64) error {
	const longest = 1 << 31 // seconds; beyond it is for ever
	t := time.NewTimer(time.Duration(min(max(seconds, 0), longest) * float64(time.Second)))
	defer t.Stop()
	if ctx == nil {
		ctx = context.Background()
	}
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// names reads and writes reg types by name, at the present catalog.
type names struct {
	s   *Session
	on  basis
	cat *pgcatalog.Catalog
}

func (n *names) catalog() *pgcatalog.Catalog {
	snap := n.s.catalog()
	if on := n.s.basis(snap); n.cat == nil || n.on != on {
		n.cat, n.on = n.s.catalogs(nil, snap), on //nolint:staticcheck // names do not wait
	}
	return n.cat
}

// Name implements types.Names.
func (n *names) Name(kind types.OID, oid uint32) string { return n.catalog().Name(kind, oid) }

// Number implements types.Names.
func (n *names) Number(kind types.OID, text string) (uint32, error) {
	return n.catalog().Number(kind, text)
}

// registeredFunctions lists what expressions can call.
func registeredFunctions() []pgcatalog.Function {
	var out []pgcatalog.Function
	for _, f := range expr.Functions() {
		kind := byte('f')
		if f.Operator {
			kind = 'o'
		}
		out = append(out, pgcatalog.Function{
			Name: f.Name, Args: f.Args, Ret: f.Ret, Kind: kind, Variadic: f.Variadic, Strict: !f.NullCall,
			Volatility: [...]byte{'i', 's', 'v'}[f.Volatility], Doc: f.Doc,
		})
	}
	for _, f := range expr.SetFunctions() {
		out = append(out, pgcatalog.Function{Name: f.Name, Args: f.Args, Ret: f.Ret, Kind: 'f', Set: true, Strict: true, Volatility: 'i', Doc: f.Doc})
	}
	for _, f := range expr.Aggregates() {
		out = append(out, pgcatalog.Function{Name: f.Name, Args: f.Args, Ret: f.Ret, Kind: 'a', Variadic: f.Variadic, Volatility: 'i', Doc: f.Doc})
	}
	return out
}

func (s *Session) listSettings() []pgcatalog.Setting {
	var out []pgcatalog.Setting
	for _, name := range s.settings.names() {
		d := s.settings.all[name]
		v, _ := s.settings.value(name)
		x := pgcatalog.Setting{
			Name: d.name, Value: v, Initial: d.initial, Reset: s.settings.origin[name], Kind: settingKind(d.initial),
			Context: "user", Category: "Client Connection Defaults", Source: s.settings.source[name],
		}
		if s.settings.values[name] != s.settings.origin[name] {
			x.Source = "session"
		}
		if d.super {
			x.Context = "superuser"
		}
		if d.fixed {
			x.Context, x.Category = "internal", "Preset Options"
		}
		out = append(out, x)
	}
	return out
}

func settingKind(initial string) string {
	switch {
	case initial == "on" || initial == "off":
		return "bool"
	case initial != "" && strings.Trim(initial, "0123456789") == "":
		return "integer"
	}
	return "string"
}

func (s *Session) setConfig(name, value string, local bool) (string, error) {
	key := lower(name)
	if err := s.settings.permitted(key, s.superuser()); err != nil {
		return "", err
	}
	if local && s.block() == nil {
		return s.settings.check(key, value) // gone with its transaction, which is this statement
	}
	if err := s.assign(key, value, local); err != nil {
		return "", err
	}
	v, _ := s.settings.value(key)
	return v, nil
}

func activity(conns []pgwire.ConnInfo) []pgcatalog.Activity {
	out := make([]pgcatalog.Activity, len(conns))
	for i, c := range conns {
		out[i] = pgcatalog.Activity{
			PID: c.PID, User: c.User, Database: c.Database, Application: c.ApplicationName, Address: c.RemoteAddr,
			Started: c.Connected, QueryStarted: c.QueryStart, Change: c.StateChange, TxStarted: c.TxStart,
			State: c.State, Query: ast.Redact(c.Query),
		}
	}
	return out
}

func (s *Session) listJobs() []pgcatalog.Job {
	var out []pgcatalog.Job
	for _, i := range s.e.Jobs.Jobs() {
		j := pgcatalog.Job{
			Relation: i.Relation, State: string(i.State), Shards: i.Shards, RowsIn: i.Stats.RowsIn, RowsOut: i.Stats.RowsOut,
			LateRows: i.Stats.LateRows, NullTimes: i.Stats.NullTimes, DeadLetters: i.Stats.DeadLetters, Epoch: i.Stats.Epoch, Watermark: i.Stats.Watermark,
			Checkpoint: i.Stats.Checkpoint, Started: i.Stats.Started, Error: errorText(i.Err),
			Backlog: pgcatalog.Backlog(i.Backlog),
		}
		if j.Watermark == types.TimestampInfinity {
			j.Watermark = pgcatalog.NoWatermark
		}
		out = append(out, j)
	}
	return out
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	e := pgerror.From(err)
	if e.Where != "" {
		return e.Error() + ", " + e.Where
	}
	return e.Error()
}

func (s *Session) listSinks() []pgcatalog.Sink {
	var out []pgcatalog.Sink
	for _, i := range s.e.Jobs.Sinks() {
		out = append(out, sinkOf(i))
	}
	return out
}

func sinkOf(i job.SinkInfo) pgcatalog.Sink {
	return pgcatalog.Sink{Relation: i.Relation, State: string(i.State), Error: errorText(i.Err), Position: i.Position, Rows: i.Rows, Backlog: pgcatalog.Backlog(i.Backlog)}
}

func (s *Session) listSubscriptions() []pgcatalog.Subscription {
	var out []pgcatalog.Subscription
	for _, r := range s.catalog().Relations() {
		if r.Subscription == nil {
			continue
		}
		x := pgcatalog.Subscription{Relation: r}
		if f, err := s.e.Jobs.Feed(r.ID); err == nil {
			x.State, x.Position, x.Acknowledged, x.Oldest, x.Newest = string(f.State), f.Position, f.Acknowledged, f.Oldest, f.Newest
		}
		out = append(out, x)
	}
	return out
}

func (s *Session) listCursors() []pgcatalog.Cursor {
	var out []pgcatalog.Cursor
	for _, c := range s.names.ListCursors() {
		x := pgcatalog.Cursor{Name: c.Name, Statement: c.SQL, Opened: c.Opened}
		if r, ok := c.Rows.(*cursor); ok {
			x.Hold, x.Binary, x.Scroll = r.held, r.binary, r.scroll || (r.spool != nil && !r.noScroll)
		}
		out = append(out, x)
	}
	return out
}

func (s *Session) listStatements() []pgcatalog.Statement {
	var out []pgcatalog.Statement
	for _, p := range s.names.ListStatements() {
		out = append(out, pgcatalog.Statement{
			Name: p.Name, SQL: p.SQL, Params: p.Params, FromSQL: p.FromSQL, Prepared: p.Prepared,
		})
	}
	return out
}
