package operator

import (
	"velostream/catalog/types"
	"velostream/storage/column"
	"velostream/storage/spool"
)

// spillParts is over how many partitions rows are spread.
const spillParts = 16

// partitions is rows on disk, spread by a hash of their key: rows of one key are in one
// partition, in the order in which they were added. A partition that is still too large is spread
// again, a level deeper, where other rows come together.
type partitions struct {
	ctx   BuildContext
	ts    []types.Type
	level int
	file  *spool.File
	lists [spillParts]*spool.List // nil: no rows
	rows  int64
	whole bool // all rows are in the first partition
	sel   [spillParts][]int32
	view  column.Batch
}

func newPartitions(ctx BuildContext, ts []types.Type, level int) *partitions {
	return &partitions{ctx: ctx, ts: ts, level: level, file: ctx.Disk.NewFile()}
}

// add takes in rows of b; hashes[k] is that of rows[k].
func (p *partitions) add(b *column.Batch, rows []int32, hashes []uint64) error {
	for k, i := range rows {
		n := column.Mix(hashes[k], uint64(p.level)) >> 60
		if p.whole {
			n = 0
		}
		p.sel[n] = append(p.sel[n], i)
	}
	p.rows += int64(len(rows))
	p.view = column.Batch{Cols: b.Cols[:len(p.ts)], N: b.N}
	for n, sel := range p.sel {
		if len(sel) == 0 {
			continue
		}
		if p.lists[n] == nil {
			p.lists[n] = p.file.NewList(p.ts, p.ctx.spillBlock())
		}
		if err := p.lists[n].Append(&p.view, sel); err != nil {
			return err
		}
		p.sel[n] = sel[:0]
	}
	return nil
}

// end writes what is still in memory: nothing is added any more.
func (p *partitions) end() error {
	for _, l := range p.lists {
		if l == nil {
			continue
		}
		if err := l.End(); err != nil {
			return err
		}
	}
	return nil
}

// close frees the rows.
func (p *partitions) close() error { return p.file.Close() }
