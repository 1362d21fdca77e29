package session

import (
	"strconv"
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// storageParameters of PostgreSQL say how its files are laid out and cleaned. They
// are checked and have no effect here, so that its tools' definitions work as they
// are.
var tableParameters, indexParameters = map[string]bool{
	"fillfactor": true, "toast_tuple_target": true, "parallel_workers": true, "vacuum_index_cleanup": true, "vacuum_truncate": true,
	"log_autovacuum_min_duration": true, "user_catalog_table": true,
}, map[string]bool{"fillfactor": true, "deduplicate_items": true}

func isStorageParameter(name string, of map[string]bool) bool {
	name = lower(name)
	return of[name] || of["toast_tuple_target"] && (strings.HasPrefix(name, "autovacuum_") || strings.HasPrefix(name, "toast.autovacuum_"))
}

// onlyStorage reports that options, which there are, are storage parameters.
func onlyStorage(options []ast.Option) bool {
	for _, o := range options {
		if !isStorageParameter(o.Name, tableParameters) {
			return false
		}
	}
	return len(options) > 0
}

// storageParameters checks options against those there are.
func storageParameters(p ast.Parsed, options []ast.Option, of map[string]bool) error {
	for _, o := range options {
		if !isStorageParameter(o.Name, of) {
			return pgerror.New(pgerror.InvalidParameterValue, "unrecognized parameter %q", o.Name).At(p.Position(o.Pos()))
		}
		if lower(o.Name) != "fillfactor" {
			continue
		}
		n, err := strconv.Atoi(o.Value)
		if err != nil {
			return pgerror.New(pgerror.InvalidParameterValue, "invalid value for integer option %q: %s", "fillfactor", o.Value)
		}
		if n < 10 || n > 100 {
			return pgerror.New(pgerror.InvalidParameterValue, "value %d out of bounds for option %q", n, "fillfactor").
				WithDetail("Valid values are between \"10\" and \"100\".")
		}
	}
	return nil
}
