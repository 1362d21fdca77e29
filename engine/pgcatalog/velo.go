package pgcatalog

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
)

// veloRelations are the relations of velo_catalog, in the form of
// relations.txt.
const veloRelations = `
velo_catalog.jobs 15001 v id:oid name:name schema:name kind:text state:text shards:int4 rows_in:int8 rows_out:int8 epoch:int8 watermark:timestamptz late_rows:int8 null_times:int8 dead_letters:int8 checkpoint:timestamptz started:timestamptz backlog_rows:int8 backlog_bytes:int8 backlog_age:interval error:text
velo_catalog.streams 15002 v id:oid name:name schema:name connector:text topic:text format:text columns:text watermark_column:name watermark_delay:interval append_only:bool options:_text owner:name comment:text
velo_catalog.tables 15003 v id:oid name:name schema:name kind:text key:text columns:text rows:int8 size_bytes:int8 owner:name comment:text
velo_catalog.views 15004 v id:oid name:name schema:name kind:text definition:text columns:text owner:name comment:text
velo_catalog.sinks 15005 v id:oid name:name schema:name connector:text source:name state:text position:int8 rows:int8 options:_text backlog_rows:int8 backlog_bytes:int8 backlog_age:interval error:text
velo_catalog.functions 15006 v name:name signature:text arguments:_text returns:text kind:text volatility:text description:text
velo_catalog.settings 15007 v name:text setting:text default:text context:text kind:text description:text
velo_catalog.subscriptions 15008 v id:oid name:name schema:name relation:name state:text position:int8 acknowledged:timestamptz oldest:int8 newest:int8 retention:interval notify:name
velo_catalog.dead_letters 15009 v stream:name schema:name relation:name rows:int8
velo_catalog.columns 15010 v relation_id:oid relation:name schema:name position:int4 name:name type:text nullable:bool primary_key:bool default:text computed:text event_time:bool hidden:bool comment:text
velo_catalog.sequences 15011 v id:oid last_value:int8 log_cnt:int8 is_called:bool
`

func veloSources() map[string]source {
	return map[string]source{
		"jobs": {"id name schema kind state shards rows_in rows_out epoch watermark late_rows null_times dead_letters checkpoint started backlog_rows backlog_bytes backlog_age error", (*Catalog).jobRows},
		"streams": {
			"id name schema connector topic format columns watermark_column watermark_delay append_only options owner comment",
			(*Catalog).streamRows,
		},
		"tables":    {"id name schema kind key columns rows size_bytes owner comment", (*Catalog).keptRows},
		"views":     {"id name schema kind definition columns owner comment", (*Catalog).veloViewRows},
		"sinks":     {"id name schema connector source state position rows options backlog_rows backlog_bytes backlog_age error", (*Catalog).sinkRows},
		"functions": {"name signature arguments returns kind volatility description", (*Catalog).veloFunctionRows},
		"settings":  {"name setting default context kind description", (*Catalog).veloSettingRows},
		"subscriptions": {
			"id name schema relation state position acknowledged oldest newest retention notify", (*Catalog).subscriptionRows,
		},
		"sequences":    {"id last_value log_cnt is_called", (*Catalog).sequenceStateRows},
		"dead_letters": {"stream schema relation rows", (*Catalog).deadLetterRows},
		"columns": {
			"relation_id relation schema position name type nullable primary_key default computed event_time hidden comment",
			(*Catalog).veloColumnRows,
		},
	}
}

func (c *Catalog) jobs() []Job {
	if c.Jobs == nil {
		return nil
	}
	all := c.Jobs()
	if c.Snapshot.Roles().Superuser(c.User) {
		return all
	}
	var out []Job
	for _, j := range all {
		if c.Snapshot.Sees(c.User, j.Relation) {
			out = append(out, j)
		}
	}
	return out
}

func (c *Catalog) jobRows(e *emitter) {
	for _, j := range c.jobs() {
		var mark any
		if j.Watermark != NoWatermark {
			mark = j.Watermark
		}
		e.row(j.Relation.ID, j.Relation.Name, j.Relation.Schema, string(j.Relation.Kind), j.State, j.Shards, j.RowsIn, j.RowsOut,
			int64(j.Epoch), mark, j.LateRows, j.NullTimes, j.DeadLetters, j.Checkpoint, j.Started, j.Backlog.Rows, j.Backlog.Bytes, j.Backlog.age(), orNull(j.Error))
	}
}

// origin is where a stream's rows come from: a connector, a query, or DML.
func origin(r *catalog.Relation) string {
	switch {
	case len(r.Plan) > 0:
		return "query"
	case r.Connector == "":
		return "native"
	}
	return r.Connector
}

func (c *Catalog) streamRows(e *emitter) {
	for _, r := range c.seen() {
		if r.Kind != catalog.Stream || r.Subscription != nil {
			continue
		}
		var col, delay any
		if r.EventTime >= 0 && r.EventTime < len(r.Columns) {
			col = r.Columns[r.EventTime].Name
			delay = types.Datum{Iv: types.Interval{Micros: r.WatermarkDelay}}
		}
		e.row(r.ID, r.Name, r.Schema, origin(r), orNull(r.Options["topic"]), orNull(r.Options["format"]), c.columnList(r), col, delay,
			r.AppendOnly, connectorOptions(r), r.Owner, orNull(r.Comment))
	}
}

