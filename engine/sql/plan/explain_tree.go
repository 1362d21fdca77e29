package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Node is what EXPLAIN says of a node of a plan.
type Node struct {
	Title  string
	Cost   *Cost // nil: not said
	Actual *Actual
	Props  []Prop
	Plans  []*Node // inputs
}

// Prop is a property of a Node. A Number stands without quotes in JSON; Unit is said
// after it in text.
type Prop struct {
	Name, Value string
	Number      bool
	Unit        string
}

// Cost is what a node is expected to cost, in PostgreSQL's units, until its first and
// its last row, and to yield: rows of Width bytes each.
type Cost struct {
	Startup, Total float64
	Rows           float64
	Width          int
}

// Actual is what a node did when it ran: Loops times, or, with 0, never. Rows are those of
// all loops; Startup is the time until the first row, Total until the last.
type Actual struct {
	Rows, Loops    int64
	Startup, Total time.Duration
	Timing         bool  // times were measured
	Disk           int64 // bytes written to temporary files
}

// perLoop is v of one loop.
func (a *Actual) perLoop(v float64) float64 { return v / float64(max(a.Loops, 1)) }

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// figures are the costs and times of a node, as properties with PostgreSQL's names.
func (n *Node) figures() []Prop {
	var out []Prop
	add := func(name, format string, v float64) {
		out = append(out, Prop{Name: name, Value: fmt.Sprintf(format, v), Number: true})
	}
	if c := n.Cost; c != nil {
		add("Startup Cost", "%.2f", c.Startup)
		add("Total Cost", "%.2f", c.Total)
		add("Plan Rows", "%.0f", c.Rows)
		add("Plan Width", "%.0f", float64(c.Width))
	}
	if a := n.Actual; a != nil {
		if a.Timing {
			add("Actual Startup Time", "%.3f", a.perLoop(milliseconds(a.Startup)))
			add("Actual Total Time", "%.3f", a.perLoop(milliseconds(a.Total)))
		}
		add("Actual Rows", "%.0f", a.perLoop(float64(a.Rows)))
		add("Actual Loops", "%.0f", float64(a.Loops))
	}
	return out
}

// line is the title with the figures of the node, as PostgreSQL's text form has them.
func (n *Node) line() string {
	s := n.Title
	if c := n.Cost; c != nil {
		s += fmt.Sprintf("  (cost=%.2f..%.2f rows=%.0f width=%d)", c.Startup, c.Total, c.Rows, c.Width)
	}
	a := n.Actual
	switch {
	case a == nil:
	case a.Loops == 0:
		s += " (never executed)"
	case a.Timing:
		s += fmt.Sprintf(" (actual time=%.3f..%.3f rows=%.0f loops=%d)", a.perLoop(milliseconds(a.Startup)),
			a.perLoop(milliseconds(a.Total)), a.perLoop(float64(a.Rows)), a.Loops)
	default:
		s += fmt.Sprintf(" (actual rows=%.0f loops=%d)", a.perLoop(float64(a.Rows)), a.Loops)
	}
	return s
}

// text is the value as the text form has it.
func (p Prop) text() string {
	if p.Unit != "" {
		return p.Value + " " + p.Unit
	}
	return p.Value
}

// data is the value as JSON and YAML have it.
func (p Prop) data() string {
	if p.Number {
		return p.Value
	}
	return quoted(p.Value)
}

// Line is a property as the text form has it.
func (p Prop) Line() string { return p.Name + ": " + p.text() }

// Add appends a property.
func (n *Node) Add(name, value string) { n.Props = append(n.Props, Prop{Name: name, Value: value}) }

// Text prints the tree in the form of PostgreSQL's EXPLAIN, a line each.
func (n *Node) Text() []string { return n.text(nil, 0) }

func (n *Node) text(lines []string, depth int) []string {
	title := n.line()
	if depth > 0 {
		title = strings.Repeat(" ", 6*depth-4) + "->  " + title
	}
	lines = append(lines, title)
	for _, p := range n.Props {
		lines = append(lines, strings.Repeat(" ", 6*depth+2)+p.Line())
	}
	for _, c := range n.Plans {
		lines = c.text(lines, depth+1)
	}
	return lines
}

// JSON prints the tree and the properties of the whole as PostgreSQL's
// EXPLAIN (FORMAT JSON), a line each.
func (n *Node) JSON(whole []Prop) []string {
	lines := []string{"[", "  {", `    "Plan": {`}
	lines = n.json(lines, "      ")
	lines = append(lines, "    }")
	for _, p := range whole {
		lines[len(lines)-1] += ","
		lines = append(lines, "    "+quoted(p.Name)+": "+p.data())
	}
	return append(lines, "  }", "]")
}

func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil { // never: any string is one in JSON
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (n *Node) json(lines []string, indent string) []string {
	lines = append(lines, indent+`"Node Type": `+quoted(n.Title))
	for _, p := range append(n.figures(), n.Props...) {
		lines[len(lines)-1] += ","
		lines = append(lines, indent+quoted(p.Name)+": "+p.data())
	}
	if len(n.Plans) == 0 {
		return lines
	}
	lines[len(lines)-1] += ","
	lines = append(lines, indent+`"Plans": [`)
	for i, c := range n.Plans {
		lines = append(lines, indent+"  {")
		lines = c.json(lines, indent+"    ")
		end := indent + "  }"
		if i < len(n.Plans)-1 {
			end += ","
		}
		lines = append(lines, end)
	}
	return append(lines, indent+"]")
}

// YAML prints the tree and the properties of the whole as PostgreSQL's
// EXPLAIN (FORMAT YAML), a line each.
func (n *Node) YAML(whole []Prop) []string {
	lines := n.yaml([]string{"- Plan: "}, "    ", "    ")
	for _, p := range whole {
		lines = append(lines, "  "+p.Name+": "+p.data())
	}
	return lines
}

func (n *Node) yaml(lines []string, first, indent string) []string {
	lines = append(lines, first+"Node Type: "+quoted(n.Title))
	for _, p := range append(n.figures(), n.Props...) {
		lines = append(lines, indent+p.Name+": "+p.data())
	}
	if len(n.Plans) == 0 {
		return lines
	}
	lines = append(lines, indent+"Plans: ")
	for _, c := range n.Plans {
		lines = c.yaml(lines, indent+"  - ", indent+"    ")
	}
	return lines
}

// DOT prints the tree as a graph for Graphviz, rows flowing upward; a line each.
func (n *Node) DOT(whole []Prop) []string {
	lines := []string{"digraph plan {", "  rankdir=BT;", `  node [shape=box, fontname="monospace"];`}
	next := 0
	var walk func(n *Node) int
	walk = func(n *Node) int {
		id := next
		next++
		label := []string{n.line()}
		for _, p := range n.Props {
			label = append(label, p.Line())
		}
		lines = append(lines, fmt.Sprintf("  n%d [label=%s];", id, dotText(strings.Join(label, "\n"))))
		for _, c := range n.Plans {
			lines = append(lines, fmt.Sprintf("  n%d -> n%d;", walk(c), id))
		}
		return id
	}
	walk(n)
	if len(whole) > 0 {
		label := make([]string, len(whole))
		for i, p := range whole {
			label[i] = p.Line()
		}
		lines = append(lines, "  label="+dotText(strings.Join(label, "\n"))+";")
	}
	return append(lines, "}")
}

func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\l`).Replace(s+"\n") + `"`
}
