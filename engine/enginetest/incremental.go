package enginetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"time"

	"velostream/engine"
)

// Schema is a file of tables and of views over them: what the incremental
// check runs on.
type Schema struct {
	Name   string
	Types  []string // CREATE TYPE, CREATE DOMAIN
	Tables []TableDef
	Views  []ViewDef
}

// TableDef is a table whose rows are made up.
type TableDef struct {
	Name, SQL string
	Columns   []ColumnDef
}

// ColumnDef is a column of a TableDef.
type ColumnDef struct {
	Name, Type string
	Key        bool
	NotNull    bool
}

// ViewDef is a view; its query is compared with its content.
type ViewDef struct {
	Name, SQL, Query string
	// Ours: PostgreSQL does not know this query.
	Ours bool
	// Scale: numerics that are equal are the same, whatever their scale: which
	// of them stands for a group depends on the order of rows.
	Scale bool
	// Fails: why the view is left out.
	Fails string
}

var (
	createTable = regexp.MustCompile(`(?is)^create table (\w+)\s*\((.*)\)\s*$`)
	createView  = regexp.MustCompile(`(?is)^create materialized view (\w+) as\s+(.*)$`)
)

// ReadSchema reads a file; testdata/README.md describes it.
func ReadSchema(path string) (*Schema, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Schema{Name: path}
	for part := range strings.SplitSeq(string(b), ";\n") {
		var v ViewDef
		var sql []string
		for l := range strings.SplitSeq(part, "\n") {
			t := strings.TrimSpace(l)
			switch {
			case t == "-- @velostream":
				v.Ours = true
			case t == "-- @scale":
				v.Scale = true
			case strings.HasPrefix(t, "-- @fails"):
				v.Fails = strings.TrimSpace(strings.TrimPrefix(t, "-- @fails"))
			case t == "" || strings.HasPrefix(t, "--"):
			default:
				sql = append(sql, l)
			}
		}
		v.SQL = strings.TrimSpace(strings.Join(sql, "\n"))
		switch m := createView.FindStringSubmatch(v.SQL); {
		case v.SQL == "":
		case strings.HasPrefix(v.SQL, "CREATE TYPE "), strings.HasPrefix(v.SQL, "CREATE DOMAIN "):
			s.Types = append(s.Types, v.SQL)
		case m != nil:
			v.Name, v.Query = m[1], m[2]
			s.Views = append(s.Views, v)
		default:
			t, err := readTable(v.SQL)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			s.Tables = append(s.Tables, t)
		}
	}
	return s, nil
}

func readTable(sql string) (TableDef, error) {
	m := createTable.FindStringSubmatch(sql)
	if m == nil {
		return TableDef{}, fmt.Errorf("neither a table nor a view: %s", sql)
	}
	t := TableDef{Name: m[1], SQL: sql}
	depth, from := 0, 0
	body := m[2] + ","
	for i, c := range body {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			t.column(strings.TrimSpace(body[from:i]))
			from = i + 1
		}
	}
	return t, nil
}

func (t *TableDef) column(def string) {
	up := strings.ToUpper(def)
	if strings.HasPrefix(up, "PRIMARY KEY") {
		for k := range strings.SplitSeq(strings.Trim(def[len("PRIMARY KEY"):], " ()"), ",") {
			for i := range t.Columns {
				if t.Columns[i].Name == strings.TrimSpace(k) {
					t.Columns[i].Key, t.Columns[i].NotNull = true, true
				}
			}
		}
		return
	}
	name, rest, _ := strings.Cut(def, " ")
	c := ColumnDef{Name: name, Key: strings.Contains(up, "PRIMARY KEY"), NotNull: strings.Contains(up, "NOT NULL")}
	c.NotNull = c.NotNull || c.Key
	for _, w := range []string{"PRIMARY KEY", "NOT NULL", "primary key", "not null"} {
		rest = strings.ReplaceAll(rest, w, "")
	}
	c.Type = strings.ToLower(strings.TrimSpace(rest))
	t.Columns = append(t.Columns, c)
}

// Action is one step of an Episode, after which all views are compared.
type Action struct {
	// SQL of a transaction; or one of the next.
	SQL     []string
	Create  string // view made now
	Restart bool
	Sleep   time.Duration
}

