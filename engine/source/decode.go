package source

import (
	"velostream/engine/connector"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// decode makes the next batch from the current chunk. A record that can't be
// decoded and must fail the job ends the batch before it, so that what came
// before is handed out and the position stays on it.
func (in *Input) decode() (Chunk, bool, error) {
	in.reset()
	c, first := in.cur, in.at
	take := in.records
	if in.block != nil && len(c.Lines) > 0 {
		take = in.lines
	}
	bytes, failed := take(c)
	if failed != nil {
		in.end = failed
		return Chunk{}, false, failed
	}
	out := Chunk{Batch: &in.batch, Split: c.Split}
	in.batch.N = in.rows.N
	s := in.split(c)
	in.stats.records.Add(int64(in.at - first))
	in.stats.rows.Add(int64(in.batch.N))
	in.stats.bytes.Add(int64(bytes))
	if in.at < c.Len() {
		out.Position = c.Position(in.at)
	} else {
		out.Position = c.Next
		in.cur = nil
		in.feed.recycle(c)
	}
	s.position = out.Position
	if s.end >= 0 {
		in.lag()
	}
	if err := in.clock.observe(in, s); err != nil {
		in.end = in.named(err)
		return Chunk{}, false, in.end
	}
	return out, true, nil
}

// records decodes records of c one by one, as many as the batch takes, and
// returns their bytes. An error ends the input.
func (in *Input) records(c *connector.Chunk) (bytes int, failed error) {
	lines := len(c.Lines) > 0
	var line connector.Record
	for in.at < c.Len() && in.rows.N < in.o.MaxRows {
		r := &line
		if lines {
			line = c.Record(in.at)
		} else {
			r = &c.Records[in.at]
		}
		before := in.rows.N
		if err := in.record(r); err != nil {
			if failed = in.poisoned(c, r, err, before > 0); failed != nil {
				return bytes, failed
			}
			if in.o.OnError == Fail {
				return bytes, nil // the rows before it first
			}
		}
		bytes += len(r.Key) + len(r.Value)
		in.at++
		if n := in.rows.N - before; n > 0 {
			in.beside(c, r, n)
		}
	}
	return bytes, nil
}

// lines is records for a decoder that takes many lines at once.
func (in *Input) lines(c *connector.Chunk) (bytes int, failed error) {
	first := in.at
	for in.at < len(c.Lines) && in.rows.N < in.o.MaxRows {
		end := min(len(c.Lines), in.at+in.o.MaxRows-in.rows.N)
		n, err := in.block.DecodeBlock(c.Buf, c.Lines[in.at:end], &in.rows)
		in.besideLines(c, n)
		in.at += n
		if err != nil {
			r := c.Record(in.at)
			if failed = in.poisoned(c, &r, err, in.rows.N > 0); failed != nil {
				return 0, failed
			}
			if in.o.OnError == Fail {
				break // the rows before it first
			}
			in.at++
		}
	}
	for _, l := range c.Lines[first:in.at] {
		bytes += int(l[1] - l[0])
	}
	return bytes, nil
}

func (in *Input) reset() {
	for _, c := range in.batch.Cols {
		c.Reset()
	}
	in.rows.N = 0
	if in.o.Key != nil && in.o.Key.Into == nil {
		in.keys.N = 0
	}
	in.batch.N, in.batch.Sel = 0, nil
	if in.batch.Ops != nil {
		in.batch.Ops = in.batch.Ops[:0]
	}
}

// record appends the rows of r to the value's and key's columns.
func (in *Input) record(r *connector.Record) error {
	if r.Value == nil {
		if in.o.Upsert {
			return in.tombstone(r)
		}
		return nil
	}
	before := in.rows.N
	if in.o.Decoder == nil {
		in.rows.N++
	} else if err := in.o.Decoder.Decode(r.Value, &in.rows); err != nil {
		return err
	}
	if k := in.o.Key; k != nil && k.Into == nil {
		for range in.rows.N - before {
			if err := in.key(r); err != nil {
				in.rows.N = before
				in.rows.Undo()
				in.keys.N = before
				in.keys.Undo()
				return err
			}
		}
	}
	if in.batch.Ops != nil {
		for range in.rows.N - before {
			in.batch.Ops = append(in.batch.Ops, column.Insert)
		}
	}
	return nil
}

// key appends the key's columns; a record without a key has NULLs there.
func (in *Input) key(r *connector.Record) error {
	if r.Key != nil {
		return in.o.Key.Decoder.Decode(r.Key, &in.keys)
	}
	for i, f := range in.o.Key.Fields {
		if f.NotNull {
			return pgerror.New(pgerror.NotNullViolation, "null value in column %q violates not-null constraint", f.Name).
				WithDetail("The record has no key.")
		}
		in.keys.Cols[i].AppendNull()
	}
	in.keys.N++
	return nil
}

// tombstone appends a Delete of the row with r's key: its key columns, and
// NULL in the others.
func (in *Input) tombstone(r *connector.Record) error {
	k := in.o.Key
	if k == nil || r.Key == nil {
		return pgerror.New(pgerror.NotNullViolation, "a record without a value needs a key to delete")
	}
	if k.Into != nil {
		in.keys.Reset()
	}
	at := in.keys.N
	if err := k.Decoder.Decode(r.Key, &in.keys); err != nil {
		return err
	}
	for i, c := range in.rows.Cols {
		if j := indexOf(k.Into, i); j >= 0 {
			c.AppendFrom(in.keys.Cols[j], at)
		} else {
			c.AppendNull()
		}
	}
	if in.batch.Ops == nil || len(in.batch.Ops) < in.rows.N {
		for len(in.batch.Ops) < in.rows.N {
			in.batch.Ops = append(in.batch.Ops, column.Insert)
		}
	}
	in.batch.Ops = append(in.batch.Ops, column.Delete)
	in.rows.N++
	return nil
}

func indexOf(list []int, v int) int {
	for i, x := range list {
		if x == v {
			return i
		}
	}
	return -1
}

// beside appends what goes with n rows of r: system columns and row id.
func (in *Input) beside(c *connector.Chunk, r *connector.Record, n int) {
	for range n {
		for i, s := range in.o.System {
			s.append(in.sys[i], c, r, in.o.Name)
		}
		if in.o.RowID {
			in.rowid[0].Ints = append(in.rowid[0].Ints, c.Split.Number)
			in.rowid[1].Ints = append(in.rowid[1].Ints, r.Position)
		}
	}
}

// besideLines appends what goes with the rows of n lines from in.at on.
func (in *Input) besideLines(c *connector.Chunk, n int) {
	lines := c.Lines[in.at : in.at+n]
	for i, s := range in.o.System {
		switch col := in.sys[i]; s {
		case Offset:
			col.Ints = appendPositions(col.Ints, c.Base, lines)
		case Timestamp, Partition, Topic, KeyBytes, KeyText, Headers:
			// The same for all lines of a chunk.
			r := connector.Record{Timestamp: c.Timestamp}
			for range n {
				s.append(col, c, &r, in.o.Name)
			}
		case Payload:
			for j := range lines {
				col.AppendBytes(c.Line(in.at + j))
			}
		}
	}
	if in.o.RowID {
		for range n {
			in.rowid[0].Ints = append(in.rowid[0].Ints, c.Split.Number)
		}
		in.rowid[1].Ints = appendPositions(in.rowid[1].Ints, c.Base, lines)
	}
}

func appendPositions(to []int64, base int64, lines [][2]uint32) []int64 {
	for _, l := range lines {
		to = append(to, base+int64(l[0]))
	}
	return to
}

// poisoned deals with a record that can't be decoded. A returned error ends
// the input. later: there are rows to hand out before it, so a failure waits.
func (in *Input) poisoned(c *connector.Chunk, r *connector.Record, err error, later bool) error {
	e := *pgerror.From(err)
	e.Where = placeOf(in.o.Name, c, r)
	if in.o.OnError == Fail {
		if later {
			return nil
		}
		if e.Hint == "" {
			e.Hint = "Set on_error = 'skip' or 'dead_letter' to go on past such records."
		}
		in.count(&e)
		return &e
	}
	in.count(&e)
	if in.o.OnError == SendElsewhere {
		if err := in.o.DeadLetter(DeadLetter{Source: in.o.Name, Split: c.Split, Record: *r, Err: &e}); err != nil {
			return in.named(err)
		}
	}
	return nil
}

func (in *Input) count(e *pgerror.Error) {
	in.stats.poisoned.Add(1)
	in.stats.mu.Lock()
	in.stats.last = e.Message + ", " + e.Where
	in.stats.mu.Unlock()
}

// split returns what is known of c's split, which is alive.
func (in *Input) split(c *connector.Chunk) *splitState {
	s := in.known(c.Split)
	s.end = c.End
	s.lastAlive = in.o.Now()
	return s
}

// known returns what is known of a split, beginning now if that is nothing.
func (in *Input) known(sp connector.Split) *splitState {
	s := in.splits[sp.ID]
	if s == nil {
		s = &splitState{split: sp, position: connector.Unset, end: -1, lastAlive: in.o.Now()}
		s.max, s.seen = in.times[sp.ID]
		in.splits[sp.ID] = s
		in.order = append(in.order, s)
	}
	return s
}

func (in *Input) lag() {
	var n int64
	for _, s := range in.order {
		if s.end > s.position {
			n += s.end - s.position
		}
	}
	in.stats.lag.Store(n)
}
