package job

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/connector"
	"velostream/engine/dataflow"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
)

// watermarkTick is how often sources look whether a split has become idle.
const watermarkTick = 100 * time.Millisecond

// connectorSource is a connector's records as a source of a task: the splits
// that belong to its shard, decoded in the task's goroutine.
type connectorSource struct {
	in      *source.Input
	view    *recordView
	letters *deadLetters
	gates   []*gate
	timed   bool
	ended   bool
	mark    dataflow.Watermark
	acks    chan map[string]int64 // positions that are durable, the newest
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// splitPosition is where a connector source is in one split.
type splitPosition struct {
	Position int64 `json:"position"`
	// Time is the greatest event time seen, so that a restart does not take
	// for early what was late before.
	Time *int64 `json:"time,omitempty"`
}

// openConnector opens relation rel as the source of one shard.
func (c *coordinator) openConnector(ctx context.Context, rel *catalog.Relation, scan *plan.Physical, index, shard int, wake func()) (dataflow.Source, error) {
	letters := c.deadLetters(rel)
	in, view, err := c.m.input(rel, scan.Columns, inputOptions{
		shard: shard, shards: c.shards, latest: c.transient != nil && !c.transient.Earliest,
		resumed: c.at.Epoch > 0, deadLetter: letters.add,
	})
	if err != nil {
		return nil, err
	}
	positions := map[string]splitPosition{}
	if b := c.at.Positions[index][shard]; b != nil {
		if err := json.Unmarshal(b, &positions); err != nil {
			return nil, pgerror.New(pgerror.DataCorrupted, "stored position of %q cannot be read: %v", rel.Name, err)
		}
	}
	starts, times := map[string]int64{}, map[string]int64{}
	for id, p := range positions {
		starts[id] = p.Position
		if p.Time != nil {
			times[id] = *p.Time
		}
	}
	in.RestoreTimes(times)
	if err := in.Open(ctx, starts); err != nil {
		return nil, err
	}
	s := &connectorSource{in: in, view: view, letters: letters, timed: rel.EventTime >= 0 && rel.Kind == catalog.Stream, gates: c.gatesFor(index), mark: dataflow.NoWatermark, acks: make(chan map[string]int64, 1)}
	c.connectors[scanShard{index, shard}] = s
	var run context.Context
	run, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(func() { s.watch(run, wake) })
	return s, nil
}

// watch wakes the task when records arrive, and now and then for idle splits.
func (s *connectorSource) watch(ctx context.Context, wake func()) {
	tick := time.NewTicker(watermarkTick)
	defer tick.Stop()
	for {
		select {
		case <-s.in.Ready():
			wake()
		case <-tick.C:
			if s.timed {
				wake()
			}
		case positions := <-s.acks:
			// For the consumer group's lag only: the checkpoint is what counts.
			if err := s.in.Acknowledge(ctx, positions); err != nil {
				continue
			}
		case <-ctx.Done():
			return
		}
	}
}

// acknowledge tells the connector of a checkpoint's position; it does not wait.
func (s *connectorSource) acknowledge(position []byte) {
	var positions map[string]splitPosition
	if json.Unmarshal(position, &positions) != nil {
		return
	}
	out := make(map[string]int64, len(positions))
	for id, p := range positions {
		out[id] = p.Position
	}
	select {
	case <-s.acks: // an older one that was not taken
	default:
	}
	s.acks <- out
}

// Poll implements dataflow.Source.
func (s *connectorSource) Poll() (*column.Batch, error) {
	if s.ended || closed(s.gates) {
		return nil, nil
	}
	c, ok, err := s.in.TryNext()
	if errors.Is(err, io.EOF) {
		s.ended = true
		return nil, nil
	}
	if err != nil || !ok || c.Batch == nil || c.Batch.N == 0 {
		return nil, err
	}
	return s.view.of(c.Batch)
}

// Cut implements dataflow.Source: rows come by Poll. What could not be decoded
// is stored before the epoch that passed over it can be.
func (s *connectorSource) Cut(dataflow.Cut) (*column.Batch, error) { return nil, s.letters.flush() }

// Watermark implements dataflow.Source. A shard without splits is idle.
func (s *connectorSource) Watermark() (dataflow.Watermark, bool) {
	if s.ended || !s.timed {
		return dataflow.EndOfTime, false
	}
	at, idle := s.in.Watermark(time.Now())
	s.mark = max(s.mark, dataflow.Watermark(at))
	return s.mark, idle || len(s.in.Positions()) == 0
}

// Position implements dataflow.Source.
func (s *connectorSource) Position() []byte {
	times := s.in.Times()
	out := map[string]splitPosition{}
	for id, pos := range s.in.Positions() {
		p := splitPosition{Position: pos}
		if t, ok := times[id]; ok {
			p.Time = &t
		}
		out[id] = p
	}
	b, _ := json.Marshal(out) // a map of numbers always marshals
	return b
}

// Close implements dataflow.Source.
func (s *connectorSource) Close() error {
	s.cancel()
	s.wg.Wait()
	return s.in.Close()
}

type inputOptions struct {
	shard, shards int
	latest        bool // begin with what comes
	bounded       bool // end with what is there
	resumed       bool // the job ran before
	deadLetter    func(source.DeadLetter) error
}

// input makes the input of a connector relation, and the view that gives the
// wanted attributes of its batches.
func (m *Manager) input(rel *catalog.Relation, wanted []int, io inputOptions) (*source.Input, *recordView, error) {
	conn, err := m.o.Connectors.Find(rel.Connector)
	if err != nil {
		return nil, nil, err
	}
	if conn.NewSource == nil {
		return nil, nil, pgerror.New(pgerror.WrongObjectType, "connector %q cannot be read from", rel.Connector)
	}
	opts, err := ParseOptions(conn, false, given(rel, io.latest))
	if err != nil {
		return nil, nil, err
	}
	src, err := conn.NewSource(opts)
	if err != nil {
		return nil, nil, err
	}
	if b, ok := src.(connector.Bounded); ok && io.bounded {
		src = b.Bound()
	}
	set, err := source.Parse(opts)
	if err != nil {
		return nil, nil, err
	}
	lay, err := layOut(rel, wanted, set.EventTime)
	if err != nil {
		return nil, nil, err
	}
	lay.typed(m.types())
	o := source.Options{
		Name: rel.Name, Connector: src, Fields: lay.fields, System: lay.system, RowID: lay.rowID,
		OnError: set.OnError, DeadLetter: io.deadLetter, Resumed: io.resumed,
		MaxRows: set.BatchRows, Discover: set.Discover, Retry: set.Retry,
	}
	if o.OnError == source.Skip && io.deadLetter != nil {
		o.OnError = source.SendElsewhere // to be counted: a stream that skips keeps none
	}
	if o.Decoder, err = formats.NewDecoder("format", opts, lay.fields, valueColumns(rel)); err != nil {
		return nil, nil, err
	}
	if o.Key, err = recordKey(rel, lay, opts); err != nil {
		return nil, nil, err
	}
	o.Upsert = rel.Kind == catalog.Table
	if io.shards > 1 {
		o.Owns = func(s connector.Split) bool { return int(uint64(s.Number)%uint64(io.shards)) == io.shard }
	}
	view := &recordView{env: m.env()}
	if err := view.compile(rel, wanted, lay); err != nil {
		return nil, nil, err
	}
	if rel.EventTime >= 0 && rel.Kind == catalog.Stream {
		w, err := lay.watermark(rel, m.env())
		if err != nil {
			return nil, nil, err
		}
		w.IdleTimeout = set.IdleTimeout
		o.Watermark = w
	}
	in, err := source.New(o)
	return in, view, err
}

// given are a relation's options as they were stored.
func given(rel *catalog.Relation, latest bool) []option.Given {
	var out []option.Given
	for name, v := range rel.Options {
		if latest && (name == "scan.startup.mode" || name == "auto.offset.reset") {
			continue
		}
		out = append(out, option.Given{Name: name, Value: v})
	}
	if latest && rel.Connector == "kafka" {
		out = append(out, option.Given{Name: "scan.startup.mode", Value: "latest"})
	}
	return out
}

// RelationOptions are the options of every connector relation, beside the
// connector's own and those of formats and sources.
func RelationOptions() []option.Spec {
	return []option.Spec{
		{Name: "connector", Aliases: []string{"type"}},
		{Name: "envelope", Default: "plain", Enum: []string{"plain", "upsert"}},
		{Name: "key.field"},
	}
}

// valueColumns are the columns that a record's value has, as they were
// declared: what the values of a CSV record without a header are.
func valueColumns(rel *catalog.Relation) []string {
	var out []string
	keys, _ := KeyFields(rel) // checked when it was made
	for i, c := range rel.Columns {
		if c.System == "" && c.Computed == "" && !slices.Contains(keys, i) {
			out = append(out, c.Name)
		}
	}
	return out
}

// ParseOptions checks a relation's options: an unknown one is an error that
// names the nearest known.
func ParseOptions(conn connector.Connector, sink bool, g []option.Given) (option.Options, error) {
	own, more := conn.SourceOptions, source.Specs()
	if sink {
		own, more = conn.SinkOptions, nil
	}
	return option.Parse(g, os.LookupEnv, own, without(RelationOptions(), own), without(formats.Options(), own), without(more, own))
}

// without leaves out the specs that other has by name: the connector's own
// come first.
func without(specs, other []option.Spec) []option.Spec {
	var out []option.Spec
next:
	for _, s := range specs {
		for _, o := range other {
			if o.Name == s.Name {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// timed reports that rows of relation id carry a watermark when scanned.
func (m *Manager) timed(id uint32) bool {
	rel := m.o.Catalog.Snapshot().ByID(id)
	return rel != nil && rel.Kind == catalog.Stream && rel.EventTime >= 0
}

func (c *coordinator) hasConnectors() bool {
	snap := c.m.o.Catalog.Snapshot()
	for _, s := range scansOf(c.plan) {
		if rel := snap.ByID(s.Relation); rel != nil && (rel.Sourced() || rel.ID == c.id) {
			return true
		}
	}
	return false
}

func nowMicros() int64 { return types.FromTime(time.Now()) }
