package dataflow

import (
	"context"

	"velostream/storage/column"
)

// exchange sends a task's output to the tasks of the next stage.
type exchange struct {
	from      *task
	to        []receiver
	partition func(b *column.Batch, n int) [][]int32
}

type receiver struct {
	task    *task
	channel *channel
}

// Emit implements Output: each receiver gets a copy of its rows.
func (x *exchange) Emit(b *column.Batch) error {
	if len(x.to) == 1 || x.partition == nil {
		return x.sendTo(x.to[0], message{batch: b.Clone()})
	}
	for i, rows := range x.partition(b, len(x.to)) {
		if len(rows) == 0 {
			continue
		}
		part := column.Batch{Ops: b.Ops, Cols: b.Cols, N: b.N, Sel: rows}
		if err := x.sendTo(x.to[i], message{batch: part.Clone()}); err != nil {
			return err
		}
	}
	return nil
}

// send gives m to all receivers.
func (x *exchange) send(m message) error {
	for _, r := range x.to {
		if err := x.sendTo(r, m); err != nil {
			return err
		}
	}
	return nil
}

func (x *exchange) sendTo(r receiver, m message) error {
	select {
	case r.channel.in <- m:
	case <-x.from.run.ctx.Done():
		return context.Cause(x.from.run.ctx)
	}
	r.task.poke()
	return nil
}
