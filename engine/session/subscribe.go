package session

import (
	"context"
	"time"

	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/engine/subscribe"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// prepareResult prepares what a cursor or COPY can be of: a query or a
// SUBSCRIBE.
func (s *Session) prepareResult(p ast.Parsed, stmt ast.Statement, params []types.OID) (pgwire.Statement, error) {
	switch n := stmt.(type) {
	case *ast.Query:
		return s.prepareSelect(p, n, params)
	case *ast.Subscribe:
		return s.prepareSubscribe(p, n, params)
	}
	return nil, pgerror.Unsupported("a cursor or COPY of %s is not supported", stmt.Tag()).At(p.Position(stmt.Pos()))
}

// prepareSubscribe is SUBSCRIBE: the changes of a relation or query, each with
// its logical time.
func (s *Session) prepareSubscribe(p ast.Parsed, n *ast.Subscribe, params []types.OID) (pgwire.Statement, error) {
	o := s.bindOptions(p, params)
	q := n.Query
	if q == nil {
		var err error
		o.SQL = "SELECT * FROM " + n.Table.Name.String()
		if q, err = parser.ParseQuery(o.SQL); err != nil {
			return nil, err
		}
	}
	o.Continuous, o.View = true, true
	r, err := binder.BindQuery(o, q)
	if err != nil {
		if n.Query == nil { // its position is in text that we made
			e := *pgerror.From(err)
			e.Position = p.Position(n.Table.Pos())
			return nil, &e
		}
		return nil, err
	}
	phys, warnings, err := s.lower(r.Plan, optimizer.LowerOptions{Continuous: true, View: true, Every: r.Every, Timeout: r.Timeout, Ends: r.Ends})
	if err != nil {
		return nil, err
	}
	c, err := s.changesOptions(p, n, r)
	if err != nil {
		return nil, err
	}
	if c.NoSnapshot && stateful(phys) {
		c.NoSnapshot, c.HideContent = false, true
	}
	past := n.AsOf != nil && c.From < time.Now().UnixMicro()
	if past && reads(phys, plan.OpClock) {
		return nil, pgerror.Unsupported("a query that depends on now() cannot begin at a time that has passed").At(p.Position(n.AsOf.Pos()))
	}
	s.warn(append(r.Warnings, warnings...))
	visible := visibleColumns(phys.Out)
	g := &guard{}
	g.set(r.Access, r.Functions)
	return &rowsStatement{
		params: r.Params, columns: resultColumns(c.Columns(r.Columns)),
		run: func(ctx context.Context, args []types.Datum) (pgwire.Rows, error) {
			if err := g.permit(s); err != nil {
				return nil, err
			}
			if err := s.committed(r.Inputs); err != nil {
				return nil, err
			}
			bound := phys
			if len(args) > 0 {
				if bound, err = phys.BindParams(args); err != nil {
					return nil, err
				}
			}
			c := c
			if past {
				if c.History, err = s.history(r.Inputs, c.From); err != nil {
					return nil, pgerror.From(err).At(p.Position(n.AsOf.Pos()))
				}
				c.From = 0
			}
			rows, err := subscribe.RunChanges(ctx, s.e.Jobs, bound, visible, c)
			return g.guarded(s, rows, err)
		},
	}, nil
}

func (s *Session) changesOptions(p ast.Parsed, n *ast.Subscribe, r *binder.Result) (subscribe.ChangesOptions, error) {
	c := subscribe.ChangesOptions{}
	c.Earliest = s.settings.get("auto_offset_reset") == "earliest"
	for _, o := range n.Options {
		on, err := checkBool(orTrue(o.Value))
		if err != nil {
			return c, pgerror.New(pgerror.InvalidParameterValue, "invalid value for option %q: %q", o.Name, o.Value).At(p.Position(o.Pos()))
		}
		switch o.Name {
		case "snapshot":
			c.NoSnapshot = on == "off"
			c.Earliest = c.Earliest || on == "on"
		case "progress":
			c.Progress = on == "on"
		default:
			return c, pgerror.New(pgerror.UndefinedObject, "unrecognized option %q of SUBSCRIBE", o.Name).
				WithHint("The options are snapshot and progress.").At(p.Position(o.Pos()))
		}
	}
	switch n.Envelope {
	case "UPSERT":
		c.Envelope = subscribe.Upsert
	case "DEBEZIUM":
		c.Envelope = subscribe.Debezium
	}
	for _, k := range n.Key {
		at := -1
		for i, col := range r.Columns {
			if col.Name == k.Name {
				at = i
			}
		}
		if at < 0 {
			return c, pgerror.NoSuchColumn(k.Name).At(p.Position(k.Pos()))
		}
		c.Key = append(c.Key, at)
	}
	var err error
	if c.From, err = s.logicalTime(p, n.AsOf); err != nil {
		return c, err
	}
	c.UpTo, err = s.logicalTime(p, n.UpTo)
	return c, err
}

func orTrue(v string) string {
	if v == "" {
		return "on"
	}
	return v
}

// logicalTime is a time of AS OF or UP TO: a timestamp, or µs since the Unix
// epoch as SUBSCRIBE shows them. 0: none was given.
func (s *Session) logicalTime(p ast.Parsed, x ast.Expr) (int64, error) {
	if x == nil {
		return 0, nil
	}
	if e, err := binder.BindConstant(s.bindOptions(p, nil), x, types.Int8); err == nil {
		if d, err := expr.EvalConst(e, s.env()); err == nil && !d.Null {
			return d.I, nil
		}
	}
	e, err := binder.BindConstant(s.bindOptions(p, nil), x, types.Timestamptz)
	if err != nil {
		return 0, err
	}
	d, err := expr.EvalConst(e, s.env())
	if err != nil {
		return 0, err
	}
	if d.Null {
		return 0, pgerror.New(pgerror.NullValueNotAllowed, "the time must not be null").At(p.Position(x.Pos()))
	}
	return types.ToTime(d.I).UnixMicro(), nil
}
