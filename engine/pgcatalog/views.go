package pgcatalog

import "velostream/catalog"

// viewSources are the views that list relations by name.
func viewSources() map[string]source {
	stat := source{"relid schemaname relname seq_scan n_live_tup n_dead_tup", nil}
	all, user := stat, stat
	all.rows = func(c *Catalog, e *emitter) { c.statRows(e, true) }
	user.rows = func(c *Catalog, e *emitter) { c.statRows(e, false) }
	io := source{"relid schemaname relname", nil}
	ioAll, ioUser := io, io
	ioAll.rows = func(c *Catalog, e *emitter) {
		c.tablesOf(true, func(r *catalog.Relation) { e.row(r.ID, r.Schema, r.Name) })
	}
	ioUser.rows = func(c *Catalog, e *emitter) {
		c.tablesOf(false, func(r *catalog.Relation) { e.row(r.ID, r.Schema, r.Name) })
	}
	indexIO := source{"relid indexrelid schemaname relname indexrelname", func(c *Catalog, e *emitter) {
		for _, x := range c.indexes() {
			e.row(x.rel.ID, x.oid, x.rel.Schema, x.rel.Name, x.name)
		}
	}}
	indexStat := source{indexIO.columns + " idx_scan idx_tup_read idx_tup_fetch", func(c *Catalog, e *emitter) {
		for _, x := range c.indexes() {
			e.row(x.rel.ID, x.oid, x.rel.Schema, x.rel.Name, x.name, 0, 0, 0)
		}
	}}
	return map[string]source{
		"pg_tables": {"schemaname tablename tableowner hasindexes hasrules hastriggers rowsecurity", func(c *Catalog, e *emitter) {
			referred := c.referred()
			c.tablesOf(true, func(r *catalog.Relation) {
				if k := relkind(r); k == 'r' {
					e.row(r.Schema, r.Name, r.Owner, len(indexesOf(r)) > 0, false, referred[r.ID], false)
				}
			})
		}},
		"pg_views": {"schemaname viewname viewowner definition", func(c *Catalog, e *emitter) {
			for _, r := range c.relations() {
				if r.Kind == catalog.View {
					e.row(r.Schema, r.Name, r.Owner, lazy(func() any { return c.viewText(r, false, 0) }))
				}
			}
			for i := range system().all {
				if r := &system().all[i]; r.kind == 'v' {
					e.row(r.rel.Schema, r.rel.Name, r.rel.Owner, "")
				}
			}
		}},
		"pg_matviews": {"schemaname matviewname matviewowner hasindexes ispopulated definition", func(c *Catalog, e *emitter) {
			for _, r := range c.relations() {
				if r.Kind == catalog.MaterializedView {
					e.row(r.Schema, r.Name, r.Owner, r.PrimaryKey, true, lazy(func() any { return c.viewText(r, false, 0) }))
				}
			}
		}},
		"pg_indexes": {"schemaname tablename indexname indexdef", func(c *Catalog, e *emitter) {
			for _, x := range c.indexes() {
				e.row(x.rel.Schema, x.rel.Name, x.name, lazy(func() any { return x.text(c, false) }))
			}
		}},
		"pg_stat_all_indexes": indexStat, "pg_stat_user_indexes": indexStat,
		"pg_statio_all_indexes": indexIO, "pg_statio_user_indexes": indexIO,
		"pg_stat_all_tables": all, "pg_stat_user_tables": user,
		"pg_statio_all_tables": ioAll, "pg_statio_user_tables": ioUser,
	}
}

// tablesOf calls f for the relations that hold rows, system catalogs first
// where they are wanted.
func (c *Catalog) tablesOf(withSystem bool, f func(*catalog.Relation)) {
	if withSystem {
		for i := range system().all {
			if r := &system().all[i]; r.kind == 'r' {
				f(r.rel)
			}
		}
	}
	for _, r := range c.relations() {
		if k := relkind(r); k == 'r' || k == 'm' {
			f(r)
		}
	}
}

func (c *Catalog) statRows(e *emitter, withSystem bool) {
	c.tablesOf(withSystem, func(r *catalog.Relation) {
		rows := int64(0)
		if e.wants("n_live_tup") {
			rows, _ = c.measure(r)
		}
		e.row(r.ID, r.Schema, r.Name, 0, max(0, rows), 0)
	})
}