func (a Action) String() string {
	switch {
	case a.Create != "":
		return "create " + a.Create
	case a.Restart:
		return "restart"
	case a.Sleep > 0:
		return "sleep " + a.Sleep.String()
	}
	return strings.Join(a.SQL, ";\n    ") + ";"
}

// Episode is a whole run from an empty database, made from a seed.
type Episode struct {
	Seed    uint64
	Schema  *Schema
	Options engine.Options
	Actions []Action
}

// NewEpisode makes up an episode of about n actions.
func NewEpisode(s *Schema, seed uint64, n int) *Episode {
	r := rand.New(rand.NewPCG(seed, 17))
	pick := func(d ...time.Duration) time.Duration { return d[r.IntN(len(d))] }
	e := &Episode{Seed: seed, Schema: s, Options: engine.Options{
		Shards:             1 + r.IntN(4),
		EpochInterval:      pick(0, time.Millisecond, 5*time.Millisecond, 100*time.Millisecond),
		CheckpointInterval: pick(0, 10*time.Millisecond, 100*time.Millisecond, time.Hour),
		JobMemoryBytes:     []int64{0, 0, 1 << 9}[r.IntN(3)],
	}}
	if e.Options.JobMemoryBytes > 0 && s.whole() {
		e.Options.JobMemoryBytes = 1 << 16
	}
	g := generator{r: r, extremes: r.IntN(3) == 0}
	// Views come in their order, from the start or between the data.
	at := make([]int, len(s.Views))
	late := r.IntN(3) > 0
	last := 0
	for i := range s.Views {
		if late {
			last = max(last, min(n-1, last+r.IntN(1+2*n/(3*len(s.Views)+1))))
		}
		at[i] = last
	}
	next := 0
	for step := range n {
		for next < len(at) && at[next] <= step {
			if v := s.Views[next]; v.Fails == "" {
				e.Actions = append(e.Actions, Action{Create: v.Name})
			}
			next++
		}
		switch x := r.IntN(100); {
		case x < 4:
			e.Actions = append(e.Actions, Action{Restart: true})
		case x < 10:
			e.Actions = append(e.Actions, Action{Sleep: pick(time.Millisecond, 15*time.Millisecond, 60*time.Millisecond)})
		default:
			e.Actions = append(e.Actions, Action{SQL: g.transaction(s.Tables)})
		}
	}
	return e
}

// whole says that some view keeps whole partitions in memory, for which the
// least budget is too small.
func (s *Schema) whole() bool {
	for _, v := range s.Views {
		if strings.Contains(v.SQL, " OVER ") {
			return true
		}
	}
	return false
}

// generator makes up statements. The key space is small, so that rows meet.
type generator struct {
	r        *rand.Rand
	extremes bool
}

func (g *generator) transaction(tables []TableDef) []string {
	n := 1
	if g.r.IntN(3) == 0 {
		n = 2 + g.r.IntN(4)
	}
	var out []string
	for range n {
		t := g.r.IntN(len(tables))
		if g.r.IntN(8) == 0 {
			out = append(out, g.several(tables, t))
			continue
		}
		out = append(out, g.statement(&tables[t]))
	}
	if n > 1 {
		out = append([]string{"BEGIN"}, out...)
		if g.r.IntN(6) == 0 {
			return append(out, "ROLLBACK")
		}
		out = append(out, "COMMIT")
	}
	return out
}

func (g *generator) statement(t *TableDef) string {
	switch x := g.r.IntN(100); {
	case x < 55:
		return g.insert(t)
	case x < 78:
		c := &t.Columns[g.r.IntN(len(t.Columns))]
		return fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", t.Name, c.Name, g.value(c), g.where(t, c.Key))
	case x < 80:
		c := &t.Columns[len(t.Columns)-1]
		return fmt.Sprintf("UPDATE %s SET %s = %s", t.Name, c.Name, g.value(c))
	case x < 98:
		return fmt.Sprintf("DELETE FROM %s WHERE %s", t.Name, g.where(t, false))
	}
	return "DELETE FROM " + t.Name
}

