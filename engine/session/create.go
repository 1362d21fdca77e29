package session

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// placed is the name of a new relation, checked against the catalog: exists is
// what has the name already.
type placed struct {
	schema, name string
	exists       *catalog.Relation
	first        []catalog.Change // to be made before it
}

func (s *Session) place(snap *catalog.Snapshot, p ast.Parsed, name ast.Name) (placed, error) {
	schema, rel := s.split(name)
	schema, err := s.creatable(snap, schema, p.Position(name.Pos()))
	if err != nil {
		return placed{}, err
	}
	return placed{schema: schema, name: rel, exists: snap.Relation(schema, rel)}, nil
}

// taken decides what a CREATE does when its name is taken: skip says it is
// done. REQUIRES: at.exists is set.
func (s *Session) taken(at placed, ifNotExists bool) (skip bool, err error) {
	if ifNotExists {
		s.noticeOf(pgerror.DuplicateTable, "relation %q already exists, skipping", at.name)
		return true, nil
	}
	return false, pgerror.New(pgerror.DuplicateTable, "relation %q already exists", at.name)
}

// prepareCreateRelation is CREATE STREAM, SOURCE and TABLE.
func (s *Session) prepareCreateRelation(p ast.Parsed, n *ast.CreateRelation, params []types.OID) (pgwire.Statement, error) {
	if (n.Query != nil || n.Execute != nil) && s.makesRows(n) {
		return s.prepareCreateAs(p, n, params)
	}
	tag := "CREATE " + string(n.Kind)
	if n.Query != nil {
		return s.command(p, func(ctx context.Context) (string, error) { return tag, s.createFromQuery(ctx, p, n) }), nil
	}
	return s.command(p, func(ctx context.Context) (string, error) { return tag, s.createRelation(ctx, p, n) }), nil
}

// createRelation makes a native relation, or one bound to a connector.
func (s *Session) createRelation(ctx context.Context, p ast.Parsed, n *ast.CreateRelation) error {
	var made *catalog.Relation
	snap, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		at, err := s.placeTable(snap, p, n.Name, n.Temp)
		if err != nil {
			return nil, err
		}
		if at.exists != nil {
			_, err := s.taken(at, n.IfNotExists)
			return nil, err
		}
		r, parts, err := s.newRelation(ctx, snap, p, n, at)
		if err == nil {
			err = temporaryTable(p, n, r)
		}
		if err != nil {
			return nil, err
		}
		made = r
		changes := append(append(at.first, catalog.Change{Put: r}), parts...)
		if r.DeadLetters != 0 {
			changes = append(changes, catalog.Change{Put: deadLetterTable(r)})
		}
		return changes, nil
	})
	if err != nil || made == nil || len(made.Plan) == 0 || s.e.dry || s.tx != nil { // in a transaction COMMIT starts the job
		return err
	}
	if err := s.e.Jobs.WaitReady(ctx, made.ID, snap.Version); err != nil {
		s.undoCreate(made.ID)
		return err
	}
	return nil
}

// refuseUnchecked refuses constraints that nobody would check, because r's rows come from
// a connector.
func refuseUnchecked(p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation, def *binder.Definition) error {
	if i := slices.IndexFunc(r.Columns, func(c catalog.Column) bool { return c.Domain != 0 }); i >= 0 {
		return pgerror.Unsupported("a column of a domain (%q) of a relation that a connector feeds is not supported", r.Columns[i].Name).
			WithHint("Declare it with the domain's base type.").At(p.Position(n.Name.Pos()))
	}
	if len(def.Constraints)+len(def.Sequences) > 0 {
		return pgerror.Unsupported("constraints of a relation that a connector feeds are not enforced").
			WithHint("Leave them out, or declare them NOT ENFORCED.").At(p.Position(n.Name.Pos()))
	}
	return nil
}

