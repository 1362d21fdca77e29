package job

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"velostream/catalog"
	"velostream/engine/dataflow"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// A named subscription keeps the changes of its relation with their times. So a query on
// the relation can begin at a moment that has passed: with the content of then, which is
// the present one less what changed since, and each change after it in an epoch of its
// own, at its own time.

// History is where a transient query begins that does not begin now.
type History struct {
	Relation     uint32 // that the query reads
	Subscription uint32 // whose log has its changes
	From         uint64 // the newest epoch of the log that is in the content
	Time         int64  // of the content, µs since the Unix epoch
}

// historyBytes bounds what is remembered of the changes between then and now.
const historyBytes = 256 << 20

// began says from when on a subscription's log tells all changes.
type began struct {
	Epoch uint64 `json:"epoch"`
	Time  int64  `json:"time"` // µs since the Unix epoch
}

// beginHistory notes, with the epoch being flushed, from when on the log of a subscription
// tells all changes: once it has taken in what its relation held.
func (c *coordinator) beginHistory() error {
	if c.told || c.relation().Subscription == nil || c.transient != nil || c.at.Backfilling {
		return nil
	}
	key := feedKey(c.id, 2)
	v, err := c.m.store.Get(key)
	if err == nil && v == nil {
		if v, err = json.Marshal(began{c.at.Epoch, c.log.LastTime()}); err == nil {
			c.batch.Put(key, v)
		}
	}
	c.told = err == nil
	return err
}

// Moment is an epoch of a log and when it ended, µs since the Unix epoch.
type Moment = log.Mark

// Earliest is the earliest moment whose content the log of subscription id can tell; ok is
// false where there is none.
func (m *Manager) Earliest(id uint32) (at Moment, ok bool, err error) {
	j := m.Job(id)
	if j == nil {
		return at, false, nil
	}
	v, err := m.store.Get(feedKey(id, 2))
	if err != nil || v == nil {
		return at, false, err
	}
	var b began
	if err := json.Unmarshal(v, &b); err != nil {
		return at, false, fmt.Errorf("history of subscription %d: %w", id, err)
	}
	gone := j.log.Truncated()
	if gone <= b.Epoch {
		return Moment{Seq: b.Epoch, Time: b.Time}, true, nil
	}
	at, ok, err = j.log.Next(gone)
	if err == nil && !ok { // nothing has changed for as long as changes are kept
		sub := j.relation().Subscription
		return Moment{Seq: gone, Time: time.Now().UnixMicro() - sub.Retention}, true, nil
	}
	return at, ok, err
}

// HistoryAt is the epoch of subscription id's log that was the newest at a time.
func (m *Manager) HistoryAt(id uint32, at int64) (uint64, error) {
	j := m.Job(id)
	if j == nil {
		return 0, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id)
	}
	return j.log.At(at)
}

// HistoryTime is when an epoch of subscription id's log ended, or a moment before the next
// one did, or when the log went on last.
func (m *Manager) HistoryTime(id uint32, epoch uint64) (at int64, newest uint64, err error) {
	j := m.Job(id)
	if j == nil {
		return 0, 0, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "the job of relation %d does not run", id)
	}
	next, ok, err := j.log.Next(max(epoch, 1) - 1)
	switch {
	case err != nil:
		return 0, 0, err
	case ok && next.Seq == epoch:
		return next.Time, j.log.Last(), nil
	case ok:
		return next.Time - 1, j.log.Last(), nil
	}
	if at = j.log.LastTime(); at == 0 { // nothing has changed since the start
		at = time.Now().UnixMicro()
	}
	return at, j.log.Last(), nil
}

// replay is how far a coordinator is with a History.
type replay struct {
	h    *History
	end  uint64 // the epoch of the present content
	time int64  // of the epoch to come
	over bool
}

// replaying reports that history is left.
func (c *coordinator) replaying() bool { return c.replay != nil && !c.replay.over }

// replayed is the next cut of a history: one change further, once the content is read.
func (c *coordinator) replayed() (dataflow.Cut, error) {
	r := c.replay
	cut := dataflow.Cut{r.h.Subscription: c.at.Cuts[r.h.Subscription]}
	if c.first || c.backfilling() {
		r.time = r.h.Time
		return cut, nil
	}
	next, ok, err := c.logs[r.h.Subscription].Next(cut[r.h.Subscription])
	if err != nil {
		return nil, err
	}
	if !ok || next.Seq > r.end {
		r.over, r.time = true, 0
		return c.cut(), nil
	}
	r.time = next.Time
	return dataflow.Cut{r.h.Subscription: next.Seq}, nil
}

// replayPause is how often is looked whether the client has read what it was given.
const replayPause = 10 * time.Millisecond

// epochTime is the time of the epoch that ends, 0: now.
func (c *coordinator) epochTime() int64 {
	if c.replay == nil {
		return 0
	}
	return c.replay.time
}

// waitsForReader reports that the client has enough to read: history goes on when it has.
func (c *coordinator) waitsForReader() bool {
	return c.replaying() && c.log.Unread() > subscriptionBytes/4
}

