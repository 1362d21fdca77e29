package pgcatalog

import (
	"maps"
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Set calls row with the rows of a set-returning function about objects of the
// database; the slice is reused. It implements expr.Catalog.
func (c *Catalog) Set(name string, args []types.Datum, row func([]types.Datum) error) error {
	var vals []types.Datum
	add := func(values ...any) error {
		vals = vals[:0]
		for _, v := range values {
			vals = append(vals, datum(v))
		}
		return row(vals)
	}
	switch name {
	case "pg_options_to_table":
		for _, o := range args[0].List {
			k, v, ok := strings.Cut(string(o.B), "=")
			var value any
			if ok {
				value = v
			}
			if err := add(k, value); err != nil {
				return err
			}
		}
		return nil
	case "pg_get_keywords":
		words := keywords()
		for _, w := range slices.Sorted(maps.Keys(words)) {
			k := words[w]
			if err := add(w, k.category, k.bare, categoryTexts[k.category], labelTexts[k.bare]); err != nil {
				return err
			}
		}
		return nil
	case "pg_show_all_settings":
		for _, s := range c.settings() {
			if err := add(s.Name, s.Value, orNull(s.Unit), s.Category, s.Doc, nil, s.Context, s.Kind, "default"); err != nil {
				return err
			}
		}
		return nil
	case "pg_partition_ancestors":
		if r := c.relation(oidArg(args[0])); r != nil {
			return add(r.ID)
		}
		return nil
	case "aclexplode":
		return c.explode(args[0].List, add)
	case "pg_listening_channels":
		return nil
	}
	return pgerror.New(pgerror.UndefinedFunction, "function %s does not exist", name)
}
