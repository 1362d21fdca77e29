package session

import (
	"encoding/json"
	"slices"

	"velostream/catalog"
	"velostream/engine/job"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// conflictRule takes over APPEND ONLY, ON CONFLICT and WITH VERSION COLUMN, which say what a
// row does whose key is there already.
func conflictRule(p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation) error {
	at := p.Position(n.Name.Pos())
	if n.VersionColumn != nil {
		at = p.Position(n.VersionColumn.Pos())
	}
	r.OnConflict = n.OnConflict
	switch {
	case n.OnConflict == "" && n.VersionColumn == nil:
		return nil
	case r.Kind != catalog.Table || !r.PrimaryKey:
		return pgerror.New(pgerror.InvalidTableDefinition, "ON CONFLICT and WITH VERSION COLUMN need a table with a primary key").At(at)
	case n.AppendOnly && (n.OnConflict == "OVERWRITE" || n.VersionColumn != nil):
		return pgerror.New(pgerror.InvalidTableDefinition, "rows of an APPEND ONLY table are not overwritten").At(at)
	case n.VersionColumn == nil:
		return nil
	case n.OnConflict == "IGNORE":
		return pgerror.New(pgerror.InvalidTableDefinition, "WITH VERSION COLUMN is about overwriting, ON CONFLICT IGNORE keeps the first row").At(at)
	}
	i := r.ColumnIndex(n.VersionColumn.Name)
	if i < 0 {
		return pgerror.NoSuchColumn(n.VersionColumn.Name).At(at)
	}
	if slices.Contains(r.Key, i) {
		return pgerror.New(pgerror.InvalidTableDefinition, "the version column must not be part of the primary key").At(at)
	}
	r.Version, r.OnConflict = i+1, "OVERWRITE"
	return nil
}

// boundTable plans the job of a table that a connector feeds: of each key it keeps the last
// record's row, and a record without a value deletes it.
func (s *Session) boundTable(o binder.Options, p ast.Parsed, n *ast.CreateRelation, r *catalog.Relation) error {
	at := p.Position(n.Name.Pos())
	switch {
	case !r.PrimaryKey:
		return pgerror.New(pgerror.InvalidTableDefinition, "a table bound to a connector needs a PRIMARY KEY").
			WithHint("It says which row a record replaces. CREATE STREAM keeps every record.").At(at)
	case r.AppendOnly:
		return pgerror.New(pgerror.InvalidTableDefinition, "a table bound to a connector is not APPEND ONLY").
			WithHint("CREATE STREAM keeps every record.").At(at)
	}
	for _, c := range r.Columns {
		if c.System != "" {
			return pgerror.Unsupported("INCLUDE in a table bound to a connector is not supported").At(at)
		}
	}
	if err := job.CheckKey(r); err != nil {
		return pgerror.From(err).At(at)
	}
	if err := s.storeComputed(o, r); err != nil {
		return err
	}
	scan := &plan.Scan{Relation: r.ID, Name: r.Name}
	for i, c := range r.Columns {
		scan.Columns = append(scan.Columns, i)
		scan.Out = append(scan.Out, plan.Column{Name: c.Name, Type: c.Type, Hidden: c.Hidden, Table: r.ID, Attr: int16(i + 1)})
	}
	var err error
	r.Plan, err = json.Marshal(optimizer.LowerUpsert(scan, r.Key, r.Version-1, r.OnConflict == "IGNORE", s.e.Shards))
	return err
}
