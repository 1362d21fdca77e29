package state

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// collector reads the store's figures when they are asked for, so that the
// store pays nothing for them in between.
type collector struct {
	s       *pebbleStore
	metrics []metric
}

type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(m *pebble.Metrics) float64
}

func newCollector(s *pebbleStore) *collector {
	c := &collector{s: s}
	add := func(name, help string, kind prometheus.ValueType, value func(m *pebble.Metrics) float64) {
		c.metrics = append(c.metrics, metric{prometheus.NewDesc("velostream_state_"+name, help, nil, nil), kind, value})
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	add("disk_bytes", "Bytes the state store takes on disk.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.DiskSpaceUsage()) })
	add("memtable_bytes", "Bytes of committed state not yet in table files.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.MemTable.Size) })
	add("snapshots", "Open snapshots.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.Snapshots.Count) })
	add("read_amplification", "Table files a read of one key may have to look at.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.ReadAmp()) })
	add("compaction_debt_bytes", "Bytes compactions have yet to rewrite.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.Compact.EstimatedDebt) })
	add("compactions_total", "Compactions done.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.Compact.Count) })
	add("flushes_total", "Memtables written to table files.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.Flush.Count) })
	add("ingests_total", "Large batches taken in as table files.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.Ingest.Count) })
	add("wal_bytes", "Bytes of the log needed for recovery.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.WAL.Size) })
	add("wal_written_bytes_total", "Bytes written to the log.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.WAL.BytesWritten) })
	add("cache_bytes", "Bytes in the block cache.", gauge,
		func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Size) })
	add("cache_hits_total", "Blocks found in the cache.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Hits) })
	add("cache_misses_total", "Blocks read from disk.", counter,
		func(m *pebble.Metrics) float64 { return float64(m.BlockCache.Misses) })
	add("failed", "1 when the store stopped writing after an error.", gauge,
		func(*pebble.Metrics) float64 {
			if s.failed() != nil {
				return 1
			}
			return 0
		})
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector. A closed store has no figures.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	if c.s.gate.enter() != nil {
		return
	}
	defer c.s.gate.leave()
	pm := c.s.db.Metrics()
	for _, m := range c.metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(pm))
	}
}
