package connector

import (
	"slices"
	"strings"

	"velostream/engine/option"
	"velostream/pgwire/pgerror"
)

// Connector describes one kind of connector: its names, its options and how
// to make it. What it cannot do is nil.
type Connector struct {
	Name    string   // kafka
	Aliases []string // kafka_source, kafka_sink
	// Formats this connector's records can have, the default first; nil: any.
	Formats []string
	// SourceOptions and SinkOptions are what NewSource and NewSink understand.
	SourceOptions, SinkOptions []option.Spec
	// NewSource and NewSink make it from options that were parsed with those
	// specs (and others). They check values, and do not connect.
	NewSource func(o option.Options) (Source, error)
	// Describe adds options that follow from the declared columns, given by name
	// and SQL type, where the statement says nothing of them. nil: none do.
	Describe func(g []option.Given, columns []Column) []option.Given
	// NewSink makes a sink for the job, whose name makes transactional and
	// group ids.
	NewSink func(o option.Options, job string) (Sink, error)
}

// Column is a declared column of a relation, for Connector.Describe.
type Column struct{ Name, Type string }

// Registry finds connectors by name. Immutable, so safe for concurrent use.
type Registry struct{ list []Connector }

// NewRegistry makes a registry of these connectors.
func NewRegistry(list ...Connector) *Registry { return &Registry{list: slices.Clone(list)} }

// Find returns the connector of that name, compared without case, or 42704
// with the nearest known name.
func (r *Registry) Find(name string) (Connector, error) {
	low := strings.ToLower(strings.TrimSpace(name))
	var names []string
	for _, c := range r.list {
		if c.Name == low || slices.Contains(c.Aliases, low) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	e := pgerror.New(pgerror.UndefinedObject, "connector %q does not exist", name)
	if near := option.Nearest(low, names); near != "" {
		return Connector{}, e.WithHint("Perhaps you meant %q.", near)
	}
	return Connector{}, e.WithHint("There are: %s.", strings.Join(names, ", "))
}

// Names lists the connectors.
func (r *Registry) Names() []string {
	var names []string
	for _, c := range r.list {
		names = append(names, c.Name)
	}
	return names
}
