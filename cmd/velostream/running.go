package main

import (
	"math"

	"velostream/catalog/types"
	"velostream/engine/admin"
	"velostream/engine/job"
)

// running shows the engine's jobs and sinks to the metrics; nothing before the
// engine is open and after it is closed.
type running struct{ s *server }

// Jobs implements admin.Source.
func (r running) Jobs() []admin.Job {
	e := r.s.engine.Load()
	if e == nil {
		return nil
	}
	var out []admin.Job
	for _, i := range e.Jobs() {
		out = append(out, adminJob(i))
	}
	return out
}

func adminJob(i job.Info) admin.Job {
	j := admin.Job{
		Name: i.Relation.Name, Schema: i.Relation.Schema, State: string(i.State), Shards: i.Shards,
		RowsIn: i.Stats.RowsIn, RowsOut: i.Stats.RowsOut, LateRows: i.Stats.LateRows, NullTimes: i.Stats.NullTimes, DeadLetters: i.Stats.DeadLetters,
		Epoch: i.Stats.Epoch, Checkpoint: i.Stats.Checkpoint, Backlog: admin.Backlog(i.Backlog),
	}
	// No watermark yet, and the end of a bounded input, are no times.
	if w := i.Stats.Watermark; w != math.MinInt64 && w != math.MaxInt64 && w != 0 {
		j.Watermark = types.ToTime(w)
	}
	return j
}

// Sinks implements admin.Source.
func (r running) Sinks() []admin.Sink {
	e := r.s.engine.Load()
	if e == nil {
		return nil
	}
	var out []admin.Sink
	for _, i := range e.Sinks() {
		out = append(out, admin.Sink{Name: i.Relation.Name, Schema: i.Relation.Schema, State: string(i.State), Rows: i.Rows, Backlog: admin.Backlog(i.Backlog)})
	}
	return out
}
