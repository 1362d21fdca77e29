package catalog

import (
	"maps"
	"slices"
	"sync"
)

// derived is what a snapshot works out when it is first asked, once: who
// depends on whom. Whoever looks at all relations after each change, as the
// jobs do, would else pay for pairs of them.
type derived struct {
	once       sync.Once
	relations  []*Relation            // by OID
	dependents map[uint32][]*Relation // by what they read, write out, or are part of
	references map[uint32][]*Relation // by the target of their foreign keys
}

func (s *Snapshot) derive() *derived {
	d := s.derived
	d.once.Do(func() {
		d.relations = sortedRelations(s.byID)
		d.dependents, d.references = map[uint32][]*Relation{}, map[uint32][]*Relation{}
		for _, r := range d.relations {
			on := append(slices.Clone(r.Inputs), r.SinkOf, r.PartOf)
			enter(d.dependents, on, r)
			on = on[:0]
			for _, c := range r.Constraints {
				if c.Kind == ForeignKey {
					on = append(on, c.Ref)
				}
			}
			enter(d.references, on, r)
		}
	})
	return d
}

// enter lists r under each of ids, which are not 0 and not its own.
func enter(m map[uint32][]*Relation, ids []uint32, r *Relation) {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id != 0 && id != r.ID {
			m[id] = append(m[id], r)
		}
	}
}

func sortedRelations(byID map[uint32]*Relation) []*Relation {
	out := slices.Collect(maps.Values(byID))
	slices.SortFunc(out, func(a, b *Relation) int { return int(a.ID) - int(b.ID) })
	return out
}

// Relations lists all relations by OID. The list is shared: not to be changed.
func (s *Snapshot) Relations() []*Relation { return s.derive().relations }

// References lists the relations, other than id itself, that have a foreign key
// to id, by OID. The list is shared: not to be changed.
func (s *Snapshot) References(id uint32) []*Relation { return s.derive().references[id] }

// Dependents lists the relations that read relation id, write it out, or are
// part of it, by OID. The list is shared: not to be changed.
func (s *Snapshot) Dependents(id uint32) []*Relation { return s.derive().dependents[id] }