// several is a statement with others in its WITH. What the main one reads is about
// another table than it changes: which of two changes of a row comes first is not defined.
func (g *generator) several(tables []TableDef, t int) string {
	main := &tables[t]
	other := &tables[(t+1)%len(tables)]
	key := ""
	for i := range other.Columns {
		if other.Columns[i].Key {
			key = other.Columns[i].Name
			break
		}
	}
	names := make([]string, len(main.Columns))
	for i := range main.Columns {
		names[i] = main.Columns[i].Name
	}
	list := strings.Join(names, ", ")
	switch x := g.r.IntN(4); {
	case x == 0:
		// Rows go and come again in one statement.
		return fmt.Sprintf("WITH x AS (DELETE FROM %s WHERE %s RETURNING *) INSERT INTO %s (%s) SELECT %s FROM x ON CONFLICT DO NOTHING",
			main.Name, g.where(main, false), main.Name, list, list)
	case x == 1 && other != main:
		return fmt.Sprintf("WITH x AS (%s RETURNING %s) DELETE FROM %s WHERE %s AND (SELECT count(*) FROM x) > 0",
			g.statement(other), key, main.Name, g.where(main, false))
	case x == 2 && other != main:
		return fmt.Sprintf("WITH x AS (%s), y AS (SELECT count(*) AS n FROM %s) SELECT n, (SELECT count(*) FROM %s) FROM y",
			g.statement(other), other.Name, main.Name)
	}
	return fmt.Sprintf("WITH x AS (%s), y AS (%s) %s", g.statement(main), g.statement(other), g.statement(main))
}

