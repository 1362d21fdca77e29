package plan

import (
	"bytes"
	"encoding/json"

	"velostream/engine/sql/expr"
)

// Expressions are interfaces: they mark themselves when they are written, and
// are read here. A field that this version does not know is an error, so that
// a plan of a later version is never half understood.

// Encode gives the stored form of p. It is stable: the same plan gives the
// same bytes.
func Encode(p *Physical) ([]byte, error) { return json.Marshal(p) }

// Decode reads what Encode gave.
func Decode(b []byte) (*Physical, error) {
	var p Physical
	if err := strict(b, &p); err != nil {
		return nil, err
	}
	return &p, nil
}

func strict(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// rawPhysical is Physical without its methods.
type rawPhysical Physical

// UnmarshalJSON reads the stored form.
func (p *Physical) UnmarshalJSON(b []byte) error {
	var w struct {
		*rawPhysical
		Lookup []json.RawMessage   `json:"lookup"`
		Rows   [][]json.RawMessage `json:"rows"`
		Cond   json.RawMessage     `json:"cond"`
		Exprs  []json.RawMessage   `json:"exprs"`
		Count  json.RawMessage     `json:"count"`
		Offset json.RawMessage     `json:"offset"`
	}
	w.rawPhysical = (*rawPhysical)(p)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	p.Lookup, p.Exprs = d.all(w.Lookup), d.all(w.Exprs)
	p.Cond, p.Count, p.Offset = d.one(w.Cond), d.one(w.Count), d.one(w.Offset)
	for _, r := range w.Rows {
		p.Rows = append(p.Rows, d.all(r))
	}
	return d.err
}

// UnmarshalJSON reads the stored form.
func (a *AggCall) UnmarshalJSON(b []byte) error {
	type raw AggCall
	var w struct {
		*raw
		Args   []json.RawMessage `json:"args"`
		Filter json.RawMessage   `json:"filter"`
	}
	w.raw = (*raw)(a)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	a.Args, a.Filter = d.all(w.Args), d.one(w.Filter)
	return d.err
}

// UnmarshalJSON reads the stored form.
func (a *Access) UnmarshalJSON(b []byte) error {
	type raw Access
	var w struct {
		*raw
		Equal []json.RawMessage `json:"equal"`
		Among []json.RawMessage `json:"among"`
		Array json.RawMessage   `json:"array"`
		Low   json.RawMessage   `json:"low"`
		High  json.RawMessage   `json:"high"`
	}
	w.raw = (*raw)(a)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	a.Equal, a.Among = d.all(w.Equal), d.all(w.Among)
	a.Array, a.Low, a.High = d.one(w.Array), d.one(w.Low), d.one(w.High)
	return d.err
}

// UnmarshalJSON reads the stored form.
func (k *SortKey) UnmarshalJSON(b []byte) error {
	type raw SortKey
	var w struct {
		*raw
		Expr json.RawMessage `json:"expr"`
	}
	w.raw = (*raw)(k)
	if err := strict(b, &w); err != nil {
		return err
	}
	var d exprDecoder
	k.Expr = d.one(w.Expr)
	return d.err
}

// exprDecoder reads expressions and keeps the first error.
type exprDecoder struct{ err error }

func (d *exprDecoder) one(b json.RawMessage) expr.Expr {
	if d.err != nil || len(b) == 0 || string(b) == "null" {
		return nil
	}
	e, err := expr.DecodeExpr(b)
	d.err = err
	return e
}

func (d *exprDecoder) all(in []json.RawMessage) []expr.Expr {
	if in == nil {
		return nil
	}
	out := make([]expr.Expr, len(in))
	for i, b := range in {
		out[i] = d.one(b)
	}
	return out
}
