package plan

import (
	"encoding/json"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// Over appends a column per window function call to each row of its input:
// the rows with equal Partition are put in Order, and each call sees its frame of
// them. Out = input columns, then calls.
type Over struct {
	Input     Logical
	Partition []expr.Expr
	Order     []SortKey
	Calls     []OverCall
	// WindowEnd, when set, is the end of the time window that a row is in, which is part of
	// Partition where there are calls. With EmitFinal rows leave when their windows have closed;
	// without calls the node only holds them until then, and puts those of a window in Order.
	WindowEnd expr.Expr
	Emit      Emit
	Lateness  int64 // µs a window stays open after its end
	Out       Schema
}

// Schema implements Logical.
func (n *Over) Schema() Schema { return n.Out }

// Inputs implements Logical.
func (n *Over) Inputs() []Logical { return []Logical{n.Input} }

// WithInputs implements Logical.
func (n *Over) WithInputs(in []Logical) Logical {
	c := *n
	c.Input = in[0]
	return &c
}

// OverCall is a window function, or an aggregate used as one.
type OverCall struct {
	Name      string      `json:"name"`
	Args      []expr.Expr `json:"args,omitempty"`
	Filter    expr.Expr   `json:"filter,omitempty"`
	Aggregate bool        `json:"aggregate,omitempty"`
	Frame     Frame       `json:"frame"`
	T         types.Type  `json:"t"`
}

// Frame is the rows of the partition that a call sees, relative to the
// current row.
type Frame struct {
	Mode       FrameMode `json:"mode"`
	Start, End FrameBound
	Exclude    FrameExclude `json:"exclude,omitempty"`
	// Of RANGE with offsets: the ordering value, and the least and greatest value
	// in the frame, over the input; Lo or Hi is nil where that end has no offset.
	Key, Lo, Hi expr.Expr
	Desc        bool // the order of Key
}

// FrameMode is what the offsets of a frame count.
type FrameMode string

// Frame modes.
const (
	FrameRows   FrameMode = "rows"
	FrameRange  FrameMode = "range"
	FrameGroups FrameMode = "groups"
)

// FrameExclude is what a frame leaves out around the current row.
type FrameExclude string

// Exclusions.
const (
	ExcludeNone    FrameExclude = ""
	ExcludeCurrent FrameExclude = "current row"
	ExcludeGroup   FrameExclude = "group"
	ExcludeTies    FrameExclude = "ties"
)

// BoundKind is the kind of an end of a frame.
type BoundKind uint8

// Ends of frames.
const (
	UnboundedPreceding BoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// FrameBound is an end of a frame. Offset has no columns: a count of rows or
// groups, or the distance of RANGE.
type FrameBound struct {
	Kind   BoundKind `json:"kind"`
	Offset expr.Expr `json:"offset,omitempty"`
}

// Preceding reports that the frame never reaches behind the current row, peers
// that come later not counted.
func (f *Frame) Preceding() bool { return f.End.Kind <= CurrentRow }

type frameJSON struct {
	Mode    FrameMode       `json:"mode"`
	Start   FrameBound      `json:"start"`
	End     FrameBound      `json:"end"`
	Exclude FrameExclude    `json:"exclude,omitempty"`
	Key     json.RawMessage `json:"key,omitempty"`
	Lo      json.RawMessage `json:"lo,omitempty"`
	Hi      json.RawMessage `json:"hi,omitempty"`
	Desc    bool            `json:"desc,omitempty"`
}

// MarshalJSON writes the stored form.
func (f Frame) MarshalJSON() ([]byte, error) {
	w := struct {
		Mode    FrameMode    `json:"mode"`
		Start   FrameBound   `json:"start"`
		End     FrameBound   `json:"end"`
		Exclude FrameExclude `json:"exclude,omitempty"`
		Key     expr.Expr    `json:"key,omitempty"`
		Lo      expr.Expr    `json:"lo,omitempty"`
		Hi      expr.Expr    `json:"hi,omitempty"`
		Desc    bool         `json:"desc,omitempty"`
	}{f.Mode, f.Start, f.End, f.Exclude, f.Key, f.Lo, f.Hi, f.Desc}
	return json.Marshal(w)
}

// UnmarshalJSON reads the stored form.
func (f *Frame) UnmarshalJSON(b []byte) error {
	var w frameJSON
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	*f = Frame{
		Mode: w.Mode, Start: w.Start, End: w.End, Exclude: w.Exclude,
		Key: d.one(w.Key), Lo: d.one(w.Lo), Hi: d.one(w.Hi), Desc: w.Desc,
	}
	return d.err
}

// UnmarshalJSON reads the stored form.
func (f *FrameBound) UnmarshalJSON(b []byte) error {
	var w struct {
		Kind   BoundKind       `json:"kind"`
		Offset json.RawMessage `json:"offset"`
	}
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	f.Kind, f.Offset = w.Kind, d.one(w.Offset)
	return d.err
}

// UnmarshalJSON reads the stored form.
func (c *OverCall) UnmarshalJSON(b []byte) error {
	type raw OverCall
	var w struct {
		*raw
		Args   []json.RawMessage `json:"args"`
		Filter json.RawMessage   `json:"filter"`
	}
	w.raw = (*raw)(c)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	c.Args, c.Filter = d.all(w.Args), d.one(w.Filter)
	return d.err
}

func (m *exprMapper) overCalls(in []OverCall) []OverCall {
	if in == nil {
		return nil
	}
	out := make([]OverCall, len(in))
	for i, c := range in {
		c.Args, c.Filter = m.all(c.Args), m.one(c.Filter)
		f := &c.Frame
		f.Key, f.Lo, f.Hi = m.one(f.Key), m.one(f.Lo), m.one(f.Hi)
		f.Start.Offset, f.End.Offset = m.one(f.Start.Offset), m.one(f.End.Offset)
		out[i] = c
	}
	return out
}

// MapOverCalls returns calls with f applied to each expression in them.
func MapOverCalls(calls []OverCall, f func(expr.Expr) expr.Expr) []OverCall {
	m := exprMapper{f: func(e expr.Expr) (expr.Expr, error) { return f(e), nil }}
	return m.overCalls(calls)
}

// MapAggCalls returns aggs with f applied to each expression in them.
func MapAggCalls(aggs []AggCall, f func(expr.Expr) expr.Expr) []AggCall {
	m := exprMapper{f: func(e expr.Expr) (expr.Expr, error) { return f(e), nil }}
	return m.aggs(aggs)
}

func overText(c OverCall, partition string, order []SortKey) string {
	args := exprList(c.Args)
	if c.Aggregate && len(c.Args) == 0 {
		args = "*"
	}
	s := c.Name + "(" + args + ")"
	if c.Filter != nil {
		s += " FILTER (WHERE " + expr.String(c.Filter) + ")"
	}
	var parts []string
	if partition != "" {
		parts = append(parts, "PARTITION BY "+partition)
	}
	if len(order) > 0 {
		parts = append(parts, "ORDER BY "+sortText(order))
	}
	if t := frameText(&c.Frame); t != "" {
		parts = append(parts, t)
	}
	return s + " OVER (" + strings.Join(parts, " ") + ")"
}

// frameText is the frame as SQL, "" for the default one.
func frameText(f *Frame) string {
	if f.Mode == FrameRange && f.Start.Kind == UnboundedPreceding && f.End.Kind == CurrentRow && f.Exclude == "" {
		return ""
	}
	s := strings.ToUpper(string(f.Mode)) + " BETWEEN " + boundText(f.Start) + " AND " + boundText(f.End)
	if f.Exclude != "" {
		s += " EXCLUDE " + strings.ToUpper(string(f.Exclude))
	}
	return s
}

func boundText(b FrameBound) string {
	switch b.Kind {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case OffsetPreceding:
		return expr.String(b.Offset) + " PRECEDING"
	case CurrentRow:
		return "CURRENT ROW"
	case OffsetFollowing:
		return expr.String(b.Offset) + " FOLLOWING"
	case UnboundedFollowing:
	}
	return "UNBOUNDED FOLLOWING"
}

func overList(calls []OverCall, partition string, order []SortKey) string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = overText(c, partition, order)
	}
	return strings.Join(out, ", ")
}
