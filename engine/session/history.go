package session

import (
	"slices"
	"time"

	"velostream/catalog"
	"velostream/engine/job"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// epochsMax is below all times that AS OF may mean, µs since the Unix epoch: a smaller
// number is that of an epoch.
const epochsMax = 1e12

// reads reports that p has an operator of a kind.
func reads(p *plan.Physical, op plan.PhysicalOp) bool {
	return p.Op == op || slices.ContainsFunc(p.Inputs, func(in *plan.Physical) bool { return reads(in, op) })
}

// stateful reports that what p gives depends on the rows before.
func stateful(p *plan.Physical) bool {
	return len(p.Tables) > 0 || slices.ContainsFunc(p.Inputs, stateful)
}

// history finds what tells the changes since a moment that has passed, a time or the number
// of an epoch, of the relation that a query reads: a named subscription of it.
func (s *Session) history(inputs []uint32, from int64) (*job.History, error) {
	inputs = slices.Compact(slices.Sorted(slices.Values(inputs)))
	snap := s.catalog()
	if len(inputs) != 1 {
		return nil, pgerror.Unsupported("AS OF a time that has passed is supported for queries over one relation").
			WithHint("Make a materialized view of the query, and a subscription FROM it.")
	}
	r := snap.ByID(inputs[0])
	if r == nil {
		return nil, pgerror.New(pgerror.UndefinedTable, "relation with OID %d does not exist", inputs[0])
	}
	var earliest job.Moment
	var found uint32
	for _, sub := range snap.Relations() {
		if sub.Subscription == nil || sub.ID != r.ID && !slices.Equal(sub.Inputs, []uint32{r.ID}) {
			continue
		}
		at, ok, err := s.e.Jobs.Earliest(sub.ID)
		if err != nil {
			return nil, err
		}
		if ok && (found == 0 || at.Time < earliest.Time) {
			earliest, found = at, sub.ID
		}
	}
	if found == 0 {
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "AS OF lies in the past, and no history of %q is kept", r.Name).
			WithDetail("The earliest time is now, %s.", s.momentText(time.Now().UnixMicro())).
			WithHint("CREATE SUBSCRIPTION name FROM %s WITH (retention = '1 day') keeps the changes from then on.", r.Name)
	}
	return s.historyFrom(r, found, earliest, from)
}

// historyFrom is the moment from in the history that the subscription sub keeps.
func (s *Session) historyFrom(r *catalog.Relation, sub uint32, earliest job.Moment, from int64) (*job.History, error) {
	h := &job.History{Relation: r.ID, Subscription: sub, Time: from}
	var err error
	if from < epochsMax {
		var newest uint64
		h.From = uint64(max(from, 0))
		if h.Time, newest, err = s.e.Jobs.HistoryTime(sub, h.From); err != nil {
			return nil, err
		}
		if h.From > newest {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "epoch %d of %q has not come yet", h.From, r.Name).
				WithDetail("The newest is %d.", newest)
		}
	} else if h.From, err = s.e.Jobs.HistoryAt(sub, from); err != nil {
		return nil, err
	}
	if from < epochsMax && h.From < earliest.Seq || from >= epochsMax && from < earliest.Time {
		return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "AS OF lies before the history of %q that is kept", r.Name).
			WithDetail("The earliest time is %s, epoch %d.", s.momentText(earliest.Time), earliest.Seq).
			WithHint("How long changes are kept is the retention of the subscription.")
	}
	h.From = max(h.From, earliest.Seq)
	return h, nil
}
