package session

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/expr"
	"velostream/storage/column"
)

const (
	// sampleRows is how many rows statistics are made of, PostgreSQL's number for its
	// default_statistics_target, which is statisticsTarget.
	sampleRows       = 300 * statisticsTarget
	statisticsTarget = 100
	// sampleWidthMax is how wide a value may be, in bytes, to be kept; wider ones are taken
	// to be all different, as PostgreSQL does.
	sampleWidthMax = 1024
)

// sample is rows of a relation, each as likely as any other, in the order of reading.
type sample struct {
	types   []types.Type
	rows    int64 // of the relation
	columns []sampledColumn
	at      []int64 // which row each sampled one is
	random  *rand.Rand
}

// sampledColumn is a column of the sample; what is exact is of all rows.
type sampledColumn struct {
	values []types.Datum // wide ones are NULL here, and marked
	wide   []bool
	nulls  int64
	bytes  int64
}

func newSample(ts []types.Type) *sample {
	return &sample{types: ts, columns: make([]sampledColumn, len(ts)), random: rand.New(rand.NewPCG(1, 2))}
}

// add takes the rows of b: the first ones, then each in place of another by chance.
func (s *sample) add(b *column.Batch) {
	for i := range b.Each {
		at := len(s.at)
		if at == sampleRows {
			at = int(s.random.Int64N(s.rows + 1))
		} else {
			s.at = append(s.at, 0)
			for c := range s.columns {
				s.columns[c].values = append(s.columns[c].values, types.Datum{})
				s.columns[c].wide = append(s.columns[c].wide, false)
			}
		}
		if at < sampleRows {
			s.at[at] = s.rows
		}
		for c := range s.columns {
			s.columns[c].add(s.types[c], b.Cols[c], b.Cols[c].At(i), at)
		}
		s.rows++
	}
}

func (c *sampledColumn) add(t types.Type, col *column.Column, i, at int) {
	if col.Null(i) {
		c.nulls++
		if at < len(c.values) {
			c.values[at], c.wide[at] = types.NullDatum, false
		}
		return
	}
	d := col.Datum(i)
	w := storedWidth(t, d)
	c.bytes += int64(w)
	if at >= len(c.values) {
		return
	}
	if c.wide[at] = w > sampleWidthMax; c.wide[at] {
		c.values[at] = types.NullDatum
		return
	}
	c.values[at] = expr.CloneDatum(d)
}

// storedWidth is what PostgreSQL takes to store a value, in bytes.
func storedWidth(t types.Type, d types.Datum) int {
	if n := t.Len(); n > 0 {
		return int(n)
	}
	var n int
	switch t.Kind() {
	case types.KindDecimal:
		n = len(types.AppendBinary(nil, t, d)) - 6 // of 8 bytes before the digits 2 are stored
	case types.KindBytes:
		n = len(d.B)
	default:
		n = len(types.AppendBinary(nil, t, d))
	}
	if n <= 126 {
		return n + 1
	}
	return n + 4
}

// statistics are what the sample says of column c, at position at of the relation.
func (s *sample) statistics(c, at int) catalog.ColumnStatistics {
	col, t := &s.columns[c], s.types[c]
	out := catalog.ColumnStatistics{Column: at, Type: t}
	if s.rows == 0 {
		return out
	}
	out.NullFraction = float64(col.nulls) / float64(s.rows)
	if present := s.rows - col.nulls; present > 0 {
		out.Width = int(col.bytes / present)
	}
	if !ordered(t) {
		if t.Len() > 0 {
			out.Width = int(t.Len())
		}
		return out
	}
	v := s.sorted(c)
	switch {
	case len(v.values)+v.wide > 0:
		v.describe(&out, float64(s.rows), float64(len(s.at)))
	default: // NULL alone
		out.Width = max(int(t.Len()), 0)
	}
	return out
}

// ordered reports a type whose values have an order.
func ordered(t types.Type) bool {
	return t.OID != types.OIDJSON && t.OID != types.OIDJSONPath && t.Kind() != types.KindNone
}

// sampledValues are the values of a column of the sample in order.
type sampledValues struct {
	t        types.Type
	values   []sampledValue
	wide     int
	groups   []valueGroup // of equal ones
	singles  int          // groups of one
	distinct int
}

type sampledValue struct {
	d  types.Datum
	at int // which of the rows that have a value
}

type valueGroup struct{ first, count int }