func (s *Session) newRelation(ctx context.Context, snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRelation, at placed) (*catalog.Relation, []catalog.Change, error) {
	if err := refuseTable(p, n); err != nil {
		return nil, nil, err
	}
	n, likes, err := s.like(snap, p, n)
	if err == nil {
		n, err = s.inferred(ctx, p, n)
	}
	if err != nil {
		return nil, nil, err
	}
	o := s.bindOptions(p, nil)
	o.Snapshot = snap
	def, err := binder.BindColumnDefs(o, n)
	if err != nil {
		return nil, nil, err
	}
	r := &catalog.Relation{
		ID: snap.NextID(), Schema: at.schema, Name: at.name, Kind: catalog.Stream, Owner: s.who(),
		Columns: def.Columns, EventTime: def.EventTime, WatermarkDelay: def.Delay, AppendOnly: true, Definition: p.Text,
		ACL: s.newACL(snap, at.schema),
	}
	if n.Kind == ast.KindTable {
		r.Kind, r.AppendOnly = catalog.Table, n.AppendOnly
		r.Key, r.PrimaryKey = def.PrimaryKey, len(def.PrimaryKey) > 0
	}
	if err := conflictRule(p, n, r); err != nil {
		return nil, nil, err
	}
	if n.Kind == ast.KindTable && onlyStorage(n.Options) {
		if err := storageParameters(p, n.Options, tableParameters); err != nil {
			return nil, nil, err
		}
	} else if len(n.Options) > 0 || n.Kind == ast.KindSource {
		if err := s.bindConnector(ctx, snap, p, n, r); err != nil {
			return nil, nil, err
		}
	}
	if r.Connector != "" {
		if err := refuseUnchecked(p, n, r, def); err != nil {
			return nil, nil, err
		}
		if err := systemColumns(p, n, r); err != nil {
			return nil, nil, err
		}
		if r.Kind == catalog.Table {
			return r, nil, s.boundTable(o, p, n, r)
		}
		if err := job.CheckKey(r); err != nil {
			return nil, nil, pgerror.From(err).At(p.Position(n.Name.Pos()))
		}
		return r, nil, s.storeComputed(o, r)
	}
	if len(def.PrimaryKey) > 0 && r.Kind == catalog.Stream {
		return nil, nil, pgerror.New(pgerror.InvalidTableDefinition, "a stream has no primary key").
			WithHint("CREATE TABLE keeps one row a key.").At(p.Position(n.Name.Pos()))
	}
	nativeColumns(r)
	nm := newNamer(snap)
	parts, err := s.constrain(nm, p, r, def)
	if err == nil {
		err = s.copyLike(o, nm, p, n, r, likes)
	}
	return r, parts, err
}

// nativeColumns gives r, whose rows come by SQL, the hidden columns that the store fills.
func nativeColumns(r *catalog.Relation) {
	if len(r.Key) == 0 {
		r.Columns = append(r.Columns, rowIDColumn())
		r.Key = []int{len(r.Columns) - 1}
	}
	if r.Kind == catalog.Stream && r.ColumnIndex("_timestamp") < 0 {
		r.Columns = append(r.Columns, catalog.Column{Name: "_timestamp", Type: types.Timestamptz, Hidden: true, System: "arrival"})
		if r.EventTime < 0 {
			r.EventTime = len(r.Columns) - 1
		}
	}
}

// eventTimeOf is the event time of a stream that names none: its column
// _event_time, else the record's own time.
func eventTimeOf(r *catalog.Relation) int {
	if i := r.ColumnIndex("_event_time"); i >= 0 {
		return i
	}
	return r.ColumnIndex("_timestamp")
}

// systemColumns completes a stream that a connector feeds, and refuses event.time.format where no
// column that is read has the event time.
func systemColumns(p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation) error {
	if r.Kind == catalog.Stream {
		addSystemColumns(r)
		if r.EventTime < 0 {
			r.EventTime = eventTimeOf(r)
		}
	}
	for _, g := range givenOptions(p, n.Options) {
		if lower(g.Name) != "event.time.format" {
			continue
		}
		if r.EventTime < 0 || r.Columns[r.EventTime].System != "" || r.Columns[r.EventTime].Computed != "" {
			return pgerror.New(pgerror.InvalidParameterValue, "event.time.format needs event.time.field").
				WithHint("It is the form of the column that has the event time, which the source must deliver.").At(g.Pos)
		}
	}
	return nil
}

// storeComputed keeps computed columns as expressions: the source computes
// them.
func (s *Session) storeComputed(o binder.Options, r *catalog.Relation) error {
	exprs, err := binder.New(o).Computed(r)
	if err != nil {
		return err
	}
	for i, e := range exprs {
		if e == nil {
			continue
		}
		if r.Columns[i].Expr, err = expr.MarshalExpr(e); err != nil {
			return err
		}
	}
	return nil
}

