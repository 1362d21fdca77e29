package session

import (
	"slices"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// layout is what ALTER TABLE says of how PostgreSQL keeps rows in its files. It is checked
// and has no effect here, so that its tools' definitions work as they are. done is false
// where x is something else.
func (a *alteration) layout(x *ast.AlterAction) (done bool, err error) {
	switch x.Kind {
	case ast.AlterSetOptions, ast.AlterResetOptions:
		if a.c.Kind != catalog.Table {
			return false, nil
		}
		return true, a.storage(x, tableParameters)
	case ast.AlterRaw:
	default:
		return false, nil
	}
	words := strings.Fields(lower(x.Detail))
	is := func(want ...string) bool { return len(words) == len(want)+1 && slices.Equal(words[:len(want)], want) }
	switch {
	case x.Column.Name != "" && len(words) == 6 && words[3] == "set" && words[4] == "statistics":
		return true, a.statisticsTarget(x, words[5])
	case x.Column.Name != "" && len(words) == 6 && words[3] == "set" && words[4] == "storage":
		return true, a.columnStorage(x, words[5])
	case slices.Equal(words, []string{"set", "without", "cluster"}), slices.Equal(words, []string{"without", "cluster"}):
		return true, nil
	case is("cluster", "on"):
		return true, a.hasIndex(x)
	case is("replica", "identity", "using", "index"):
		return true, a.hasIndex(x)
	case is("replica", "identity"):
		return slices.Contains([]string{"default", "full", "nothing"}, words[2]), nil
	}
	return false, nil
}

// storage checks SET (…). RESET takes any names, as in PostgreSQL.
func (a *alteration) storage(x *ast.AlterAction, of map[string]bool) error {
	if x.Kind == ast.AlterResetOptions {
		return nil
	}
	return storageParameters(a.p, x.Options, of)
}

func (a *alteration) statisticsTarget(x *ast.AlterAction, text string) error {
	if _, err := a.column(x.Column); err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return pgerror.New(pgerror.SyntaxError, "syntax error at or near %q", text).At(a.p.Position(x.Pos()))
	case n < -1:
		return pgerror.New(pgerror.InvalidParameterValue, "statistics target %d is too low", n)
	case n > 10000:
		a.s.warning(pgerror.InvalidParameterValue, "lowering statistics target to 10000")
	}
	return nil
}

func (a *alteration) columnStorage(x *ast.AlterAction, text string) error {
	how := strings.Trim(text, `"'`)
	if !slices.Contains([]string{"plain", "external", "extended", "main"}, how) {
		return pgerror.New(pgerror.InvalidParameterValue, "invalid storage type %q", how)
	}
	i, err := a.column(x.Column)
	if err != nil {
		return err
	}
	if t := a.c.Columns[i].Type; how != "plain" && !toastable(t) {
		return pgerror.New(pgerror.FeatureNotSupported, "column data type %s can only have storage PLAIN", typeText(a.snap, t))
	}
	return nil
}

// toastable reports that PostgreSQL can keep values of t beside their row: those without a
// fixed length.
func toastable(t types.Type) bool {
	switch t.OID {
	case types.OIDText, types.OIDVarchar, types.OIDBpchar, types.OIDBytea, types.OIDNumeric, types.OIDJSON, types.OIDJSONB,
		types.OIDBit, types.OIDVarbit, types.OIDJSONPath:
		return true
	default:
	}
	_, array := t.Elem()
	return array && t.FirstSubscript() == 1
}

// hasIndex demands that the index which is named last is one of the table's.
func (a *alteration) hasIndex(x *ast.AlterAction) error {
	fields := strings.Fields(x.Detail)
	name := fields[len(fields)-1]
	if q, ok := strings.CutPrefix(name, `"`); ok {
		name = strings.ReplaceAll(strings.TrimSuffix(q, `"`), `""`, `"`)
	} else {
		name = lower(name)
	}
	r, _ := a.s.index(a.snap, ast.Name{Parts: []string{a.c.Schema, name}})
	if r == nil || r.ID != a.c.ID {
		return pgerror.New(pgerror.UndefinedObject, "index %q for table %q does not exist", name, a.c.Name)
	}
	return nil
}
