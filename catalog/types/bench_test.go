package types

import (
	"testing"
	"time"
)

var benchPrices = func() []Decimal {
	out := make([]Decimal, 1024)
	for i := range out {
		out[i] = NewDecimal(int64(100_0000+i*137), 4)
	}
	return out
}()

func BenchmarkDecimalAdd(b *testing.B) {
	b.ReportAllocs()
	var d Decimal
	for i := 0; b.Loop(); i++ {
		d, _ = benchPrices[i&1023].Add(benchPrices[(i+1)&1023])
	}
	_ = d
}

func BenchmarkDecimalMul(b *testing.B) {
	b.ReportAllocs()
	q := NewDecimal(250, 2)
	var d Decimal
	for i := 0; b.Loop(); i++ {
		d, _ = benchPrices[i&1023].Mul(q)
	}
	_ = d
}

func BenchmarkDecimalDiv(b *testing.B) {
	b.ReportAllocs()
	q := NewDecimal(333, 2)
	var d Decimal
	for i := 0; b.Loop(); i++ {
		d, _ = benchPrices[i&1023].Div(q)
	}
	_ = d
}

func BenchmarkDecimalCmp(b *testing.B) {
	n := 0
	q := NewDecimal(100, 0)
	for i := 0; b.Loop(); i++ {
		n += benchPrices[i&1023].Cmp(q)
	}
	_ = n
}

func BenchmarkSumAcc(b *testing.B) {
	b.ReportAllocs()
	var a SumAcc
	for i := 0; b.Loop(); i++ {
		a.Add(benchPrices[i&1023])
	}
}

func BenchmarkVarAcc(b *testing.B) {
	b.ReportAllocs()
	var a VarAcc
	for i := 0; b.Loop(); i++ {
		a.Add(benchPrices[i&1023])
	}
}

func BenchmarkAppend(b *testing.B) {
	ny, _ := FindZone("America/New_York")
	buf := make([]byte, 0, 64)
	run := func(name string, f func(i int)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f(i)
			}
		})
	}
	run("Timestamp", func(i int) { buf = AppendTimestamp(buf[:0], 8e14+int64(i)*1234567) })
	run("TimestamptzUTC", func(i int) { buf = AppendTimestamptz(buf[:0], 8e14+int64(i)*1234567, time.UTC) })
	run("TimestamptzNY", func(i int) { buf = AppendTimestamptz(buf[:0], 8e14+int64(i)*1234567, ny) })
	run("Numeric", func(i int) { buf = benchPrices[i&1023].Append(buf[:0]) })
	run("NumericBinary", func(i int) { buf = AppendNumericBinary(buf[:0], benchPrices[i&1023]) })
	run("NumericKey", func(i int) { buf = benchPrices[i&1023].AppendKey(buf[:0]) })
	run("Float8", func(i int) { buf = AppendFloat8(buf[:0], float64(i)*1.1, 1) })
	iv := Interval{Months: 14, Days: 3, Micros: 12345678}
	run("Interval", func(int) { buf = AppendInterval(buf[:0], iv, IntervalPostgres) })
}

func BenchmarkParse(b *testing.B) {
	run := func(name string, t Type, in string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			raw := []byte(in)
			for b.Loop() {
				if _, err := DecodeText(t, raw, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("Timestamp", Timestamp, "2026-11-24 06:47:57.123456")
	run("TimestamptzISO", Timestamptz, "2026-11-24T06:47:57.123456Z")
	run("Numeric", Numeric, "101.2345")
	run("Float8", Float8, "101.2345")
	run("Int8", Int8, "123456789")
	run("JSONB", JSONB, `{"symbol": "ACME", "price": 101.25, "qty": 100}`)
}
