package admin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

func runtimeCollectors() []prometheus.Collector {
	return []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
}

// Job is a persistent query as the metrics show it.
type Job struct {
	Name, Schema, State   string
	Shards                int
	RowsIn, RowsOut       int64
	LateRows, DeadLetters int64
	NullTimes             int64
	Epoch                 uint64
	Watermark, Checkpoint time.Time // zero: none yet
	Backlog               Backlog
}

// Backlog is what a job or sink has not read of its inputs, and for how long it has been
// behind without moving.
type Backlog struct {
	Rows, Bytes int64
	Age         time.Duration
}

// Sink is a sink as the metrics show it.
type Sink struct {
	Name, Schema, State string
	Rows                int64
	Backlog             Backlog
}

// Source says what runs. Its methods may be called by many goroutines.
type Source interface {
	Jobs() []Job
	Sinks() []Sink
}

// jobMetric is one series per job.
type jobMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(j Job, now time.Time) (v float64, ok bool)
}

// jobCollector asks the source anew for each scrape: jobs come and go, and
// their counters are kept by them.
type jobCollector struct {
	source    Source
	now       func() time.Time
	state     *prometheus.Desc
	metrics   []jobMetric
	sinkState *prometheus.Desc
	sinkRows  *prometheus.Desc
	backlog   []sinkMetric
}

// sinkMetric is one series per sink.
type sinkMetric struct {
	desc  *prometheus.Desc
	value func(s Sink) float64
}

// NewCollector returns the metrics of jobs and sinks:
//
//	velostream_job_info{job,schema,state}              1
//	velostream_job_rows_in_total{job,schema}           and rows_out, late_rows, null_times, dead_letters
//	velostream_job_epoch{job,schema}
//	velostream_job_shards{job,schema}
//	velostream_job_watermark_lag_seconds{job,schema}   now minus watermark
//	velostream_job_checkpoint_age_seconds{job,schema}
//	velostream_sink_info{sink,schema,state}            1
//	velostream_sink_rows_total{sink,schema}
//	velostream_job_backlog_rows{job,schema}            and backlog_bytes, backlog_age_seconds; of sinks too
func NewCollector(s Source) prometheus.Collector {
	labels := []string{"job", "schema"}
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("velostream_job_"+name, help, labels, nil)
	}
	count := func(name, help string, get func(Job) int64) jobMetric {
		return jobMetric{desc(name, help), prometheus.CounterValue, func(j Job, _ time.Time) (float64, bool) { return float64(get(j)), true }}
	}
	since := func(name, help string, get func(Job) time.Time) jobMetric {
		return jobMetric{desc(name, help), prometheus.GaugeValue, func(j Job, now time.Time) (float64, bool) {
			at := get(j)
			return now.Sub(at).Seconds(), !at.IsZero()
		}}
	}
	gauge := func(name, help string, get func(Job) float64) jobMetric {
		return jobMetric{desc(name, help), prometheus.GaugeValue, func(j Job, _ time.Time) (float64, bool) { return get(j), true }}
	}
	sinkDesc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("velostream_sink_"+name, help, []string{"sink", "schema"}, nil)
	}
	return &jobCollector{
		source: s, now: time.Now,
		state:     prometheus.NewDesc("velostream_job_info", "Always 1; the label says the job's state.", append(labels, "state"), nil),
		sinkState: prometheus.NewDesc("velostream_sink_info", "Always 1; the label says the sink's state.", []string{"sink", "schema", "state"}, nil),
		sinkRows:  prometheus.NewDesc("velostream_sink_rows_total", "Rows written out and committed.", []string{"sink", "schema"}, nil),
		backlog: []sinkMetric{
			{sinkDesc("backlog_rows", "Rows of its input that were not written out."), func(s Sink) float64 { return float64(s.Backlog.Rows) }},
			{sinkDesc("backlog_bytes", "What is kept for it to read."), func(s Sink) float64 { return float64(s.Backlog.Bytes) }},
			{sinkDesc("backlog_age_seconds", "For how long it has been behind without moving."), func(s Sink) float64 { return s.Backlog.Age.Seconds() }},
		},
		metrics: []jobMetric{
			gauge("backlog_rows", "Rows of its inputs that were not read.", func(j Job) float64 { return float64(j.Backlog.Rows) }),
			gauge("backlog_bytes", "What is kept for it to read.", func(j Job) float64 { return float64(j.Backlog.Bytes) }),
			gauge("backlog_age_seconds", "For how long it has been behind without moving.", func(j Job) float64 { return j.Backlog.Age.Seconds() }),
			count("rows_in_total", "Rows read.", func(j Job) int64 { return j.RowsIn }),
			count("rows_out_total", "Changes put out.", func(j Job) int64 { return j.RowsOut }),
			count("late_rows_total", "Rows that came after their window had closed.", func(j Job) int64 { return j.LateRows }),
			count("null_times_total", "Rows without a time, which are in no window.", func(j Job) int64 { return j.NullTimes }),
			count("dead_letters_total", "Records that could not be decoded.", func(j Job) int64 { return j.DeadLetters }),
			{desc("epoch", "The newest epoch."), prometheus.GaugeValue, func(j Job, _ time.Time) (float64, bool) { return float64(j.Epoch), true }},
			{desc("shards", "Parallel shards."), prometheus.GaugeValue, func(j Job, _ time.Time) (float64, bool) { return float64(j.Shards), true }},
			since("watermark_lag_seconds", "How far the watermark is behind the clock.", func(j Job) time.Time { return j.Watermark }),
			since("checkpoint_age_seconds", "Time since the newest checkpoint.", func(j Job) time.Time { return j.Checkpoint }),
		},
	}
}

// Describe implements prometheus.Collector.
func (c *jobCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.state
	out <- c.sinkState
	out <- c.sinkRows
	for _, m := range c.backlog {
		out <- m.desc
	}
	for _, m := range c.metrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c *jobCollector) Collect(out chan<- prometheus.Metric) {
	now := c.now()
	for _, j := range c.source.Jobs() {
		out <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, 1, j.Name, j.Schema, j.State)
		for _, m := range c.metrics {
			if v, ok := m.value(j, now); ok {
				out <- prometheus.MustNewConstMetric(m.desc, m.kind, v, j.Name, j.Schema)
			}
		}
	}
	for _, s := range c.source.Sinks() {
		out <- prometheus.MustNewConstMetric(c.sinkState, prometheus.GaugeValue, 1, s.Name, s.Schema, s.State)
		out <- prometheus.MustNewConstMetric(c.sinkRows, prometheus.CounterValue, float64(s.Rows), s.Name, s.Schema)
		for _, m := range c.backlog {
			out <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, m.value(s), s.Name, s.Schema)
		}
	}
}
