package kafka

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// source implements connector.Source, Checker and Bounded.
type source struct {
	*cluster
	group     string
	mode      string
	milli     int64           // of mode timestamp
	offsets   map[int32]int64 // of mode specific-offsets
	committed bool
	lossy     bool
	fetch     []kgo.Opt
	bounded   bool
}

func newSource(o option.Options) (*source, error) {
	c, err := newCluster(o)
	if err != nil {
		return nil, err
	}
	s := &source{
		cluster:   c,
		group:     o.Text("group.id"),
		mode:      o.Enum("scan.startup.mode"),
		committed: o.Enum("isolation.level") == "read_committed",
		lossy:     o.Enum("data.loss") == "continue",
	}
	if err := s.startup(o); err != nil {
		return nil, err
	}
	s.fetch = []kgo.Opt{
		kgo.FetchMaxWait(o.Duration("fetch.max.wait")),
		kgo.FetchMinBytes(clamp32(o.Size("fetch.min.bytes"))),
		kgo.FetchMaxBytes(clamp32(o.Size("fetch.max.bytes"))),
		kgo.FetchMaxPartitionBytes(clamp32(o.Size("max.partition.fetch.bytes"))),
		// Markers of transactions take up offsets: without them a bounded
		// reader would wait for ever for a last offset that is one.
		kgo.KeepControlRecords(),
	}
	if s.committed {
		s.fetch = append(s.fetch, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if s.lossy {
		s.fetch = append(s.fetch, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	} else {
		s.fetch = append(s.fetch, kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	}
	return s, nil
}

func clamp32(n int64) int32 { return int32(max(1, min(n, 1<<31-1))) }

func (s *source) startup(o option.Options) error {
	bad := func(name, want string) error {
		return pgerror.New(pgerror.InvalidParameterValue, "invalid value for option %q: %q", name, o.Text(name)).
			WithHint("It takes %s.", want).At(o.Pos(name))
	}
	switch s.mode {
	case "beginning":
		s.mode = "earliest"
	case "end":
		s.mode = "latest"
	case "timestamp":
		const name = "scan.startup.timestamp"
		text := o.Text(name)
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t, err := parseTime(text)
			if err != nil {
				return bad(name, "milliseconds since 1970 or a time such as 2025-01-31T12:00:00Z")
			}
			ms = t.UnixMilli()
		}
		s.milli = ms
	case "specific-offsets":
		const name = "scan.startup.offsets"
		s.offsets = map[int32]int64{}
		text := strings.NewReplacer("partition:", "", "offset:", "", " ", "").Replace(o.Text(name))
		// Both 0:42,1:300 and partition:0,offset:42;partition:1,offset:300.
		if strings.Contains(o.Text(name), "offset:") {
			text = strings.NewReplacer(",", ":", ";", ",").Replace(text)
		}
		for item := range strings.SplitSeq(text, ",") {
			p, off, _ := strings.Cut(item, ":")
			pn, err1 := strconv.ParseInt(p, 10, 32)
			on, err2 := strconv.ParseInt(off, 10, 64)
			if err1 != nil || err2 != nil || pn < 0 || on < 0 {
				return bad(name, "partition:offset pairs such as 0:42,1:300")
			}
			s.offsets[int32(pn)] = on
		}
	}
	return nil
}

func parseTime(s string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly} {
		if t, err = time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return t, err
}

// Bound implements connector.Bounded.
func (s *source) Bound() connector.Source {
	b := *s
	b.bounded = true
	return &b
}

// Check implements connector.Checker.
func (s *source) Check(ctx context.Context) error {
	_, err := s.Splits(ctx)
	return err
}

// Splits implements connector.Source.
func (s *source) Splits(ctx context.Context) (out []connector.Split, err error) {
	err = s.admin(ctx, func(ctx context.Context, adm *kadm.Client) error {
		out, err = s.list(ctx, adm)
		return err
	})
	return out, err
}

func (s *source) list(ctx context.Context, adm *kadm.Client) ([]connector.Split, error) {
	details, err := adm.ListTopics(ctx, s.topic)
	if err != nil {
		return nil, err
	}
	d := details[s.topic]
	if d.Err != nil {
		return nil, d.Err
	}
	var out []connector.Split
	for _, p := range d.Partitions.Sorted() {
		out = append(out, s.split(p.Partition))
	}
	return out, nil
}

func (s *source) split(p int32) connector.Split {
	return connector.Split{ID: strconv.Itoa(int(p)), Partition: p, Number: int64(p), Place: s.topic}
}

// Open implements connector.Source.
func (s *source) Open(ctx context.Context, starts []connector.Start) (connector.Reader, error) {
	r := &reader{src: s, parts: make(map[int32]*partition, len(starts))}
	if err := s.resolve(ctx, starts, r.parts); err != nil {
		return nil, err
	}
	assign := make(map[int32]kgo.Offset, len(starts))
	for _, st := range starts {
		p := r.parts[st.Split.Partition]
		r.order = append(r.order, p)
		r.begins = append(r.begins, connector.Start{Split: p.split, Position: p.next})
		if !p.done() {
			assign[p.split.Partition] = kgo.NewOffset().At(p.next)
		}
	}
	opts := s.fetch
	if len(assign) > 0 {
		opts = append([]kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.topic: assign})}, opts...)
	} else if s.bounded {
		return r, nil
	}
	var err error
	r.cl, r.watch, err = s.client(opts...)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// resolve turns starts into offsets, and checks that they exist.
func (s *source) resolve(ctx context.Context, starts []connector.Start, into map[int32]*partition) error {
	return s.admin(ctx, func(ctx context.Context, adm *kadm.Client) error {
		lo, err := s.listed(adm.ListStartOffsets(ctx, s.topic))
		if err != nil {
			return err
		}
		list := adm.ListEndOffsets
		if s.committed {
			list = adm.ListCommittedOffsets
		}
		hi, err := s.listed(list(ctx, s.topic))
		if err != nil {
			return err
		}
		at := map[int32]int64{}
		if s.mode == "timestamp" {
			if at, err = s.listed(adm.ListOffsetsAfterMilli(ctx, s.milli, s.topic)); err != nil {
				return err
			}
		}
		for _, st := range starts {
			n := st.Split.Partition
			first, ok := lo[n]
			if !ok {
				return pgerror.New(pgerror.UndefinedObject, "topic %q has no partition %d", s.topic, n).
					WithHint("The topic was made anew with fewer partitions; recreate the stream to read it from its beginning.")
			}
			p := &partition{split: st.Split, next: st.Position, last: hi[n], end: -1}
			if st.Position < 0 {
				p.next = s.first(st, first, hi[n], at)
			} else if err := s.available(ctx, adm, p, first, hi[n]); err != nil {
				return err
			}
			if s.bounded {
				p.end = hi[n]
			}
			into[n] = p
		}
		return nil
	})
}

func (s *source) listed(l kadm.ListedOffsets, err error) (map[int32]int64, error) {
	if err != nil {
		return nil, err
	}
	m := map[int32]int64{}
	for n, o := range l[s.topic] {
		if o.Err != nil {
			return nil, o.Err
		}
		m[n] = o.Offset
	}
	return m, nil
}

// first is where a split without a position begins.
func (s *source) first(st connector.Start, lo, hi int64, at map[int32]int64) int64 {
	if st.Position == connector.Earliest {
		return lo
	}
	n := st.Split.Partition
	switch s.mode {
	case "latest":
		return hi
	case "timestamp":
		if o, ok := at[n]; ok && o >= 0 {
			return max(lo, o)
		}
		return hi
	case "specific-offsets":
		if o, ok := s.offsets[n]; ok {
			return min(max(o, lo), hi)
		}
	}
	return lo
}

// available checks that nothing between the position and the log was lost.
func (s *source) available(ctx context.Context, adm *kadm.Client, p *partition, lo, hi int64) error {
	if p.next > hi && s.committed {
		// An open transaction holds back what was read without isolation.
		all, err := s.listed(adm.ListEndOffsets(ctx, s.topic))
		if err != nil {
			return err
		}
		hi = all[p.split.Partition]
	}
	if p.next >= lo && p.next <= hi {
		return nil
	}
	if s.lossy {
		p.next = min(max(p.next, lo), hi)
		return nil
	}
	what := "retention deleted what lies between"
	if p.next > hi {
		what = "the topic was truncated or made anew"
	}
	return pgerror.New(pgerror.ObjectNotInPrerequisiteState,
		"partition %d of topic %q no longer holds offset %d: %s", p.split.Partition, s.topic, p.next, what).
		WithDetail("It holds offsets %d to %d.", lo, hi).
		WithHint("Set \"data.loss\" = 'continue' to go on without the lost records, or recreate the stream.")
}
