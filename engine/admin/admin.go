// Package admin is what a server tells its operators over HTTP: whether it is
// alive (/healthz), whether to send it clients (/readyz), and its metrics
// (/metrics, in Prometheus' text form); with Options.Pprof also /debug/pprof/.
//
// It knows the engine only as the small interfaces it declares, and changes
// nothing.
package admin

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options say what is served.
type Options struct {
	// Ready returns nil when clients are welcome, else why they are not. It is
	// called by many goroutines.
	Ready func() error
	// Metrics are shown at /metrics.
	Metrics prometheus.Gatherer
	// Pprof adds /debug/pprof/.
	Pprof bool
	// Logger receives what goes wrong (default: discards).
	Logger *slog.Logger
}

// Limits of the HTTP server. The longest answer is a profile of 30 s.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 90 * time.Second
	idleTimeout       = time.Minute
	headerBytesMax    = 64 << 10
)

// NewServer returns an HTTP server of these pages with all limits set; the
// caller serves and shuts it down.
func NewServer(o Options) *http.Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Handler:           NewHandler(o),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
}

// NewHandler returns the pages.
func NewHandler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{
		// One metric that can't be had must not hide the others.
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8, Timeout: 10 * time.Second,
	}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "velostream\n\n/healthz\n/readyz\n/metrics")
	})
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // a client that left is no error of ours
}

// Registry returns a metrics registry with what every process has: the Go
// runtime, the process, and the build.
func Registry(version string) (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "velostream_build_info", Help: "Always 1; the label says what runs.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	for _, c := range runtimeCollectors() {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	if err := r.Register(build); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return r, nil
}
