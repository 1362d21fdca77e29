package session

import (
	"context"
	"math"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// prepareShowSetting is SHOW name.
func (s *Session) prepareShowSetting(p ast.Parsed, n *ast.ShowSetting) (pgwire.Statement, error) {
	if lower(n.Name) == "all" {
		t := newTextRows("name", "setting", "description")
		return t.statement("SHOW", func(_ context.Context, t *textRows) error {
			for _, name := range s.settings.names() {
				v, _ := s.settings.value(name)
				t.add(s.settings.all[name].name, v, "")
			}
			return nil
		}), nil
	}
	if _, ok := s.settings.value(n.Name); !ok {
		return nil, s.settings.unknown(lower(n.Name)).At(p.Position(n.Pos()))
	}
	name := n.Name
	if d := s.settings.all[lower(n.Name)]; d != nil {
		name = d.name
	}
	t := newTextRows(name)
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		v, _ := s.settings.value(n.Name)
		t.add(v)
		return nil
	}), nil
}

// prepareShow is SHOW JOBS, STREAMS, TABLES and their like.
func (s *Session) prepareShow(p ast.Parsed, n *ast.Show) (pgwire.Statement, error) {
	if n.Node != "" {
		return nil, pgerror.Unsupported("SHOW JOBS ON NODE is not supported yet").At(p.Position(n.Pos()))
	}
	if n.Where != nil {
		if st, err := s.showByQuery(p, n); st != nil || err != nil {
			return st, err
		}
		return nil, pgerror.Unsupported("SHOW %s with a condition is not supported", string(n.Kind)).At(p.Position(n.Pos()))
	}
	like := func(string) bool { return true }
	if n.Like != nil {
		like = likePattern(n.Like.Text)
	}
	switch n.Kind {
	case ast.ShowJobs, ast.ShowJobStatus:
		return s.showJobs(n, like), nil
	case ast.ShowStreams, ast.ShowSources:
		return s.showStreams(like), nil
	case ast.ShowTables, ast.ShowViews, ast.ShowMatViews:
		return s.showTables(n.Kind, like), nil
	case ast.ShowSinks:
		return s.showSinks(like), nil
	case ast.ShowFunctions:
		return s.showFunctions(like), nil
	case ast.ShowSchemas:
		return s.showSchemas(like), nil
	case ast.ShowIndexes:
		return s.showIndexes(like), nil
	case ast.ShowCreate, ast.ShowSchema, ast.Describe:
		return s.showRelation(p, n)
	default:
	}
	if st, err := s.showByQuery(p, n); st != nil || err != nil {
		return st, err
	}
	return nil, pgerror.Unsupported("SHOW %s is not supported yet", string(n.Kind)).At(p.Position(n.Pos()))
}

// likePattern matches % and _ as LIKE does.
func likePattern(pattern string) func(string) bool {
	var match func(p, s string) bool
	match = func(p, s string) bool {
		for p != "" {
			switch p[0] {
			case '%':
				for i := 0; i <= len(s); i++ {
					if match(p[1:], s[i:]) {
						return true
					}
				}
				return false
			case '_':
				if s == "" {
					return false
				}
			default:
				if s == "" || s[0] != p[0] {
					return false
				}
			}
			p, s = p[1:], s[1:]
		}
		return s == ""
	}
	return func(s string) bool { return match(pattern, s) }
}

func (s *Session) showJobs(n *ast.Show, like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "kind", "state", "shards", "rows_in", "rows_out", "epoch", "watermark", "late_rows", "null_times", "dead_letters", "checkpoint",
		"backlog_rows", "backlog_bytes", "backlog_age", "error")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, i := range s.e.Jobs.Jobs() {
			if !s.sees(i.Relation) || !like(i.Relation.Name) || (n.Kind == ast.ShowJobStatus && i.Relation.Name != n.Name.Last()) {
				continue
			}
			msg, mark, at := "", "", ""
			if i.Err != nil {
				e := pgerror.From(i.Err)
				msg = e.Error()
				if e.Where != "" {
					msg += ", " + e.Where
				}
			}
			if w := i.Stats.Watermark; w != math.MinInt64 && w != math.MaxInt64 {
				mark = string(types.AppendTimestamp(nil, w))
			}
			if !i.Stats.Checkpoint.IsZero() {
				at = i.Stats.Checkpoint.UTC().Format("2006-01-02 15:04:05.000")
			}
			num := func(v int64) string { return strconv.FormatInt(v, 10) }
			t.add(i.Relation.Name, kindOf(i.Relation), string(i.State), itoa(i.Shards), num(i.Stats.RowsIn), num(i.Stats.RowsOut),
				num(int64(i.Stats.Epoch)), mark, num(i.Stats.LateRows), num(i.Stats.NullTimes), num(i.Stats.DeadLetters), at,
				num(i.Backlog.Rows), num(i.Backlog.Bytes), s.ageText(i.Backlog), msg)
		}
		return nil
	})
}

// ageText is for how long a reader has been behind, as an interval.
func (s *Session) ageText(b job.Backlog) string {
	return string(types.AppendText(nil, types.IntervalT, types.Datum{Iv: types.Interval{Micros: b.Age.Microseconds()}}, s.settings.format()))
}

