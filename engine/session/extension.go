package session

import (
	"velostream/engine/pgcatalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// createExtension is CREATE EXTENSION. What there is of extensions is built in,
// so that each is there already, as plpgsql is in PostgreSQL.
func (s *Session) createExtension(p ast.Parsed, n *ast.CreateExtension) error {
	if !pgcatalog.HasExtension(n.Name) {
		err := pgerror.Unsupported("extension %q is not available", n.Name)
		if n.Name == "pgcrypto" {
			err = err.WithHint("gen_random_uuid, md5, sha224, sha256, sha384 and sha512 need no extension.")
		}
		return err.At(p.Position(n.Pos()))
	}
	if n.IfNotExists {
		s.noticeOf(pgerror.DuplicateObject, "extension %q already exists, skipping", n.Name)
		return nil
	}
	return pgerror.New(pgerror.DuplicateObject, "extension %q already exists", n.Name)
}

// dropExtensions is DROP EXTENSION.
func (s *Session) dropExtensions(n *ast.Drop) error {
	for _, o := range n.Objects {
		name := o.Name.Last()
		switch {
		case pgcatalog.HasExtension(name):
			return pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop extension %s because it is required by the database system", name)
		case !n.IfExists:
			return pgerror.New(pgerror.UndefinedObject, "extension %q does not exist", name)
		}
		s.notice("extension %q does not exist, skipping", name)
	}
	return nil
}
