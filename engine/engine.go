// Package engine opens a database: it wires catalog, stores, jobs and sessions
// together and holds no logic of its own.
//
// What is in a data directory:
//
//	meta/   the catalog: one log of changes (storage/meta)
//	data/   native tables and streams, and the log of their commits (Pebble)
//	state/  state, view contents, output and positions of the jobs (Pebble)
//	tmp/    rows of open cursors
package engine

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/operator"
	"velostream/engine/session"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
	"velostream/storage/meta"
	"velostream/storage/spool"
	"velostream/storage/state"
	"velostream/storage/table"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure an Engine.
type Options struct {
	DataDir string
	// Shards of each job; 0: as many as there are processors.
	Shards             int
	EpochInterval      time.Duration // 0: 20 ms
	CheckpointInterval time.Duration // 0: 1 s
	JobMemoryBytes     int64         // 0: 512 MB
	Backlog            job.BacklogLimits
	MemoryBytes        int64  // of the process, as its runtime is limited to; 0: no limit
	CacheBytes         int64  // block cache of each store, 0: 32 MB
	Version            string // server_version; "" is 15.0
	Connectors         *connector.Registry
	Logger             *slog.Logger
	// Reload is what pg_reload_conf() does, nil: nothing.
	Reload func() error
	// HBA are the host-based rules in force, for pg_hba_file_rules; nil: there are none.
	HBA     func() auth.Rules
	Metrics prometheus.Registerer // nil: none
	// SpillBytes, when not 0, takes the place of query_memory where a query can go on on
	// disk: tests let small queries take that way.
	SpillBytes int64
	// TuneStore changes the options of the store "data" or "state" before it is
	// opened, nil: not at all. Tests give it a disk that fails.
	TuneStore func(name string, o *state.Options)
}

// Engine is an open database.
type Engine struct {
	meta     *meta.Log
	data     state.Store
	state    state.Store
	memory   *operator.Memory // nil: no limit
	jobs     *job.Manager
	sessions *session.Engine
	temp     *spool.Area
}

// Open opens the database in o.DataDir, making it if it is not there, and
// starts its jobs. Errors: the directory is in use or damaged.
func Open(ctx context.Context, o Options) (_ *Engine, err error) {
	o.ensureDefaults()
	if err := os.MkdirAll(o.DataDir, 0o750); err != nil {
		return nil, pgerror.New(pgerror.IOError, "data directory cannot be made: %v", err).WithCause(err)
	}
	e := &Engine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.closeStores())
		}
	}()
	if e.meta, err = meta.Open(filepath.Join(o.DataDir, "meta"), meta.Options{}); err != nil {
		return nil, err
	}
	if e.data, err = openStore(o, "data"); err != nil {
		return nil, err
	}
	if e.state, err = openStore(o, "state"); err != nil {
		return nil, err
	}
	if e.temp, err = openTemp(o); err != nil { // the stores are locked: it is ours alone
		return nil, err
	}
	tables, err := table.Open(e.data)
	if err != nil {
		return nil, err
	}
	redo, err := tables.Redo()
	if err != nil {
		return nil, err
	}
	cat, err := catalog.Open(ctx, e.meta, redo)
	if err != nil {
		return nil, err
	}
	if o.MemoryBytes > 0 {
		e.memory = operator.WatchMemory(o.MemoryBytes)
	}
	e.sessions = &session.Engine{}
	e.jobs = job.NewManager(job.Options{
		Notify:  e.sessions.Announce,
		Catalog: cat, State: e.state, Tables: tables, Connectors: o.Connectors, Logger: o.Logger,
		Shards: o.Shards, EpochInterval: o.EpochInterval, CheckpointInterval: o.CheckpointInterval,
		JobMemoryBytes: o.JobMemoryBytes, Memory: e.memory, Sink: sinkRunner(o.Connectors),
		Backlog: o.Backlog,
	})
	if err := e.jobs.Start(); err != nil {
		return nil, err
	}
	x := e.sessions
	x.Catalog = cat
	x.Tables = tables
	x.Jobs = e.jobs
	x.Connectors = o.Connectors
	x.Version = o.Version
	x.Shards = o.Shards
	x.Memory = e.memory
	x.Logger = o.Logger
	x.Temp = e.temp
	x.Reload, x.HBA = o.Reload, o.HBA
	if err := e.sessions.AdoptOwners(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

func (o *Options) ensureDefaults() {
	if o.Shards <= 0 {
		o.Shards = runtime.GOMAXPROCS(0)
	}
	if o.Version == "" {
		o.Version = "15.0"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Connectors == nil {
		o.Connectors = Connectors()
	}
}

// pushInterval bounds how often the store of jobs is fsynced because of reads;
// a checkpoint, one a second, may wait as long.
const pushInterval = 100 * time.Millisecond

func openStore(o Options, name string) (state.Store, error) {
	var reg prometheus.Registerer
	if o.Metrics != nil {
		reg = prometheus.WrapRegistererWith(prometheus.Labels{"store": name}, o.Metrics)
	}
	so := state.Options{CacheBytes: o.CacheBytes, Logger: o.Logger, Registerer: reg}
	if name == "state" {
		// What a strict read has shown is there after kill -9 too.
		so.PushInterval = pushInterval
	}
	if o.TuneStore != nil {
		o.TuneStore(name, &so)
	}
	return state.OpenPebble(filepath.Join(o.DataDir, name), so)
}

// openTemp is the area of temporary files, and its metrics.
func openTemp(o Options) (*spool.Area, error) {
	a, err := spool.OpenArea(filepath.Join(o.DataDir, "tmp"))
	if err != nil {
		return nil, err
	}
	if a.SpillBytes = o.SpillBytes; o.Metrics == nil {
		return a, nil
	}
	count := func(name, help string, f func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(f()) })
	}
	for _, c := range []prometheus.Collector{
		count("velostream_temp_files_total", "Temporary files made by queries and cursors.", a.Files),
		count("velostream_temp_written_bytes_total", "Bytes written to temporary files.", a.Written),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "velostream_temp_bytes", Help: "Bytes that temporary files take now.",
		}, func() float64 { return float64(a.Used()) }),
	} {
		if err := o.Metrics.Register(c); err != nil {
			return nil, pgerror.New(pgerror.InternalError, "metrics: %v", err).WithCause(err)
		}
	}
	return a, nil
}

// Backend is what the wire server talks to.
func (e *Engine) Backend() pgwire.Backend { return session.Backend{Engine: e.sessions} }

// Roles are the roles there are. Not to be changed.
func (e *Engine) Roles() auth.Roles { return e.sessions.Catalog.Snapshot().Roles() }

// TempBytes is how much temporary files take now.
func (e *Engine) TempBytes() int64 { return e.temp.Used() }

// Jobs describes what runs, for metrics and health.
func (e *Engine) Jobs() []job.Info { return e.jobs.Jobs() }

// Sinks describes the sinks, likewise.
func (e *Engine) Sinks() []job.SinkInfo { return e.jobs.Sinks() }

// Close checkpoints all jobs and closes the stores. Sessions must have ended.
func (e *Engine) Close() error {
	e.jobs.Stop()
	return e.closeStores()
}

func (e *Engine) closeStores() error {
	var errs []error
	for _, s := range []state.Store{e.state, e.data} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if e.memory != nil {
		e.memory.Close()
	}
	if e.meta != nil {
		errs = append(errs, e.meta.Close())
	}
	return errors.Join(errs...)
}
