package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/twmb/franz-go/pkg/kfake"

	"velostream/cmd/internal/config"
)

// devBroker is a Kafka broker in this process, for development: it speaks the
// protocol, keeps its topics under the data directory, and asks nobody who
// they are.
type devBroker struct {
	cluster *kfake.Cluster
	addr    string
}

// startBroker starts the broker that c asks for, with its topics.
func startBroker(ctx context.Context, c config.Config, log *slog.Logger) (*devBroker, error) {
	ln, err := listen(ctx, "dev_kafka", c.DevKafka)
	if err != nil {
		return nil, err
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return ln, nil }),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(c.DevKafkaPartitions),
		kfake.DataDir(brokerDir(c)),
		kfake.ClusterID("velostream-dev"),
	)
	if err != nil {
		_ = ln.Close() // closed by NewCluster in most cases
		return nil, fmt.Errorf("dev_kafka: %w", err)
	}
	b := &devBroker{cluster: cluster, addr: ln.Addr().String()}
	for _, topic := range slices.Compact(slices.Sorted(slices.Values(c.DevKafkaTopics))) {
		if cluster.TopicInfo(topic) != nil {
			continue
		}
		if err := cluster.CreateTopic(topic, int32(c.DevKafkaPartitions), nil); err != nil {
			b.Close()
			return nil, fmt.Errorf("dev_kafka_topics: %s: %w", topic, err)
		}
	}
	log.WarnContext(ctx, "embedded kafka broker, for development", "address", b.addr, "dir", brokerDir(c))
	return b, nil
}

// Addr is where it listens.
func (b *devBroker) Addr() string { return b.addr }

// Close stops the broker; its topics stay on disk.
func (b *devBroker) Close() { b.cluster.Close() }
