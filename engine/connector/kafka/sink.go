package kafka

import (
	"velostream/engine/connector"
	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

func newSink(o option.Options, job string) (connector.Sink, error) {
	return nil, pgerror.Unsupported("kafka sink")
}
