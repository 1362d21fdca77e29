package session

import (
	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/estimate"
)

// statisticsFormat is the text that statistics are kept in, as that of stored plans.
var statisticsFormat = &types.Format{ExtraFloatDigits: 1}

// knownStatistics tells estimates what is known of relations. For one statement.
type knownStatistics struct {
	s       *Session
	snap    *catalog.Snapshot
	sizes   map[uint32][2]float64
	columns map[[2]int]*estimate.Column
}

// statistics are what is known now.
func (s *Session) statistics() *knownStatistics {
	return &knownStatistics{s: s, snap: s.reading(), sizes: map[uint32][2]float64{}, columns: map[[2]int]*estimate.Column{}}
}

// Size implements estimate.Statistics.
func (k *knownStatistics) Size(relation uint32) (rows, bytes float64) {
	if x, ok := k.sizes[relation]; ok {
		return x[0], x[1]
	}
	rows, bytes = -1, -1
	if r := k.snap.ByID(relation); r != nil && relation >= catalog.FirstID {
		n, b := k.s.measure(r)
		rows, bytes = float64(n), float64(b)
	}
	k.sizes[relation] = [2]float64{rows, bytes}
	return rows, bytes
}

// Unique implements estimate.Statistics.
func (k *knownStatistics) Unique(relation uint32, at int) bool {
	r := k.snap.ByID(relation)
	if r == nil {
		return false
	}
	if len(r.Key) == 1 && r.Key[0] == at {
		return true
	}
	for i := range r.Indexes {
		if x := &r.Indexes[i]; x.Unique && x.Where == nil && len(x.Columns) == 1 && x.Columns[0] == at {
			return true
		}
	}
	return false
}

// Column implements estimate.Statistics.
func (k *knownStatistics) Column(relation uint32, at int) *estimate.Column {
	key := [2]int{int(relation), at}
	if c, ok := k.columns[key]; ok {
		return c
	}
	var c *estimate.Column
	if r := k.snap.ByID(relation); r != nil && at < len(r.Columns) {
		if found := k.snap.Statistics(relation).Column(at, r.Columns[at].Type); found != nil {
			c = readStatistics(found)
		}
	}
	k.columns[key] = c
	return c
}

func readStatistics(c *catalog.ColumnStatistics) *estimate.Column {
	return &estimate.Column{
		NullFraction: c.NullFraction, Width: c.Width, Distinct: c.Distinct, Frequencies: c.Frequencies,
		Common: readValues(c.Type, c.Common), Bounds: readValues(c.Type, c.Bounds),
	}
}

func readValues(t types.Type, texts []string) []types.Datum {
	out := make([]types.Datum, 0, len(texts))
	for _, x := range texts {
		d, err := types.DecodeText(t, []byte(x), statisticsFormat)
		if err != nil {
			return nil // of a version that wrote values otherwise: nothing is known
		}
		out = append(out, d)
	}
	return out
}
