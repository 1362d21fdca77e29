package plan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Node is what EXPLAIN says of a node of a plan.
type Node struct {
	Title string
	Props []Prop
	Plans []*Node // inputs
}

// Prop is a property of a Node.
type Prop struct{ Name, Value string }

// Add appends a property.
func (n *Node) Add(name, value string) { n.Props = append(n.Props, Prop{name, value}) }

// Text prints the tree in the form of PostgreSQL's EXPLAIN, a line each.
func (n *Node) Text() []string { return n.text(nil, 0) }

func (n *Node) text(lines []string, depth int) []string {
	title := n.Title
	if depth > 0 {
		title = strings.Repeat(" ", 6*depth-4) + "->  " + title
	}
	lines = append(lines, title)
	for _, p := range n.Props {
		lines = append(lines, strings.Repeat(" ", 6*depth+2)+p.Name+": "+p.Value)
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
		lines = append(lines, "    "+quoted(p.Name)+": "+quoted(p.Value))
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
	for _, p := range n.Props {
		lines[len(lines)-1] += ","
		lines = append(lines, indent+quoted(p.Name)+": "+quoted(p.Value))
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
		lines = append(lines, "  "+p.Name+": "+quoted(p.Value))
	}
	return lines
}

func (n *Node) yaml(lines []string, first, indent string) []string {
	lines = append(lines, first+"Node Type: "+quoted(n.Title))
	for _, p := range n.Props {
		lines = append(lines, indent+p.Name+": "+quoted(p.Value))
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
		label := []string{n.Title}
		for _, p := range n.Props {
			label = append(label, p.Name+": "+p.Value)
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
			label[i] = p.Name + ": " + p.Value
		}
		lines = append(lines, "  label="+dotText(strings.Join(label, "\n"))+";")
	}
	return append(lines, "}")
}

func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\l`).Replace(s+"\n") + `"`
}
