package oracle

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"velostream/catalog"
	"velostream/engine/dataflow"
	"velostream/engine/operator"
	"velostream/engine/query"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/internal/sqltest"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
	"velostream/storage/state"
)

var rewrite = flag.Bool("rewrite", false, "record PostgreSQL's answers in the data file")

const file = "testdata/queries.txt"

// planned binds and plans q.
func planned(snap *catalog.Snapshot, q string, continuous bool) (*plan.Physical, error) {
	tree, err := parser.ParseQuery(q)
	if err != nil {
		return nil, err
	}
	r, err := binder.BindQuery(binder.Options{SQL: q, Snapshot: snap, Continuous: continuous, View: continuous}, tree)
	if err != nil {
		return nil, err
	}
	o := optimizer.LowerOptions{Continuous: continuous, View: continuous, Shards: 1}
	if continuous {
		o.Shards = 2 // exchanges in the plan; here they hand rows on
	}
	p, _, err := optimizer.Lower(optimizer.Optimize(r.Plan, optimizer.Context{Continuous: continuous}), o)
	return p, err
}

// TestBounded compares with PostgreSQL's recorded answers; order counts where
// the directive says "ordered".
func TestBounded(t *testing.T) {
	snap := sqltest.Snapshot(t, schema)
	w := newWorld(1)
	w.fill()
	cases := sqltest.ReadCases(t, file)
	if *rewrite {
		record(t, w, cases)
	}
	for _, c := range cases {
		if got := finishRows(c, bounded(t, snap, w, c.SQL)); got != c.Want {
			t.Errorf("%s:%d: %s\ngot:\n%swant:\n%s", file, c.Line, c.SQL, got, c.Want)
		}
	}
}

func finishRows(c *sqltest.Case, rows []string) string {
	if !c.Has("ordered") {
		slices.Sort(rows)
	}
	if len(rows) == 0 {
		return "none\n"
	}
	return strings.Join(rows, "\n") + "\n"
}

// bounded runs q on w's content.
func bounded(t *testing.T, snap *catalog.Snapshot, w *world, q string) []string {
	t.Helper()
	p, err := planned(snap, q, false)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	scan := func(s *plan.Physical) iter.Seq2[*column.Batch, error] {
		return func(yield func(*column.Batch, error) bool) { yield(w.batch(t, snap, s), nil) }
	}
	rows, err := query.Run(p, scan, operator.BuildContext{Shards: 1, Env: &expr.Env{}, Name: "the query"}, nil)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	defer func() { _ = rows.Close() }()
	var out []string
	at := shown(p)
	for {
		b, err := rows.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return []string{"error: " + err.Error()}
		}
		for i := range b.Each {
			out = append(out, text(p, b, i, at))
		}
	}
}

// TestIncremental runs the same queries over random changes, cut into epochs.
func TestIncremental(t *testing.T) {
	snap := sqltest.Snapshot(t, schema)
	for _, c := range sqltest.ReadCases(t, file) {
		if c.Has("bounded") {
			continue
		}
		if err := incremental(t, snap, c.SQL); err != nil {
			t.Errorf("%s:%d: %s\n%v", file, c.Line, c.SQL, err)
		}
	}
}

func incremental(t *testing.T, snap *catalog.Snapshot, q string) error {
	p, err := planned(snap, q, true)
	if err != nil {
		return err
	}
	tree := dataflow.NewTree()
	root, scans, err := build(tree, p, nil)
	if err != nil {
		return err
	}
	v := &view{p: p, at: shown(p), rows: map[string]int{}}
	tree.Finish(root, v)
	w := newWorld(7)
	for epoch := range 12 {
		changes := w.step()
		for _, s := range w.r.Perm(len(scans)) {
			b := column.NewBuilder(scans[s].Types(), 0)
			for _, c := range changes {
				if c.table == scans[s].Name {
					addRow(t, b, scans[s], c.row, c.op)
				}
			}
			if b.Len() == 0 {
				continue
			}
			if err := tree.Push(s, b.Take()); err != nil {
				return err
			}
		}
		if err := tree.Barrier(state.Epoch{ID: uint64(epoch + 1)}); err != nil {
			return err
		}
		got, err := v.content()
		if err != nil {
			return fmt.Errorf("epoch %d: %w", epoch, err)
		}
		want := bounded(t, snap, w, q)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("epoch %d:\n got %v\nwant %v", epoch, got, want)
		}
	}
	return nil
}

// build adds p's operators to t and lists its scans by input.
func build(t *dataflow.Tree, p *plan.Physical, scans []*plan.Physical) (dataflow.Ref, []*plan.Physical, error) {
	if p.Op == plan.OpScan {
		return t.Input(), append(scans, p), nil
	}
	var in []dataflow.Ref
	for _, c := range p.Inputs {
		r, s, err := build(t, c, scans)
		if err != nil {
			return r, nil, err
		}
		in, scans = append(in, r), s
	}
	if p.Op == plan.OpExchange {
		return in[0], scans, nil
	}
	op, err := operator.Build(p, operator.BuildContext{Shards: 1, Env: &expr.Env{}, Name: "the view"})
	if err != nil {
		return dataflow.Ref{}, nil, err
	}
	return t.Add(op, in...), scans, nil
}

// view keeps what a changelog adds up to.
type view struct {
	p    *plan.Physical
	at   []int
	rows map[string]int
}

// Emit implements dataflow.Output.
func (v *view) Emit(b *column.Batch) error {
	for i := range b.Each {
		row := text(v.p, b, i, v.at) + "\x01" + text(v.p, b, i, v.p.Key)
		if b.Op(i) == column.Insert {
			v.rows[row]++
		} else {
			v.rows[row]--
		}
	}
	return nil
}

// content is the visible rows, sorted; an error if the stream key is none.
func (v *view) content() ([]string, error) {
	var out []string
	keys := map[string]bool{}
	for row, n := range v.rows {
		shown, key, _ := strings.Cut(row, "\x01")
		switch {
		case n == 0:
			delete(v.rows, row)
			continue
		case n != 1 || keys[key]:
			return nil, fmt.Errorf("row %q with key %q is there %d times, or its key twice", shown, key, n)
		}
		keys[key] = true
		out = append(out, shown)
	}
	slices.Sort(out)
	return out, nil
}

// record asks PostgreSQL, named by VELO_TEST_POSTGRES.
func record(t *testing.T, w *world, cases []*sqltest.Case) {
	t.Helper()
	url := os.Getenv("VELO_TEST_POSTGRES")
	if url == "" {
		url = "postgres://postgres@127.0.0.1:54329/postgres"
	}
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("-rewrite needs PostgreSQL: %v", err)
	}
	defer func() { _ = c.Close(ctx) }()
	ddl := strings.ReplaceAll(schema, "CREATE TABLE", "CREATE TEMP TABLE")
	if _, err := c.Exec(ctx, ddl+w.inserts()); err != nil {
		t.Fatal(err)
	}
	for _, k := range cases {
		rows, err := c.Query(ctx, k.SQL, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatalf("%s: %v", k.SQL, err)
		}
		var out []string
		for rows.Next() {
			var row []string
			for _, v := range rows.RawValues() {
				if v == nil {
					row = append(row, "∅")
				} else {
					row = append(row, string(v))
				}
			}
			out = append(out, strings.Join(row, "|"))
		}
		if rows.Err() != nil {
			t.Fatalf("%s: %v", k.SQL, rows.Err())
		}
		k.Want = finishRows(k, out)
	}
	sqltest.WriteCases(t, file, cases)
}
