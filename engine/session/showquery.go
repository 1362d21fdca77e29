package session

import (
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// showQueries are the queries on the system catalogs that SHOW stands for. The
// first column is what LIKE is about.
var showQueries = map[ast.ShowKind]string{
	ast.ShowJobs: "SELECT name, kind, state, shards, rows_in, rows_out, epoch, watermark, late_rows, null_times, dead_letters, checkpoint, backlog_rows, backlog_bytes, backlog_age, error " +
		"FROM velo_catalog.jobs",
	ast.ShowStreams:       "SELECT name, schema, connector, topic, format, columns FROM velo_catalog.streams",
	ast.ShowSources:       "SELECT name, schema, connector, topic, format, columns FROM velo_catalog.streams WHERE connector NOT IN ('native', 'query')",
	ast.ShowTables:        "SELECT name, schema, kind, key, columns FROM velo_catalog.tables",
	ast.ShowViews:         "SELECT name, schema, kind, definition, columns FROM velo_catalog.views WHERE kind = 'view'",
	ast.ShowMatViews:      "SELECT name, schema, kind, definition, columns FROM velo_catalog.views WHERE kind = 'materialized view'",
	ast.ShowSinks:         "SELECT name, connector, source, state, position, rows, backlog_rows, backlog_bytes, backlog_age, error FROM velo_catalog.sinks",
	ast.ShowFunctions:     "SELECT name, signature, returns, kind, volatility, description FROM velo_catalog.functions",
	ast.ShowSubscriptions: "SELECT name, schema, relation, state, position, acknowledged, oldest, newest, retention, notify FROM velo_catalog.subscriptions",
	ast.ShowIndexes:       "SELECT indexname AS name, schemaname AS schema, tablename AS relation, indexdef AS definition FROM pg_catalog.pg_indexes",
	ast.ShowSchemas:       "SELECT nspname AS name, pg_catalog.obj_description(oid, 'pg_namespace') AS comment FROM pg_catalog.pg_namespace",
	ast.ShowDatabases:     "SELECT datname AS name FROM pg_catalog.pg_database",
	ast.ShowConnections: "SELECT pid, usename AS user, datname AS database, application_name AS application, client_addr AS address, state, " +
		"backend_start AS connected, query FROM pg_catalog.pg_stat_activity",
}

// showByQuery runs SHOW as a query on the system catalogs, with its condition. The
// result is nil where there is none for it.
func (s *Session) showByQuery(p ast.Parsed, n *ast.Show) (pgwire.Statement, error) {
	text, ok := showQueries[n.Kind]
	if !ok || n.Node != "" {
		return nil, nil
	}
	text = "SELECT * FROM (" + text + ") AS shown"
	if n.Like != nil {
		text += " WHERE name LIKE " + ast.QuoteLiteral(n.Like.Text)
	}
	q, err := parser.ParseQuery(text + " ORDER BY 1, 2")
	if err != nil {
		return nil, pgerror.New(pgerror.InternalError, "SHOW %s: %v", string(n.Kind), err)
	}
	if n.Kind == ast.ShowDatabases {
		q.OrderBy = q.OrderBy[:1]
	}
	if sel, isSelect := q.Body.(*ast.Select); isSelect && n.Where != nil {
		sel.Where = n.Where
	}
	return s.prepareSelect(p, q, nil)
}
