package engine

import (
	"velostream/engine/connector"
	"velostream/engine/connector/blackhole"
	"velostream/engine/connector/datagen"
	"velostream/engine/connector/file"
	"velostream/engine/connector/kafka"
)

// Connectors lists the connectors there are. A new one is added here.
func Connectors() *connector.Registry {
	return connector.NewRegistry(
		kafka.Connector(),
		file.Connector(),
		datagen.Connector(),
		blackhole.Connector(),
	)
}
