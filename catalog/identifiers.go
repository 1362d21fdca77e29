package catalog

import "sync/atomic"

// identifiers gives out OIDs; one for all snapshots of a catalog. Safe for
// concurrent use.
type identifiers struct {
	next    atomic.Uint32
	private atomic.Uint64 // versions of snapshots of transactions
}

func newIdentifiers(first uint32) *identifiers {
	i := &identifiers{}
	i.next.Store(first)
	return i
}

func (i *identifiers) take() uint32 { return i.next.Add(1) - 1 }

// used says that the OIDs are taken.
func (i *identifiers) used(ids ...uint32) {
	for _, id := range ids {
		for {
			n := i.next.Load()
			if id < n || i.next.CompareAndSwap(n, id+1) {
				break
			}
		}
	}
}

func (i *identifiers) clone() *identifiers { return newIdentifiers(i.next.Load()) }
