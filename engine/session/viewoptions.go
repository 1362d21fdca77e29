package session

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// viewOptions are the settings of a view to keep, from WITH (…) of CREATE VIEW.
// One that changes who may see what is done or refused, never passed over.
func viewOptions(p ast.Parsed, n *ast.CreateView) (map[string]string, error) {
	if n.CheckOption != "" {
		return nil, errCheckOption()
	}
	var out map[string]string
	for _, o := range n.Options {
		at := p.Position(o.Pos())
		switch o.Name {
		case "check_option":
			return nil, errCheckOption().At(at)
		case "security_invoker", "security_barrier":
		default:
			return nil, pgerror.New(pgerror.InvalidParameterValue, "unrecognized parameter %q", o.Name).At(at)
		}
		on, ok := types.ParseBool(o.Value)
		switch {
		case o.Value == "":
			on = true
		case !ok:
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid value for boolean option %q: %s", o.Name, o.Value).At(at)
		}
		switch {
		case !on:
		case o.Name == "security_barrier":
			return nil, pgerror.Unsupported("security_barrier views are not supported").
				WithHint("Conditions of the reading query may be computed before those of the view: leave out what nobody may learn from an error.").At(at)
		default:
			out = map[string]string{catalog.SecurityInvoker: "true"}
		}
	}
	return out, nil
}

func errCheckOption() *pgerror.Error {
	return pgerror.Unsupported("WITH CHECK OPTION is supported only on automatically updatable views").WithHint("Views cannot be written to.")
}
