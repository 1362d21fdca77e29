package session

import (
	"strings"

	"velostream/catalog"
	"velostream/engine/job"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// lateSpecs are the options of a persistent query about rows that come after their window has
// closed.
func lateSpecs() []option.Spec {
	return []option.Spec{
		{Name: "late.data.strategy", Enum: []string{"drop", "dead_letter", "include_in_next", "update_previous"}, Help: "what becomes of late rows, as LATE ROWS says it"},
		{Name: "late.data.retention", Kind: option.Duration, Help: "how long closed windows are corrected with update_previous"},
	}
}

func isLateOption(name string) bool { return strings.HasPrefix(lower(name), "late.data.") }

// lateOptions reads them from the options of a statement.
func lateOptions(p ast.Parsed, list []ast.Option) (binder.LateOptions, error) {
	var given []option.Given
	for _, g := range givenOptions(p, list) {
		if isLateOption(g.Name) {
			given = append(given, g)
		}
	}
	o, err := option.Parse(given, nil, lateSpecs())
	if err != nil {
		return binder.LateOptions{}, err
	}
	l := binder.LateOptions{
		Strategy: o.Text("late.data.strategy"), Pos: o.Pos("late.data.strategy"),
		Retention: o.Duration("late.data.retention").Microseconds(), RetentionPos: o.Pos("late.data.retention"),
	}
	if o.Has("late.data.retention") && l.Retention <= 0 {
		err = pgerror.New(pgerror.InvalidParameterValue, "late.data.retention must be greater than zero").At(l.RetentionPos)
	}
	return l, err
}

// lateLetterTable is the table that keeps the rows which the job of r drops since they are late.
func lateLetterTable(r *catalog.Relation) *catalog.Relation {
	return &catalog.Relation{
		ID: r.LateLetters, Schema: r.Schema, Name: r.Name + "_dead_letters", Kind: catalog.Table, Owner: r.Owner,
		Columns: job.LateLetterColumns(), Key: []int{0, 1}, PrimaryKey: true, EventTime: -1, PartOf: r.ID,
		Comment: "rows that came too late for " + r.Name,
	}
}

// refuseLateOptions refuses options about late rows of a relation that is declared, not computed.
func refuseLateOptions(p ast.Parsed, list []ast.Option) error {
	for _, g := range givenOptions(p, list) {
		if isLateOption(g.Name) {
			return pgerror.New(pgerror.InvalidParameterValue, "option %q is one of queries with time windows, not of a source", g.Name).
				WithHint("Write it in WITH (…) of CREATE … AS, or LATE ROWS at the end of its query.").At(g.Pos)
		}
	}
	return nil
}

// refuseViewClauses refuses what the query of a plain view says and no reader of it would keep to.
func refuseViewClauses(p ast.Parsed, q *ast.Query) error {
	if changingCTE(q) != nil {
		return pgerror.Unsupported("views must not contain data-modifying statements in WITH")
	}
	if q.Emit != nil {
		return pgerror.Unsupported("EMIT in a view is not supported").
			WithHint("Write it in the query that reads the view, or make a materialized view.").At(p.Position(q.Emit.Pos()))
	}
	if q.Late != nil {
		return pgerror.Unsupported("LATE ROWS in a view is not supported").
			WithHint("Write it in the query that reads the view, or make a materialized view.").At(p.Position(q.Late.Pos()))
	}
	if len(q.Options) > 0 {
		return pgerror.Unsupported("WITH (…) options of a view's query are not supported").At(p.Position(q.Options[0].Pos()))
	}
	return nil
}
