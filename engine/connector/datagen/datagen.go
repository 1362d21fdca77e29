// Package datagen is a source that makes up records as JSON: of fields
// described by options, or of a ready profile that looks like real data.
//
// What a record holds follows from the seed and its position alone, its time
// also from the option start; so with a start, reading again from a position
// gives the same records again. Without, time goes on from when it is opened.
package datagen

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// Connector returns the description of this connector.
func Connector() connector.Connector {
	return connector.Connector{
		Name:    "datagen",
		Aliases: []string{"datagen_source", "generator"},
		Formats: []string{"json"},
		SourceOptions: []option.Spec{
			{Name: "rows.per.second", Aliases: []string{"datagen.rows.per.second", "rows_per_second", "rate"}, Kind: option.Int, Default: "10", Help: "0: as fast as they are read"},
			{Name: "rows", Aliases: []string{"number.of.rows", "datagen.rows", "max_records"}, Kind: option.Int, Help: "end after so many rows of all splits; without it they never end"},
			{Name: "seed", Aliases: []string{"datagen.seed"}, Kind: option.Int, Default: "1"},
			{Name: "splits", Aliases: []string{"datagen.split.num", "partitions"}, Kind: option.Int, Default: "1"},
			{Name: "start", Help: "the time of the first record (ISO or ms since 1970); now unless set"},
			{Name: "profile", Enum: []string{"trades"}, Help: "trades: prices that walk at random, a little out of order"},
			{Name: "symbols", Kind: option.Int, Default: "20", Help: "how many symbols the profile trades has"},
			{Name: "fields.", Prefix: true, Help: "fields.<name>.kind = sequence | random | timestamp | …, and .min .max .length .start .values"},
		},
		Describe:  describe,
		NewSource: func(o option.Options) (connector.Source, error) { return newSource(o) },
	}
}

// describe makes a field of each declared column, by its type, when neither
// fields nor a profile were given.
func describe(g []option.Given, columns []connector.Column) []option.Given {
	for _, x := range g {
		if n := strings.ToLower(x.Name); n == "profile" || strings.HasPrefix(n, "fields.") {
			return g
		}
	}
	for i, c := range columns {
		g = append(g, option.Given{Name: "fields." + c.Name + ".kind", Value: kindOf(c.Type, i == 0)})
	}
	return g
}

// kindOf is the kind of field that fits a SQL type; a first integer column
// counts.
func kindOf(typ string, first bool) string {
	typ, _, _ = strings.Cut(typ, "(")
	switch typ {
	case "smallint", "integer", "bigint":
		if first {
			return "sequence"
		}
		return "random"
	case "real", "double precision", "numeric":
		return "decimal"
	case "timestamp without time zone", "timestamp with time zone", "timestamp", "date":
		return "timestamp"
	case "boolean":
		return "bool"
	case "uuid":
		return "uuid"
	}
	return "string"
}

// generator makes the record of a split's position. It must follow from its
// arguments alone. at is the record's nominal time, µs since 1970.
type generator interface {
	append(dst []byte, split int, position, at int64) (value, key []byte)
}

type source struct {
	gen     generator
	rate    int64 // of all splits, records per second; 0: no limit
	rows    int64 // of all splits; < 0: no end
	splits  int64
	start   int64 // µs since 1970
	fixed   bool  // start was given
	bounded bool
}

func newSource(o option.Options) (*source, error) {
	s := &source{rate: o.Int("rows.per.second"), rows: -1, splits: o.Int("splits")}
	if o.Has("rows") {
		s.rows = o.Int("rows")
	}
	if s.splits < 1 || s.splits > 1024 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "option \"splits\" must be 1 to 1024").At(o.Pos("splits"))
	}
	if s.rate < 0 {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "option \"rows.per.second\" must not be negative").At(o.Pos("rows.per.second"))
	}
	if s.fixed = o.Has("start"); s.fixed {
		var err error
		if s.start, err = parseStart(o.Text("start")); err != nil {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "invalid value for option \"start\": %q", o.Text("start")).At(o.Pos("start")).
				WithHint("It takes an ISO time or milliseconds since 1970.")
		}
	}
	if o.Enum("profile") == "trades" {
		s.gen = NewTrades(o.Int("seed"), int(o.Int("symbols")))
		return s, nil
	}
	g, err := newFields(o)
	s.gen = g
	return s, err
}

