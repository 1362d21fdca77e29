package ast

// Tag is the command tag.
func (s *CreateRelation) Tag() string { return "CREATE " + string(s.Kind) }

// Tag is the command tag.
func (s *CreateView) Tag() string {
	if s.Materialized {
		return "CREATE MATERIALIZED VIEW"
	}
	return "CREATE VIEW"
}

// Tag is the command tag.
func (*CreateSink) Tag() string { return "CREATE SINK" }

// Tag is the command tag.
func (*CreateIndex) Tag() string { return "CREATE INDEX" }

// Tag is the command tag.
func (s *CreateFunction) Tag() string {
	if s.Procedure {
		return "CREATE PROCEDURE"
	}
	return "CREATE FUNCTION"
}

// Tag is RETURN; it never stands alone.
func (*Return) Tag() string { return "RETURN" }

// Tag is the command tag.
func (*CreateSchema) Tag() string { return "CREATE SCHEMA" }

// Tag is the command tag.
func (*CreateDatabase) Tag() string { return "CREATE DATABASE" }

// Tag is the command tag; USER and GROUP are roles.
func (s *CreateRole) Tag() string {
	if s.Alter {
		return "ALTER ROLE"
	}
	return "CREATE ROLE"
}

// Tag is the command tag.
func (s *CreateNamed) Tag() string { return "CREATE " + s.Kind }

// Tag is the command tag.
func (s *CreateSequence) Tag() string {
	if s.Alter {
		return "ALTER SEQUENCE"
	}
	return "CREATE SEQUENCE"
}

// Tag is the command tag.
func (s *CreateType) Tag() string {
	if s.Domain != nil {
		return "CREATE DOMAIN"
	}
	return "CREATE TYPE"
}

// Tag is the command tag.
func (*CreateExtension) Tag() string { return "CREATE EXTENSION" }

// Tag is the command tag.
func (s *Drop) Tag() string {
	if s.Kind == "USER" || s.Kind == "GROUP" {
		return "DROP ROLE"
	}
	return "DROP " + s.Kind
}

// Tag is the command tag.
func (s *Alter) Tag() string { return "ALTER " + s.Kind }

// Tag is the command tag.
func (*Comment) Tag() string { return "COMMENT" }

// Tag is the command tag.
func (*Truncate) Tag() string { return "TRUNCATE TABLE" }

// Tag is the command tag.
func (*Refresh) Tag() string { return "REFRESH MATERIALIZED VIEW" }

// Tag is the command tag.
func (s *Grant) Tag() string {
	verb := "GRANT"
	if s.Revoke {
		verb = "REVOKE"
	}
	if s.Role {
		verb += " ROLE"
	}
	return verb
}

// Tag is the command tag.
func (s *Owned) Tag() string {
	if s.Reassign {
		return "REASSIGN OWNED"
	}
	return "DROP OWNED"
}

// Tag is the command tag.
func (*AlterDefaultPrivileges) Tag() string { return "ALTER DEFAULT PRIVILEGES" }

// Tag is the command tag.
func (s *Other) Tag() string { return s.Name }

// Tag is the command tag.
func (*Insert) Tag() string { return "INSERT" }

// Tag is the command tag.
func (*Update) Tag() string { return "UPDATE" }

// Tag is the command tag.
func (*Delete) Tag() string { return "DELETE" }

// Tag is the command tag.
func (*Merge) Tag() string { return "MERGE" }

// Tag is the command tag.
func (*Copy) Tag() string { return "COPY" }

// Tag is the command tag: ROLLBACK TO answers as ROLLBACK.
func (s *Transaction) Tag() string {
	switch {
	case s.Kind == TxRollbackTo:
		return "ROLLBACK"
	case s.Kind == TxBegin && s.Start:
		return "START TRANSACTION"
	}
	return string(s.Kind)
}

// Tag is the command tag.
func (*Set) Tag() string { return "SET" }

// Tag is the command tag.
func (*SetTransaction) Tag() string { return "SET" }

// Tag is the command tag.
func (*SetConstraints) Tag() string { return "SET CONSTRAINTS" }

// Tag is the command tag.
func (*Reset) Tag() string { return "RESET" }

// Tag is the command tag.
func (s *Discard) Tag() string { return "DISCARD " + s.What }

// Tag is the command tag.
func (*ShowSetting) Tag() string { return "SHOW" }

// Tag is the command tag.
func (*Prepare) Tag() string { return "PREPARE" }

// Tag is the command tag.
func (*Execute) Tag() string { return "EXECUTE" }

// Tag is the command tag.
func (s *Deallocate) Tag() string {
	if s.All {
		return "DEALLOCATE ALL"
	}
	return "DEALLOCATE"
}

// Tag is the command tag.
func (*DeclareCursor) Tag() string { return "DECLARE CURSOR" }

// Tag is the command tag.
func (s *Fetch) Tag() string {
	if s.Move {
		return "MOVE"
	}
	return "FETCH"
}

// Tag is the command tag.
func (s *CloseCursor) Tag() string {
	if s.All {
		return "CLOSE CURSOR ALL"
	}
	return "CLOSE CURSOR"
}

// Tag is the command tag.
func (*Listen) Tag() string { return "LISTEN" }

// Tag is the command tag.
func (*Unlisten) Tag() string { return "UNLISTEN" }

// Tag is the command tag.
func (*Notify) Tag() string { return "NOTIFY" }

// Tag is the command tag.
func (*LockTable) Tag() string { return "LOCK TABLE" }

// Tag is the command tag.
func (s *Vacuum) Tag() string {
	if s.Analyze {
		return "ANALYZE"
	}
	return "VACUUM"
}

// Tag is the command tag.
func (*Do) Tag() string { return "DO" }

// Tag is the command tag.
func (*Call) Tag() string { return "CALL" }

// Tag is the command tag.
func (*Checkpoint) Tag() string { return "CHECKPOINT" }

// Tag is the command tag.
func (*Load) Tag() string { return "LOAD" }

// Tag is the command tag.
func (*Explain) Tag() string { return "EXPLAIN" }

// Tag is the command tag.
func (*Show) Tag() string { return "SHOW" }

// Tag is the command tag.
func (s *Job) Tag() string { return string(s.Action) }

// Tag is the command tag.
func (*Subscribe) Tag() string { return "SUBSCRIBE" }

// Tag is the command tag.
func (*Validate) Tag() string { return "VALIDATE" }

// Tag is the command tag.
func (*Flush) Tag() string { return "FLUSH" }

// Tag is the command tag.
func (s *Backup) Tag() string {
	if s.Restore {
		return "RESTORE"
	}
	return "BACKUP"
}
