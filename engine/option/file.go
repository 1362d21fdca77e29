package option

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"velostream/pgwire/pgerror"
)

// ConfigFile is the option that names a file of options.
const ConfigFile = "config_file"

const (
	maxExtends    = 8
	maxConfigFile = 1 << 20
)

// WithFile replaces the option config_file of given by the options in that
// file. What the statement itself says goes before them. A relative path is
// taken from dir. ${VAR} in the path is filled in.
func WithFile(given []Given, dir string, env Lookup) ([]Given, error) {
	i := slices.IndexFunc(given, func(g Given) bool {
		return strings.EqualFold(g.Name, ConfigFile) || strings.EqualFold(g.Name, "config.file")
	})
	if i < 0 {
		return given, nil
	}
	path, err := Expand(given[i].Value, env)
	if err != nil {
		return nil, pgerror.From(err).At(given[i].Pos)
	}
	values := map[string]string{}
	if err := readFile(resolve(dir, path), values, 0); err != nil {
		return nil, pgerror.From(err).At(given[i].Pos)
	}
	out := slices.Delete(slices.Clone(given), i, i+1)
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		out = append(out, Given{Name: n, Value: values[n], Pos: given[i].Pos, Weak: true})
	}
	return out, nil
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readFile adds the options of a YAML file to values: nested keys are joined
// with dots, lists with commas. The files it extends come first, so that its
// own options win.
func readFile(path string, values map[string]string, depth int) error {
	if depth > maxExtends {
		return pgerror.New(pgerror.InvalidParameterValue, "config files extend each other more than %d deep, up to %q", maxExtends, path).
			WithHint("Perhaps they extend each other in a circle.")
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfigFile {
		return pgerror.New(pgerror.ProgramLimitExceeded, "config file %q is larger than %d bytes", path, maxConfigFile)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return pgerror.New(pgerror.UndefinedFile, "could not read config file %q: %v", path, err).WithCause(err)
	}
	var root map[string]any
	if err := yaml.Unmarshal(b, &root); err != nil {
		return pgerror.New(pgerror.InvalidParameterValue, "config file %q is no YAML of options: %v", path, err).WithCause(err)
	}
	for _, base := range list(root["extends"]) {
		if err := readFile(resolve(filepath.Dir(path), base), values, depth+1); err != nil {
			return err
		}
	}
	delete(root, "extends")
	flatten("", root, values)
	return nil
}

func list(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, scalar(x))
		}
		return out
	}
	return []string{scalar(v)}
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func flatten(prefix string, m map[string]any, values map[string]string) {
	for k, v := range m {
		name := prefix + k
		if sub, ok := v.(map[string]any); ok {
			flatten(name+".", sub, values)
			continue
		}
		values[name] = strings.Join(list(v), ",")
	}
}
