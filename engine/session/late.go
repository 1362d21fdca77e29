package session

import (
	"strings"

	"velostream/engine/option"
	"velostream/engine/sql/ast"
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
func lateOptions(p ast.Parsed, list []ast.Option) (option.Options, error) {
	var given []option.Given
	for _, g := range givenOptions(p, list) {
		if isLateOption(g.Name) {
			given = append(given, g)
		}
	}
	o, err := option.Parse(given, nil, lateSpecs())
	if err == nil && o.Has("late.data.retention") && o.Duration("late.data.retention") <= 0 {
		err = pgerror.New(pgerror.InvalidParameterValue, "late.data.retention must be greater than zero").At(o.Pos("late.data.retention"))
	}
	return o, err
}
