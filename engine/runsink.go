package engine

import (
	"context"

	"velostream/catalog"
	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/sink"
)

// sinkRunner runs sinks over the connectors of reg.
func sinkRunner(reg *connector.Registry) job.SinkRunner {
	return func(ctx context.Context, rel, input *catalog.Relation, feed *job.Feed) error {
		o, err := job.SinkOptions(reg, rel, input)
		if err != nil {
			return err
		}
		return sink.Run(ctx, o, feed)
	}
}
