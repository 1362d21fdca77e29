package option

import (
	"strings"
	"testing"
	"time"

	"velostream/pgwire/pgerror"
)

var specs = []Spec{
	{Name: "topic", Aliases: []string{"topic.name"}, Required: true},
	{Name: "scan.startup.mode", Default: "earliest", Enum: []string{"earliest", "latest"}},
	{Name: "timeout", Kind: Duration, Default: "5s"},
	{Name: "rows", Kind: Int},
	{Name: "watch", Kind: Bool},
	{Name: "size", Kind: Size},
	{Name: "fields.", Prefix: true},
	{Name: "password", Secret: true, Enum: []string{"x"}},
}

func TestParse(t *testing.T) {
	env := func(n string) (string, bool) { return "orders", n == "TOPIC" }
	o, err := Parse([]Given{
		{Name: "Topic.Name", Value: "${TOPIC}-${X:-eu}"},
		{Name: "rows", Value: "7"},
		{Name: "watch", Value: "on"},
		{Name: "size", Value: "64kB"},
		{Name: "fields.a.min", Value: "3"},
		{Name: "scan.startup.mode", Value: "LATEST"},
	}, env, specs)
	if err != nil {
		t.Fatal(err)
	}
	if o.Text("topic") != "orders-eu" || o.Int("rows") != 7 || !o.Bool("watch") || o.Size("size") != 65536 ||
		o.Duration("timeout") != 5*time.Second || o.WithPrefix("fields.")["a.min"] != "3" || o.Enum("scan.startup.mode") != "latest" {
		t.Fatalf("%+v", o)
	}
	for _, c := range []struct{ name, value, code, msg string }{
		{"tpic", "x", pgerror.UndefinedObject, `"tpic"`},
		{"rows", "many", pgerror.InvalidParameterValue, "rows"},
		{"scan.startup.mode", "never", pgerror.InvalidParameterValue, "never"},
		{"topic", "${NO}", pgerror.InvalidParameterValue, "NO"},
		{"topic", "${NO:?set it}", pgerror.InvalidParameterValue, "set it"},
		{"topic", "${NO", pgerror.InvalidParameterValue, "unterminated"},
		{"watch", "true", pgerror.InvalidParameterValue, `"topic" is required`},
	} {
		_, err := Parse([]Given{{Name: c.name, Value: c.value, Pos: 9}}, env, specs)
		if pgerror.Code(err) != c.code || !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%s = %q: %v", c.name, c.value, err)
		}
	}
	_, err = Parse([]Given{{Name: "tpic"}}, env, specs)
	if !strings.Contains(pgerror.From(err).Hint, `"topic"`) {
		t.Errorf("hint: %q", pgerror.From(err).Hint)
	}
	_, err = Parse([]Given{{Name: "password", Value: "hunter2"}}, env, specs)
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("secret shown: %v", err)
	}
}

func TestValues(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1500": 1500 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "5 minutes": 5 * time.Minute, "2m30s": 150 * time.Second, "1 day": 24 * time.Hour,
	} {
		if d, ok := ParseDuration(in); !ok || d != want {
			t.Errorf("%q: %v %v", in, d, ok)
		}
	}
	for _, in := range []string{"", "-1s", "5 parsecs", "99999999999999999 days"} {
		if d, ok := ParseDuration(in); ok {
			t.Errorf("%q: %v", in, d)
		}
	}
	if n, ok := ParseSize("9999999999 TB"); ok {
		t.Error(n)
	}
	in, out := Cut([]Given{{Name: "SRC.topic"}, {Name: "snk.topic"}}, "src.")
	if len(in) != 1 || in[0].Name != "topic" || len(out) != 1 {
		t.Error(in, out)
	}
}
