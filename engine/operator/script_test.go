package operator

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/storage/column"
)

// TestScripts runs testdata/*: an operator, what it is given, and what it emits.
//
//	build                       an operator from "field: value" lines:
//	  op: aggregate             the plan node
//	  in: a text, b int4; append; key 0; event 1     a line per input
//	  out: a text, n int8; key 0                     the output
//	  keys, rightkeys: 0 2      column numbers
//	  aggs: count(); sum($1); distinct count($0); sum($1) where $2
//	  cond: $1 < $4             one comparison of columns or integers
//	  exprs: $0; $1 + 1         join: left   emit: final   windowend: 1   lateness: 5s
//	  window: hopping 10s 5s    sort: $1 desc; $0   count: 3   offset: 1   rows: 1; 2; 3
//	rows [port=1]               "+ a|1" inserts, "- a|1" deletes; NULL is NULL
//	watermark TIME | end, barrier [flush], reopen (flushes first)
//	late, lost, done            counters
//
// Each command prints what it made the operator emit. -rewrite writes it down.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		var r *rig
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "build" {
				p, err := parsePlan(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				r = newRig(t, p, len(p.Tables) > 0)
				return ""
			}
			r.t = t
			if err := scriptStep(r, d); err != nil {
				return strings.Join(append(r.log, "error: "+err.Error()), "\n") + "\n"
			}
			out := strings.Join(r.log, "\n")
			r.log = nil
			return out
		})
	})
}

func scriptStep(r *rig, d *datadriven.TestData) error {
	switch d.Cmd {
	case "rows":
		port := 0
		if d.HasArg("port") {
			d.ScanArgs(r.t.(*testing.T), "port", &port)
		}
		b, err := parseRows(r.p.Inputs[port].Types(), d.Input)
		if err != nil {
			return err
		}
		return r.op.Process(port, b, r)
	case "watermark":
		w, err := types.ParseTimestamp(strings.TrimSpace(d.CmdArgs[0].String()+" "+argRest(d)), nil)
		if err != nil {
			return err
		}
		return r.op.Watermark(dataflow.Watermark(w), r)
	case "end":
		return r.op.Watermark(dataflow.EndOfTime, r)
	case "barrier":
		r.barrier(d.HasArg("flush"))
	case "reopen":
		r.barrier(true)
		r.open()
	case "late":
		r.log = append(r.log, strconv.FormatInt(r.op.(dataflow.LateRows).LateRows(), 10))
	case "lost":
		r.log = append(r.log, strconv.FormatInt(r.op.(dataflow.NullTimes).NullTimes(), 10))
	case "done":
		r.log = append(r.log, strconv.FormatBool(r.op.(Done).Done()))
	default:
		return fmt.Errorf("unknown command %s", d.Cmd)
	}
	return nil
}

func argRest(d *datadriven.TestData) string {
	var out []string
	for _, a := range d.CmdArgs[1:] {
		out = append(out, a.String())
	}
	return strings.Join(out, " ")
}

func parseRows(ts []types.Type, text string) (*column.Batch, error) {
	b := column.NewBuilder(ts, 0)
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		op := column.Insert
		if line[0] == '-' {
			op = column.Delete
		}
		f := strings.Split(line[2:], "|")
		for j, t := range ts {
			if f[j] == "NULL" {
				b.Col(j).AppendNull()
				continue
			}
			d, err := types.DecodeText(t, []byte(f[j]), nil)
			if err != nil {
				return nil, err
			}
			b.Col(j).Append(d)
		}
		b.Row(op)
	}
	return b.Batch(), nil
}

var typeNames = map[string]types.Type{
	"text": types.Text, "int4": types.Int4, "int8": types.Int8, "numeric": types.Numeric, "float8": types.Float8,
	"bool": types.Bool, "timestamp": types.Timestamp, "interval": types.IntervalT,
}

// parseNode reads "a text, b int4; append; key 0 1; event 1".
func parseNode(p *plan.Physical, s string) {
	parts := strings.Split(s, ";")
	for f := range strings.SplitSeq(parts[0], ",") {
		name, typ, _ := strings.Cut(strings.TrimSpace(f), " ")
		p.Out = append(p.Out, plan.Column{Name: name, Type: typeNames[typ]})
	}
	for _, x := range parts[1:] {
		word, rest, _ := strings.Cut(strings.TrimSpace(x), " ")
		switch word {
		case "append":
			p.AppendOnly = true
		case "key":
			p.Key = parseInts(rest)
		case "event":
			p.EventTime = parseInts(rest)[0]
		}
	}
}

func parseInts(s string) []int {
	var out []int
	for f := range strings.FieldsSeq(s) {
		n, _ := strconv.Atoi(f)
		out = append(out, n)
	}
	return out
}

