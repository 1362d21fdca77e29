package session

import (
	"context"
	"iter"
	"time"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/parser"
	"velostream/engine/sql/plan"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// retentionDefault is how long a subscription's changes are kept.
const retentionDefault = 24 * time.Hour

// createSubscription is CREATE SUBSCRIPTION sub FROM rel: a stream of all changes of
// rel, made by a job of its own and kept for its retention. Its reader begins
// behind what rel holds now.
func (s *Session) createSubscription(ctx context.Context, p ast.Parsed, n *ast.CreateNamed) error {
	switch {
	case n.OrReplace:
		return pgerror.Unsupported("CREATE OR REPLACE SUBSCRIPTION is not supported").WithHint("DROP it first.").At(p.Position(n.Pos()))
	case n.Query != nil:
		return pgerror.Unsupported("CREATE SUBSCRIPTION AS a query is not supported").
			WithHint("Create a materialized view, and a subscription FROM it.").At(p.Position(n.Query.Pos()))
	}
	from, err := s.relation(s.catalog(), p, n.From)
	if err != nil {
		return err
	}
	if from.Kind == catalog.Sink || from.Kind == catalog.Sequence || from.Subscription != nil {
		return pgerror.New(pgerror.WrongObjectType, "a subscription of %s %q is not possible", kindOf(from), from.Name).At(p.Position(n.From.Pos()))
	}
	sub := &catalog.Subscription{Retention: retentionDefault.Microseconds()}
	for _, o := range n.Options {
		switch o.Name {
		case "retention":
			d, ok := parseRetention(o.Value)
			if !ok {
				return pgerror.New(pgerror.InvalidParameterValue, "invalid value for option %q: %q", o.Name, o.Value).
					WithHint("A time above zero, as '1 day' or '6h'.").At(p.Position(o.Pos()))
			}
			sub.Retention = d.Microseconds()
		case "notify":
			if o.Value == "" || len(o.Value) >= channelMax {
				return pgerror.New(pgerror.InvalidParameterValue, "invalid channel name: %q", o.Value).At(p.Position(o.Pos()))
			}
			sub.Notify = o.Value
		default:
			return pgerror.New(pgerror.UndefinedObject, "unrecognized option %q of a subscription", o.Name).
				WithHint("The options are retention and notify.").At(p.Position(o.Pos()))
		}
	}
	q, err := parser.ParseQuery("SELECT * FROM " + ast.QuoteIdent(from.Schema) + "." + ast.QuoteIdent(from.Name))
	if err != nil {
		return err
	}
	id, err := s.createJobAs(ctx, p, jobSpec{kind: catalog.Stream, name: n.Name, query: q, ifNotExists: n.IfNotExists, sub: sub})
	if err != nil || id == 0 || s.e.dry {
		return err
	}
	v, err := s.e.Jobs.Read(ctx, []uint32{id})
	if err != nil {
		return err
	}
	at := v.Epoch(id)
	if err := v.Close(); err != nil {
		return err
	}
	return s.e.Jobs.Acknowledge(id, at)
}

// parseRetention reads a duration, or an interval as PostgreSQL writes it.
func parseRetention(v string) (time.Duration, bool) {
	if d, ok := option.ParseDuration(v); ok {
		return d, d > 0
	}
	d, err := types.DecodeText(types.Type{OID: types.OIDInterval, Mod: -1}, []byte(v), nil)
	if err != nil {
		return 0, false
	}
	const day = 24 * time.Hour
	out := time.Duration(d.Iv.Months)*30*day + time.Duration(d.Iv.Days)*day + time.Duration(d.Iv.Micros)*time.Microsecond
	return out, out > 0
}

// prepareSubscription is the result of a SUBSCRIPTION CURSOR.
func (s *Session) prepareSubscription(p ast.Parsed, n *ast.DeclareCursor) (pgwire.Statement, error) {
	snap := s.catalog()
	r, err := s.relation(snap, p, n.Subscription)
	if err != nil {
		return nil, err
	}
	if r.Subscription == nil {
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a subscription", r.Name).At(p.Position(n.Subscription.Pos()))
	}
	read := catalog.Access{Relation: r.ID, Need: auth.Select, Selected: visiblePositions(r)}
	if err := s.permit(snap, []catalog.Access{read}, nil); err != nil {
		return nil, err
	}
	since, err := s.logicalTime(p, n.Since)
	if err != nil {
		return nil, err
	}
	cols := []pgwire.ResultColumn{{Name: "velo_timestamp", Type: types.Int8}, {Name: "velo_diff", Type: types.Int8}}
	visible := visiblePositions(r)
	for _, i := range visible {
		cols = append(cols, pgwire.ResultColumn{Name: r.Columns[i].Name, Type: r.Columns[i].Type, Table: r.ID, Attr: int16(i + 1)})
	}
	run := func(ctx context.Context, _ []types.Datum) (pgwire.Rows, error) {
		f := &feedRows{s: s, id: r.ID, visible: visible, b: column.NewBuilder(columnTypes(cols), 0), since: since}
		return f, f.open(ctx, r, n)
	}
	return &rowsStatement{columns: cols, run: run}, nil
}

// feedRows are the changes of a subscription, each with its logical time. It
// implements pgwire.Rows.
type feedRows struct {
	s       *Session
	id      uint32
	visible []int
	b       *column.Builder
	since   int64 // µs since the Unix epoch; earlier changes are passed over
	feed    *job.FeedReader
	waited  bool

	// content is what FULL begins with, of the moment contentAt.
	content   func() (*column.Batch, error, bool)
	stop      func()
	reader    *reader
	contentAt int64
	start     uint64 // the position that the content has

	given int64   // rows
	ends  []epoch // where epochs end that are not acknowledged
}

// epoch says that the rows up to a number, counted from 1, are all up to an epoch.
type epoch struct {
	rows int64
	seq  uint64
}

// open finds where the cursor begins.
func (f *feedRows) open(ctx context.Context, r *catalog.Relation, n *ast.DeclareCursor) error {
	var position uint64
	switch {
	case n.Full:
		var err error
		if position, err = f.full(ctx, r); err != nil {
			return err
		}
	case n.Since != nil:
		info, err := f.s.e.Jobs.Feed(f.id)
		if err != nil {
			return err
		}
		position = info.Oldest - 1
	default:
		info, err := f.s.e.Jobs.Feed(f.id)
		if err != nil {
			return err
		}
		position = info.Position
	}
	var err error
	f.feed, err = f.s.e.Jobs.OpenFeed(f.id, position)
	return err
}

// full opens the content of the subscription's relation, and returns the epoch
// it is of.
func (f *feedRows) full(ctx context.Context, r *catalog.Relation) (uint64, error) {
	s, in := f.s, r.Inputs[0]
	v, err := s.e.Jobs.Read(ctx, []uint32{f.id})
	if err != nil {
		return 0, err
	}
	rd := &reader{s: s, ctx: ctx, snap: s.catalog(), view: v, tx: s.e.Tables.Begin()}
	rd.tx.ReadAt(v.Tables)
	rel := rd.snap.ByID(in)
	if rel == nil {
		return 0, rd.close(pgerror.New(pgerror.UndefinedTable, "the relation of subscription %q does not exist", r.Name))
	}
	scan := rd.scan(&plan.Physical{Op: plan.OpScan, Relation: in, Name: rel.Name, Columns: visiblePositions(rel)})
	f.content, f.stop = iter.Pull2(scan)
	f.reader, f.contentAt, f.start = rd, time.Now().UnixMicro(), v.Epoch(f.id)
	return f.start, nil
}

// Continuous says that there is no end.
func (f *feedRows) Continuous() bool { return true }

// Next implements pgwire.Rows.
func (f *feedRows) Next(ctx context.Context) (*column.Batch, error) {
	for {
		f.b.Reset()
		if f.content != nil {
			if err := f.nextContent(); err != nil {
				return nil, err
			}
		} else if err := f.nextChanges(); err != nil {
			return nil, err
		}
		if f.b.Len() > 0 {
			f.waited = false
			f.given += int64(f.b.Len())
			return f.b.Batch(), nil
		}
		if f.content != nil {
			continue
		}
		if !f.waited {
			f.waited = true
			return f.b.Batch(), nil
		}
		if err := f.feed.Wait(ctx); err != nil {
			return nil, err
		}
	}
}

func (f *feedRows) nextContent() error {
	b, err, ok := f.content()
	if err != nil {
		return err
	}
	if !ok {
		f.stop()
		f.content = nil
		f.ends = append(f.ends, epoch{f.given, f.start})
		rd := f.reader
		f.reader = nil
		return rd.close(nil)
	}
	for i := range b.Each {
		f.row(f.contentAt, 1, b, i, nil)
	}
	return nil
}

func (f *feedRows) nextChanges() error {
	list, err := f.feed.TryNext()
	if err != nil {
		return err
	}
	for _, c := range list {
		for _, b := range c.Batches {
			if c.Time < f.since {
				break
			}
			for i := range b.Each {
				diff := int64(1)
				if b.Op(i) == column.Delete {
					diff = -1
				}
				f.row(c.Time, diff, b, i, f.visible)
			}
		}
		f.ends = append(f.ends, epoch{f.given + int64(f.b.Len()), c.Seq})
	}
	return nil
}

// row adds row i of b; which are its columns to show, nil: all.
func (f *feedRows) row(at, diff int64, b *column.Batch, i int, which []int) {
	f.b.Col(0).Append(types.IntDatum(at))
	f.b.Col(1).Append(types.IntDatum(diff))
	if which == nil {
		for j, c := range b.Cols {
			f.b.Col(j+2).AppendFrom(c, i)
		}
	}
	for j, k := range which {
		f.b.Col(j+2).AppendFrom(b.Cols[k], i)
	}
	f.b.Row(column.Insert)
}

// acknowledge makes durable that the first rows rows were dealt with, as far as
// they are whole epochs.
func (f *feedRows) acknowledge(rows int64) error {
	n, seq := 0, uint64(0)
	for n < len(f.ends) && f.ends[n].rows <= rows {
		seq = f.ends[n].seq
		n++
	}
	if n == 0 {
		return nil
	}
	f.ends = f.ends[n:]
	return f.s.e.Jobs.Acknowledge(f.id, seq)
}

// Tag implements pgwire.Rows.
func (f *feedRows) Tag() string { return "SELECT " }

// Close implements pgwire.Rows.
func (f *feedRows) Close() error {
	var err error
	if f.content != nil {
		f.stop()
	}
	if f.reader != nil {
		err = f.reader.close(nil)
	}
	if f.feed != nil {
		f.feed.Close()
	}
	return err
}
