package catalog

import (
	"maps"
	"slices"

	"velostream/catalog/types"
)

// Statistics are what ANALYZE found in a relation.
type Statistics struct {
	Relation uint32             `json:"relation"`
	Columns  []ColumnStatistics `json:"columns"`
}

// ColumnStatistics are what ANALYZE found in a column. Values are text as stored plans have
// it: times in UTC, floats exactly.
type ColumnStatistics struct {
	Column       int        `json:"column"` // position in the relation
	Type         types.Type `json:"type"`   // of the column then
	NullFraction float64    `json:"null_fraction"`
	Width        int        `json:"width"` // average of values that are not NULL, in bytes
	// Distinct is the number of values, or, below 0, minus its share of the rows, as
	// PostgreSQL's n_distinct.
	Distinct float64 `json:"distinct"`
	// Common are the most common values, Frequencies their shares of all rows.
	Common      []string  `json:"common,omitempty"`
	Frequencies []float64 `json:"frequencies,omitempty"`
	// Bounds divide the other values, in order, into parts of as many rows.
	Bounds []string `json:"bounds,omitempty"`
	// Correlation of the order of values with that of rows, -1 to 1; nil: not known.
	Correlation *float64 `json:"correlation,omitempty"`
}

// Statistics are what ANALYZE found in a relation, nil: nothing yet.
func (s *Snapshot) Statistics(relation uint32) *Statistics { return s.statistics[relation] }

// Column is what was found in a column that still has its type, nil: nothing.
func (x *Statistics) Column(at int, t types.Type) *ColumnStatistics {
	if x == nil {
		return nil
	}
	for i := range x.Columns {
		if c := &x.Columns[i]; c.Column == at && c.Type.OID == t.OID {
			return c
		}
	}
	return nil
}

// putStatistics keeps x in place of what was known of its relation. Of a relation that has
// gone meanwhile there is nothing to keep.
func (s *Snapshot) putStatistics(x *Statistics) {
	if s.byID[x.Relation] == nil {
		return
	}
	s.statistics = maps.Clone(s.statistics)
	s.statistics[x.Relation] = x
}

func (s *Snapshot) forgetStatistics(relation uint32) {
	if s.statistics[relation] != nil {
		s.statistics = maps.Clone(s.statistics)
		delete(s.statistics, relation)
	}
}

// statisticsChanges are those that make the statistics of s.
func (s *Snapshot) statisticsChanges() []Change {
	var out []Change
	for _, id := range slices.Sorted(maps.Keys(s.statistics)) {
		out = append(out, Change{PutStatistics: s.statistics[id]})
	}
	return out
}
