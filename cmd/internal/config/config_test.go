package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// load reads file content, environment and flags as the server does.
func load(t *testing.T, content string, environ, args []string) (Config, error) {
	t.Helper()
	path := ""
	if content != "" {
		path = filepath.Join(t.TempDir(), "velostream.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Default()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	c.Flags(set)
	set.String("config", "", "")
	if err := set.Parse(args); err != nil {
		return c, err
	}
	if environ == nil {
		environ = []string{}
	}
	return Load(path, environ, set)
}

func TestLoadOrder(t *testing.T) {
	c, err := load(t, "data_dir: /from/file\nlisten: 127.0.0.1:1\nshards: 3\nepoch_interval: 5ms\njob_memory: 64MB\ndev_kafka_topics: [a, b]\npprof: true\n",
		[]string{"VELOSTREAM_LISTEN=127.0.0.1:2", "VELOSTREAM_HTTP_LISTEN=127.0.0.1:9", "VELOSTREAM_CACHE_SIZE=2MB", "VELOSTREAM_DSN=x", "OTHER=1"},
		[]string{"--http-listen", "127.0.0.1:3", "--config", "x", "--dev-kafka-topics", "c,d"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.DataDir, want.Listen, want.HTTPListen = "/from/file", "127.0.0.1:2", "127.0.0.1:3"
	want.Shards, want.EpochInterval, want.JobMemory, want.CacheSize = 3, 5*time.Millisecond, 64<<20, 2<<20
	want.DevKafkaTopics, want.Pprof = []string{"c", "d"}, true
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestLoadDefaults(t *testing.T) {
	c, err := load(t, "", nil, nil)
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("%+v %v", c, err)
	}
}

func TestLoadEnvList(t *testing.T) {
	c, err := load(t, "", []string{"VELOSTREAM_DEV_KAFKA_TOPICS=a,b"}, nil)
	if err != nil || !reflect.DeepEqual(c.DevKafkaTopics, []string{"a", "b"}) {
		t.Errorf("%q %v", c.DevKafkaTopics, err)
	}
}

func TestLoadExpands(t *testing.T) {
	c, err := load(t, "data_dir: ${ROOT}/data\nlisten: ${ADDR:-127.0.0.1:7}\n", []string{"ROOT=/srv"}, nil)
	if err != nil || c.DataDir != "/srv/data" || c.Listen != "127.0.0.1:7" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		environ    []string
		args       []string
		want       string
	}{
		{name: "unknown in file", file: "data_dirr: x\n", want: `perhaps you meant "data_dir"`},
		{name: "unknown far off", file: "zzzzzzzzzzzzzzzzzzz: 1\n", want: "there are: "},
		{name: "nested", file: "log:\n  level: info\n", want: `no setting "log.level"; perhaps you meant "log_level"`},
		{name: "unknown in environment", environ: []string{"VELOSTREAM_LISTENS=x"}, want: `VELOSTREAM_LISTENS: there is no setting "listens"; perhaps you meant "listen"`},
		{name: "not YAML", file: "\t{", want: "config file "},
		{name: "bad duration", file: "epoch_interval: soon\n", want: "epoch_interval"},
		{name: "bad size", environ: []string{"VELOSTREAM_JOB_MEMORY=lots"}, want: `"lots" is no size`},
		{name: "bad number", file: "shards: many\n", want: "shards"},
		{name: "missing variable", file: "data_dir: ${NOT_SET:?set it}\n", want: "set it"},
		{name: "bad flag", args: []string{"--job-memory", "x"}, want: `"x" is no size`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.file, tt.environ, tt.args)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*Config)
		want string // "" is valid
	}{
		{"defaults", func(*Config) {}, ""},
		{"no data dir", func(c *Config) { c.DataDir = "" }, "data_dir: is not set"},
		{"port 0", func(c *Config) { c.Listen, c.HTTPListen = "[::1]:0", "localhost:0" }, ""},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, `listen: "127.0.0.1" is no HOST:PORT`},
		{"port too big", func(c *Config) { c.HTTPListen = ":70000" }, "http_listen: "},
		{"open to all", func(c *Config) { c.Listen = "0.0.0.0:5433" }, "set password_file"},
		{"open to all, no host", func(c *Config) { c.Listen = ":5433" }, "set password_file"},
		{"open to all, a name", func(c *Config) { c.Listen = "db.example:5433" }, "set password_file"},
		{"open with passwords", func(c *Config) { c.Listen, c.PasswordFile = "0.0.0.0:5433", "x" }, ""},
		{"key without certificate", func(c *Config) { c.TLSKeyFile = "k" }, "tls_cert_file: must be given together"},
		{"kafka open to all", func(c *Config) { c.DevKafka = ":9092" }, "dev_kafka: "},
		{"topics without kafka", func(c *Config) { c.DevKafkaTopics = []string{"a"} }, "dev_kafka_topics: "},
		{"shards", func(c *Config) { c.Shards = -1 }, "shards: is -1; it must be 0 to 1024"},
		{"epochs", func(c *Config) { c.EpochInterval = 0 }, "epoch_interval: is 0s"},
		{"level", func(c *Config) { c.LogLevel = "loud" }, `log_level: is "loud"; it must be one of debug, info, warn, error`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			c.DataDir = "d"
			tt.set(&c)
			err := c.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestSizeText(t *testing.T) {
	for text, want := range map[string]string{"1024": "1kB", "64MB": "64MB", "1500": "1500", "2GB": "2GB", "0": "0"} {
		var s Size
		if err := s.Set(text); err != nil || s.String() != want {
			t.Errorf("%s: %s %v", text, s.String(), err)
		}
	}
}
