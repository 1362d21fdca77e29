// Package blackhole is a sink that takes everything and keeps nothing: for
// measuring what the rest costs, and for trying a query out.
package blackhole

import (
	"context"

	"velostream/engine/connector"
	"velostream/engine/option"
)

// Connector returns the description of this connector.
func Connector() connector.Connector {
	return connector.Connector{
		Name:    "blackhole",
		Aliases: []string{"blackhole_sink"},
		NewSink: func(option.Options, string) (connector.Sink, error) { return sink{}, nil },
	}
}

type sink struct{}

// Open implements connector.Sink.
func (sink) Open(context.Context) (connector.Writer, error) { return writer{}, nil }

type writer struct{}

// Write implements connector.Writer.
func (writer) Write(context.Context, []connector.Record) error { return nil }

// Commit implements connector.Writer.
func (writer) Commit(context.Context, uint64) error { return nil }

// Close implements connector.Writer.
func (writer) Close() error { return nil }