// deadLetterTable is the table that keeps what r's connector delivers and its
// format can't read.
func deadLetterTable(r *catalog.Relation) *catalog.Relation {
	return &catalog.Relation{
		ID: r.DeadLetters, Schema: r.Schema, Name: r.Name + "_dead_letters", Kind: catalog.Table, Owner: r.Owner,
		Columns: job.DeadLetterColumns(), Key: []int{0, 1}, PrimaryKey: true, EventTime: -1, PartOf: r.ID,
		Comment: "records of " + r.Name + " that could not be decoded",
	}
}

// addSystemColumns adds what a connector knows of each record, and the two
// columns that identify it.
func addSystemColumns(r *catalog.Relation) {
	add := func(name string, t types.Type, system string) {
		if r.ColumnIndex(name) < 0 {
			r.Columns = append(r.Columns, catalog.Column{Name: name, Type: t, Hidden: true, System: system})
		}
	}
	add("_timestamp", types.Timestamptz, "_timestamp")
	add("_key", types.Text, "_key")
	add("_topic", types.Text, "_topic")
	add("_partition", types.Int4, "_partition")
	add("_offset", types.Int8, "_offset")
	add("_headers", types.JSONB, "_headers")
	add("_split", types.Int8, "split")
	add("_position", types.Int8, "position")
	r.Key = []int{r.ColumnIndex("_split"), r.ColumnIndex("_position")}
}

// connectorOptions are the options of a source as given, its format's among them.
func connectorOptions(p ast.Parsed, n *ast.CreateRelation) []option.Given {
	given := givenOptions(p, n.Options)
	if n.Format != nil && n.Format.Encode != "" {
		given = append(given, option.Given{Name: "format", Value: lower(n.Format.Encode), Pos: p.Position(n.Format.Pos())})
	}
	return given
}

// connectorOf finds the connector of a source, which the session may use.
func (s *Session) connectorOf(p ast.Parsed, n *ast.CreateRelation, given []option.Given) (connector.Connector, error) {
	name, ok := find(given, "connector", "type")
	if !ok {
		return connector.Connector{}, pgerror.New(pgerror.InvalidObjectDefinition, "option \"connector\" is missing").
			WithHint("WITH (connector = 'kafka', …). There are: %v.", s.e.Connectors.Names()).At(p.Position(n.Name.Pos()))
	}
	conn, err := s.e.Connectors.Find(name)
	if err != nil {
		return conn, pgerror.From(err).At(p.Position(n.Name.Pos()))
	}
	if err := s.mayConnect(conn.Name, false, given); err != nil {
		return conn, err
	}
	if conn.NewSource == nil {
		return conn, pgerror.New(pgerror.WrongObjectType, "connector %q cannot be read from", conn.Name).At(p.Position(n.Name.Pos()))
	}
	return conn, nil
}

// bindConnector checks the WITH options of a source and puts them into r.
func (s *Session) bindConnector(ctx context.Context, snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation) error {
	if err := refuseLateOptions(p, n.Options); err != nil {
		return err
	}
	if err := refuseStateOptions(p, n.Options); err != nil {
		return err
	}
	given := connectorOptions(p, n)
	conn, err := s.connectorOf(p, n, given)
	if err != nil {
		return err
	}
	if conn.Describe != nil {
		var columns []connector.Column
		for _, c := range r.Columns {
			if c.Computed == "" && c.System == "" {
				columns = append(columns, connector.Column{Name: c.Name, Type: c.Type.String()})
			}
		}
		given = conn.Describe(given, columns)
	}
	opts, err := job.ParseOptions(conn, false, given)
	if err != nil {
		return err
	}
	if err := eventTime(snap, p, n, r, opts); err != nil {
		return err
	}
	src, err := conn.NewSource(opts)
	if err != nil {
		return err
	}
	if c, ok := src.(connector.Checker); ok && !s.e.dry {
		if err := c.Check(ctx); err != nil {
			return err
		}
	}
	if e, ok := src.(connector.Ender); ok {
		r.Ends = e.Ends()
	}
	r.Connector, r.Options = conn.Name, map[string]string{}
	for _, g := range given {
		r.Options[lower(g.Name)] = g.Value
	}
	return nil
}

