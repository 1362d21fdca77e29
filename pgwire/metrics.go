package pgwire

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"velostream/pgwire/pgerror"
)

// counters is what the server counts; read by Server.Stats and, where a
// Registerer was given, by Prometheus.
type counters struct {
	open, accepted, refused, authFailed atomic.Int64
	simple, executed                    atomic.Int64
	failed, panics, cancels             atomic.Int64
	rows, bytesSent                     atomic.Int64
}

// Stats is a reading of the server's counters; all but Open only grow.
type Stats struct {
	Open           int64 // clients connected now, past authentication or not
	Accepted       int64 // connections accepted
	Refused        int64 // turned away: too many, or shutting down
	AuthFailures   int64
	SimpleQueries  int64 // Query messages
	Executes       int64 // Execute messages
	Errors         int64 // ErrorResponses sent
	Panics         int64 // sessions ended by a panic
	CancelRequests int64 // with a right key
	RowsSent       int64 // DataRow and CopyData out
	BytesSent      int64
}

// Stats reads the counters.
func (s *Server) Stats() Stats {
	c := &s.count
	return Stats{
		Open: c.open.Load(), Accepted: c.accepted.Load(), Refused: c.refused.Load(),
		AuthFailures: c.authFailed.Load(), SimpleQueries: c.simple.Load(), Executes: c.executed.Load(),
		Errors: c.failed.Load(), Panics: c.panics.Load(), CancelRequests: c.cancels.Load(),
		RowsSent: c.rows.Load(), BytesSent: c.bytesSent.Load(),
	}
}

// register makes the counters known to r as velostream_pgwire_*.
func (c *counters) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	counter := func(name, help string, v *atomic.Int64) error {
		return r.Register(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Namespace: "velostream", Subsystem: "pgwire", Name: name, Help: help},
			func() float64 { return float64(v.Load()) }))
	}
	return errors.Join(
		r.Register(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: "velostream", Subsystem: "pgwire", Name: "connections", Help: "Clients connected now."},
			func() float64 { return float64(c.open.Load()) })),
		counter("connections_accepted_total", "Connections accepted.", &c.accepted),
		counter("connections_refused_total", "Connections turned away: too many, or shutting down.", &c.refused),
		counter("auth_failures_total", "Failed authentications.", &c.authFailed),
		counter("simple_queries_total", "Query messages.", &c.simple),
		counter("executes_total", "Execute messages.", &c.executed),
		counter("errors_total", "ErrorResponse messages sent.", &c.failed),
		counter("panics_total", "Sessions ended by a panic.", &c.panics),
		counter("cancel_requests_total", "Cancel requests with a right key.", &c.cancels),
		counter("rows_sent_total", "DataRow and CopyData messages sent.", &c.rows),
		counter("sent_bytes_total", "Bytes sent to clients.", &c.bytesSent),
	)
}

// errShutdown is what clients are told when the server stops or an
// administrator ends their connection.
func errShutdown() *pgerror.Error {
	e := pgerror.New(pgerror.AdminShutdown, "terminating connection due to administrator command")
	e.Severity = "FATAL"
	return e
}
