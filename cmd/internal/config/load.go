package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"velostream/engine/option"
)

// EnvPrefix begins the names of settings in the environment.
const EnvPrefix = "VELOSTREAM_"

// notSettings are variables with our prefix that other commands read.
var notSettings = []string{"config", "dsn"}

// Flags defines a flag for every setting, with c's values as defaults.
func (c *Config) Flags(f *pflag.FlagSet) {
	f.StringVar(&c.DataDir, "data-dir", c.DataDir, "directory to keep all data in; made if it is missing")
	f.StringVar(&c.Listen, "listen", c.Listen, "HOST:PORT for PostgreSQL clients; port 0 picks a free one")
	f.StringVar(&c.HTTPListen, "http-listen", c.HTTPListen, "HOST:PORT for /healthz, /readyz, /metrics; port 0 picks a free one")
	f.StringVar(&c.PasswordFile, "password-file", c.PasswordFile, "file with a line user:password or user:SCRAM-SHA-256$… per user; without it everyone is let in, and only on loopback")
	f.StringVar(&c.HBAFile, "hba-file", c.HBAFile, "file with rules who may connect from where and how, in the form of pg_hba.conf")
	f.StringVar(&c.TLSCertFile, "tls-cert-file", c.TLSCertFile, "PEM file with the server's certificate chain")
	f.StringVar(&c.TLSKeyFile, "tls-key-file", c.TLSKeyFile, "PEM file with the certificate's key")
	f.StringVar(&c.TLSClientCAFile, "tls-client-ca-file", c.TLSClientCAFile, "PEM file with the authorities whose client certificates are accepted; without it none is asked for")
	f.IntVar(&c.MaxConnections, "max-connections", c.MaxConnections, "clients at the same time")
	f.IntVar(&c.LoginFailures, "login-failures", c.LoginFailures, "failed logins of a user from an address that may follow each other at once, the one after them starts a wait; 0: no limit")
	f.IntVar(&c.Shards, "shards", c.Shards, "parallel shards of each job; 0: as many as processors")
	f.DurationVar(&c.EpochInterval, "epoch-interval", c.EpochInterval, "longest time until changes of a busy input are visible")
	f.DurationVar(&c.CheckpointInterval, "checkpoint-interval", c.CheckpointInterval, "time between checkpoints of a job")
	f.Var(&c.MemoryLimit, "memory-limit", "memory for the whole process; 0: GOMEMLIMIT, or 80 % of what the machine or its container has")
	f.Var(&c.JobMemory, "job-memory", "memory for each operator of a job, over its shards")
	f.Var(&c.CacheSize, "cache-size", "block cache of each store")
	f.DurationVar(&c.DrainTimeout, "drain-timeout", c.DrainTimeout, "how long running statements may go on when the server is told to stop")
	f.Var(&c.BacklogBytes, "backlog-bytes", "what may be kept for a job or sink that stands still before it fails for good; 0: no limit")
	f.IntVar(&c.BacklogRows, "backlog-rows", c.BacklogRows, "rows that may be kept for it; 0: no limit")
	f.DurationVar(&c.BacklogAge, "backlog-age", c.BacklogAge, "how long it may stand still while rows wait for it; 0: no limit")
	f.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
	f.StringVar(&c.LogFormat, "log-format", c.LogFormat, "text or json")
	f.BoolVar(&c.Pprof, "pprof", c.Pprof, "serve /debug/pprof/ over HTTP")
	f.StringVar(&c.DevKafka, "dev-kafka", c.DevKafka, "HOST:PORT for an embedded Kafka broker, for development")
	f.StringSliceVar(&c.DevKafkaTopics, "dev-kafka-topics", c.DevKafkaTopics, "topics to make there")
	f.IntVar(&c.DevKafkaPartitions, "dev-kafka-partitions", c.DevKafkaPartitions, "partitions of topics made there")
}

// Load reads the settings: defaults, the file at path ("": none), environ (as
// os.Environ), and the flags in set that were given. It does not Validate.
// REQUIRES: the flags of set were defined by Flags.
func Load(path string, environ []string, set *pflag.FlagSet) (Config, error) {
	k := koanf.New(".")
	known := names()
	if path != "" {
		if err := loadFile(k, path, environ, known); err != nil {
			return Config{}, err
		}
	}
	if err := loadEnv(k, environ, known); err != nil {
		return Config{}, err
	}
	if set != nil {
		var errs []error
		set.Visit(func(f *pflag.Flag) {
			name := strings.ReplaceAll(f.Name, "-", "_")
			if !slices.Contains(known, name) {
				return // a flag of the command itself
			}
			var value any = f.Value.String()
			if list, ok := f.Value.(pflag.SliceValue); ok {
				value = list.GetSlice()
			}
			errs = append(errs, k.Set(name, value))
		})
		if err := errors.Join(errs...); err != nil {
			return Config{}, err
		}
	}
	c := Default()
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	return c, nil
}

func loadFile(k *koanf.Koanf, path string, environ, known []string) error {
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fmt.Errorf("config file %s: %w", path, err)
	}
	lookup := lookupIn(environ)
	var errs []error
	for name, v := range k.All() {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("config file %s: %w", path, unknown(name, known)))
			continue
		}
		if s, ok := v.(string); ok {
			expanded, err := option.Expand(s, lookup)
			if err != nil {
				errs = append(errs, fmt.Errorf("config file %s: %s: %w", path, name, err))
				continue
			}
			errs = append(errs, k.Set(name, expanded))
		}
	}
	return errors.Join(errs...)
}

func loadEnv(k *koanf.Koanf, environ, known []string) error {
	var errs []error
	provider := env.Provider("", env.Opt{
		Prefix:      EnvPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(key, value string) (string, any) {
			name := strings.ToLower(strings.TrimPrefix(key, EnvPrefix))
			switch {
			case slices.Contains(notSettings, name):
				return "", nil
			case !slices.Contains(known, name):
				errs = append(errs, fmt.Errorf("environment: %s: %w", key, unknown(name, known)))
				return "", nil
			case name == "dev_kafka_topics":
				return name, strings.Split(value, ",")
			}
			return name, value
		},
	})
	if err := k.Load(provider, nil); err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	return errors.Join(errs...)
}

// names lists the settings, as they are spelled in a file.
func names() []string {
	var out []string
	c := Default()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.Flags(set)
	set.VisitAll(func(f *pflag.Flag) { out = append(out, strings.ReplaceAll(f.Name, "-", "_")) })
	return out
}

func unknown(name string, known []string) error {
	if near := option.Nearest(name, known); near != "" {
		return fmt.Errorf("there is no setting %q; perhaps you meant %q", name, near)
	}
	return fmt.Errorf("there is no setting %q; there are: %s", name, strings.Join(known, ", "))
}

// lookupIn finds variables in environ, as os.LookupEnv does in the process's.
func lookupIn(environ []string) option.Lookup {
	if environ == nil {
		return os.LookupEnv
	}
	return func(name string) (string, bool) {
		for _, e := range environ {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v, true
			}
		}
		return "", false
	}
}
