package state

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"velostream/pgwire/pgerror"
)

// Options of OpenPebble. The zero value is a small store that fits an idle
// server of 40 MB.
type Options struct {
	// FS is where the files are; nil is the operating system's. Tests give an
	// in-memory or faulty one.
	FS vfs.FS
	// CacheBytes is the size of the block cache, 32 MiB when 0. It is filled
	// by reads only: an idle store does not hold it.
	CacheBytes int64
	// MemTableBytes is what is collected in memory before it is written out as
	// a table file, 16 MiB when 0. Up to 4 of them wait for the disk before
	// Commit does. A memtable starts small and doubles up to this size.
	MemTableBytes int64
	// CompactionsMax is how many compactions run at a time, 2 when 0.
	CompactionsMax int
	// OpenFilesMax bounds open table files, 256 when 0.
	OpenFilesMax int
	// IngestEntriesMin is the batch length from which Commit writes a table
	// file of its own instead of passing the entries through log and memtable
	// (see ingest.go), 500,000 when 0; negative: never.
	IngestEntriesMin int
	// PushInterval, when not 0, makes commits without sync outlive the process
	// (kill -9), not the machine: they reach the operating system at once, and
	// the disk once in this time. A commit with sync may wait as long.
	PushInterval time.Duration
	// TableFileBytes is the size at which a table file that Commit writes itself,
	// or one of a run, is ended and another begun, 64 MiB when 0.
	TableFileBytes int
	// Logger receives what happens in the background; nil discards it.
	Logger *slog.Logger
	// Registerer receives the metrics; nil: none.
	Registerer prometheus.Registerer
}

// EnsureDefaults fills in what is not set.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 32 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 16 << 20
	}
	if o.CompactionsMax == 0 {
		o.CompactionsMax = 2
	}
	if o.OpenFilesMax == 0 {
		o.OpenFilesMax = 256
	}
	if o.IngestEntriesMin == 0 {
		o.IngestEntriesMin = 500_000
	}
	if o.TableFileBytes == 0 {
		o.TableFileBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Validate reports the first option out of its range, as 22023.
func (o *Options) Validate() error {
	check := func(name string, v, lo, hi int64) error {
		if v < lo || v > hi {
			return pgerror.New(pgerror.InvalidParameterValue, "state store option %s is %d, must be from %d to %d", name, v, lo, hi)
		}
		return nil
	}
	for _, c := range []struct {
		name      string
		v, lo, hi int64
	}{
		{"CacheBytes", o.CacheBytes, 1 << 20, 1 << 40},
		{"MemTableBytes", o.MemTableBytes, 1 << 20, 1 << 30},
		{"CompactionsMax", int64(o.CompactionsMax), 1, 64},
		{"PushInterval", int64(o.PushInterval), 0, int64(time.Second)},
		{"OpenFilesMax", int64(o.OpenFilesMax), 32, 1 << 20},
	} {
		if err := check(c.name, c.v, c.lo, c.hi); err != nil {
			return err
		}
	}
	return nil
}
