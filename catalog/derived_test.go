package catalog

import (
	"strings"
	"testing"
	"time"
)

// TestDerived asks who depends on whom of a snapshot and of the one after it.
func TestDerived(t *testing.T) {
	rel := func(id uint32, name string, inputs ...uint32) Change {
		return Change{Put: &Relation{ID: id, Schema: DefaultSchema, Name: name, Kind: "table", Inputs: inputs}}
	}
	a, err := emptySnapshot().With(rel(20000, "a"), rel(20002, "c", 20000), rel(20001, "b", 20000, 20000))
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.With(Change{Drop: 20001})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s    *Snapshot
		want string
	}{{a, "bc"}, {b, "c"}, {a, "bc"}} {
		var names []string
		for _, r := range c.s.Dependents(20000) {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, ""); got != c.want {
			t.Errorf("dependents: %q, want %q", got, c.want)
		}
	}
	if n := len(b.Relations()); n != 2 {
		t.Errorf("%d relations after the drop", n)
	}
}

// TestManyRelations makes relations one by one and looks at all of them after
// each, as the jobs do: the work must not grow with their square.
func TestManyRelations(t *testing.T) {
	const n = 1500
	s := emptySnapshot()
	began := time.Now()
	for i := range uint32(n) {
		next, err := s.With(Change{Put: &Relation{
			ID: FirstID + i, Schema: DefaultSchema, Name: string(rune('a'+i%26)) + time.Duration(i).String(), Kind: "table",
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range next.Relations() {
			if len(next.Dependents(r.ID))+len(next.References(r.ID)) > 0 {
				t.Fatal("nothing depends on anything here")
			}
		}
		s = next
	}
	if d := time.Since(began); d > 20*time.Second { // seconds where it is linear each time, minutes where it is not
		t.Errorf("%d relations took %v", n, d)
	}
}
