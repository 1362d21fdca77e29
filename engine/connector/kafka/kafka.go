// Package kafka is the connector for Apache Kafka and what speaks its
// protocol. A split is a partition, a position an offset.
//
// Reading: partitions are assigned by the caller, positions are kept by the
// caller; no consumer group takes part, but positions that are durable are
// committed to group.id, where one is given, so that lag shows in Kafka's own
// tools. Records of open and aborted transactions are not read
// (isolation.level). Offsets that a reader begins from are resolved when it
// opens and told then (connector.Beginner), so "latest" is a fixed place even if the process
// dies before the first record.
//
// Writing: see sink.go for exactly once.
package kafka

import (
	"velostream/engine/connector"
	"velostream/engine/option"
)

// Connector returns the description of this connector.
func Connector() connector.Connector {
	return connector.Connector{
		Name:          "kafka",
		Aliases:       []string{"kafka_source", "kafka_sink"},
		SourceOptions: append(common(), sourceOptions()...),
		SinkOptions:   append(common(), sinkOptions()...),
		NewSource:     func(o option.Options) (connector.Source, error) { return newSource(o) },
		NewSink:       func(o option.Options, job string) (connector.Sink, error) { return newSink(o, job) },
	}
}

func common() []option.Spec {
	return []option.Spec{
		{Name: "brokers", Aliases: []string{"bootstrap.servers", "properties.bootstrap.server", "properties.bootstrap.servers", "bootstrap_servers"}, Required: true, Help: "host:port, several with commas"},
		{Name: "topic", Aliases: []string{"topic.name"}, Required: true, Help: "the topic's name"},
		{Name: "client.id", Default: "velostream", Help: "how the brokers' logs and quotas name this client"},
		{Name: "connect.timeout", Aliases: []string{"request.timeout.ms", "socket.connection.setup.timeout.ms"}, Kind: option.Duration, Default: "5s", Help: "how long to wait for the brokers before reporting an error"},
		{Name: "security.protocol", Aliases: []string{"properties.security.protocol"}, Default: "plaintext", Enum: []string{"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}},
		{Name: "sasl.mechanism", Aliases: []string{"sasl.mechanisms", "properties.sasl.mechanism"}, Enum: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}},
		{Name: "sasl.username", Aliases: []string{"properties.sasl.username"}},
		{Name: "sasl.password", Aliases: []string{"properties.sasl.password"}, Secret: true},
		{Name: "sasl.oauth.token", Secret: true, Help: "the bearer token of OAUTHBEARER"},
		{Name: "ssl.ca.location", Aliases: []string{"properties.ssl.ca.location"}, Help: "a PEM file with the authorities to trust; without it the system's"},
		{Name: "ssl.certificate.location", Help: "a PEM file with the client's certificate"},
		{Name: "ssl.key.location", Help: "a PEM file with the client's key"},
		{Name: "ssl.endpoint.identification.algorithm", Default: "https", Enum: []string{"https", "none"}, Help: "none: the broker's host name is not checked"},
	}
}

func sourceOptions() []option.Spec {
	return []option.Spec{
		{Name: "group.id", Help: "a consumer group to commit durable positions to"},
		{Name: "scan.startup.mode", Aliases: []string{"auto.offset.reset"}, Default: "earliest", Enum: []string{"earliest", "latest", "timestamp", "specific-offsets", "beginning", "end"}},
		{Name: "scan.startup.timestamp", Aliases: []string{"scan.startup.timestamp.millis", "scan.startup.timestamp-millis"}, Help: "ms since 1970 or an ISO time, with scan.startup.mode = 'timestamp'"},
		{Name: "scan.startup.offsets", Aliases: []string{"scan.startup.specific-offsets"}, Help: "partition:offset, several with commas, with scan.startup.mode = 'specific-offsets'"},
		{Name: "isolation.level", Default: "read_committed", Enum: []string{"read_committed", "read_uncommitted"}},
		{Name: "data.loss", Default: "fail", Enum: []string{"fail", "continue"}, Help: "what to do when retention deleted records that were not read yet"},
		{Name: "fetch.max.wait", Aliases: []string{"fetch.wait.max.ms", "fetch.max.wait.ms"}, Kind: option.Duration, Default: "500ms"},
		{Name: "fetch.min.bytes", Kind: option.Size, Default: "1"},
		{Name: "fetch.max.bytes", Kind: option.Size, Default: "16MB"},
		{Name: "max.partition.fetch.bytes", Aliases: []string{"fetch.message.max.bytes"}, Kind: option.Size, Default: "1MB"},
	}
}

func sinkOptions() []option.Spec {
	return []option.Spec{
		{Name: "delivery", Aliases: []string{"delivery.guarantee"}, Default: "exactly_once", Enum: []string{"exactly_once", "at_least_once"}},
		{Name: "acks", Default: "all", Enum: []string{"all", "-1", "1", "0"}},
		{Name: "compression", Aliases: []string{"compression.type"}, Default: "lz4", Enum: []string{"none", "gzip", "snappy", "lz4", "zstd"}},
		{Name: "linger", Aliases: []string{"linger.ms"}, Kind: option.Duration, Default: "0"},
		{Name: "batch.size", Aliases: []string{"batch.max.bytes"}, Kind: option.Size, Default: "1MB"},
		{Name: "transactional.id", Help: "instead of one made from the job's name"},
		{Name: "transaction.timeout", Aliases: []string{"transaction.timeout.ms"}, Kind: option.Duration, Default: "60s"},
		{Name: "partitions", Aliases: []string{"topic.partitions"}, Kind: option.Int, Help: "make the topic with so many partitions if it is missing"},
		{Name: "replication.factor", Kind: option.Int, Default: "-1", Help: "of a topic that is made"},
	}
}
