package source

import (
	"strings"
	"time"

	"velostream/engine/format"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// Settings are what a statement's options say about an input, beyond its
// connector and format.
type Settings struct {
	// EventTimeField names the column of event time, "" when not given.
	EventTimeField string
	// EventTime is how that column's values are written.
	EventTime format.TimeFormat
	// Delay and IdleTimeout are the watermark's; HasDelay: they were asked for.
	Delay       time.Duration
	HasDelay    bool
	IdleTimeout time.Duration
	OnError     OnError
	// DeadLetterTopic is where dead letters go besides the queryable table.
	DeadLetterTopic string
	Retry           Retry
	Discover        time.Duration
	BatchRows       int
}

// Specs are the options that Parse understands.
func Specs() []option.Spec {
	return []option.Spec{
		{Name: "event.time.field", Help: "the column that says when a record happened"},
		{Name: "event.time.format", Default: "iso8601", Help: "iso8601, epoch_millis, epoch_seconds, epoch_micros, epoch_nanos, or a strftime or Java pattern; of the column that has the event time"},
		{Name: "watermark.strategy", Enum: []string{"bounded_out_of_orderness", "ascending", "punctuated"}, Help: "ascending and punctuated: no row comes late"},
		{Name: "watermark.max_out_of_orderness", Aliases: []string{"watermark.delay"}, Kind: option.Duration, Help: "how late rows may come"},
		{Name: "watermark.idle_timeout", Kind: option.Duration, Default: "5s", Help: "after so long without records a partition is no longer waited for; 0: it always is"},
		{Name: "on_error", Aliases: []string{"error.strategy", "on.error"}, Default: "fail", Enum: []string{"fail", "skip", "dead_letter"}},
		{Name: "dead.letter.queue.enabled", Kind: option.Bool, Help: "true is on_error = 'dead_letter'"},
		{Name: "dead.letter.queue.topic", Help: "a topic that dead letters are sent to as well"},
		{Name: "retry.max.attempts", Kind: option.Int, Default: "0", Help: "tries to connect again in a row; 0: without end"},
		{Name: "retry.backoff.strategy", Default: "exponential", Enum: []string{"exponential", "fixed"}},
		{Name: "retry.initial.delay", Kind: option.Duration, Default: "200ms"},
		{Name: "retry.max.delay", Kind: option.Duration, Default: "10s"},
		{Name: "retry.multiplier", Default: "2"},
		{Name: "discovery.interval", Aliases: []string{"partition.discovery.interval", "metadata.max.age.ms"}, Kind: option.Duration, Default: "10s", Help: "how often new partitions and files are looked for"},
		{Name: "batch.size", Aliases: []string{"batch.max.rows", "batch.rows"}, Kind: option.Int, Default: "4096", Help: "most rows of a batch; it is never waited for"},
	}
}

// Parse reads the options of Specs.
func Parse(o option.Options) (Settings, error) {
	s := Settings{
		EventTimeField:  o.Text("event.time.field"),
		IdleTimeout:     o.Duration("watermark.idle_timeout"),
		Delay:           o.Duration("watermark.max_out_of_orderness"),
		HasDelay:        o.Has("watermark.strategy") || o.Has("watermark.max_out_of_orderness"),
		DeadLetterTopic: o.Text("dead.letter.queue.topic"),
		Discover:        max(o.Duration("discovery.interval"), 10*time.Millisecond),
		BatchRows:       int(max(1, min(o.Int("batch.size"), 1<<20))),
	}
	var err error
	if s.EventTime, err = format.ParseTimeFormat(o.Text("event.time.format")); err != nil {
		return s, pgerror.From(err).At(o.Pos("event.time.format"))
	}
	if st := o.Enum("watermark.strategy"); (st == "ascending" || st == "punctuated") && s.Delay > 0 {
		return s, pgerror.New(pgerror.InvalidParameterValue, "watermark.max_out_of_orderness does not go with watermark.strategy = '%s'", st).At(o.Pos("watermark.max_out_of_orderness"))
	}
	switch o.Enum("on_error") {
	case "skip":
		s.OnError = Skip
	case "dead_letter":
		s.OnError = SendElsewhere
	}
	if o.Has("dead.letter.queue.enabled") {
		switch on := o.Bool("dead.letter.queue.enabled"); {
		case on && o.Has("on_error") && s.OnError != SendElsewhere:
			return s, pgerror.New(pgerror.InvalidParameterValue, "dead.letter.queue.enabled does not go with on_error = '%s'", o.Enum("on_error")).At(o.Pos("dead.letter.queue.enabled"))
		case on:
			s.OnError = SendElsewhere
		case s.OnError == SendElsewhere:
			return s, pgerror.New(pgerror.InvalidParameterValue, "on_error = 'dead_letter' needs dead.letter.queue.enabled").At(o.Pos("dead.letter.queue.enabled"))
		}
	}
	if s.DeadLetterTopic != "" && s.OnError != SendElsewhere {
		return s, pgerror.New(pgerror.InvalidParameterValue, "dead.letter.queue.topic needs on_error = 'dead_letter'").At(o.Pos("dead.letter.queue.topic"))
	}
	s.Retry, err = parseRetry(o)
	return s, err
}

func parseRetry(o option.Options) (Retry, error) {
	r := Retry{Attempts: int(o.Int("retry.max.attempts")), Initial: o.Duration("retry.initial.delay"), Max: o.Duration("retry.max.delay"), Multiplier: 1}
	if r.Attempts < 0 {
		return r, pgerror.New(pgerror.InvalidParameterValue, "option \"retry.max.attempts\" must not be negative").At(o.Pos("retry.max.attempts"))
	}
	if o.Enum("retry.backoff.strategy") == "exponential" {
		m, ok := option.ParseFloat(strings.TrimSpace(o.Text("retry.multiplier")))
		if !ok || m < 1 || m > 100 {
			return r, pgerror.New(pgerror.InvalidParameterValue, "option \"retry.multiplier\" must be 1 to 100").At(o.Pos("retry.multiplier"))
		}
		r.Multiplier = m
	}
	return r, nil
}
