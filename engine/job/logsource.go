package job

import (
	"encoding/binary"
	"iter"

	"velostream/catalog/types"
	"velostream/engine/dataflow"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/log"
	"velostream/storage/rowenc"
	"velostream/storage/state"
)

// backfillRows bounds the rows of existing content that one epoch takes in.
const backfillRows = 64 << 10

// batchRows is the size of the batches that existing content is read in.
const batchRows = 4096

// logSource reads a relation kept here: first, for a new job, its content at
// the moment the job began, then the log from there. It delivers only at cuts,
// so all logs a job reads are cut at the same commits.
type logSource struct {
	id      uint32 // of the log: 0 the commits of native relations, else the job's relation
	rel     uint32
	types   []types.Type // of the whole relation
	columns []int        // attributes wanted
	reader  *log.Reader
	pending []log.Entry
	change  int
	// projected: pending has the columns wanted alone.
	projected bool
	out       column.Batch

	// netted is set for the first epoch after a start: what happened meanwhile
	// is taken in as its net change. So a row that a query fails on, and that was
	// mended since, does not fail it again.
	netted bool

	gates     []*gate
	eventTime int // attribute of the event time, -1: none
	delay     int64
	// byCommit: the watermark moves within an epoch too. Not where several inputs have event
	// times: how far one of them is while another goes on would be left to chance.
	byCommit bool
	seen     dataflow.Watermark // of the rows so far
	mark     dataflow.Watermark // of the commits that they complete

	next  func() (state.Entry, error, bool) // content left to read, nil: none
	stop  func()
	rows  *column.Builder
	taken int // of the content, in this epoch
}

// startContent makes the source begin with rows: encoded rows of the relation.
func (s *logSource) startContent(rows iter.Seq2[state.Entry, error]) {
	s.next, s.stop = iter.Pull2(rows)
	s.rows = column.NewBuilder(s.types, batchRows)
}

// backfilling reports that content is left to read.
func (s *logSource) backfilling() bool { return s.next != nil }

// Poll implements dataflow.Source.
func (s *logSource) Poll() (*column.Batch, error) { return nil, nil }

// Cut implements dataflow.Source. With byCommit the watermark moves with each commit that is
// complete, wherever the cut is: which rows are late depends on the commits alone.
func (s *logSource) Cut(c dataflow.Cut) (*column.Batch, error) {
	b, err := s.take(c[s.id])
	if b == nil || s.byCommit && s.completes() {
		s.mark = s.seen
	}
	return b, err
}

// completes reports that no more of the commit at hand is to come. Of one that is
// returned in parts only the last brings the reader's position behind it.
func (s *logSource) completes() bool {
	return len(s.pending) > 0 && s.change == len(s.pending[0].Changes) && s.pending[0].Seq <= s.reader.Pos()
}

// take returns the next rows of the content, or of the log up to upTo; nil: there are none,
// or (content) they are for the next epoch.
func (s *logSource) take(upTo uint64) (*column.Batch, error) {
	if closed(s.gates) {
		return nil, nil
	}
	if s.next != nil {
		if s.taken < backfillRows {
			return s.content()
		}
		s.taken = 0
		return nil, nil
	}
	for {
		for len(s.pending) > 0 {
			e := s.pending[0]
			if s.change < len(e.Changes) {
				b := e.Changes[s.change].Batch
				s.change++
				if s.projected {
					return b, nil
				}
				s.observe(b)
				return s.project(b)
			}
			s.pending, s.change, s.projected = s.pending[1:], 0, false
		}
		if s.netted {
			s.netted = false
			if err := s.net(upTo); err != nil {
				return nil, err
			}
			continue
		}
		if s.reader.Pos() >= upTo {
			return nil, nil
		}
		var err error
		if s.pending, err = s.reader.Next(upTo); err != nil {
			return nil, err
		}
		if len(s.pending) == 0 && s.reader.Pos() < upTo {
			return nil, nil
		}
	}
}