func parseStart(text string) (int64, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return ms * 1000, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UnixMicro(), err
}

// Ends implements connector.Ender.
func (s *source) Ends() bool { return s.rows >= 0 || s.bounded }

// Bound implements connector.Bounded: generators without a number of rows are
// empty then, as there is nothing there now.
func (s *source) Bound() connector.Source {
	b := *s
	b.bounded = true
	return &b
}

// Check implements connector.Checker.
func (s *source) Check(context.Context) error { return nil }

// Splits implements connector.Source.
func (s *source) Splits(context.Context) ([]connector.Split, error) {
	var out []connector.Split
	for i := range s.splits {
		out = append(out, connector.Split{ID: strconv.FormatInt(i, 10), Partition: int32(i), Number: i, Place: "datagen"})
	}
	return out, nil
}

// Open implements connector.Source.
func (s *source) Open(_ context.Context, starts []connector.Start) (connector.Reader, error) {
	r := &reader{src: s, began: time.Now(), start: s.start}
	if !s.fixed {
		r.start = r.began.UnixMicro()
	}
	for _, st := range starts {
		p := &part{split: st.Split, next: max(0, st.Position), end: -1}
		p.from = p.next
		if s.rows >= 0 {
			n := int64(st.Split.Partition)
			p.end = s.rows/s.splits + b2i(n < s.rows%s.splits)
		} else if s.bounded {
			p.end = p.next
		}
		r.parts = append(r.parts, p)
	}
	return r, nil
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

type part struct {
	split     connector.Split
	next, end int64
	from      int64 // next when opened
}

// reader implements connector.Reader.
type reader struct {
	src   *source
	parts []*part
	at    int
	began time.Time
	start int64
}

// most is how many records a chunk has.
const most = 1024

// Read implements connector.Reader.
func (r *reader) Read(ctx context.Context, c *connector.Chunk) error {
	c.Reset()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		ended, wait := true, time.Duration(-1)
		for range r.parts {
			p := r.parts[r.at]
			r.at = (r.at + 1) % len(r.parts)
			n, w := r.due(p)
			if n > 0 {
				r.fill(p, c, n)
				return nil
			}
			if p.end < 0 || p.next < p.end {
				ended = false
				if wait < 0 || w < wait {
					wait = w
				}
			}
		}
		if ended && (r.src.rows >= 0 || r.src.bounded) {
			return io.EOF
		}
		if wait < 0 {
			wait = time.Hour
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// due returns how many records of p should be there by now, else how long
// until the next.
func (r *reader) due(p *part) (int64, time.Duration) {
	n := int64(most)
	if p.end >= 0 {
		n = min(n, p.end-p.next)
	}
	if r.src.rate == 0 || n <= 0 {
		return n, 0
	}
	// Each split has its share of the rate.
	every := float64(time.Second) * float64(r.src.splits) / float64(r.src.rate)
	ran := time.Since(r.began)
	there := int64(float64(ran)/every) + 1 + p.from
	if there > p.next {
		return min(n, there-p.next), 0
	}
	return 0, max(time.Duration(float64(p.next-p.from)*every)-ran, time.Millisecond)
}

func (r *reader) fill(p *part, c *connector.Chunk, n int64) {
	buf := c.Buf[:0]
	rate := max(r.src.rate, 1)
	if r.src.rate == 0 {
		rate = 1_000_000
	}
	type span struct{ from, to int }
	var spans [most]span
	var keys [most][]byte
	var times [most]int64
	for i := range n {
		// Splits take turns in time.
		n := p.next + i
		if !r.src.fixed {
			n -= p.from
		}
		index := n*r.src.splits + int64(p.split.Partition)
		at := r.start + index/rate*1e6 + index%rate*1e6/rate
		from := len(buf)
		buf, keys[i] = r.src.gen.append(buf, int(p.split.Partition), p.next+i, at)
		spans[i], times[i] = span{from, len(buf)}, at
	}
	c.Buf = buf
	for i := range n {
		s := spans[i]
		c.Records = append(c.Records, connector.Record{
			Key: keys[i], Value: buf[s.from:s.to:s.to], Position: p.next + i, Timestamp: times[i],
		})
	}
	p.next += n
	c.Split, c.Next, c.End = p.split, p.next, p.end
}

// Close implements connector.Reader.
func (r *reader) Close() error { return nil }
