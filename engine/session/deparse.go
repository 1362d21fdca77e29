package session

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/pgcatalog"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/deparse"
)

// storedText prints stored expressions and queries for the system catalogs. It implements
// pgcatalog.Printer, for one statement.
type storedText struct {
	options binder.Options
	cat     *pgcatalog.Catalog
}

// printStored lets cat print what snap stores.
func (s *Session) printStored(cat *pgcatalog.Catalog, snap *catalog.Snapshot) {
	path := s.path()
	if len(path) == 0 {
		path = []string{nobody}
	}
	cat.Printer = &storedText{cat: cat, options: binder.Options{
		Snapshot: snap, SearchPath: path, System: s.system, Format: s.settings.format(),
	}}
}

func (t *storedText) printer(pretty bool, wrap int) *deparse.Printer {
	return &deparse.Printer{Options: t.options, Names: t.cat, Style: deparse.Style{Pretty: pretty, Wrap: wrap}}
}

// Expr implements pgcatalog.Printer.
func (t *storedText) Expr(r *catalog.Relation, text string, want types.Type, pretty bool) (out string, call, ok bool) {
	out, call, err := t.printer(pretty, 0).Expr(r, text, want)
	return out, call, err == nil
}

// Domain implements pgcatalog.Printer.
func (t *storedText) Domain(u *catalog.UserType, text string, want types.Type, pretty bool) (string, bool) {
	out, err := t.printer(pretty, 0).Domain(u, text, want)
	return out, err == nil
}

// Query implements pgcatalog.Printer.
func (t *storedText) Query(r *catalog.Relation, pretty bool, wrap int) (string, bool) {
	out, err := t.printer(pretty, wrap).Query(r)
	return out, err == nil
}

// Reads implements pgcatalog.Printer.
func (t *storedText) Reads(r *catalog.Relation) []catalog.Access {
	list, err := t.printer(false, 0).Reads(r)
	if err != nil {
		return nil
	}
	return list
}