// eventTime takes over the watermark options where there is no WATERMARK FOR.
func eventTime(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation, o option.Options) error {
	set, err := source.Parse(o)
	if err != nil {
		return err
	}
	if set.DeadLetterTopic != "" {
		return pgerror.Unsupported("dead.letter.queue.topic is not supported yet").
			WithHint("Undecodable records are in the table %s_dead_letters.", r.Name).At(p.Position(n.Name.Pos()))
	}
	if set.EventTimeField != "" && r.EventTime < 0 {
		if r.EventTime = r.ColumnIndex(set.EventTimeField); r.EventTime < 0 {
			return pgerror.NoSuchColumn(set.EventTimeField).WithHint("event.time.field names a column of the stream.").At(p.Position(n.Name.Pos()))
		}
	}
	if set.HasDelay {
		r.WatermarkDelay = set.Delay.Microseconds()
	}
	if set.OnError == source.SendElsewhere {
		r.DeadLetters = snap.NextID()
	}
	return nil
}

func givenOptions(p ast.Parsed, list []ast.Option) []option.Given {
	out := make([]option.Given, len(list))
	for i, o := range list {
		out[i] = option.Given{Name: o.Name, Value: o.Value, Pos: p.Position(o.Pos())}
	}
	return out
}

func find(given []option.Given, names ...string) (string, bool) {
	for _, g := range given {
		if slices.Contains(names, lower(g.Name)) {
			return g.Value, true
		}
	}
	return "", false
}

// prepareCreateView is CREATE VIEW and CREATE MATERIALIZED VIEW.
func (s *Session) prepareCreateView(p ast.Parsed, n *ast.CreateView) (pgwire.Statement, error) {
	if n.Materialized {
		return s.command(p, func(ctx context.Context) (string, error) {
			return "CREATE MATERIALIZED VIEW", s.createMaterialized(ctx, p, n)
		}), nil
	}
	return s.command(p, func(ctx context.Context) (string, error) { return "CREATE VIEW", s.createView(ctx, p, n) }), nil
}

func (s *Session) createView(ctx context.Context, p ast.Parsed, n *ast.CreateView) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		at, err := s.placeTable(snap, p, n.Name, n.Temp)
		if err != nil {
			return nil, err
		}
		if at.exists != nil && n.OrReplace && at.exists.Kind != catalog.View {
			return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a view", at.name).At(p.Position(n.Name.Pos()))
		}
		if at.exists != nil && !n.OrReplace {
			_, err := s.taken(at, n.IfNotExists)
			return nil, err
		}
		if at.exists != nil {
			if err := s.owns(snap, at.exists); err != nil {
				return nil, err
			}
		}
		o := s.bindOptions(p, nil)
		o.Snapshot = snap
		if err := refuseViewClauses(p, n.Query); err != nil {
			return nil, err
		}
		options, err := viewOptions(p, n)
		if err != nil {
			return nil, err
		}
		b, err := binder.BindQuery(o, n.Query)
		if err != nil {
			return nil, err
		}
		if len(b.Params) > 0 {
			return nil, pgerror.New(pgerror.UndefinedParameter, "there is no parameter $%d", len(b.Params)).At(firstParam(p))
		}
		if at, err = s.viewPlace(snap, at, b.Inputs); err != nil {
			return nil, err
		}
		r := &catalog.Relation{
			ID: snap.NextID(), Schema: at.schema, Name: at.name, Kind: catalog.View, Options: options, Owner: s.who(), EventTime: -1,
			Definition: p.Text, Query: ast.String(n.Query), Inputs: b.Inputs,
			Refs: b.Refs, TypeRefs: b.TypeRefs, Functions: b.Functions, ACL: s.newACL(snap, at.schema),
		}
		if r.Columns, err = viewColumns(p, b.Columns, n.Columns); err != nil {
			return nil, err
		}
		if at.exists != nil {
			r.ID, r.Owner, r.Comment, r.ACL = at.exists.ID, at.exists.Owner, at.exists.Comment, at.exists.ACL
			if err := replacesView(snap, at.exists, r); err != nil {
				return nil, err
			}
		}
		return append(at.first, catalog.Change{Put: r}), nil
	})
	return err
}

// viewColumns are the columns of a query under the names of a column list.
func viewColumns(p ast.Parsed, cols []plan.Column, names []ast.Ident) ([]catalog.Column, error) {
	if len(names) > len(cols) {
		return nil, pgerror.New(pgerror.SyntaxError, "CREATE VIEW specifies more column names than columns").At(p.Position(names[len(cols)].Pos()))
	}
	out := make([]catalog.Column, len(cols))
	seen := map[string]bool{}
	for i, c := range cols {
		name := c.Name
		if i < len(names) {
			name = names[i].Name
		}
		if seen[name] {
			return nil, pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", name)
		}
		seen[name] = true
		if c.Type.OID == types.OIDRecord {
			return nil, pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type record", name)
		}
		out[i] = catalog.Column{Name: name, Type: c.Type}
	}
	return out, nil
}

