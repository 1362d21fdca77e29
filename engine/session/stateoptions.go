package session

import (
	"slices"
	"strings"
	"time"

	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// stateOptions are the options of a persistent query about what it keeps: how far the times of
// joined rows are apart. Those of the dialect that nothing keeps to are refused by name.
var stateOptions = []string{"state.ttl", "join.timeout", "join.type", "join.lower_bound", "join.upper_bound", "join.retention"}

func isStateOption(name string) bool {
	name = lower(name)
	return slices.Contains(stateOptions, name) || strings.HasPrefix(name, "cache.")
}

// joinBounds reads join.type, join.lower_bound and join.upper_bound.
func joinBounds(p ast.Parsed, list []ast.Option) (binder.JoinBounds, error) {
	var b binder.JoinBounds
	seen := map[string]bool{}
	typeAt := 0
	for _, g := range givenOptions(p, list) {
		name := lower(g.Name)
		if !isStateOption(name) {
			continue
		}
		if seen[name] {
			return b, pgerror.New(pgerror.SyntaxError, "option %q is given twice", g.Name).At(g.Pos)
		}
		seen[name] = true
		var err error
		switch name {
		case "join.type":
			if typeAt = g.Pos; lower(g.Value) != "interval" {
				return b, pgerror.Unsupported("join.type = '%s' is not supported", g.Value).WithHint("There is 'interval'.").At(g.Pos)
			}
		case "join.lower_bound":
			b.Given, b.Pos = true, g.Pos
			b.Lower, err = signedDuration(g)
		case "join.upper_bound":
			b.Given, b.Pos = true, g.Pos
			b.Upper, err = signedDuration(g)
		default:
			err = refuseStateOption(g)
		}
		if err != nil {
			return b, err
		}
	}
	switch {
	case typeAt > 0 && !b.Given:
		return b, pgerror.New(pgerror.InvalidParameterValue, "join.type = 'interval' needs join.lower_bound or join.upper_bound").At(typeAt)
	case b.Given && b.Lower > b.Upper:
		return b, pgerror.New(pgerror.InvalidParameterValue, "join.lower_bound must not be greater than join.upper_bound").At(b.Pos)
	}
	return b, nil
}

// refuseStateOption says what to write in the place of an option that nothing keeps to.
func refuseStateOption(g option.Given) error {
	e := pgerror.Unsupported("option %q is not supported", g.Name).At(g.Pos)
	switch lower(g.Name) {
	case "state.ttl":
		return e.WithHint("Bound the state by a time window, by the times of a join, or by a condition such as ts > now() - INTERVAL '1 hour'.")
	case "join.timeout", "join.retention":
		return e.WithHint("join.lower_bound and join.upper_bound, or JOIN … WITHIN, bound how long rows of a join are kept.")
	}
	return e
}

// signedDuration is a duration that may be below zero, in µs.
func signedDuration(g option.Given) (int64, error) {
	text, negative := strings.CutPrefix(strings.TrimSpace(g.Value), "-")
	d, ok := option.ParseDuration(text)
	if !ok || d > 100*365*24*time.Hour {
		return 0, pgerror.New(pgerror.InvalidParameterValue, "option %q: %q is no duration", g.Name, g.Value).WithHint("For example 10s, -5m or 1h.").At(g.Pos)
	}
	if negative {
		d = -d
	}
	return d.Microseconds(), nil
}

// refuseStateOptions refuses them where a relation is declared, not computed.
func refuseStateOptions(p ast.Parsed, list []ast.Option) error {
	for _, g := range givenOptions(p, list) {
		if isStateOption(g.Name) {
			return pgerror.New(pgerror.InvalidParameterValue, "option %q is one of queries, not of a source", g.Name).
				WithHint("Write it in WITH (…) of CREATE … AS.").At(g.Pos)
		}
	}
	return nil
}

// queryOptions hands the binder what the options of a persistent query say.
func queryOptions(p ast.Parsed, o *binder.Options, list []ast.Option) error {
	var err error
	if o.Late, err = lateOptions(p, list); err != nil {
		return err
	}
	o.Late.Letters = true
	o.Bounds, err = joinBounds(p, list)
	return err
}
