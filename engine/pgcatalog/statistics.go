package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
)

// statisticSources show what ANALYZE has found.
func statisticSources() map[string]source {
	return map[string]source{
		"pg_stats": {"schemaname tablename attname inherited null_frac avg_width n_distinct most_common_vals most_common_freqs " +
			"histogram_bounds correlation", (*Catalog).statsRows},
		"pg_statistic": {"starelid staattnum stainherit stanullfrac stawidth stadistinct", func(c *Catalog, e *emitter) {
			c.statistics(func(r *catalog.Relation, x *catalog.ColumnStatistics) {
				e.row(r.ID, x.Column+1, false, single(x.NullFraction), x.Width, single(x.Distinct))
			})
		}},
	}
}

// statistics calls f for the columns that ANALYZE has seen as they are now.
func (c *Catalog) statistics(f func(r *catalog.Relation, x *catalog.ColumnStatistics)) {
	for _, r := range c.relations() {
		s := c.Snapshot.Statistics(r.ID)
		if s == nil {
			continue
		}
		for i, col := range r.Columns {
			if x := s.Column(i, col.Type); x != nil && !col.Dropped {
				f(r, x)
			}
		}
	}
}

// statsRows shows what is found in columns that the user may read.
func (c *Catalog) statsRows(e *emitter) {
	roles := c.Snapshot.Roles()
	c.statistics(func(r *catalog.Relation, x *catalog.ColumnStatistics) {
		read := wanted{p: auth.Select}
		if !roles.Superuser(c.User) && !c.granted(c.User, r, read) && !c.grantedOn(c.User, r, x.Column, read) {
			return
		}
		var frequencies, correlation any
		if len(x.Frequencies) > 0 {
			list := make([]types.Datum, len(x.Frequencies))
			for i, f := range x.Frequencies {
				list[i] = types.FloatDatum(single(f))
			}
			frequencies = types.Datum{List: list}
		}
		if x.Correlation != nil {
			correlation = single(*x.Correlation)
		}
		e.row(r.Schema, r.Name, r.Columns[x.Column].Name, false, single(x.NullFraction), x.Width, single(x.Distinct),
			c.arrayText(x.Type, x.Common), frequencies, c.arrayText(x.Type, x.Bounds), correlation)
	})
}

// single is a value as float4 holds it.
func single(v float64) float64 { return float64(float32(v)) }

// arrayText is values of type t, given as stored text, as the text of an array; nil for
// none.
func (c *Catalog) arrayText(t types.Type, values []string) any {
	array, ok := t.Array()
	if !ok || len(values) == 0 {
		return nil
	}
	list := make([]types.Datum, len(values))
	for i, v := range values {
		d, err := types.DecodeText(t, []byte(v), &types.Format{ExtraFloatDigits: 1})
		if err != nil {
			return nil
		}
		list[i] = d
	}
	return string(types.AppendText(nil, array, types.Datum{List: list}, c.Format))
}
