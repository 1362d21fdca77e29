// Package connectortest is the conformance suite of connectors: what every
// Source must keep to, as one function for their tests to call.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"velostream/engine/connector"
)

// record is what must come again when it is read again.
type record struct {
	split    string
	position int64
	text     string
}

// Bounded checks a source that ends, has at least two records, and gives the
// same ones whenever it is read:
//
//   - positions grow within a split, Next is beyond them, and what a chunk
//     holds stays until that chunk is read into again;
//   - from the position after any record, and from any record's own, reading
//     goes on with the right one;
//   - Read returns when its context is done, and after io.EOF gives it again.
func Bounded(t *testing.T, src connector.Source) {
	t.Helper()
	all := drain(t, src, nil)
	if len(all) < 2 {
		t.Fatalf("%d records", len(all))
	}
	if again := drain(t, src, nil); fmt.Sprint(bySplit(again)) != fmt.Sprint(bySplit(all)) {
		t.Fatal("another reading gave other records")
	}
	want := bySplit(all)
	for split, records := range want {
		for _, i := range []int{0, 1, len(records) / 2, len(records) - 1} {
			if i >= len(records) {
				continue
			}
			got := bySplit(drain(t, src, map[string]int64{split: records[i].position}))[split]
			if fmt.Sprint(got) != fmt.Sprint(records[i:]) {
				t.Fatalf("from %v: %d records, want %d", records[i], len(got), len(records[i:]))
			}
		}
	}
	canceled(t, src)
}

func bySplit(rs []record) map[string][]record {
	m := map[string][]record{}
	for _, r := range rs {
		m[r.split] = append(m[r.split], r)
	}
	return m
}

func open(t *testing.T, src connector.Source, from map[string]int64) connector.Reader {
	t.Helper()
	splits, err := src.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var starts []connector.Start
	for _, s := range splits {
		at, ok := from[s.ID]
		if !ok {
			at = connector.Unset
		}
		starts = append(starts, connector.Start{Split: s, Position: at})
	}
	r, err := src.Open(t.Context(), starts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func drain(t *testing.T, src connector.Source, from map[string]int64) (out []record) {
	t.Helper()
	r := open(t, src, from)
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var chunks [2]connector.Chunk
	var before string
	next := map[string]int64{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := 0; ; i++ {
		c := &chunks[i%2]
		err := r.Read(ctx, c)
		if other := &chunks[(i+1)%2]; text(other) != before {
			t.Fatal("a chunk changed while another was read")
		}
		if errors.Is(err, io.EOF) {
			if err := r.Read(ctx, c); !errors.Is(err, io.EOF) {
				t.Fatalf("after io.EOF: %v", err)
			}
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		before = text(c)
		at, known := next[c.Split.ID]
		for i := range c.Len() {
			rec := c.Record(i)
			if rec.Position != c.Position(i) {
				t.Fatalf("record %d is at %d and at %d", i, rec.Position, c.Position(i))
			}
			if known && rec.Position < at {
				t.Fatalf("position %d after %d", rec.Position, at)
			}
			at, known = rec.Position+1, true
			out = append(out, record{c.Split.ID, rec.Position, string(rec.Key) + "=" + string(rec.Value)})
		}
		if known && c.Next < at {
			t.Fatalf("next position %d after %d", c.Next, at)
		}
		next[c.Split.ID] = c.Next
	}
}

func text(c *connector.Chunk) string {
	var s strings.Builder
	s.WriteString(c.Split.ID)
	for i := range c.Len() {
		r := c.Record(i)
		fmt.Fprint(&s, r.Position, string(r.Key), string(r.Value))
	}
	return s.String()
}

func canceled(t *testing.T, src connector.Source) {
	t.Helper()
	r := open(t, src, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var c connector.Chunk
	for range 100_000 {
		err := r.Read(ctx, &c)
		if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("Read does not heed its context")
}