func (s *Session) createMaterialized(ctx context.Context, p ast.Parsed, n *ast.CreateView) error {
	if n.OrReplace {
		at, err := s.place(s.catalog(), p, n.Name)
		if err != nil {
			return err
		}
		if at.exists != nil {
			if err := s.owns(s.catalog(), at.exists); err != nil {
				return err
			}
			return s.replaceMaterialized(ctx, p, n, at.exists)
		}
	}
	return s.createJob(ctx, p, jobSpec{
		kind: catalog.MaterializedView, name: n.Name, columns: n.Columns, query: n.Query, ifNotExists: n.IfNotExists,
		options: slices.Concat(n.Options, n.Query.Options),
	})
}

// createFromQuery is CREATE STREAM … AS and CREATE TABLE … AS.
func (s *Session) createFromQuery(ctx context.Context, p ast.Parsed, n *ast.CreateRelation) error {
	kind := catalog.Stream
	if n.Kind == ast.KindTable {
		kind = catalog.MaterializedView
	}
	var names []ast.Ident
	for _, c := range n.Columns {
		names = append(names, ast.Ident{At: c.At, Name: c.Name})
	}
	return s.createJob(ctx, p, jobSpec{
		kind: kind, name: n.Name, columns: names, query: n.Query, ifNotExists: n.IfNotExists,
		options: slices.Concat(n.Options, n.Query.Options), into: n.Query.Sink,
	})
}

// jobSpec is a persistent query to be made.
type jobSpec struct {
	kind        catalog.Kind
	name        ast.Name
	columns     []ast.Ident
	query       *ast.Query
	ifNotExists bool
	options     []ast.Option
	into        *ast.Name
	replaces    uint32
	sink        *ast.CreateSink
	sub         *catalog.Subscription
}

// createJob makes the relation of a persistent query, and its sink, starts its
// job, and waits until what its inputs held is taken in.
func (s *Session) createJob(ctx context.Context, p ast.Parsed, c jobSpec) error {
	_, err := s.createJobAs(ctx, p, c)
	return err
}

// createJobAs is createJob; it returns the OID of what was made, 0: nothing.
func (s *Session) createJobAs(ctx context.Context, p ast.Parsed, c jobSpec) (uint32, error) {
	var made *catalog.Relation
	define := s.define
	if c.replaces != 0 {
		define = s.defineNow
	}
	snap, err := define(ctx, func(snap *catalog.Snapshot) (*redefinition, error) {
		made = nil
		at, err := s.place(snap, p, c.name)
		if err != nil {
			return nil, err
		}
		if at.exists != nil {
			_, err := s.taken(at, c.ifNotExists)
			return nil, err
		}
		if made, err = s.jobRelation(snap, p, c, at); err != nil {
			return nil, err
		}
		made.Replaces, made.Subscription = c.replaces, c.sub
		changes := []catalog.Change{{Put: made}}
		if made.LateLetters != 0 {
			changes = append(changes, catalog.Change{Put: lateLetterTable(made)})
		}
		var sink *catalog.Relation
		if c.sink != nil {
			sink, err = s.querySink(ctx, snap, p, c.sink, made)
		} else {
			sink, err = s.inlineSink(ctx, snap, p, c, made)
		}
		if err != nil {
			return nil, err
		}
		if sink != nil {
			changes = append(changes, catalog.Change{Put: sink})
		}
		return &redefinition{changes: changes, jobs: []uint32{made.ID}}, nil
	})
	if err != nil || made == nil || s.tx != nil { // in a transaction COMMIT starts the job
		return 0, err
	}
	if s.settings.get("background_ddl") == "on" && c.replaces == 0 || s.e.dry {
		return made.ID, nil
	}
	if err := s.e.Jobs.WaitReady(ctx, made.ID, snap.Version); err != nil {
		s.undoCreate(made.ID)
		return 0, err
	}
	return made.ID, nil
}

// undoCreate drops a relation whose job could not take in its inputs, so that
// a CREATE that failed or was cancelled leaves nothing.
func (s *Session) undoCreate(id uint32) {
	_, err := s.applyNow(context.Background(), func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		r := snap.ByID(id)
		if r == nil {
			return nil, nil
		}
		return s.dropChanges(snap, []*catalog.Relation{r}, true)
	})
	if err != nil {
		s.e.Logger.Error("a relation that could not be made was not dropped", "relation", id, "error", err.Error())
	}
}

