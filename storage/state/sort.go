package state

import (
	"cmp"
	"slices"
)

// ref stands for a key while keys are sorted: eight of its bytes, and where it
// is.
type ref struct {
	head uint64
	n    uint32
}

// radixMin is from how many refs on counting beats comparing.
const radixMin = 1024

// sortRefs sorts refs by head, and those of one head by compare. It may return
// other memory than it was given.
//
// Heads are sorted by one byte after the other, the last first, without those
// bytes that are the same in all; of keys that are numbers most are.
func sortRefs(refs []ref, compare func(x, y ref) int) []ref {
	if len(refs) < radixMin {
		slices.SortFunc(refs, func(x, y ref) int {
			if c := cmp.Compare(x.head, y.head); c != 0 {
				return c
			}
			return compare(x, y)
		})
		return refs
	}
	some, all := uint64(0), ^uint64(0)
	for _, r := range refs {
		some |= r.head
		all &= r.head
	}
	differ := some &^ all
	to := make([]ref, len(refs))
	for shift := 0; shift < 64; shift += 8 {
		if differ>>shift&0xff == 0 {
			continue
		}
		var at [256]int
		for _, r := range refs {
			at[r.head>>shift&0xff]++
		}
		sum := 0
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, r := range refs {
			b := r.head >> shift & 0xff
			to[at[b]] = r
			at[b]++
		}
		refs, to = to, refs
	}
	for from := 0; from < len(refs); {
		end := from + 1
		for end < len(refs) && refs[end].head == refs[from].head {
			end++
		}
		if end-from > 1 {
			slices.SortFunc(refs[from:end], compare)
		}
		from = end
	}
	return refs
}

// runsMax is up to how many ascending runs merging beats sorting.
const runsMax = 256

// mergeRuns sorts list, in which few long runs are ascending already: what each
// table of a job has written. It may return other memory than it was given.
func mergeRuns[T any](list []T, compare func(a, b T) int) []T {
	starts := []int{0}
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) > 0 {
			if starts = append(starts, i); len(starts) > runsMax {
				slices.SortFunc(list, compare)
				return list
			}
		}
	}
	if len(starts) == 1 {
		return list
	}
	starts = append(starts, len(list))
	to := make([]T, len(list))
	for len(starts) > 2 {
		next := []int{0}
		for i := 0; i+1 < len(starts); i += 2 {
			lo, mid, hi := starts[i], starts[i+1], starts[i+1]
			if i+2 < len(starts) {
				hi = starts[i+2]
			}
			merge(to[lo:hi], list[lo:mid], list[mid:hi], compare)
			next = append(next, hi)
		}
		starts = next
		list, to = to, list
	}
	return list
}

func merge[T any](to, a, b []T, compare func(a, b T) int) {
	if len(a) > 0 && len(b) > 0 && compare(b[len(b)-1], a[0]) < 0 {
		a, b = b, a // no element is in both, so order among equals is not touched
	}
	if len(a) > 0 && len(b) > 0 && compare(a[len(a)-1], b[0]) <= 0 { // of different tables
		copy(to[copy(to, a):], b)
		return
	}
	for n := range to {
		if len(b) == 0 || (len(a) > 0 && compare(a[0], b[0]) <= 0) {
			to[n], a = a[0], a[1:]
		} else {
			to[n], b = b[0], b[1:]
		}
	}
}