// netBytes bounds what net holds; beyond it the changes are passed on in
// parts.
const netBytes = 256 << 20

// net takes the entries up to upTo as one.
func (s *logSource) net(upTo uint64) error {
	kept := s.types
	// The columns wanted are enough, and others may have got another type meanwhile; but
	// the event time is observed when the rows go on.
	projected := s.eventTime < 0
	if projected {
		kept = make([]types.Type, len(s.columns))
		for i, j := range s.columns {
			kept[i] = s.types[j]
		}
	}
	n := column.NewNet(kept)
	one := log.Entry{Seq: upTo}
	drain := func() error {
		return n.Drain(func(b *column.Batch) error {
			one.Changes = append(one.Changes, log.Change{Relation: s.rel, Batch: b.Clone()})
			return nil
		})
	}
	for s.reader.Pos() < upTo {
		list, err := s.reader.Next(upTo)
		if err != nil {
			return err
		}
		if len(list) == 0 && s.reader.Pos() < upTo {
			break
		}
		for _, e := range list {
			for _, c := range e.Changes {
				b := c.Batch
				if projected {
					if b, err = s.project(b); err != nil {
						return err
					}
				}
				n.Add(b)
			}
		}
		if n.MemSize() > netBytes {
			if err := drain(); err != nil {
				return err
			}
		}
	}
	if err := drain(); err != nil {
		return err
	}
	s.pending, s.change, s.projected = []log.Entry{one}, 0, projected
	return nil
}

// content returns the next rows of the relation's content.
func (s *logSource) content() (*column.Batch, error) {
	s.rows.Reset()
	for s.rows.Len() < batchRows {
		e, err, ok := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			s.stop()
			s.next, s.taken = nil, 0
			break
		}
		if err := rowenc.DecodeRow(e.Value, s.rows); err != nil {
			return nil, err
		}
		s.rows.Row(column.Insert)
	}
	if s.rows.Len() == 0 {
		return nil, nil
	}
	s.taken += s.rows.Len()
	s.observe(s.rows.Batch())
	return s.project(s.rows.Batch())
}

// project is b with the columns wanted. Those of a query without a name may have got
// another type meanwhile: then it ends.
func (s *logSource) project(b *column.Batch) (*column.Batch, error) {
	cols := s.out.Cols[:0]
	for _, j := range s.columns {
		c := b.Cols[j]
		if s.id == 0 && c.Type.OID != s.types[j].OID {
			return nil, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "a column that the query reads is of type %s now, it was of type %s",
				c.Type, s.types[j]).WithHint("Run the query again.")
		}
		cols = append(cols, c)
	}
	s.out = column.Batch{Ops: b.Ops, Cols: cols, N: b.N, Sel: b.Sel}
	return &s.out, nil
}

// observe takes note of event times: the watermark is the greatest less the delay.
func (s *logSource) observe(b *column.Batch) {
	if s.eventTime < 0 {
		return
	}
	c := b.Cols[s.eventTime]
	for i := range b.Each {
		if !c.Null(i) {
			s.seen = max(s.seen, dataflow.Watermark(c.Ints[c.At(i)]-s.delay))
		}
	}
}

// Watermark implements dataflow.Source.
func (s *logSource) Watermark() (dataflow.Watermark, bool) {
	if s.eventTime < 0 {
		return dataflow.EndOfTime, false
	}
	return s.mark, false
}

// Position implements dataflow.Source: the job keeps the cuts itself, here is
// the watermark.
func (s *logSource) Position() []byte {
	if s.eventTime < 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, uint64(s.mark))
}

// restore takes what Position returned before a restart.
func (s *logSource) restore(position []byte) {
	if len(position) == 8 {
		s.mark = dataflow.Watermark(binary.BigEndian.Uint64(position))
		s.seen = s.mark
	}
}

// Close implements dataflow.Source.
func (s *logSource) Close() error {
	if s.next != nil {
		s.stop()
	}
	s.reader.Close()
	return nil
}