func (s *Session) showStreams(like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "schema", "connector", "topic", "format", "columns")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, r := range s.catalog().Relations() {
			if r.Kind != catalog.Stream || !like(r.Name) || !s.sees(r) {
				continue
			}
			c := r.Connector
			switch {
			case len(r.Plan) > 0:
				c = "query"
			case c == "":
				c = "native"
			}
			t.add(r.Name, r.Schema, c, r.Options["topic"], r.Options["format"], s.columnList(r))
		}
		return nil
	})
}

func (s *Session) columnList(r *catalog.Relation) string {
	var out []string
	for _, c := range r.Columns {
		if !c.Hidden {
			out = append(out, c.Name+" "+s.typeName(c.Declared()))
		}
	}
	return strings.Join(out, ", ")
}

// typeName is a type's name as the session's search path finds it.
func (s *Session) typeName(t types.Type) string { return types.Named(t.String(), s.settings.format()) }

func (s *Session) showTables(kind ast.ShowKind, like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "schema", "kind", "key", "columns")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, r := range s.catalog().Relations() {
			shown := map[ast.ShowKind]bool{
				ast.ShowTables: r.Kind == catalog.Table || r.Kind == catalog.MaterializedView,
				ast.ShowViews:  r.Kind == catalog.View, ast.ShowMatViews: r.Kind == catalog.MaterializedView,
			}[kind]
			if !shown || !like(r.Name) || !s.sees(r) {
				continue
			}
			var key []string
			for _, k := range r.Key {
				if !r.Columns[k].Hidden {
					key = append(key, r.Columns[k].Name)
				}
			}
			t.add(r.Name, r.Schema, kindOf(r), strings.Join(key, ", "), s.columnList(r))
		}
		return nil
	})
}

func (s *Session) showSinks(like func(string) bool) pgwire.Statement {
	t := newTextRows("name", "connector", "state", "position", "rows", "backlog_rows", "backlog_bytes", "backlog_age", "error")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for _, i := range s.e.Jobs.Sinks() {
			if !like(i.Relation.Name) || !s.sees(i.Relation) {
				continue
			}
			msg := ""
			if i.Err != nil {
				msg = i.Err.Error()
			}
			t.add(i.Relation.Name, i.Relation.Connector, string(i.State), strconv.FormatUint(i.Position, 10), strconv.FormatInt(i.Rows, 10),
				strconv.FormatInt(i.Backlog.Rows, 10), strconv.FormatInt(i.Backlog.Bytes, 10), s.ageText(i.Backlog), msg)
		}
		return nil
	})
}

// showRelation is SHOW CREATE, SHOW SCHEMA and DESCRIBE of one relation.
func (s *Session) showRelation(p ast.Parsed, n *ast.Show) (pgwire.Statement, error) {
	r, err := s.relation(s.catalog(), p, n.Name)
	if err == nil && !s.sees(r) {
		err = catalog.Denied(r.Word(), r.Name)
	}
	if err != nil {
		return nil, err
	}
	if n.Kind == ast.ShowCreate {
		t := newTextRows("name", "statement")
		return t.statement("SHOW", func(_ context.Context, t *textRows) error {
			text := r.Definition
			if s.owns(s.catalog(), r) != nil {
				text = ast.Redact(text)
			}
			t.add(r.Name, text)
			return nil
		}), nil
	}
	t := newTextRows("column", "type", "nullable", "key", "default")
	return t.statement("SHOW", func(_ context.Context, t *textRows) error {
		for i, c := range r.Columns {
			if c.Hidden || !s.seesColumn(r, i) {
				continue
			}
			null, key := "YES", ""
			if c.NotNull {
				null = "NO"
			}
			for _, k := range r.Key {
				if k == i && r.PrimaryKey {
					key = "PRI"
				}
			}
			t.add(c.Name, s.typeName(c.Declared()), null, key, c.Default)
		}
		return nil
	}), nil
}

// relation finds a relation by its name in a statement; 42P01 if there is none.
func (s *Session) relation(snap *catalog.Snapshot, p ast.Parsed, name ast.Name) (*catalog.Relation, error) {
	schema, rel := s.split(name)
	if schema != "" {
		if err := s.usable(schema); err != nil {
			return nil, pgerror.From(err).At(p.Position(name.Pos()))
		}
		if r := snap.Relation(schema, rel); r != nil {
			return r, nil
		}
		return nil, pgerror.NoSuchRelation(schema + "." + rel).At(p.Position(name.Pos()))
	}
	for _, sc := range s.path() {
		if r := snap.Relation(sc, rel); r != nil {
			return r, nil
		}
	}
	return nil, pgerror.NoSuchRelation(rel).At(p.Position(name.Pos()))
}

// split takes a name apart into schema ("": none given) and relation; a
// database before the schema is passed over.
func (s *Session) split(name ast.Name) (schema, rel string) {
	if n := len(name.Parts); n > 1 {
		schema = s.aliased(name.Parts[n-2])
	}
	return schema, name.Last()
}

// sees reports that the current user may do anything with r: SHOW shows nothing else.
func (s *Session) sees(r *catalog.Relation) bool {
	return s.foreignTemp(r.Schema) == nil && s.catalog().Sees(s.who(), r)
}

func (s *Session) seesColumn(r *catalog.Relation, i int) bool {
	return s.catalog().SeesColumn(s.who(), r, i)
}
