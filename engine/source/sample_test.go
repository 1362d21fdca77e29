package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"velostream/engine/connector"
	"velostream/engine/connector/datagen"
	"velostream/engine/connector/file"
	"velostream/engine/connector/kafka"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
)

func TestInfer(t *testing.T) {
	c := cluster(t, 1)
	produce(t, client(t, c), 0, `{"id":1,"price":1,"at":"2025-01-31T00:00:00Z","day":"2025-01-31","tags":["a"],"ok":true,"n":null,"code":"007"}`, `{"price":1.5,"x":"é","at":null,"u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}`)
	infer := func(src connector.Source, o option.Options) string {
		header, values, err := source.Sample(t.Context(), src, 10)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := formats.Infer("format", o, header, values)
		if err != nil {
			return err.Error()
		}
		var s strings.Builder
		for _, f := range fields {
			fmt.Fprint(&s, f.Name, ":", f.Type.OID, " ")
		}
		return s.String()
	}
	o, _ := option.Parse(nil, nil, formats.Options())
	if got, want := infer(kafkaSource(t, c), o), "id:20 price:1700 at:1184 day:1082 tags:3802 ok:16 n:25 code:25 x:25 u:2950 "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	path := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(path, []byte("id,name,when,amount\n1,\"x,y\",2025-01-31 10:00:00,1.50\n2,007,,3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := file.Connector()
	o, err := option.Parse([]option.Given{{Name: "path", Value: path}, {Name: "format", Value: "csv"}}, nil, f.SourceOptions, formats.Options())
	if err != nil {
		t.Fatal(err)
	}
	src, err := f.NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := infer(src, o), "id:20 name:25 when:1114 amount:1700 "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestHeader reads a CSV file whose columns are in another order than declared.
func TestHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(path, []byte("x,TS,id\nq,1,7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := file.Connector()
	o, err := option.Parse([]option.Given{{Name: "path", Value: path}, {Name: "format", Value: "csv"}}, nil, f.SourceOptions, formats.Options())
	if err != nil {
		t.Fatal(err)
	}
	src, err := f.NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := formats.NewDecoder("format", o, fields, []string{"id", "ts"})
	if err != nil {
		t.Fatal(err)
	}
	opts := options(t, src)
	opts.Decoder = d
	opts.OnError = source.Skip
	in := open(t, opts, nil)
	c, err := in.Next(t.Context())
	if err != nil || in.Stats().Poisoned != 1 || c.Batch.N != 0 {
		t.Fatalf("%v %+v", err, in.Stats()) // 1 is no timestamptz
	}
	if got := in.Stats().LastPoison; !strings.Contains(got, `"ts"`) {
		t.Error(got)
	}
}

// TestOptionNames checks that no name means two things in one statement.
func TestOptionNames(t *testing.T) {
	for _, c := range []connector.Connector{kafka.Connector(), file.Connector(), datagen.Connector()} {
		for kind, lists := range map[string][][]option.Spec{
			"source": {c.SourceOptions, formats.Options(), source.Specs()}, "sink": {c.SinkOptions, formats.Options()},
		} {
			seen := map[string]string{}
			for _, list := range lists {
				for _, s := range list {
					for _, n := range append([]string{s.Name}, s.Aliases...) {
						if seen[n] != "" {
							t.Errorf("%s %s: %q is of %q and %q", c.Name, kind, n, seen[n], s.Name)
						}
						seen[n] = s.Name
					}
				}
			}
		}
	}
}
