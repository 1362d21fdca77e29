package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type jobs struct{}

func (jobs) Jobs() []Job {
	return []Job{
		{
			Name: "v", Schema: "public", State: "running", Shards: 2, RowsIn: 10, RowsOut: 4, LateRows: 1, NullTimes: 2, DeadLetters: 2, Epoch: 7,
			Watermark: time.Unix(100, 0), Checkpoint: time.Unix(108, 0),
		},
		{Name: "new", Schema: "public", State: "starting"},
	}
}

func (jobs) Sinks() []Sink {
	return []Sink{{Name: "out", Schema: "public", State: "retrying", Rows: 3}}
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestPages(t *testing.T) {
	reg, err := Registry("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	reg.MustRegister(NewCollector(jobs{}))
	var ready atomic.Bool
	o := Options{Metrics: reg, Ready: func() error {
		if !ready.Load() {
			return errors.New("starting")
		}
		return nil
	}}
	h := NewHandler(o)
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/healthz", 200, "ok\n"},
		{"/readyz", 503, "starting\n"},
		{"/", 200, "/metrics"},
		{"/nothing", 404, ""},
		{"/debug/pprof/", 404, ""},
		{"/metrics", 200, `velostream_build_info{version="1.2.3"} 1`},
		{"/metrics", 200, "go_goroutines"},
		{"/metrics", 200, "process_cpu_seconds_total"},
		{"/metrics", 200, `velostream_job_rows_in_total{job="v",schema="public"} 10`},
	} {
		if code, body := get(t, h, tt.path); code != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %q", tt.path, code, body)
		}
	}
	ready.Store(true)
	if code, body := get(t, h, "/readyz"); code != 200 || body != "ready\n" {
		t.Errorf("ready: %d %q", code, body)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/healthz", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	o.Pprof = true
	if code, _ := get(t, NewHandler(o), "/debug/pprof/"); code != 200 {
		t.Errorf("pprof: %d", code)
	}
}

func TestCollector(t *testing.T) {
	c := NewCollector(jobs{}).(*jobCollector)
	c.now = func() time.Time { return time.Unix(110, 0) }
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	_, body := get(t, NewHandler(Options{Metrics: reg}), "/metrics")
	for _, want := range []string{
		"# TYPE velostream_job_checkpoint_age_seconds gauge",
		`velostream_job_checkpoint_age_seconds{job="v",schema="public"} 2`,
		`velostream_job_info{job="new",schema="public",state="starting"} 1`,
		`velostream_job_info{job="v",schema="public",state="running"} 1`,
		`velostream_job_watermark_lag_seconds{job="v",schema="public"} 10`,
		`velostream_job_late_rows_total{job="v",schema="public"} 1`,
		`velostream_job_null_times_total{job="v",schema="public"} 2`,
		`velostream_job_dead_letters_total{job="v",schema="public"} 2`,
		`velostream_sink_info{schema="public",sink="out",state="retrying"} 1`,
		"# TYPE velostream_sink_rows_total counter",
		`velostream_sink_rows_total{schema="public",sink="out"} 3`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(body, `velostream_job_checkpoint_age_seconds{job="new"`) {
		t.Error("an age without a checkpoint")
	}
}

func TestServerHasLimits(t *testing.T) {
	s := NewServer(Options{Ready: func() error { return nil }, Metrics: prometheus.NewRegistry()})
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 30*time.Second || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("%+v", s)
	}
}
