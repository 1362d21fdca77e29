package expr

import (
	"maps"
	"slices"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// catalogSets are the set-returning functions that Env.Catalog computes, in the
// form of setTable.
var catalogSets = []string{
	"pg_options_to_table(text[]) record; option_name text, option_value text",
	"pg_get_keywords() record; word text, catcode char, barelabel bool, catdesc text, baredesc text",
	"pg_show_all_settings() record; name text, setting text, unit text, category text, short_desc text, extra_desc text, " +
		"context text, vartype text, source text",
	"pg_partition_ancestors(regclass) regclass",
	"pg_listening_channels() text",
	"aclexplode(text[]) record; grantor oid, grantee oid, privilege_type text, is_grantable bool",
}

// isCatalogSet reports that Env.Catalog computes the set-returning function.
func isCatalogSet(name string) bool { return strings.HasPrefix(name, "pg_") || name == "aclexplode" }

func evalCatalogSet(env *Env, name string, args []types.Datum, row func([]types.Datum) error) error {
	if env == nil || env.Catalog == nil {
		return pgerror.Unsupported("%s is not supported outside of a query by a client", name)
	}
	return env.Catalog.Set(name, args, row)
}

// expandArray gives the elements of an array with their indexes
// (information_schema._pg_expandarray).
func expandArray(list []types.Datum, row func([]types.Datum) error) error {
	vals := make([]types.Datum, 2)
	for i, e := range list {
		vals[0], vals[1] = e, types.IntDatum(int64(i)+1)
		if err := row(vals); err != nil {
			return err
		}
	}
	return nil
}

// SetFunctions lists the set-returning functions by name; they have no kernels.
func SetFunctions() []*Function {
	fns, _ := setFunctions()
	var out []*Function
	for _, n := range slices.Sorted(maps.Keys(fns)) {
		out = append(out, fns[n]...)
	}
	return out
}
