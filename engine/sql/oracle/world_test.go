package oracle

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

const schema = `
CREATE TABLE a (id int8 PRIMARY KEY, owner text, balance numeric(12,2), region varchar(20), opened date);
CREATE TABLE o (id int PRIMARY KEY, aid int8, symbol text, qty int, price numeric(12,2));
CREATE TABLE i (oid int, line int, sku text, n int, PRIMARY KEY (oid, line));
`

// null is NULL in a row of texts.
const null = "\x00"

// world is the content of the tables, rows by number.
type world struct {
	r    *rand.Rand
	data map[string]map[int][]string
}

func newWorld(seed uint64) *world {
	return &world{rand.New(rand.NewPCG(seed, 1)), map[string]map[int][]string{"a": {}, "o": {}, "i": {}}}
}

// fill makes the content that PostgreSQL's answers were recorded on.
func (w *world) fill() {
	for t, n := range map[string]int{"a": 20, "o": 40, "i": 50} {
		w.r = rand.New(rand.NewPCG(uint64(n), 2)) // whatever order the map has
		for k := range n {
			w.data[t][k] = w.row(t, k)
		}
	}
}

func (w *world) maybe(format string, args ...any) string {
	if w.r.IntN(6) == 0 {
		return null
	}
	return fmt.Sprintf(format, args...)
}

// row makes row k of table t.
func (w *world) row(t string, k int) []string {
	switch t {
	case "a":
		return []string{
			strconv.Itoa(k), w.maybe("own%d", w.r.IntN(6)), w.maybe("%d.%02d", w.r.IntN(50)-10, w.r.IntN(100)),
			w.maybe("%s", []string{"eu", "us", "asia"}[w.r.IntN(3)]), w.maybe("2020-01-%02d", 1+w.r.IntN(5)),
		}
	case "o":
		return []string{
			strconv.Itoa(k), w.maybe("%d", w.r.IntN(25)), w.maybe("%c", 'A'+w.r.IntN(3)), w.maybe("%d", w.r.IntN(10)),
			w.maybe("%d.50", w.r.IntN(9)),
		}
	}
	return []string{strconv.Itoa(k / 2), strconv.Itoa(k % 2), w.maybe("s%d", w.r.IntN(4)), w.maybe("%d", w.r.IntN(5))}
}

// change is a row that comes or goes.
type change struct {
	table string
	row   []string
	op    column.Op
}

// step changes a few rows.
func (w *world) step() []change {
	var out []change
	for range 1 + w.r.IntN(12) {
		t := []string{"a", "o", "i"}[w.r.IntN(3)]
		k := w.r.IntN(25)
		if old, ok := w.data[t][k]; ok {
			out = append(out, change{t, old, column.Delete})
			delete(w.data[t], k)
			if w.r.IntN(3) == 0 {
				continue
			}
		}
		w.data[t][k] = w.row(t, k)
		out = append(out, change{t, w.data[t][k], column.Insert})
	}
	return out
}

// inserts is the content as SQL.
func (w *world) inserts() string {
	var b strings.Builder
	for _, t := range []string{"a", "o", "i"} {
		for _, k := range slices.Sorted(maps.Keys(w.data[t])) {
			vals := make([]string, len(w.data[t][k]))
			for j, v := range w.data[t][k] {
				if vals[j] = "'" + v + "'"; v == null {
					vals[j] = "NULL"
				}
			}
			b.WriteString("INSERT INTO " + t + " VALUES (" + strings.Join(vals, ", ") + ");\n")
		}
	}
	return b.String()
}

// addRow appends a table's row as p scans it.
func addRow(t *testing.T, b *column.Builder, p *plan.Physical, row []string, op column.Op) {
	t.Helper()
	for j, c := range p.Columns {
		if row[c] == null {
			b.Col(j).AppendNull()
			continue
		}
		d, err := types.DecodeText(types.Type{OID: p.Out[j].Type.OID, Mod: -1}, []byte(row[c]), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Col(j).Append(d)
	}
	b.Row(op)
}

// batch is the rows that p scans.
func (w *world) batch(t *testing.T, snap *catalog.Snapshot, p *plan.Physical) *column.Batch {
	t.Helper()
	b := column.NewBuilder(p.Types(), 0)
	rel := snap.ByID(p.Relation)
	rows := w.data[p.Name]
	for _, k := range slices.Sorted(maps.Keys(rows)) {
		row, match := rows[k], true
		for i, e := range p.Lookup {
			want, err := expr.EvalConst(e, nil)
			if err != nil {
				t.Fatal(err)
			}
			key := rel.Key[i]
			got, err := types.DecodeText(rel.Columns[key].Type, []byte(row[key]), nil)
			match = match && err == nil && got.I == want.I
		}
		if match {
			addRow(t, b, p, row, column.Insert)
		}
	}
	return b.Take()
}

// text prints the columns at of row i.
func text(p *plan.Physical, b *column.Batch, i int, at []int) string {
	out := make([]string, len(at))
	for k, j := range at {
		d := b.Cols[j].Datum(i)
		if d.Null {
			out[k] = "∅"
			continue
		}
		out[k] = string(types.AppendText(nil, p.Out[j].Type, d, nil))
	}
	return strings.Join(out, "|")
}

func shown(p *plan.Physical) []int {
	var at []int
	for j, c := range p.Out {
		if !c.Hidden {
			at = append(at, j)
		}
	}
	return at
}
