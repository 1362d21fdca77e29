// Package option reads the WITH (…) options of a statement: it knows their
// names, spells, kinds and defaults from a visible list of Specs, refuses what
// it does not know by naming the nearest known option, and fills in ${VAR}.
//
// Connectors, formats, sources and sinks publish their Specs; whoever makes
// one of them out of a statement parses the options once against all Specs
// that apply, so that no option is accepted and then ignored.
package option

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"velostream/pgwire/pgerror"
)

// Kind is the form of an option's value.
type Kind uint8

// The kinds of values.
const (
	Text     Kind = iota // as it is
	Int                  // a decimal integer
	Bool                 // true, false, on, off, yes, no, 1, 0
	Duration             // Go's form (150ms, 5s), or a count and a unit (5 seconds); a bare number is milliseconds
	Size                 // bytes: 1048576, 64kB, 1MB
)

// Spec describes one option.
type Spec struct {
	Name     string   // lower case, dotted
	Aliases  []string // other spellings, lower case
	Kind     Kind
	Default  string   // "" with none
	Enum     []string // allowed values, compared without case; nil: any
	Required bool
	// Prefix makes Name a prefix: every option that starts with it is taken
	// (fields.price.min for the Spec fields.).
	Prefix bool
	Secret bool // not to be shown
	Help   string
}

// Given is an option as it was written. Pos is its position in the statement,
// in characters from 1 (0: none).
type Given struct {
	Name  string
	Value string
	Pos   int
	// Weak options, of a file or a profile, give way to others of the same
	// option.
	Weak bool
}

// Options are parsed options. The zero Options has none. Immutable after
// Parse, so safe for concurrent use.
type Options struct {
	values map[string]Given
	specs  []Spec
}

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// Parse checks given against the specs. Names are compared without case. It
// refuses unknown names (42704), names given twice (42601), values of the
// wrong form and missing required options (22023). env fills in ${VAR} forms
// of the values; nil knows no variable.
func Parse(given []Given, env Lookup, specs ...[]Spec) (Options, error) {
	o := Options{values: make(map[string]Given, len(given)), specs: slices.Concat(specs...)}
	for _, g := range given {
		name := strings.ToLower(strings.TrimSpace(g.Name))
		spec := o.find(name)
		if spec == nil {
			return Options{}, o.unknown(g)
		}
		key := spec.Name
		if spec.Prefix {
			key = name
		}
		before, twice := o.values[key]
		switch {
		case twice && g.Weak:
			continue
		case twice && !before.Weak:
			return Options{}, pgerror.New(pgerror.SyntaxError, "option %q is given twice", g.Name).
				WithDetail("%q and %q are the same option.", before.Name, g.Name).At(g.Pos)
		}
		v, err := Expand(g.Value, env)
		if err != nil {
			return Options{}, pgerror.From(err).At(g.Pos)
		}
		g.Value = v
		if err := spec.check(g); err != nil {
			return Options{}, err
		}
		o.values[key] = g
	}
	for i := range o.specs {
		s := &o.specs[i]
		if _, ok := o.values[s.Name]; s.Required && !ok && s.Default == "" {
			e := pgerror.New(pgerror.InvalidParameterValue, "option %q is required", s.Name)
			if s.Help != "" {
				e = e.WithHint("%s = '…': %s", s.Name, s.Help)
			}
			return Options{}, e
		}
	}
	return o, nil
}

func (o *Options) find(name string) *Spec {
	for i := range o.specs {
		s := &o.specs[i]
		if s.Name == name || slices.Contains(s.Aliases, name) || s.Prefix && strings.HasPrefix(name, s.Name) && len(name) > len(s.Name) {
			return s
		}
	}
	return nil
}

func (o *Options) unknown(g Given) error {
	names := make([]string, 0, len(o.specs))
	for _, s := range o.specs {
		names = append(names, s.Name)
		names = append(names, s.Aliases...)
	}
	e := pgerror.New(pgerror.UndefinedObject, "unrecognized option %q", g.Name).At(g.Pos)
	if near := Nearest(g.Name, names); near != "" {
		return e.WithHint("Perhaps you meant %q.", near)
	}
	slices.Sort(names)
	return e.WithHint("Known options: %s.", strings.Join(names, ", "))
}

func (s *Spec) check(g Given) error {
	bad := func(want string) error {
		return pgerror.New(pgerror.InvalidParameterValue, "invalid value for option %q: %q", g.Name, s.show(g.Value)).
			WithHint("It takes %s.", want).At(g.Pos)
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e string) bool { return strings.EqualFold(e, g.Value) }) {
		return bad("one of " + strings.Join(s.Enum, ", "))
	}
	switch s.Kind {
	case Int:
		if _, err := strconv.ParseInt(g.Value, 10, 64); err != nil {
			return bad("an integer")
		}
	case Bool:
		if _, ok := parseBool(g.Value); !ok {
			return bad("true or false")
		}
	case Duration:
		if _, ok := ParseDuration(g.Value); !ok {
			return bad("a duration such as 500ms, 5s or '5 minutes'")
		}
	case Size:
		if _, ok := ParseSize(g.Value); !ok {
			return bad("a size such as 1048576, 64kB or 1MB")
		}
	case Text:
	}
	return nil
}

func (s *Spec) show(v string) string {
	if s.Secret {
		return "***"
	}
	return v
}

func (o Options) get(name string) (string, bool) {
	if g, ok := o.values[name]; ok {
		return g.Value, true
	}
	for i := range o.specs {
		if o.specs[i].Name == name && o.specs[i].Default != "" {
			return o.specs[i].Default, true
		}
	}
	return "", false
}

// Has reports whether the option was given.
func (o Options) Has(name string) bool { _, ok := o.values[name]; return ok }

// Pos is where the option was written, 0 when it was not.
func (o Options) Pos(name string) int { return o.values[name].Pos }

// Text is the option's value, its default, or "".
func (o Options) Text(name string) string { v, _ := o.get(name); return v }

// Enum is Text in lower case.
func (o Options) Enum(name string) string { return strings.ToLower(o.Text(name)) }

// Int is the option's value, its default, or 0.
func (o Options) Int(name string) int64 {
	n, _ := strconv.ParseInt(o.Text(name), 10, 64)
	return n
}

// Bool is the option's value, its default, or false.
func (o Options) Bool(name string) bool { b, _ := parseBool(o.Text(name)); return b }

// Duration is the option's value, its default, or 0.
func (o Options) Duration(name string) time.Duration { d, _ := ParseDuration(o.Text(name)); return d }

// Size is the option's value in bytes, its default, or 0.
func (o Options) Size(name string) int64 { n, _ := ParseSize(o.Text(name)); return n }

// WithPrefix returns the given options under a Prefix spec, by the rest of
// their names.
func (o Options) WithPrefix(prefix string) map[string]string {
	m := map[string]string{}
	for k, g := range o.values {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			m[rest] = g.Value
		}
	}
	return m
}

// Cut returns those of given whose names start with prefix ("src."), without
// it, and the others.
func Cut(given []Given, prefix string) (in, out []Given) {
	for _, g := range given {
		if len(g.Name) > len(prefix) && strings.EqualFold(g.Name[:len(prefix)], prefix) {
			g.Name = g.Name[len(prefix):]
			in = append(in, g)
		} else {
			out = append(out, g)
		}
	}
	return in, out
}