// startReplay begins with the history of a transient query, whose present content is x.
func (c *coordinator) startReplay(x *content) {
	if c.transient == nil || c.transient.History == nil || x == nil {
		return
	}
	h := c.transient.History
	c.replay = &replay{h: h, end: x.view.position(h.Subscription)}
	c.at.Cuts[h.Subscription] = h.From
}

// openHistory opens a scan of the relation whose history is read.
func (c *coordinator) openHistory(scan *plan.Physical, index int, x *content) (*logSource, error) {
	h, snap := c.transient.History, c.m.o.Catalog.Snapshot()
	sub, rel := snap.ByID(h.Subscription), snap.ByID(h.Relation)
	if sub == nil || rel == nil || c.logs[sub.ID] == nil {
		return nil, pgerror.New(pgerror.UndefinedTable, "relation %q was dropped", scan.Name)
	}
	columns := make([]int, len(scan.Columns))
	for i, at := range scan.Columns {
		k := sub.ColumnIndex(rel.Columns[at].Name)
		if k < 0 {
			return nil, pgerror.Unsupported("the history of %q has no column %q", rel.Name, rel.Columns[at].Name).
				WithHint("The subscription %q is older than the column.", sub.Name)
		}
		columns[i] = k
	}
	s := &logSource{
		id: sub.ID, rel: sub.ID, types: sub.Types(), columns: columns, eventTime: -1, mark: dataflow.NoWatermark, gates: c.gatesFor(index),
	}
	if rel.Kind == catalog.Stream && rel.EventTime >= 0 {
		s.eventTime, s.delay = sub.ColumnIndex(rel.Columns[rel.EventTime].Name), rel.WatermarkDelay
	}
	s.reader = c.logs[sub.ID].NewReader(h.From, []uint32{sub.ID}, c.poke)
	s.reader.InParts()
	s.reader.Loosen() // a client that stops must not make the log grow
	c.logIn = append(c.logIn, s)
	if t := c.transient; rel.ID == sub.ID || t.NoSnapshot || rel.AppendOnly && !t.Earliest {
		return s, nil // only what came after
	}
	if !rel.Native() && !c.m.KeepsRows(rel.ID) {
		return nil, pgerror.Unsupported("the content of %q at a time that has passed is not known", rel.Name).
			WithHint("WITH (snapshot = false) gives what came after that time.")
	}
	for _, col := range sub.Columns {
		if rel.ColumnIndex(col.Name) < 0 {
			return nil, pgerror.Unsupported("the content of %q at a time that has passed is not known: it has no column %q any more", rel.Name, col.Name).
				WithHint("WITH (snapshot = false) gives what came after that time.")
		}
	}
	since, err := c.since(sub, h.From, c.replay.end)
	if err != nil {
		return nil, err
	}
	s.startContent(x.past(rel, sub, since))
	return s, nil
}

// since counts the rows, encoded, that entered the relation, or left it (below 0), in the
// epochs after from up to end.
func (c *coordinator) since(sub *catalog.Relation, from, end uint64) (map[string]int, error) {
	r := c.logs[sub.ID].NewReader(from, []uint32{sub.ID}, nil)
	defer r.Close()
	out := map[string]int{}
	bytes := 0
	var row []byte
	for r.Pos() < end {
		list, err := r.Next(end)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 && r.Pos() < end {
			break
		}
		for _, e := range list {
			for _, ch := range e.Changes {
				for i := range ch.Batch.Each {
					row = rowenc.AppendRow(row[:0], ch.Batch.Cols, i)
					n, known := out[string(row)]
					if ch.Batch.Op(i) == column.Insert {
						n++
					} else {
						n--
					}
					if !known {
						bytes += len(row) + 48
					}
					out[string(row)] = n
				}
			}
		}
		if bytes > historyBytes {
			return nil, pgerror.New(pgerror.OutOfMemory, "too much has changed since the time of AS OF").
				WithDetail("More than %d MB of rows.", historyBytes>>20).
				WithHint("WITH (snapshot = false) begins without the content of that time.")
		}
	}
	return out, nil
}

// past yields the rows of rel less what happened since, encoded as those of sub.
func (x *content) past(rel, sub *catalog.Relation, since map[string]int) iter.Seq2[state.Entry, error] {
	present := x.rows(rel.ID, rel.Native())
	from := make([]int, len(sub.Columns))
	for i, c := range sub.Columns {
		from[i] = rel.ColumnIndex(c.Name)
	}
	return func(yield func(state.Entry, error) bool) {
		d := rowenc.NewDecoder(rel.Types(), from)
		for e, err := range present {
			if err == nil {
				d.Reset()
				err = d.Append(e.Value)
			}
			if err != nil {
				yield(state.Entry{}, err)
				return
			}
			row := rowenc.AppendRow(nil, d.Batch().Cols, 0)
			if since[string(row)] > 0 {
				since[string(row)]--
				continue
			}
			if !yield(state.Entry{Value: row}, nil) {
				return
			}
		}
		for row, n := range since {
			for ; n < 0; n++ {
				if !yield(state.Entry{Value: []byte(row)}, nil) {
					return
				}
			}
		}
	}
}
