package pgcatalog

import (
	"slices"

	"velostream/catalog/auth"
)

// extension is one whose functions are built in.
type extension struct {
	oid                    int
	name, version, comment string
}

// oidVeloExtension is what velo_catalog belongs to: pg_dump leaves out what is an
// extension's.
const oidVeloExtension = 12000

var extensions = []extension{
	{oidVeloExtension, "velostream", "1.0", "streams, jobs and the catalog of them"},
	{12001, "uuid-ossp", "1.1", "generate universally unique identifiers (UUIDs)"},
}

// extensionMembers are the rows of pg_depend that say what belongs to Velostream itself.
func (c *Catalog) extensionMembers(e *emitter) {
	member := func(class, oid any) { e.row(class, oid, 0, classExtension, oidVeloExtension, 0, "e") }
	member(classNamespace, oidVeloSchema)
	for i := range system().all {
		if r := system().all[i].rel; r.Schema == schemaVelo {
			member(classClass, r.ID)
		}
	}
	member(classWrapper, oidWrapper)
	for i := range c.connectors() {
		member(classServer, oidServers+i)
	}
}

// initialRights are the rows of pg_init_privs: what may be done with the system's own
// objects from the beginning, which is nothing to be dumped.
func (c *Catalog) initialRights(e *emitter) {
	for _, s := range []struct {
		name string
		oid  int
	}{{schemaPG, oidPGCatalog}, {schemaInfo, oidInfoSchema}, {schemaVelo, oidVeloSchema}} {
		e.row(s.oid, classNamespace, 0, "i", schemaACL(c, s.name))
	}
	for i := range system().all {
		if acl := systemACL(system().all[i].rel); acl != nil {
			e.row(system().all[i].rel.ID, classClass, 0, "i", acl)
		}
	}
}

// HasExtension reports that the functions of a PostgreSQL extension are there.
func HasExtension(name string) bool {
	return slices.ContainsFunc(extensions, func(x extension) bool { return x.name == name })
}

// extensionSources are the catalogs of extensions.
func extensionSources() map[string]source {
	return map[string]source{
		"pg_extension": {"oid extname extowner extnamespace extrelocatable extversion", func(c *Catalog, e *emitter) {
			for _, x := range extensions {
				schema := oidPGCatalog
				if x.oid == oidVeloExtension {
					schema = oidVeloSchema
				}
				e.row(x.oid, x.name, c.roleOID(auth.Bootstrap), schema, false, x.version)
			}
		}},
		"pg_init_privs": {"objoid classoid objsubid privtype initprivs", (*Catalog).initialRights},
		"pg_available_extensions": {"name default_version installed_version comment", func(_ *Catalog, e *emitter) {
			for _, x := range extensions {
				e.row(x.name, x.version, x.version, x.comment)
			}
		}},
		"pg_available_extension_versions": {"name version installed superuser trusted relocatable schema comment", func(_ *Catalog, e *emitter) {
			for _, x := range extensions {
				e.row(x.name, x.version, true, false, true, false, schemaPG, x.comment)
			}
		}},
	}
}