// sorted puts the values of column c in order.
func (s *sample) sorted(c int) *sampledValues {
	col := &s.columns[c]
	order := make([]int, len(s.at))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.at[a], s.at[b]) })
	v := &sampledValues{t: s.types[c]}
	for _, i := range order {
		switch {
		case col.wide[i]:
			v.wide++
		case !col.values[i].Null:
			v.values = append(v.values, sampledValue{col.values[i], len(v.values)})
		}
	}
	slices.SortStableFunc(v.values, func(a, b sampledValue) int { return types.Compare(v.t, a.d, b.d) })
	for i := range v.values {
		if i > 0 && types.Compare(v.t, v.values[i-1].d, v.values[i].d) == 0 {
			v.groups[len(v.groups)-1].count++
			continue
		}
		v.groups = append(v.groups, valueGroup{i, 1})
	}
	v.distinct = len(v.groups)
	for _, g := range v.groups {
		if g.count == 1 {
			v.singles++
		}
	}
	return v
}

// describe fills out by PostgreSQL's rules (compute_scalar_stats in
// commands/analyze.c); rows are those of the relation, sampled those of the sample.
func (v *sampledValues) describe(out *catalog.ColumnStatistics, rows, sampled float64) {
	multiple := v.distinct - v.singles
	switch {
	case multiple == 0: // all different
		out.Distinct = -(1 - out.NullFraction)
	case v.wide == 0 && v.singles == 0:
		out.Distinct = float64(v.distinct)
	default: // Haas and Stokes, "Estimating the number of classes in a finite population", Duj1
		n, f1, d := float64(len(v.values)+v.wide), float64(v.singles+v.wide), float64(v.distinct+v.wide)
		all := rows * (1 - out.NullFraction)
		e := n * d / ((n - f1) + f1*n/max(all, 1))
		out.Distinct = math.Floor(min(max(e, d), all) + 0.5)
	}
	if out.Distinct > 0.1*rows {
		out.Distinct = -(out.Distinct / rows)
	}
	common := v.common(out, rows, sampled)
	chosen := map[int]bool{}
	for _, g := range common {
		chosen[g.first] = true
		out.Common = append(out.Common, v.text(g.first))
		out.Frequencies = append(out.Frequencies, float64(g.count)/sampled)
	}
	var rest []int // positions in v.values of what is not common
	for _, g := range v.groups {
		for i := range g.count {
			if !chosen[g.first] {
				rest = append(rest, g.first+i)
			}
		}
	}
	if n := min(v.distinct-len(common), statisticsTarget+1); n >= 2 {
		for i := range n {
			out.Bounds = append(out.Bounds, v.text(rest[i*(len(rest)-1)/(n-1)]))
		}
	}
	out.Correlation = v.correlation()
}

func (v *sampledValues) text(i int) string {
	return string(types.AppendText(nil, v.t, v.values[i].d, statisticsFormat))
}

// common are the values that come so often that it matters, the most common first.
func (v *sampledValues) common(out *catalog.ColumnStatistics, rows, sampled float64) []valueGroup {
	var often []valueGroup
	for _, g := range v.groups {
		if g.count > 1 {
			often = append(often, g)
		}
	}
	slices.SortStableFunc(often, func(a, b valueGroup) int { return cmp.Compare(b.count, a.count) })
	often = often[:min(len(often), statisticsTarget)]
	if len(often) == v.distinct && v.wide == 0 && out.Distinct > 0 || sampled == rows {
		return often
	}
	// analyze_mcv_list: from the least common one on, those go that do not come clearly
	// more often than what is not in the list.
	distinct := out.Distinct
	if distinct < 0 {
		distinct = -distinct * rows
	}
	sum := 0.0
	for _, g := range often {
		sum += float64(g.count)
	}
	for n := len(often); n > 0; n-- {
		count := float64(often[n-1].count)
		sum -= count
		share := min(max(1-sum/sampled-out.NullFraction, 0), 1)
		if others := distinct - float64(n-1); others > 1 {
			share /= others
		}
		k := rows * count / sampled
		variance := sampled * k * (rows - k) * (rows - sampled) / (rows * rows * (rows - 1))
		if count > share*sampled+2*math.Sqrt(max(variance, 0))+0.5 {
			return often[:n]
		}
	}
	return nil
}

// correlation is that of the order of the values with that of the rows.
func (v *sampledValues) correlation() *float64 {
	n := float64(len(v.values))
	if n <= 1 {
		return nil
	}
	xy := 0.0
	for i, x := range v.values {
		xy += float64(i) * float64(x.at)
	}
	x := n * (n - 1) / 2
	x2 := n * (n - 1) * (2*n - 1) / 6
	c := (n*xy - x*x) / (n*x2 - x*x)
	return &c
}
