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

var extensions = []extension{
	{12001, "uuid-ossp", "1.1", "generate universally unique identifiers (UUIDs)"},
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
				e.row(x.oid, x.name, c.roleOID(auth.Bootstrap), oidPGCatalog, false, x.version)
			}
		}},
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
