package state

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortRefs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 10, radixMin, 5000} {
		for _, mask := range []uint64{0, 0xff, 0xff00ff, ^uint64(0)} {
			refs := make([]ref, n)
			for i := range refs {
				refs[i] = ref{r.Uint64() & mask, uint32(i)}
			}
			byNumber := func(x, y ref) int { return cmp.Compare(y.n, x.n) }
			want := slices.Clone(refs)
			slices.SortFunc(want, func(x, y ref) int { return cmp.Or(cmp.Compare(x.head, y.head), byNumber(x, y)) })
			if got := sortRefs(refs, byNumber); !slices.Equal(got, want) {
				t.Errorf("%d refs, mask %x: wrong order", n, mask)
			}
		}
	}
}

func TestMergeRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for runs := range 12 {
		for range 20 {
			var list []int
			for range runs {
				from := len(list)
				for range r.IntN(50) {
					list = append(list, r.IntN(100))
				}
				slices.Sort(list[from:])
			}
			want := slices.Sorted(slices.Values(list))
			if got := mergeRuns(list, cmp.Compare[int]); !slices.Equal(got, want) {
				t.Fatalf("%d runs: %v, want %v", runs, got, want)
			}
		}
	}
	many := make([]int, 5000)
	for i := range many {
		many[i] = -i
	}
	if got := mergeRuns(many, cmp.Compare[int]); !slices.IsSorted(got) {
		t.Fatal("a descending list is not sorted")
	}
}