// jobRelation plans the query and describes the relation that its job keeps.
func (s *Session) jobRelation(snap *catalog.Snapshot, p ast.Parsed, c jobSpec, at placed) (*catalog.Relation, error) {
	if changingCTE(c.query) != nil {
		return nil, pgerror.Unsupported("%ss must not use data-modifying statements in WITH", strings.ReplaceAll(string(c.kind), "_", " "))
	}
	o := s.bindOptions(p, nil)
	o.Snapshot, o.Continuous, o.View = snap, true, c.kind != catalog.Stream
	if err := queryOptions(p, &o, c.options); err != nil {
		return nil, err
	}
	b, err := binder.BindQuery(o, c.query)
	if err != nil {
		return nil, err
	}
	if len(b.Params) > 0 {
		return nil, pgerror.New(pgerror.UndefinedParameter, "a persistent query cannot have parameters")
	}
	if err := s.permit(snap, b.Access, b.Functions); err != nil {
		return nil, err
	}
	if err := notTemporary(snap, b.Inputs, strings.ReplaceAll(string(c.kind), "_", " ")+"s"); err != nil {
		return nil, err
	}
	phys, warnings, err := s.lower(b.Plan, optimizer.LowerOptions{Continuous: true, View: true, Stream: c.kind == catalog.Stream, Every: b.Every, Timeout: b.Timeout, Ends: b.Ends})
	if err != nil {
		return nil, err
	}
	s.warn(append(b.Warnings, warnings...))
	r := &catalog.Relation{
		ID: snap.NextID(), Schema: at.schema, Name: at.name, Kind: c.kind, Owner: s.who(), EventTime: -1,
		Definition: p.Text, Query: ast.String(c.query), Inputs: b.Inputs, Key: phys.Key, Refs: b.Refs, TypeRefs: b.TypeRefs, Functions: b.Functions,
		AppendOnly: phys.AppendOnly, ACL: s.newACL(snap, at.schema), Access: b.Access,
	}
	if c.kind == catalog.Stream && phys.AppendOnly {
		r.EventTime = phys.EventTime
		_, late := plan.Timing(phys)
		r.WatermarkDelay = inheritedDelay(snap, b.Inputs) + late
	}
	shown, err := viewColumns(p, b.Columns, c.columns)
	if err != nil {
		return nil, err
	}
	for i, col := range phys.Out {
		k := catalog.Column{Name: col.Name, Type: col.Type, Hidden: true}
		if !col.Hidden {
			k.Hidden = false
			if len(shown) > 0 {
				k.Name, shown = shown[0].Name, shown[1:]
			}
		} else {
			k.Name = hiddenName(r.Columns, i)
		}
		r.Columns = append(r.Columns, k)
	}
	if r.Plan, err = json.Marshal(phys); err != nil {
		return nil, err
	}
	if b.LateLetters {
		r.LateLetters = snap.NextID()
	}
	return r, nil
}

// hiddenName is a name for a carried key column that no other column has.
func hiddenName(cols []catalog.Column, i int) string {
	name := "_key_" + itoa(i)
	for slices.ContainsFunc(cols, func(c catalog.Column) bool { return c.Name == name }) {
		name += "_"
	}
	return name
}

// inheritedDelay is the largest watermark delay of the streams read.
func inheritedDelay(snap *catalog.Snapshot, inputs []uint32) int64 {
	var d int64
	for _, id := range inputs {
		if r := snap.ByID(id); r != nil {
			d = max(d, r.WatermarkDelay)
		}
	}
	return d
}

func (s *Session) prepareRefresh(p ast.Parsed, n *ast.Refresh) (pgwire.Statement, error) {
	r, err := s.owned(s.catalog(), p, n.Name)
	if err != nil {
		return nil, err
	}
	if r.Kind != catalog.MaterializedView {
		return nil, pgerror.Unsupported("%q is not a materialized view", r.Name).At(p.Position(n.Name.Pos()))
	}
	return s.command(p, func(context.Context) (string, error) {
		s.notice("materialized view %q is always up to date", r.Name)
		return "REFRESH MATERIALIZED VIEW", nil
	}), nil
}

// firstParam is the position of the first $n of a statement.
func firstParam(p ast.Parsed) int {
	i := strings.IndexByte(p.SQL[p.Start:], '$')
	if i < 0 {
		return 0
	}
	return p.Position(p.Start + i)
}
