package pgcatalog

import (
	_ "embed"
	"strings"
	"sync"

	"velostream/catalog"
	"velostream/catalog/types"
)

//go:embed static.txt
var staticText string

// staticRows are the rows of static.txt by relation, as text; a nil cell is
// NULL. Made at first use and never changed after.
var staticRows = sync.OnceValue(func() map[string][][]*string {
	m := map[string][][]*string{}
	name := ""
	for line := range strings.Lines(staticText) {
		line = strings.TrimSuffix(line, "\n")
		if n, ok := strings.CutPrefix(line, "# "); ok {
			name = n
			continue
		}
		var row []*string
		for cell := range strings.SplitSeq(line, "\t") {
			if cell == `\N` {
				row = append(row, nil)
			} else {
				row = append(row, &cell)
			}
		}
		m[name] = append(m[name], row)
	}
	return m
})

// static is the source of a relation whose rows are in static.txt.
func static(name string) source {
	rel := relationOf(name)
	var cols []string
	for _, c := range columnsOf(rel) {
		cols = append(cols, c.Name)
	}
	return source{strings.Join(cols, " "), func(_ *Catalog, e *emitter) {
		for _, row := range staticRows()[name] {
			e.row(staticRow(rel, row)...)
		}
	}}
}

func staticRow(rel *catalog.Relation, row []*string) []any {
	out := make([]any, len(row))
	for i := range out {
		if row[i] == nil {
			continue
		}
		if d, err := types.DecodeText(rel.Columns[i].Type, []byte(*row[i]), nil); err == nil {
			out[i] = d // a cell that cannot be read is NULL; a test reads all
		}
	}
	return out
}

// relationOf parses the line of relations.txt of a relation of pg_catalog.
func relationOf(name string) *catalog.Relation {
	for line := range strings.Lines(relationsText) {
		if strings.HasPrefix(line, schemaPG+"."+name+" ") {
			return parseRelation(strings.Fields(line)).rel
		}
	}
	return &catalog.Relation{}
}
