package spool_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/spool"
)

func TestAnyOrder(t *testing.T) {
	ts := []types.Type{types.Int8, types.Text}
	for _, memory := range []int64{0, 100 << 10, 64 << 20} {
		s := spool.New(spool.Options{Types: ts, MemoryBytes: memory, DiskBytes: 64 << 20, Area: &spool.Area{Dir: t.TempDir()}})
		const rows = 20_000
		for at := 0; at < rows; {
			b := column.NewBuilder(ts, 0)
			for range 1 + rand.IntN(3000) {
				if at == rows {
					break
				}
				b.Col(0).Append(types.IntDatum(int64(at)))
				b.Col(1).Append(types.StringDatum(strings.Repeat("x", at%97)))
				b.Row(column.Insert)
				at++
			}
			if err := s.Append(b.Batch()); err != nil {
				t.Fatal(err)
			}
		}
		if s.Rows() != rows {
			t.Fatalf("%d rows", s.Rows())
		}
		for range 2000 {
			n := rand.Int64N(rows)
			b, i, err := s.Read(n)
			if err != nil {
				t.Fatal(err)
			}
			if b.Cols[0].Ints[i] != n || len(b.Cols[1].Bytes(i)) != int(n%97) {
				t.Fatalf("row %d is %v", n, b.Cols[0].Ints[i])
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimits(t *testing.T) {
	ts := []types.Type{types.Int8}
	fill := func(o spool.Options) error {
		o.Types, o.Area = ts, &spool.Area{Dir: t.TempDir()}
		s := spool.New(o)
		defer func() { _ = s.Close() }()
		b := column.NewBuilder(ts, 0)
		for i := range 100 {
			b.Col(0).Append(types.IntDatum(int64(i)))
			b.Row(column.Insert)
		}
		for range 10_000 {
			if err := s.Append(b.Batch()); err != nil {
				return err
			}
		}
		return nil
	}
	var full spool.ErrFull
	if err := fill(spool.Options{MemoryBytes: 1 << 20}); !errors.As(err, &full) {
		t.Errorf("memory alone: %v", err)
	}
	if err := fill(spool.Options{MemoryBytes: 1 << 20, DiskBytes: 1 << 20}); !errors.As(err, &full) {
		t.Errorf("memory and disk: %v", err)
	}
	if err := fill(spool.Options{MemoryBytes: 1 << 20, DiskBytes: 32 << 20}); err != nil {
		t.Error(err)
	}
}