func (g *generator) insert(t *TableDef) string {
	var names, keys, sets []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
		if c.Key {
			keys = append(keys, c.Name)
		} else {
			sets = append(sets, c.Name+" = EXCLUDED."+c.Name)
		}
	}
	var rows []string
	for range 1 + g.r.IntN(4)*g.r.IntN(3) {
		var v []string
		for i := range t.Columns {
			v = append(v, g.value(&t.Columns[i]))
		}
		rows = append(rows, "("+strings.Join(v, ", ")+")")
	}
	conflict := ""
	switch g.r.IntN(10) {
	case 0:
	case 1, 2, 3:
		conflict = " ON CONFLICT DO NOTHING"
	default:
		if len(sets) > 0 {
			rows = rows[:1]
			if g.r.IntN(4) == 0 {
				g.query(t, sets)
			}
			conflict = fmt.Sprintf(" ON CONFLICT (%s) DO UPDATE SET %s", strings.Join(keys, ", "), strings.Join(sets, ", "))
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s%s", t.Name, strings.Join(names, ", "), strings.Join(rows, ", "), conflict)
}

// query makes one of the assignments of an ON CONFLICT DO UPDATE that of a subquery, and
// maybe adds a condition with one.
func (g *generator) query(t *TableDef, sets []string) {
	var same []string
	for _, c := range t.Columns {
		if c.Key {
			same = append(same, fmt.Sprintf("o.%s = EXCLUDED.%s", c.Name, c.Name))
		}
	}
	i := g.r.IntN(len(sets))
	name, _, _ := strings.Cut(sets[i], " ")
	row := fmt.Sprintf("FROM %s o WHERE %s", t.Name, strings.Join(same, " AND "))
	sets[i] = fmt.Sprintf("%s = (SELECT o.%s %s)", name, name, row)
	if g.r.IntN(2) == 0 {
		sets[len(sets)-1] += fmt.Sprintf(" WHERE EXISTS (SELECT 1 %s AND o.%s IS NOT NULL)", row, name)
	}
}

// where is a condition on one column; on the whole key if one row is wanted.
func (g *generator) where(t *TableDef, one bool) string {
	if one || g.r.IntN(2) == 0 {
		var out []string
		for i := range t.Columns {
			if c := &t.Columns[i]; c.Key {
				out = append(out, c.Name+" = "+g.value(c))
			}
		}
		return strings.Join(out, " AND ")
	}
	c := &t.Columns[g.r.IntN(len(t.Columns))]
	v := g.value(c)
	if v == "NULL" {
		return c.Name + " IS NULL"
	}
	return c.Name + " = " + v
}

// value is a literal for a column.
func (g *generator) value(c *ColumnDef) string {
	if !c.NotNull && g.r.IntN(8) == 0 {
		return "NULL"
	}
	of := func(s ...string) string { return s[g.r.IntN(len(s))] }
	rare := g.extremes && g.r.IntN(12) == 0 && !c.Key
	base, _, _ := strings.Cut(c.Type, "(")
	switch strings.TrimSpace(base) {
	case "smallint", "int", "integer", "tiny":
		return of("0", "1", "2", "3", "4", "5", "-1", "10")
	case "bigint":
		if rare {
			return of("9223372036854775807", "-9223372036854775808")
		}
		return of("0", "1", "2", "3", "100", "-7", "5000000000")
	case "numeric":
		if base != c.Type {
			return of("0", "1", "1.5", "2.25", "-3.1", "10", "0.01")
		}
		if rare {
			return of("'NaN'", "'Infinity'", "'-Infinity'", "123456789012345678901234567890.123456789", "1e-25", "99999999999999999999")
		}
		return of("0", "1", "1.0", "1.50", "1.5", "-2.25", "0.001", "100", "0.00")
	case "double precision", "float8", "real":
		if rare {
			return of("'NaN'", "'Infinity'", "'-Infinity'", "'-0'")
		}
		return of("0", "0.5", "1.25", "-2", "4", "8.75", "100")
	case "text":
		return of("'a'", "'b'", "'c'", "'d'", "''", "'B'", "'é'")
	case "bool", "boolean":
		return of("true", "false")
	case "date":
		return of("'2024-01-01'", "'2024-01-02'", "'2024-02-29'", "'infinity'")
	case "timestamp", "timestamptz":
		return of("'2024-01-01 00:00'", "'2024-01-01 00:00:00.5'", "'2024-01-01 13:30'", "'2024-01-02 00:00'", "'2024-03-10 07:00'")
	case "interval":
		return of("'1 day'", "'24 hours'", "'1 month'", "'30 days'", "'-00:00:01'")
	case "uuid":
		return of("'00000000-0000-0000-0000-000000000001'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'")
	case "inet":
		return of("'10.0.0.1'", "'10.0.0.1/8'", "'10.0.0.0/8'", "'10.1.0.0/16'", "'0.0.0.0/0'", "'::1'", "'::/0'")
	case "cidr":
		return of("'10.0.0.0/8'", "'10.1.0.0/16'", "'10.0.0.1/32'", "'2001:db8::/32'")
	case "macaddr":
		return of("'08:00:2b:01:02:03'", "'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'")
	case "bytea":
		return of(`'\x'`, `'\x00'`, `'\x00ff'`)
	case "bit", "varbit":
		if c.Type == "bit(3)" {
			return of("B'101'", "B'110'", "B'000'", "B'111'")
		}
		return of("B'1'", "B'10'", "B'100'", "B''", "X'F0'", "B'01'")
	case "int[]":
		return of("'{1,2}'", "'{{1,2}}'", "'{{1},{2}}'", "'[2:3]={1,2}'", "'{}'", "'{1,NULL}'", "'{1}'", "'{{1,2},{3,4}}'", "'{2}'")
	case "text[]":
		return of("'{a}'", "'{a,b}'", "'{{a,b}}'", "'[0:1]={a,c}'", "'{}'", "'{NULL}'")
	case "mood": // see testdata/views/usertypes.sql
		return of("'sad'", "'ok'", "'happy'", "'a'")
	case "mood[]":
		return of("'{}'", "'{sad}'", "'{ok,NULL}'", "'{happy,a}'")
	case "pair": // see testdata/views/composites.sql
		return of("'(1,a)'::pair", "'(1,)'::pair", "'(,)'::pair", "'(2,\"b c\")'::pair", "'(,a)'::pair", "'(2,\"\")'::pair")
	case "pair[]":
		return of("'{}'::pair[]", "ARRAY['(1,a)'::pair]", "ARRAY['(2,)'::pair, NULL]", "ARRAY['(,b)'::pair, '(1,a)']")
	case "jsonb":
		return of(`'{"a": 1}'`, `'{"a": 1.0}'`, `'[1, 2]'`, `'null'`, `'"x"'`)
	}
	return "NULL"
}
