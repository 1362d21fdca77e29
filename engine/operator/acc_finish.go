package operator

import (
	"bytes"
	"math"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

func (a *collectAcc) format() *types.Format {
	if a.env == nil {
		return nil
	}
	return a.env.Format
}

// finishJSONList is json_agg and jsonb_agg.
func finishJSONList(a *collectAcc, g int32, dst *column.Column) error {
	sep := ", "
	if _, isArray := a.cols[0].Type.Elem(); isArray || a.cols[0].Type.IsRow() {
		sep = ", \n "
	}
	out := []byte{'['}
	err := a.each(g, func(n int64) (bool, error) {
		for range n {
			if len(out) > 1 {
				out = append(out, sep...)
			}
			out = types.AppendJSON(out, a.cols[0].Type, a.cols[0].Datum(0), a.format())
		}
		return true, nil
	})
	return a.appendJSON(append(out, ']'), err, dst)
}

func (a *collectAcc) appendJSON(out []byte, err error, dst *column.Column) error {
	if err == nil && dst.Type.OID == types.OIDJSONB {
		out, err = types.CanonicalJSON(nil, out)
	}
	if err == nil {
		dst.AppendBytes(out)
	}
	return err
}

// finishJSONObject is json_object_agg and jsonb_object_agg.
func finishJSONObject(a *collectAcc, g int32, dst *column.Column) error {
	out := []byte("{ ")
	err := a.each(g, func(n int64) (bool, error) {
		if a.cols[0].Null(0) {
			return false, pgerror.New(pgerror.InvalidParameterValue, "field name must not be null")
		}
		for range n {
			if len(out) > 2 {
				out = append(out, ", "...)
			}
			key := types.AppendText(nil, a.cols[0].Type, a.cols[0].Datum(0), a.format())
			out = append(types.AppendJSONString(out, key), " : "...)
			out = types.AppendJSON(out, a.cols[1].Type, a.cols[1].Datum(0), a.format())
		}
		return true, nil
	})
	return a.appendJSON(append(out, " }"...), err, dst)
}

// at finds the values with the numbers in want (from 0, ascending) in the order.
func (a *collectAcc) at(g int32, want []int64) ([]types.Datum, error) {
	out := make([]types.Datum, 0, len(want))
	seen := int64(0)
	v := a.cols[len(a.cols)-1]
	err := a.each(g, func(n int64) (bool, error) {
		for len(out) < len(want) && want[len(out)] < seen+n {
			d := v.Datum(0)
			d.B = bytes.Clone(d.B)
			out = append(out, d)
		}
		seen += n
		return len(out) < len(want), nil
	})
	return out, err
}

// direct reads the argument that is the same for all rows.
func (a *collectAcc) direct(g int32) (d types.Datum, err error) {
	err = a.each(g, func(int64) (bool, error) {
		d = a.cols[0].Datum(0)
		d.B = bytes.Clone(d.B)
		return false, nil
	})
	return d, err
}

// finishPercentile is percentile_cont and percentile_disc, of one fraction or several.
func finishPercentile(a *collectAcc, g int32, dst *column.Column) error {
	d, err := a.direct(g)
	if err != nil {
		return err
	}
	if a.cols[0].Type.Kind() != types.KindList {
		v, err := a.percentile(g, d)
		dst.Append(v)
		return err
	}
	if d.Null {
		dst.AppendNull()
		return nil
	}
	list := types.Datum{List: []types.Datum{}, B: d.B}
	for _, p := range d.List {
		v, err := a.percentile(g, p)
		if err != nil {
			return err
		}
		list.List = append(list.List, v)
	}
	dst.Append(list)
	return nil
}

func (a *collectAcc) percentile(g int32, p types.Datum) (types.Datum, error) {
	if p.Null {
		return types.NullDatum, nil
	}
	if !(p.F >= 0 && p.F <= 1) {
		return types.NullDatum, pgerror.New("22003", "percentile value %s is not between 0 and 1",
			types.AppendText(nil, types.Float8, p, nil))
	}
	n := a.n[g]
	if a.call.Name == "percentile_disc" {
		k := int64(math.Ceil(p.F * float64(n)))
		v, err := a.at(g, []int64{max(k, 1) - 1})
		if err != nil || len(v) == 0 {
			return types.NullDatum, err
		}
		return v[0], nil
	}
	return a.between(g, p.F*float64(n-1))
}

// between is the value at a place between two rows.
func (a *collectAcc) between(g int32, place float64) (types.Datum, error) {
	lo, hi := int64(math.Floor(place)), int64(math.Ceil(place))
	v, err := a.at(g, []int64{lo, hi})
	if err != nil || len(v) < 2 {
		return types.NullDatum, err
	}
	if lo == hi {
		return v[0], nil
	}
	part := place - float64(lo)
	if a.cols[len(a.cols)-1].Type.Kind() == types.KindInterval {
		x, y := v[0].Iv, v[1].Iv
		hx, lx := column.IntervalSpan(x)
		hy, ly := column.IntervalSpan(y)
		if hx == hy && lx == ly {
			return v[0], nil
		}
		d := types.Interval{Months: y.Months - x.Months, Days: y.Days - x.Days, Micros: y.Micros - x.Micros}
		days := float64(d.Months)*30*part + float64(d.Days)*part
		whole := math.Trunc(days)
		x.Days += int32(whole)
		x.Micros += int64(math.Round((days-whole)*86400e6 + float64(d.Micros)*part))
		return types.Datum{Iv: x}, nil
	}
	return types.FloatDatum(v[0].F + part*(v[1].F-v[0].F)), nil
}

func finishMedian(a *collectAcc, g int32, dst *column.Column) error {
	v, err := a.between(g, 0.5*float64(a.n[g]-1))
	dst.Append(v)
	return err
}

// finishMode is the value that is there most often, of several the first.
func finishMode(a *collectAcc, g int32, dst *column.Column) error {
	var best, last types.Datum
	bestN, lastN := int64(0), int64(0)
	var lastKey []byte
	err := a.each(g, func(n int64) (bool, error) {
		if lastN == 0 || !bytes.Equal(lastKey, a.order) {
			last = a.cols[len(a.cols)-1].Datum(0)
			last.B = bytes.Clone(last.B)
			lastN, lastKey = 0, append(lastKey[:0], a.order...)
		}
		if lastN += n; lastN > bestN {
			best, bestN = last, lastN
		}
		return true, nil
	})
	dst.Append(best)
	return err
}

// finishHypothetical is the rank that a row of the direct arguments would have.
func finishHypothetical(a *collectAcc, g int32, dst *column.Column) error {
	var mine, last []byte
	before, peers, groups := int64(0), int64(0), int64(0)
	err := a.each(g, func(n int64) (bool, error) {
		if mine == nil {
			mine = []byte{}
			for j, c := range a.cols[:a.args] {
				mine = rowenc.AppendKeyColumn(mine, c, 0, a.orders[j])
			}
		}
		row := a.order[:0:0]
		for j, c := range a.cols[a.args:] {
			row = rowenc.AppendKeyColumn(row, c, 0, a.orders[j])
		}
		switch c := bytes.Compare(row, mine); {
		case c < 0:
			before += n
			if groups == 0 || !bytes.Equal(row, last) {
				groups++
			}
			last = row
		case c == 0:
			peers += n
		default:
			return false, nil
		}
		return true, nil
	})
	n := float64(a.n[g])
	switch a.call.Name {
	case "rank":
		dst.Append(types.IntDatum(before + 1))
	case "dense_rank":
		dst.Append(types.IntDatum(groups + 1))
	case "cume_dist":
		dst.Append(types.FloatDatum(float64(before+peers+1) / (n + 1)))
	default:
		v := 0.0
		if n > 0 {
			v = float64(before) / n
		}
		dst.Append(types.FloatDatum(v))
	}
	return err
}

// finishTopK is an array of the k greatest values, the greatest first.
func finishTopK(a *collectAcc, g int32, dst *column.Column) error {
	out := types.Datum{List: []types.Datum{}}
	err := a.each(g, func(n int64) (bool, error) {
		k := int64(0)
		if !a.cols[1].Null(0) {
			k = a.cols[1].Ints[0]
		}
		for range n {
			if int64(len(out.List)) >= k {
				return false, nil
			}
			d := a.cols[0].Datum(0)
			d.B = bytes.Clone(d.B)
			out.List = append(out.List, d)
		}
		return true, nil
	})
	dst.Append(out)
	return err
}

// finishDelta is the last value less the first one.
func finishDelta(a *collectAcc, g int32, dst *column.Column) error {
	var first, last types.Datum
	some := false
	err := a.each(g, func(int64) (bool, error) {
		last = a.cols[0].Datum(0)
		if !some {
			first, some = last, true
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	switch a.cols[0].Type.Kind() {
	case types.KindInt:
		d := last.I - first.I
		if (d > last.I) != (first.I < 0) && first.I != 0 {
			return pgerror.New("22003", "bigint out of range")
		}
		dst.Append(types.IntDatum(d))
	case types.KindFloat:
		dst.Append(types.FloatDatum(last.F - first.F))
	default:
		d, err := last.Dec.Sub(first.Dec)
		if err != nil {
			return err
		}
		dst.Append(types.DecimalDatum(d))
	}
	return nil
}
