package plan

func (n *Scan) Schema() Schema      { return n.Out }
func (n *Values) Schema() Schema    { return n.Out }
func (n *Series) Schema() Schema    { return n.Out }
func (n *Filter) Schema() Schema    { return n.Input.Schema() }
func (n *Project) Schema() Schema   { return n.Out }
func (n *Window) Schema() Schema    { return n.Out }
func (n *Aggregate) Schema() Schema { return n.Out }
func (n *Join) Schema() Schema      { return n.Out }
func (n *Union) Schema() Schema     { return n.Out }
func (n *Sort) Schema() Schema      { return n.Input.Schema() }
func (n *Limit) Schema() Schema     { return n.Input.Schema() }

func (n *Scan) Inputs() []Logical      { return nil }
func (n *Values) Inputs() []Logical    { return nil }
func (n *Series) Inputs() []Logical    { return nil }
func (n *Filter) Inputs() []Logical    { return []Logical{n.Input} }
func (n *Project) Inputs() []Logical   { return []Logical{n.Input} }
func (n *Window) Inputs() []Logical    { return []Logical{n.Input} }
func (n *Aggregate) Inputs() []Logical { return []Logical{n.Input} }
func (n *Join) Inputs() []Logical      { return []Logical{n.Left, n.Right} }
func (n *Union) Inputs() []Logical     { return n.All }
func (n *Sort) Inputs() []Logical      { return []Logical{n.Input} }
func (n *Limit) Inputs() []Logical     { return []Logical{n.Input} }

func (n *Scan) WithInputs([]Logical) Logical   { return n }
func (n *Values) WithInputs([]Logical) Logical { return n }
func (n *Series) WithInputs([]Logical) Logical { return n }

func (n *Filter) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

func (n *Project) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

func (n *Window) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

func (n *Aggregate) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

func (n *Join) WithInputs(in []Logical) Logical {
	c := *n
	c.Left, c.Right = in[0], in[1]
	return &c
}

func (n *Union) WithInputs(in []Logical) Logical {
	c := *n
	c.All = in
	return &c
}

func (n *Sort) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

func (n *Limit) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}
