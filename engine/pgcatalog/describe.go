package pgcatalog

import "velostream/catalog/types"

// describeSources are the comments.
func describeSources() map[string]source {
	return map[string]source{
		"pg_description":   {"objoid classoid objsubid description", (*Catalog).descriptionRows},
		"pg_shdescription": {"objoid classoid description", (*Catalog).sharedDescriptionRows},
	}
}

func (c *Catalog) descriptionRows(e *emitter) {
	for _, s := range c.allSchemas() {
		if s.doc != "" {
			e.row(s.oid, classNamespace, 0, s.doc)
		}
	}
	for _, r := range c.relations() {
		if r.Comment != "" {
			e.row(r.ID, classClass, 0, r.Comment)
		}
		for _, col := range columnsOf(r) {
			if col.Comment != "" {
				e.row(r.ID, classClass, col.num, col.Comment)
			}
		}
	}
	for _, r := range c.composites() {
		for _, col := range columnsOf(r) {
			if col.Comment != "" {
				e.row(r.ID, classClass, col.num, col.Comment)
			}
		}
	}
	for _, t := range c.Snapshot.UserTypes("") {
		if t.Comment != "" {
			e.row(uint32(t.OID()), classType, 0, t.Comment)
		}
	}
	for _, x := range c.indexes() {
		if x.comment != "" {
			e.row(x.oid, classClass, 0, x.comment)
		}
	}
	for _, p := range c.procs() {
		if p.Doc != "" {
			e.row(p.oid, classProc, 0, p.Doc)
		}
	}
}

// databaseComment is the comment of the databases.
const databaseComment = "Velostream: all databases show the same catalog"

func (c *Catalog) sharedDescriptionRows(e *emitter) {
	for i := range c.databases() {
		e.row(databaseOID(i), classDatabase, databaseComment)
	}
}

// description is the comment of an object.
func (c *Catalog) description(oid, class uint32, sub int) (string, bool) {
	switch class {
	case classNamespace:
		for _, s := range c.allSchemas() {
			if s.oid == oid && s.doc != "" {
				return s.doc, true
			}
		}
	case classClass:
		r := c.relation(oid)
		switch {
		case r == nil:
			x, ok := c.findIndex(oid)
			return x.comment, ok && x.comment != ""
		case sub == 0:
			return r.Comment, r.Comment != ""
		case sub <= len(r.Columns):
			return r.Columns[sub-1].Comment, r.Columns[sub-1].Comment != ""
		}
	case classType:
		t := c.Snapshot.UserType(types.Type{OID: types.OID(oid), Mod: -1}.UserID())
		if t != nil && uint32(t.OID()) == oid {
			return t.Comment, t.Comment != ""
		}
	case classProc:
		p, ok := c.findProc(oid)
		return p.Doc, ok && p.Doc != ""
	case classDatabase:
		for i := range c.databases() {
			if databaseOID(i) == oid {
				return databaseComment, true
			}
		}
	}
	return "", false
}
