package pgcatalog

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"velostream/catalog"
	"velostream/catalog/types"
)

//go:embed relations.txt
var relationsText string

// systemRelation is a system relation with the source of its rows.
type systemRelation struct {
	rel    *catalog.Relation
	source source
	kind   byte // pg_class.relkind
}

type systemRelations struct {
	all    []systemRelation
	byID   map[uint32]int
	byName map[string]*catalog.Relation
}

// systemTable holds all system relations; made at first use and never changed
// after.
var systemTable struct {
	once sync.Once
	all  *systemRelations
}

func system() *systemRelations {
	systemTable.once.Do(func() { systemTable.all = makeSystem() })
	return systemTable.all
}

func makeSystem() *systemRelations {
	s := &systemRelations{byID: map[uint32]int{}, byName: map[string]*catalog.Relation{}}
	src := sources()
	for _, text := range []string{relationsText, veloRelations} {
		for line := range strings.Lines(text) {
			if r := parseRelation(strings.Fields(line)); r != nil {
				key := r.rel.Schema + "." + r.rel.Name
				r.source = src[key]
				s.byID[r.rel.ID] = len(s.all)
				s.byName[key] = r.rel
				s.all = append(s.all, *r)
			}
		}
	}
	return s
}

// standIns are the types that take the place of those which no value here has.
var standIns = map[string]types.Type{
	"pg_node_tree": types.Text, "pg_lsn": types.Text, "anyarray": types.Text,
	"pg_ndistinct": types.Text, "pg_dependencies": types.Text, "pg_mcv_list": types.Text,
	"xid": types.Oid, "char": {OID: types.OIDChar1, Mod: -1},
}

var standInArrays = map[string]types.Type{
	"_aclitem": types.Text, "_pg_statistic": types.Text,
}

// parseRelation reads a line of relations.txt; nil: it has none.
func parseRelation(f []string) *systemRelation {
	if len(f) < 4 {
		return nil
	}
	schema, name, _ := strings.Cut(f[0], ".")
	id, _ := strconv.ParseUint(f[1], 10, 32)
	rel := &catalog.Relation{
		ID: uint32(id), Schema: schema, Name: name, Kind: catalog.Table, Owner: superuser, EventTime: -1,
	}
	for _, c := range f[3:] {
		col, typ, _ := strings.Cut(c, ":")
		typ, notNull := strings.CutSuffix(typ, "!")
		rel.Columns = append(rel.Columns, catalog.Column{Name: col, Type: columnType(typ), NotNull: notNull})
	}
	for _, n := range []string{"tableoid", "xmin"} {
		rel.Columns = append(rel.Columns, catalog.Column{Name: n, Type: types.Oid, NotNull: true, Hidden: true})
	}
	return &systemRelation{rel: rel, kind: f[2][0]}
}

func columnType(name string) types.Type {
	if t, ok := standIns[name]; ok {
		return t
	}
	if e, ok := standInArrays[name]; ok {
		t, _ := e.Array()
		return t
	}
	if e, ok := strings.CutPrefix(name, "_"); ok {
		t, _ := columnType(e).Array()
		return t
	}
	t, err := types.Lookup(name, nil)
	if err != nil {
		return types.Text
	}
	return t
}

// sources says where the rows of relations come from.
func sources() map[string]source {
	m := map[string]source{}
	for _, family := range []map[string]source{
		classSources(), attributeSources(), typeSources(), procSources(), constraintSources(),
		databaseSources(), settingSources(), describeSources(), viewSources(), foreignSources(), sequenceSources(), extensionSources(),
		statisticSources(), hbaSources(),
	} {
		for name, s := range family {
			m[schemaPG+"."+name] = s
		}
	}
	for name, s := range infoSources() {
		m[schemaInfo+"."+name] = s
	}
	for name, s := range veloSources() {
		m[schemaVelo+"."+name] = s
	}
	return m
}
