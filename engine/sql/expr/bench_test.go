package expr

import (
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

const benchRows = 1024

func benchBatch() *column.Batch {
	b := &column.Batch{N: benchRows, Cols: make([]*column.Column, len(testColumns))}
	for _, c := range testColumns {
		b.Cols[c.Index] = column.New(c.T, benchRows)
	}
	for i := range benchRows {
		v := int64(i*7919%1000) + 1
		b.Cols[0].Append(types.IntDatum(v))
		b.Cols[1].Append(types.IntDatum(v * 1000))
		b.Cols[2].Append(types.FloatDatum(float64(v) / 3))
		b.Cols[3].Append(types.DecimalDatum(types.NewDecimal(v*100+7, 2)))
		b.Cols[4].Append(types.StringDatum("symbol-" + string(rune('A'+v%26))))
		b.Cols[5].Append(types.BoolDatum(v%2 == 0))
		b.Cols[6].Append(types.IntDatum(v * 1e9))
		b.Cols[7].Append(datum{Iv: types.Interval{Micros: v}})
		b.Cols[8].Append(types.StringDatum(`{"price": 12.5, "symbol": "AAPL"}`))
	}
	return b
}

// BenchmarkEval has an expression beside a loop by hand over the same columns.
func BenchmarkEval(b *testing.B) {
	in := benchBatch()
	ints, longs, floats, decs := in.Cols[0].Ints, in.Cols[1].Ints, in.Cols[2].Floats, in.Cols[3].Decs
	outI, outF, outB := make([]int64, benchRows), make([]float64, benchRows), make([]bool, benchRows)
	outD, outS := make([]types.Decimal, benchRows), make([]int32, 0, benchRows)
	seven := types.NewDecimal(725, 2)
	hand := map[string]func(){
		"i8 + i4": func() {
			for i := range outI {
				x, y := longs[i], ints[i]
				s := x + y
				if (x^s)&(y^s) < 0 {
					return
				}
				outI[i] = s
			}
		},
		"i8 * 3": func() {
			for i := range outI {
				p := longs[i] * 3
				if p/3 != longs[i] {
					return
				}
				outI[i] = p
			}
		},
		"f8 * 2.5": func() {
			for i := range outF {
				outF[i] = floats[i] * 2.5
			}
		},
		"f8 + f8": func() {
			for i := range outF {
				outF[i] = floats[i] + floats[i]
			}
		},
		"i4 < 500": func() {
			for i := range outB {
				outB[i] = ints[i] < 500
			}
		},
		"num + 7.25": func() {
			for i := range outD {
				if !decs[i].AddWord(&seven, &outD[i]) {
					return
				}
			}
		},
		"num * num": func() {
			for i := range outD {
				if !decs[i].MulWord(&decs[i], &outD[i]) {
					return
				}
			}
		},
		"case when i4 > 500 then i8 else 0 end": func() {
			for i := range outI {
				if ints[i] > 500 {
					outI[i] = longs[i]
				} else {
					outI[i] = 0
				}
			}
		},
		"filter: num > 250.5": func() {
			outS = outS[:0]
			limit := types.NewDecimal(25050, 2)
			for i := range decs {
				if c, ok := decs[i].CmpWord(&limit); ok && c > 0 {
					outS = append(outS, int32(i))
				}
			}
		},
		"filter: i4 > 500": func() {
			outS = outS[:0]
			for i, v := range ints {
				if v > 500 {
					outS = append(outS, int32(i))
				}
			}
		},
		"filter: i4 > 500 and f8 < 250": func() {
			outS = outS[:0]
			for i, v := range ints {
				if v > 500 && floats[i] < 250 {
					outS = append(outS, int32(i))
				}
			}
		},
	}
	for _, s := range []string{
		"i8 + i4", "i8 * 3", "f8 * 2.5", "f8 + f8", "i4 < 500", "num + 7.25", "num * num",
		"case when i4 > 500 then i8 else 0 end", "filter: i4 > 500", "filter: i4 > 500 and f8 < 250", "filter: num > 250.5", "filter: txt = 'symbol-B'",
		"txt like 'symbol-A%'", "date_trunc('minute', tstz)", "tstz + interval '1 minute'", "js ->> 'symbol'", "upper(txt)", "num::float8",
	} {
		b.Run(s, func(b *testing.B) { benchEval(b, s, in) })
		if f := hand[s]; f != nil {
			b.Run(s+"/by hand", func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
			})
		}
	}
}

func benchEval(b *testing.B, s string, in *column.Batch) {
	filter := len(s) > 8 && s[:8] == "filter: "
	if filter {
		s = s[8:]
	}
	e, err := parseExpr(s, testColumns)
	if err != nil {
		b.Fatal(err)
	}
	ev, err := Compile(Fold(e))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if filter {
			_, err = ev.EvalFilter(testEnv, in, nil)
		} else {
			_, err = ev.Eval(testEnv, in, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}