func (c *Catalog) subscriptionRows(e *emitter) {
	if c.Subscriptions == nil {
		return
	}
	for _, s := range c.Subscriptions() {
		r := s.Relation
		if !c.Snapshot.Sees(c.User, r) {
			continue
		}
		var of, position any
		if in := c.relation(r.Inputs[0]); in != nil {
			of = in.Name
		}
		if !s.Acknowledged.IsZero() {
			position = int64(s.Position)
		}
		e.row(r.ID, r.Name, r.Schema, of, s.State, position, s.Acknowledged, int64(s.Oldest), int64(s.Newest),
			types.Datum{Iv: types.Interval{Micros: r.Subscription.Retention}}, orNull(r.Subscription.Notify))
	}
}

func (c *Catalog) columnList(r *catalog.Relation) string {
	var out []string
	for _, col := range columnsOf(r) {
		out = append(out, col.Name+" "+c.typeName(col.Declared().OID, col.Declared().Mod))
	}
	return strings.Join(out, ", ")
}

func (c *Catalog) keptRows(e *emitter) {
	for _, r := range c.seen() {
		if r.Kind != catalog.Table && r.Kind != catalog.MaterializedView {
			continue
		}
		var key []string
		for _, k := range r.Key {
			if !r.Columns[k].Hidden {
				key = append(key, r.Columns[k].Name)
			}
		}
		var rows, size any
		if n, bytes := c.measure(r); n >= 0 {
			rows, size = n, bytes+c.indexSize(r)
		}
		e.row(r.ID, r.Name, r.Schema, string(r.Kind), strings.Join(key, ", "), c.columnList(r), rows, size, r.Owner, orNull(r.Comment))
	}
}

func (c *Catalog) veloViewRows(e *emitter) {
	for _, r := range c.seen() {
		if viewQuery(r) != "" {
			e.row(r.ID, r.Name, r.Schema, string(r.Kind), r.Query, c.columnList(r), r.Owner, orNull(r.Comment))
		}
	}
}

func (c *Catalog) sinkRows(e *emitter) {
	if c.Sinks == nil {
		return
	}
	for _, s := range c.Sinks() {
		if !c.Snapshot.Sees(c.User, s.Relation) {
			continue
		}
		var from any
		if r := c.relation(s.Relation.SinkOf); r != nil {
			from = r.Name
		}
		e.row(s.Relation.ID, s.Relation.Name, s.Relation.Schema, s.Relation.Connector, from, s.State, int64(s.Position), s.Rows,
			connectorOptions(s.Relation), s.Backlog.Rows, s.Backlog.Bytes, s.Backlog.age(), orNull(s.Error))
	}
}

var functionKinds = map[byte]string{'f': "function", 'a': "aggregate", 'w': "window", 'o': "operator"}

var volatilities = map[byte]string{'i': "immutable", 's': "stable", 'v': "volatile"}

func (c *Catalog) veloFunctionRows(e *emitter) {
	if c.Functions == nil {
		return
	}
	for _, f := range c.Functions() {
		args := make([]string, len(f.Args))
		for i, a := range f.Args {
			args[i] = c.typeName(a, -1)
			if f.Variadic && i == len(args)-1 {
				args[i] = "VARIADIC " + args[i]
			}
		}
		kind := functionKinds[f.Kind]
		if f.Set {
			kind = "table function"
		}
		e.row(f.Name, f.Name+"("+strings.Join(args, ", ")+")", args, c.typeName(f.Ret, -1), kind, volatilities[f.Volatility], f.Doc)
	}
}

func (c *Catalog) veloSettingRows(e *emitter) {
	for _, s := range c.settings() {
		e.row(s.Name, s.Value, s.Initial, s.Context, s.Kind, s.Doc)
	}
}

func (c *Catalog) deadLetterRows(e *emitter) {
	count := map[uint32]int64{}
	late := map[uint32]int64{}
	for _, j := range c.jobs() {
		for _, in := range j.Relation.Inputs {
			count[in] += j.DeadLetters
		}
		late[j.Relation.ID] = j.LateRows
	}
	for _, r := range c.seen() {
		if r.DeadLetters == 0 && r.LateLetters == 0 {
			continue
		}
		var name any
		if d := c.relation(max(r.DeadLetters, r.LateLetters)); d != nil {
			name = d.Name
		}
		n := count[r.ID]
		if r.LateLetters != 0 {
			n = late[r.ID]
		}
		e.row(r.Name, r.Schema, name, n)
	}
}

func (c *Catalog) veloColumnRows(e *emitter) {
	for _, r := range c.seen() {
		for i, col := range r.Columns {
			key := false
			for _, k := range r.Key {
				key = key || r.PrimaryKey && k == i
			}
			e.row(r.ID, r.Name, r.Schema, i+1, col.Name, c.typeName(col.Declared().OID, col.Declared().Mod), !col.NotNull && !key, key, orNull(col.Default),
				orNull(col.Computed), i == r.EventTime, col.Hidden, orNull(col.Comment))
		}
	}
}
