package pgcatalog

import (
	"slices"
	"strings"

	"velostream/catalog"
)

// foreignSources show connectors as PostgreSQL shows foreign data: a server for
// each type of connector, and sources and sinks as foreign tables.
func foreignSources() map[string]source {
	return map[string]source{
		"pg_foreign_data_wrapper": {"oid fdwname fdwowner fdwhandler fdwvalidator", func(_ *Catalog, e *emitter) {
			e.row(oidWrapper, "velostream", oidSuperuser, 0, 0)
		}},
		"pg_foreign_server": {"oid srvname srvowner srvfdw", func(c *Catalog, e *emitter) {
			for i, n := range c.connectors() {
				e.row(oidServers+i, n, oidSuperuser, oidWrapper)
			}
		}},
		"pg_foreign_table": {"ftrelid ftserver ftoptions", func(c *Catalog, e *emitter) {
			servers := c.connectors()
			for _, r := range c.relations() {
				if relkind(r) == 'f' {
					e.row(r.ID, oidServers+slices.Index(servers, r.Connector), connectorOptions(r))
				}
			}
		}},
	}
}

// connectors are the types of connectors in use.
func (c *Catalog) connectors() []string {
	var out []string
	for _, r := range c.relations() {
		if relkind(r) == 'f' && !slices.Contains(out, r.Connector) {
			out = append(out, r.Connector)
		}
	}
	slices.Sort(out)
	return out
}

// foreignOptions are the options of all foreign tables as information_schema
// lists them.
func (c *Catalog) foreignOptions(f func(r *catalog.Relation, name, value string)) {
	for _, r := range c.relations() {
		if relkind(r) != 'f' {
			continue
		}
		for _, o := range connectorOptions(r) {
			name, value, _ := strings.Cut(o, "=")
			f(r, name, value)
		}
	}
}
