package plan

// Schema implements Logical.
func (n *Scan) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Values) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Series) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Filter) Schema() Schema { return n.Input.Schema() }

// Schema implements Logical.
func (n *Project) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Window) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Aggregate) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Join) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Union) Schema() Schema { return n.Out }

// Schema implements Logical.
func (n *Sort) Schema() Schema { return n.Input.Schema() }

// Schema implements Logical.
func (n *Limit) Schema() Schema { return n.Input.Schema() }

// AppendInputs appends p's inputs to dst: p.Inputs without a slice of its own for the common nodes.
func AppendInputs(dst []Logical, p Logical) []Logical {
	switch p := p.(type) {
	case *Filter:
		return append(dst, p.Input)
	case *Project:
		return append(dst, p.Input)
	case *Aggregate:
		return append(dst, p.Input)
	case *Join:
		return append(dst, p.Left, p.Right)
	case *Sort:
		return append(dst, p.Input)
	case *Shared:
		return append(dst, p.Input)
	}
	return append(dst, p.Inputs()...)
}

// Inputs implements Logical.
func (n *Scan) Inputs() []Logical { return nil }

// Inputs implements Logical.
func (n *Values) Inputs() []Logical { return nil }

// Inputs implements Logical.
func (n *Series) Inputs() []Logical { return nil }

// Inputs implements Logical.
func (n *Filter) Inputs() []Logical { return []Logical{n.Input} }

// Inputs implements Logical.
func (n *Project) Inputs() []Logical { return []Logical{n.Input} }

// Inputs implements Logical.
func (n *Window) Inputs() []Logical { return []Logical{n.Input} }

// Inputs implements Logical.
func (n *Aggregate) Inputs() []Logical { return []Logical{n.Input} }

// Inputs implements Logical.
func (n *Join) Inputs() []Logical { return []Logical{n.Left, n.Right} }

// Inputs implements Logical.
func (n *Union) Inputs() []Logical { return n.All }

// Inputs implements Logical.
func (n *Sort) Inputs() []Logical { return []Logical{n.Input} }

// Inputs implements Logical.
func (n *Limit) Inputs() []Logical {
	if n.Bounds != nil {
		return []Logical{n.Input, n.Bounds}
	}
	return []Logical{n.Input}
}

// WithInputs implements Logical.
func (n *Scan) WithInputs([]Logical) Logical { return n }

// WithInputs implements Logical.
func (n *Values) WithInputs([]Logical) Logical { return n }

// WithInputs implements Logical.
func (n *Series) WithInputs([]Logical) Logical { return n }

// WithInputs implements Logical.
func (n *Filter) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// WithInputs implements Logical.
func (n *Project) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// WithInputs implements Logical.
func (n *Window) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// WithInputs implements Logical.
func (n *Aggregate) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// WithInputs implements Logical.
func (n *Join) WithInputs(in []Logical) Logical {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

// WithInputs implements Logical.
func (n *Union) WithInputs(in []Logical) Logical {
	c := *n
	c.All = in
	return &c
}

// WithInputs implements Logical.
func (n *Sort) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// WithInputs implements Logical.
func (n *Limit) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	if len(in) > 1 {
		c.Bounds = in[1]
	}
	return &c
}
