package operator

import (
	"encoding/binary"
	"math"
	"slices"

	"velostream/engine/dataflow"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

const spaceIDs = 2

// restore takes up how far windows are closed and numbered.
func (s *session) restore() error {
	if err := s.clock.load(&s.ends); err != nil {
		return err
	}
	v, err := s.ends.get([]byte{spaceIDs})
	if err != nil || v == nil {
		return err
	}
	s.ids, _, err = takeVarint(v[1:])
	s.idsOld = s.ids
	return err
}

func (s *session) save() error {
	if s.ids != s.idsOld {
		s.idsOld = s.ids
		if err := s.ends.put([]byte{spaceIDs}, binary.AppendVarint([]byte{stateVersion}, s.ids)); err != nil {
			return err
		}
	}
	return s.clock.save(&s.ends)
}

// part is the open sessions of a key, from memory or the table.
func (s *session) part(prefix string) (*sessionPart, error) {
	if p := s.parts[prefix]; p != nil {
		return p, nil
	}
	p := &sessionPart{}
	s.parts[prefix] = p
	s.cached += int64(len(prefix)) + 200
	err := s.sessions.scan([]byte(prefix), rowenc.PrefixEnd([]byte(prefix)), func(k, v []byte) (bool, error) {
		o := &openSession{stored: true}
		s.timeCol.Reset()
		if _, err := rowenc.DecodeKey(k[len(prefix):], []*column.Column{s.timeCol}, nil); err != nil {
			return false, err
		}
		if v[0] != stateVersion {
			return false, column.Corrupt("state of sessions")
		}
		n, _, err := takeVarints(v[1:], 6)
		if err != nil {
			return false, err
		}
		o.start = s.timeCol.Ints[0]
		o.last, o.count, o.id, o.horizon = n[0], n[1], n[2], n[3]
		o.shown = sessionPair{n[4], n[5]}
		o.storedStart, o.storedEnd = o.start, s.end(o)
		p.list = append(p.list, o)
		s.cached += 150
		return true, nil
	})
	return p, err
}

// end is when a session ends.
func (s *session) end(o *openSession) int64 {
	if s.most > 0 {
		return min(o.last+s.gap, o.start+s.most)
	}
	return o.last + s.gap
}

// stored returns the row of a key, "" for none, and what it was emitted with.
func (s *session) stored(key string) (string, sessionPair, error) {
	v, err := s.rows.get([]byte(key))
	if err != nil || v == nil {
		return "", sessionPair{}, err
	}
	pair, row, err := decodeSessionRow(v)
	return string(row), pair, err
}

func decodeSessionRow(v []byte) (sessionPair, []byte, error) {
	if len(v) == 0 || v[0] != stateVersion {
		return sessionPair{}, nil, column.Corrupt("state of sessions")
	}
	n, row, err := takeVarints(v[1:], 2)
	if err != nil {
		return sessionPair{}, nil, err
	}
	return sessionPair{n[0], n[1]}, row, nil
}

func (s *session) storeRow(key, row string, pair sessionPair) error {
	s.val = binary.AppendVarint(append(s.val[:0], stateVersion), pair.a)
	s.val = binary.AppendVarint(s.val, pair.b)
	return s.rows.put([]byte(key), append(s.val, row...))
}

// forget drops the records of a session that is no more; its rows are others' now.
func (s *session) forget(o *openSession, prefix string) error {
	if !o.stored {
		return nil
	}
	o.stored = false
	if err := s.sessions.remove(s.appendTime([]byte(prefix), o.storedStart)); err != nil {
		return err
	}
	return s.ends.remove(s.endKey(o.storedEnd, prefix, o.storedStart))
}

func (s *session) endKey(end int64, prefix string, start int64) []byte {
	s.parked = s.appendTime(append(s.parked[:0], spaceGroups), end)
	s.parked = append(s.parked, prefix...)
	return s.appendTime(s.parked, start)
}

// record writes a session down.
func (s *session) record(o *openSession, prefix string) error {
	end := s.end(o)
	if o.stored && (o.storedStart != o.start || o.storedEnd != end) {
		if err := s.forget(o, prefix); err != nil {
			return err
		}
	}
	if !o.stored {
		if err := s.ends.put(s.endKey(end, prefix, o.start), nil); err != nil {
			return err
		}
		s.firstEnd = min(s.firstEnd, end)
	}
	o.stored, o.storedStart, o.storedEnd = true, o.start, end
	v := []byte{stateVersion}
	for _, n := range []int64{o.last, o.count, o.id, o.horizon, o.shown.a, o.shown.b} {
		v = binary.AppendVarint(v, n)
	}
	return s.sessions.put(s.appendTime([]byte(prefix), o.start), v)
}

// settle emits and writes what is different in the sessions of a key.
func (s *session) settle(part *sessionPart, prefix string, out dataflow.Output) error {
	for _, o := range part.list {
		if !o.touched {
			continue
		}
		pair := s.pair(o)
		same := pair == o.shown
		for _, r := range o.fresh {
			if same && s.mode != sessionFinal {
				if err := s.emit(r.val, pair, column.Insert, out); err != nil {
					return err
				}
			}
			shown := sessionPair{}
			if same {
				shown = pair
			}
			if err := s.storeRow(r.key, r.val, shown); err != nil {
				return err
			}
		}
		moved := o.moved
		if !same {
			moved = []timeRange{{o.start, o.last}}
		}
		for _, r := range moved {
			if err := s.show(prefix, r, pair, out); err != nil {
				return err
			}
		}
		o.shown, o.touched, o.fresh, o.moved = pair, false, nil, nil
		if err := s.record(o, prefix); err != nil {
			return err
		}
	}
	return nil
}

// pair is what the rows of a session are emitted with.
func (s *session) pair(o *openSession) sessionPair {
	switch s.mode {
	case sessionFinal:
		return sessionPair{}
	case sessionRows:
		return sessionPair{o.start, s.end(o)}
	case sessionIDs:
	}
	if o.id == 0 {
		s.ids++
		o.id = s.ids
	}
	if end := s.end(o); end > o.horizon {
		// Twice as far each time: a row moves seldom, however long the session gets.
		o.horizon = end + max(s.gap, o.last-o.start)
	}
	return sessionPair{o.id, o.horizon}
}

// show emits the rows of a range whose window columns are others now.
func (s *session) show(prefix string, r timeRange, pair sessionPair, out dataflow.Output) error {
	var again []freshRow
	err := s.scanRows(prefix, r, func(k, v []byte) error {
		was, row, err := decodeSessionRow(v)
		if err != nil || was == pair {
			return err
		}
		if was != (sessionPair{}) {
			if err := s.emit(string(row), was, column.Delete, out); err != nil {
				return err
			}
		}
		again = append(again, freshRow{string(k), string(row)})
		return s.emit(string(row), pair, column.Insert, out)
	})
	for _, r := range again {
		if err == nil {
			err = s.storeRow(r.key, r.val, pair)
		}
	}
	return err
}

func (s *session) scanRows(prefix string, r timeRange, each func(k, v []byte) error) error {
	lo, hi := s.appendTime([]byte(prefix), r.from), s.appendTime([]byte(prefix), r.to+1)
	return s.rows.scan(lo, hi, func(k, v []byte) (bool, error) { return true, each(k, v) })
}

func (s *session) emit(row string, pair sessionPair, op column.Op, out dataflow.Output) error {
	s.row.Reset()
	if err := rowenc.DecodeRow([]byte(row), s.row); err != nil {
		return err
	}
	s.row.Row(column.Insert)
	for j, c := range s.row.Batch().Cols {
		s.out.b.Col(j).AppendFrom(c, 0)
	}
	a, b := s.out.b.Col(s.width), s.out.b.Col(s.width+1)
	a.Ints, b.Ints = append(a.Ints, pair.a), append(b.Ints, pair.b)
	s.out.b.Row(op)
	return s.out.full(out)
}

// segment cuts the rows from session i to the end of its chain anew: after a row is gone, or
// where sessions have a greatest size. Each session gets the number of the one that most of its rows
// were in.
func (s *session) segment(part *sessionPart, prefix string, i int) error {
	j := i
	for j+1 < len(part.list) && part.list[j+1].start-part.list[j].last < s.gap {
		j++
	}
	old := slices.Clone(part.list[i : j+1])
	at := timeRange{old[0].start, old[0].last}
	for _, o := range old {
		at.to = max(at.to, o.last)
		for _, r := range o.fresh {
			if err := s.keepFresh(r); err != nil {
				return err
			}
		}
		o.fresh = nil
	}
	var list []*openSession
	from := map[*openSession]map[int64]int64{}
	err := s.scanRows(prefix, at, func(k, v []byte) error {
		t, err := s.timeOf(k, len(prefix))
		if err != nil {
			return err
		}
		pair, _, err := decodeSessionRow(v)
		if err != nil {
			return err
		}
		var o *openSession
		if n := len(list); n > 0 {
			o = list[n-1]
		}
		if o == nil || t-o.last >= s.gap || s.most > 0 && t-o.start >= s.most {
			o = &openSession{start: t, touched: true}
			list = append(list, o)
			from[o] = map[int64]int64{}
		}
		o.last = t
		o.count++
		if s.mode == sessionIDs && pair.a != 0 {
			from[o][pair.a]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range old {
		if err := s.forget(o, prefix); err != nil {
			return err
		}
	}
	inherit(list, old, from)
	for _, o := range list {
		o.moved = []timeRange{{o.start, o.last}}
	}
	part.list = slices.Replace(part.list, i, j+1, list...)
	return nil
}

// keepFresh stores a new row that was not emitted yet; what it replaces is out already.
func (s *session) keepFresh(r freshRow) error { return s.storeRow(r.key, r.val, sessionPair{}) }

// inherit gives sessions the numbers of those that most of their rows come from.
func inherit(list, old []*openSession, from map[*openSession]map[int64]int64) {
	byID := map[int64]*openSession{}
	for _, o := range old {
		if o.id != 0 {
			byID[o.id] = o
		}
	}
	for _, o := range list {
		best, n := int64(0), int64(0)
		for id, rows := range from[o] {
			if byID[id] != nil && (rows > n || rows == n && id < best) {
				best, n = id, rows
			}
		}
		if best != 0 {
			was := byID[best]
			o.id, o.horizon, o.shown = was.id, was.horizon, was.shown
			delete(byID, best)
		}
	}
}

func (s *session) timeOf(key []byte, prefix int) (int64, error) {
	s.timeCol.Reset()
	_, err := rowenc.DecodeKey(key[prefix:], []*column.Column{s.timeCol}, nil)
	if err != nil {
		return 0, err
	}
	return s.timeCol.Ints[0], nil
}

// closedSession names a session to close.
type closedSession struct {
	end, start int64
	prefix     string
}

// close emits (EmitFinal) and forgets the sessions up to the frontier.
func (s *session) close(out dataflow.Output) error {
	if s.firstEnd > s.clock.frontier {
		return nil
	}
	const some = 1000
	for {
		list, err := s.closed(some)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := s.closeOne(c, out); err != nil {
				return err
			}
		}
		if len(list) < some {
			break
		}
	}
	return s.out.flush(out)
}

// closed lists sessions to close, by end, and finds the first end that is left.
func (s *session) closed(most int) ([]closedSession, error) {
	var list []closedSession
	s.firstEnd = math.MaxInt64
	err := s.ends.scan([]byte{spaceGroups}, []byte{spaceGroups + 1}, func(k, _ []byte) (bool, error) {
		end, err := s.timeOf(k, 1)
		if err != nil {
			return false, err
		}
		if end > s.clock.frontier || len(list) == most {
			s.firstEnd = end
			return false, nil
		}
		width := len(s.appendTime(nil, end))
		prefix := string(k[1+width : len(k)-width])
		start, err := s.timeOf(k, len(k)-width)
		list = append(list, closedSession{end, start, prefix})
		return true, err
	})
	return list, err
}

func (s *session) closeOne(c closedSession, out dataflow.Output) error {
	part, err := s.part(c.prefix)
	if err != nil {
		return err
	}
	i := part.find(c.start)
	if i < 0 || part.list[i].start != c.start {
		return broken("SESSION", "a session that closes is not there")
	}
	o := part.list[i]
	at := timeRange{o.start, o.last}
	if s.mode == sessionFinal {
		err := s.scanRows(c.prefix, at, func(_, v []byte) error {
			_, row, err := decodeSessionRow(v)
			if err != nil {
				return err
			}
			return s.emit(string(row), sessionPair{o.start, c.end}, column.Insert, out)
		})
		if err != nil {
			return err
		}
	}
	if err := s.rows.removeRange(s.appendTime([]byte(c.prefix), at.from), s.appendTime([]byte(c.prefix), at.to+1)); err != nil {
		return err
	}
	part.list = slices.Delete(part.list, i, i+1)
	if len(part.list) == 0 {
		delete(s.parts, c.prefix)
	}
	return s.forget(o, c.prefix)
}
