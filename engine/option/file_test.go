package option

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"velostream/pgwire/pgerror"
)

func TestWithFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("base.yaml", "topic: {name: base}\nrows: 1\nfields:\n  a: [x, y]\n")
	write("a.yaml", "extends: base.yaml\nrows: 2\nwatch: true\n")
	write("loop.yaml", "extends: [loop.yaml]\n")
	write("bad.yaml", "- 1\n")
	given, err := WithFile([]Given{{Name: "CONFIG_FILE", Value: "${F}.yaml"}, {Name: "watch", Value: "off"}}, dir, func(string) (string, bool) { return "a", true })
	if err != nil {
		t.Fatal(err)
	}
	o, err := Parse(given, nil, specs)
	if err != nil {
		t.Fatal(err)
	}
	if o.Text("topic") != "base" || o.Int("rows") != 2 || o.Bool("watch") || o.WithPrefix("fields.")["a"] != "x,y" {
		t.Fatalf("%+v", o)
	}
	for file, code := range map[string]string{"none.yaml": pgerror.UndefinedFile, "loop.yaml": pgerror.InvalidParameterValue, "bad.yaml": pgerror.InvalidParameterValue} {
		_, err := WithFile([]Given{{Name: "config_file", Value: file, Pos: 5}}, dir, nil)
		if pgerror.Code(err) != code || pgerror.From(err).Position != 5 || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
