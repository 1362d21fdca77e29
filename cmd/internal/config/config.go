// Package config is how the server is set up: one Config, with its defaults in
// one function, read from a YAML file, the environment and the command line,
// each over the one before.
//
// A setting has one name in three spellings: data_dir in the file,
// VELOSTREAM_DATA_DIR in the environment, --data-dir on the command line. An
// unknown name is an error that names the nearest known one. In values of the
// file ${VAR}, ${VAR:-default} and ${VAR:?message} stand for variables of the
// environment.
package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"velostream/engine/option"
)

// Config is what can be set. The koanf tags are the names in a file.
type Config struct {
	DataDir    string `koanf:"data_dir"`
	Listen     string `koanf:"listen"`
	HTTPListen string `koanf:"http_listen"`

	PasswordFile    string `koanf:"password_file"`
	HBAFile         string `koanf:"hba_file"`
	TLSCertFile     string `koanf:"tls_cert_file"`
	TLSKeyFile      string `koanf:"tls_key_file"`
	TLSClientCAFile string `koanf:"tls_client_ca_file"`
	MaxConnections  int    `koanf:"max_connections"`
	LoginFailures   int    `koanf:"login_failures"` // 0: no limit

	Shards             int           `koanf:"shards"` // 0: as many as processors
	EpochInterval      time.Duration `koanf:"epoch_interval"`
	CheckpointInterval time.Duration `koanf:"checkpoint_interval"`
	MemoryLimit        Size          `koanf:"memory_limit"` // of the process; 0: 80 % of what the machine or container has
	JobMemory          Size          `koanf:"job_memory"`
	CacheSize          Size          `koanf:"cache_size"` // of each of the two stores
	DrainTimeout       time.Duration `koanf:"drain_timeout"`

	// What a job or sink that stands still may leave unread; 0: no limit.
	BacklogBytes Size          `koanf:"backlog_bytes"`
	BacklogRows  int           `koanf:"backlog_rows"`
	BacklogAge   time.Duration `koanf:"backlog_age"`

	LogLevel  string `koanf:"log_level"`
	LogFormat string `koanf:"log_format"`
	Pprof     bool   `koanf:"pprof"`

	DevKafka           string   `koanf:"dev_kafka"` // "": none
	DevKafkaTopics     []string `koanf:"dev_kafka_topics"`
	DevKafkaPartitions int      `koanf:"dev_kafka_partitions"`
}

// Default returns the values of settings that nobody set. DataDir has none.
func Default() Config {
	return Config{
		Listen:             "127.0.0.1:5433",
		HTTPListen:         "127.0.0.1:9433",
		MaxConnections:     1000,
		LoginFailures:      5,
		EpochInterval:      20 * time.Millisecond,
		CheckpointInterval: time.Second,
		JobMemory:          512 << 20,
		CacheSize:          32 << 20,
		DrainTimeout:       2 * time.Second,
		BacklogBytes:       10 << 30,
		LogLevel:           "info",
		LogFormat:          "text",
		DevKafkaPartitions: 3,
	}
}

// Size is a number of bytes, written as 1048576, 64kB, 512MB, 1GB.
type Size int64

// String implements pflag.Value.
func (s *Size) String() string {
	n := int64(*s)
	for _, u := range []struct {
		unit  int64
		after string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "kB"}} {
		if n >= u.unit && n%u.unit == 0 {
			return strconv.FormatInt(n/u.unit, 10) + u.after
		}
	}
	return strconv.FormatInt(n, 10)
}

// Set implements pflag.Value.
func (s *Size) Set(text string) error {
	n, ok := option.ParseSize(text)
	if !ok {
		return fmt.Errorf("%q is no size such as 1048576, 64kB or 512MB", text)
	}
	*s = Size(n)
	return nil
}

// Type implements pflag.Value.
func (s *Size) Type() string { return "size" }

// UnmarshalText reads the value of a file or the environment.
func (s *Size) UnmarshalText(text []byte) error { return s.Set(string(text)) }

// Validate reports every setting that cannot be, by its name in a file.
func (c *Config) Validate() error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	if c.DataDir == "" {
		bad("data_dir", "is not set; give the directory to keep all data in (--data-dir DIR)")
	}
	if err := checkAddress(c.Listen); err != nil {
		bad("listen", "%v", err)
	} else if !loopback(c.Listen) && c.PasswordFile == "" && c.HBAFile == "" {
		bad("listen", "%s can be reached from other machines, and no password is asked for: set password_file or hba_file (see docs/operations.md), or listen on 127.0.0.1", c.Listen)
	}
	if err := checkAddress(c.HTTPListen); err != nil {
		bad("http_listen", "%v", err)
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		bad("tls_cert_file", "must be given together with tls_key_file")
	}
	if c.TLSClientCAFile != "" && c.TLSCertFile == "" {
		bad("tls_client_ca_file", "has no effect without tls_cert_file")
	}
	if c.DevKafka != "" {
		if err := checkAddress(c.DevKafka); err != nil {
			bad("dev_kafka", "%v", err)
		} else if !loopback(c.DevKafka) {
			bad("dev_kafka", "%s can be reached from other machines; the broker is for development and asks for no password: use 127.0.0.1", c.DevKafka)
		}
	} else if len(c.DevKafkaTopics) > 0 {
		bad("dev_kafka_topics", "has no effect without dev_kafka")
	}
	c.checkRanges(bad)
	return errors.Join(errs...)
}

func (c *Config) checkRanges(bad func(name, format string, args ...any)) {
	within := func(name string, v, low, high int64) {
		if v < low || v > high {
			bad(name, "is %d; it must be %d to %d", v, low, high)
		}
	}
	duration := func(name string, v, low, high time.Duration) {
		if v < low || v > high {
			bad(name, "is %s; it must be %s to %s", v, low, high)
		}
	}
	within("max_connections", int64(c.MaxConnections), 1, 100_000)
	within("login_failures", int64(c.LoginFailures), 0, 1000)
	within("shards", int64(c.Shards), 0, 1024)
	within("dev_kafka_partitions", int64(c.DevKafkaPartitions), 1, 1000)
	if c.MemoryLimit != 0 {
		within("memory_limit", int64(c.MemoryLimit), 64<<20, 1<<50)
	}
	within("job_memory", int64(c.JobMemory), 1<<20, 1<<45)
	within("backlog_bytes", int64(c.BacklogBytes), 0, 1<<60)
	within("backlog_rows", int64(c.BacklogRows), 0, 1<<60)
	duration("backlog_age", c.BacklogAge, 0, 10*365*24*time.Hour)
	within("cache_size", int64(c.CacheSize), 1<<20, 1<<45)
	duration("epoch_interval", c.EpochInterval, time.Millisecond, time.Minute)
	duration("checkpoint_interval", c.CheckpointInterval, 10*time.Millisecond, time.Hour)
	duration("drain_timeout", c.DrainTimeout, 0, 3*time.Second)
	for _, e := range []struct {
		name, value string
		allowed     []string
	}{
		{"log_level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
		{"log_format", c.LogFormat, []string{"text", "json"}},
	} {
		if !slices.Contains(e.allowed, e.value) {
			bad(e.name, "is %q; it must be one of %s", e.value, strings.Join(e.allowed, ", "))
		}
	}
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no HOST:PORT", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q has no port of 0 to 65535", addr)
	}
	return nil
}

// loopback reports whether addr is of this machine alone. A name other than
// localhost may resolve to anything.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
