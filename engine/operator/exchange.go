package operator

import "velostream/storage/column"

// Partitioner spreads rows over shards by the hash of their key. Equal keys go to one
// shard, in every process and for ever: state on disk depends on it (column.HashRows). For one
// goroutine.
type Partitioner struct {
	keys   []int
	parts  [][]int32
	hashes []uint64
	cols   []*column.Column
	all    []int32
}

// NewPartitioner spreads by the columns keys over n shards; without keys every row
// goes to shard 0.
func NewPartitioner(keys []int, n int) *Partitioner {
	return &Partitioner{keys: keys, parts: make([][]int32, n), cols: make([]*column.Column, len(keys))}
}

// Partition lists for each shard the selected physical rows of b that belong to it,
// ascending: selections of b. They are valid until the next call.
func (p *Partitioner) Partition(b *column.Batch) [][]int32 {
	for k := range p.parts {
		p.parts[k] = p.parts[k][:0]
	}
	rows := b.Sel
	if rows == nil {
		for i := len(p.all); i < b.N; i++ {
			p.all = append(p.all, int32(i))
		}
		rows = p.all[:b.N]
	}
	if len(p.keys) == 0 || len(p.parts) == 1 {
		p.parts[0] = append(p.parts[0], rows...)
		return p.parts
	}
	for k, j := range p.keys {
		p.cols[k] = b.Cols[j]
	}
	p.hashes = column.HashRows(p.hashes, p.cols, rows, 0)
	n := uint64(len(p.parts))
	for k, i := range rows {
		to := (p.hashes[k] & 0xffffffff) * n >> 32 // the low half: tables inside a shard use the high one
		p.parts[to] = append(p.parts[to], i)
	}
	return p.parts
}

// Partition is Partitioner.Partition for once.
func Partition(b *column.Batch, keys []int, n int) [][]int32 {
	return NewPartitioner(keys, n).Partition(b)
}