func parsePlan(text string) (*plan.Physical, error) {
	p := &plan.Physical{EventTime: -1, WindowEnd: -1, Tables: []uint16{1, 2}}
	var cols plan.Schema
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		field, v, _ := strings.Cut(line, ":")
		v = strings.TrimSpace(v)
		switch field {
		case "op":
			p.Op = plan.PhysicalOp(v)
		case "in":
			in := &plan.Physical{Op: plan.OpScan, EventTime: -1, WindowEnd: -1}
			parseNode(in, v)
			p.Inputs = append(p.Inputs, in)
			cols = append(cols, in.Out...)
		case "out":
			parseNode(p, v)
		case "keys":
			p.Keys = parseInts(v)
		case "rightkeys":
			p.RightKeys = parseInts(v)
		case "windowend":
			p.WindowEnd = parseInts(v)[0]
		case "lateness":
			p.Lateness = micros(v)
		case "tables":
			p.Tables = nil
		default:
			if err := parseField(p, field, v, cols); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func parseField(p *plan.Physical, field, v string, cols plan.Schema) error {
	items := strings.Split(v, ";")
	switch field {
	case "cond":
		p.Cond = parseExpr(v, cols)
	case "exprs":
		for _, x := range items {
			p.Exprs = append(p.Exprs, parseExpr(x, cols))
		}
	case "rows":
		for _, x := range items {
			var row []expr.Expr
			for f := range strings.SplitSeq(x, ",") {
				row = append(row, parseExpr(f, cols))
			}
			p.Rows = append(p.Rows, row)
		}
	case "aggs":
		for i, x := range items {
			p.Aggs = append(p.Aggs, parseAgg(x, cols, p.Out[len(p.Keys)+i].Type))
		}
	case "join":
		p.Join = map[string]plan.JoinKind{"inner": 0, "left": 1, "right": 2, "full": 3, "semi": 4, "anti": 5, "cross": 6}[v]
	case "emit":
		p.Emit = map[string]plan.Emit{"changes": plan.EmitChanges, "final": plan.EmitFinal}[v]
	case "window":
		f := strings.Fields(v)
		p.Window.Kind = map[string]plan.WindowKind{"tumbling": 0, "hopping": 1, "session": 2, "cumulate": 3}[f[0]]
		p.Window.Size = micros(f[1])
		if len(f) > 2 {
			p.Window.Advance = micros(f[2])
		}
	case "sort":
		for _, x := range items {
			f := strings.Fields(x)
			k := plan.SortKey{Expr: parseExpr(f[0], cols)}
			for _, w := range f[1:] {
				k.Desc = k.Desc || w == "desc"
				k.NullsFirst = k.NullsFirst || w == "nullsfirst"
			}
			p.Sort = append(p.Sort, k)
		}
	case "count":
		p.Count = parseExpr(v, cols)
	case "offset":
		p.Offset = parseExpr(v, cols)
	default:
		return fmt.Errorf("unknown field %s", field)
	}
	return nil
}

func micros(s string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(s, "s"), 10, 64)
	return n * 1_000_000
}

func parseAgg(s string, cols plan.Schema, ret types.Type) plan.AggCall {
	s = strings.TrimSpace(s)
	s, where, filtered := strings.Cut(s, " where ")
	a := plan.AggCall{T: ret}
	if rest, ok := strings.CutPrefix(s, "distinct "); ok {
		a.Distinct, s = true, rest
	}
	name, arg, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	a.Name = name
	if arg != "" {
		a.Args = []expr.Expr{parseExpr(arg, cols)}
	}
	if filtered {
		a.Filter = parseExpr(where, cols)
	}
	return a
}

// parseExpr reads "$1", "12", "NULL" or two of them with an operator between.
func parseExpr(s string, cols plan.Schema) expr.Expr {
	f := strings.Fields(s)
	if len(f) == 3 {
		l, r := parseExpr(f[0], cols), parseExpr(f[2], cols)
		ret := types.Bool
		if strings.Contains("+-*/", f[1]) {
			ret = l.Type()
		}
		if c, ok := r.(*expr.Const); ok {
			c.T = l.Type()
		}
		return &expr.Call{Name: f[1], Sig: []types.OID{l.Type().OID, r.Type().OID}, Args: []expr.Expr{l, r}, T: ret}
	}
	if i, ok := strings.CutPrefix(f[0], "$"); ok {
		n := parseInts(i)[0]
		return &expr.Col{Index: n, T: cols[n].Type}
	}
	n, err := strconv.ParseInt(f[0], 10, 64)
	return &expr.Const{T: types.Int8, Value: types.Datum{I: n, Null: err != nil}}
}
