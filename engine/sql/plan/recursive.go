package plan

// Recursive is WITH RECURSIVE over bounded input: the rows of Base, then those
// of Step over the rows of the round before (its WorkTable of the same ID), until a
// round gives none. Distinct drops rows that were there before.
type Recursive struct {
	ID         int
	Base, Step Logical
	Distinct   bool
	Name       string
	Out        Schema
}

// WorkTable is the rows of the last round of the Recursive with the same ID.
type WorkTable struct {
	ID   int
	Name string
	Out  Schema
}

// Shared is a subplan that several places of a bounded plan read: it is run
// once. Nodes with the same ID have the same input.
type Shared struct {
	ID    int
	Input Logical
	Name  string
	// Keep: also when only one place reads it (MATERIALIZED).
	Keep bool
}

// Schema implements Logical.
func (n *Recursive) Schema() Schema { return n.Out }

// Inputs implements Logical.
func (n *Recursive) Inputs() []Logical { return []Logical{n.Base, n.Step} }

// WithInputs implements Logical.
func (n *Recursive) WithInputs(in []Logical) Logical {
	c := *n
	c.Base, c.Step = in[0], in[1]
	return &c
}

// Schema implements Logical.
func (n *WorkTable) Schema() Schema { return n.Out }

// Inputs implements Logical.
func (n *WorkTable) Inputs() []Logical { return nil }

// WithInputs implements Logical.
func (n *WorkTable) WithInputs([]Logical) Logical { return n }

// Schema implements Logical.
func (n *Shared) Schema() Schema { return n.Input.Schema() }

// Inputs implements Logical.
func (n *Shared) Inputs() []Logical { return []Logical{n.Input} }

// WithInputs implements Logical.
func (n *Shared) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}
