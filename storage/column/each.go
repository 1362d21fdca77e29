package column

// Each yields the rows that count, ascending: `for i := range b.Each`.
func (b *Batch) Each(yield func(int) bool) {
	if b.Sel != nil {
		for _, i := range b.Sel {
			if !yield(int(i)) {
				return
			}
		}
		return
	}
	for i := range b.N {
		if !yield(i) {
			return
		}
	}
}

// Marked lists the rows that count and are marked op, ascending; never nil.
func (b *Batch) Marked(op Op) []int32 {
	out := make([]int32, 0, b.Rows())
	for i := range b.Each {
		if b.Op(i) == op {
			out = append(out, int32(i))
		}
	}
	return out
}
