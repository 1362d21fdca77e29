package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/engine/connector"
	"velostream/engine/job"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// prepareCreateSink is CREATE SINK k FROM rel.
func (s *Session) prepareCreateSink(p ast.Parsed, n *ast.CreateSink) (pgwire.Statement, error) {
	if n.OrReplace {
		return nil, pgerror.Unsupported("CREATE OR REPLACE SINK is not supported").WithHint("DROP it first.").At(p.Position(n.Pos()))
	}
	if n.Query != nil {
		return s.command(p, func(ctx context.Context) (string, error) { return "CREATE SINK", s.createQuerySink(ctx, p, n) }), nil
	}
	return s.command(p, func(ctx context.Context) (string, error) { return "CREATE SINK", s.createSink(ctx, p, n) }), nil
}

func (s *Session) createSink(ctx context.Context, p ast.Parsed, n *ast.CreateSink) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		at, err := s.place(snap, p, n.Name)
		if err != nil {
			return nil, err
		}
		if at.exists != nil {
			_, err := s.taken(at, n.IfNotExists)
			return nil, err
		}
		from, err := s.relation(snap, p, n.From)
		if err != nil {
			return nil, err
		}
		read := catalog.Access{Relation: from.ID, Need: auth.Select, Selected: visiblePositions(from)}
		if err := s.permit(snap, []catalog.Access{read}, nil); err != nil {
			return nil, err
		}
		if err := notTemporary(snap, []uint32{from.ID}, "sinks"); err != nil {
			return nil, err
		}
		r, err := s.newSink(ctx, snap, p, n, at, from)
		if err != nil {
			return nil, err
		}
		r.Access = []catalog.Access{read}
		return []catalog.Change{{Put: r}}, nil
	})
	return err
}

// createQuerySink is CREATE SINK k AS SELECT …: a stream k_query of the query's changes,
// and the sink of it, made together; the stream goes with the sink.
func (s *Session) createQuerySink(ctx context.Context, p ast.Parsed, n *ast.CreateSink) error {
	at, err := s.place(s.catalog(), p, n.Name)
	if err != nil {
		return err
	}
	if at.exists != nil {
		_, err := s.taken(at, n.IfNotExists)
		return err
	}
	return s.createJob(ctx, p, jobSpec{
		kind: catalog.Stream, name: ast.Name{At: n.Name.At, Parts: []string{at.schema, at.name + "_query"}}, query: n.Query, sink: n,
	})
}

// querySink is the sink of CREATE SINK … AS over its stream.
func (s *Session) querySink(ctx context.Context, snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateSink, from *catalog.Relation) (*catalog.Relation, error) {
	at, err := s.place(snap, p, n.Name)
	if err != nil {
		return nil, err
	}
	r, err := s.newSink(ctx, snap, p, n, at, from)
	if err != nil {
		return nil, err
	}
	from.PartOf = r.ID
	return r, nil
}

// newSink describes the sink of a CREATE SINK, which writes from out.
func (s *Session) newSink(ctx context.Context, snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateSink, at placed, from *catalog.Relation) (*catalog.Relation, error) {
	given := givenOptions(p, n.Options)
	if n.Format != nil {
		given = append(given, formatGiven(p, n.Format)...)
	}
	r := &catalog.Relation{
		ID: snap.NextID(), Schema: at.schema, Name: at.name, Owner: s.who(), Definition: p.Text, Inputs: []uint32{from.ID},
		ACL: s.newACL(snap, at.schema),
	}
	return r, s.bindSink(ctx, p, n.Name.Pos(), r, from, given)
}

func formatGiven(p ast.Parsed, f *ast.Format) []option.Given {
	var out []option.Given
	if f.Format != "" {
		out = append(out, option.Given{Name: "envelope", Value: lower(f.Format), Pos: p.Position(f.Pos())})
	}
	if f.Encode != "" {
		out = append(out, option.Given{Name: "format", Value: lower(f.Encode), Pos: p.Position(f.Pos())})
	}
	return out
}

// bindSink checks a sink's options and fills r.
func (s *Session) bindSink(ctx context.Context, p ast.Parsed, at int, r, from *catalog.Relation, given []option.Given) error {
	name, ok := find(given, "connector", "type")
	if !ok {
		return pgerror.New(pgerror.InvalidObjectDefinition, "option \"connector\" of sink %q is missing", r.Name).
			WithHint("WITH (connector = 'kafka', …). There are: %s.", strings.Join(s.e.Connectors.Names(), ", ")).At(p.Position(at))
	}
	conn, err := s.e.Connectors.Find(name)
	if err != nil {
		return pgerror.From(err).At(p.Position(at))
	}
	if err := s.mayConnect(conn.Name, true, given); err != nil {
		return err
	}
	if conn.NewSink == nil {
		return pgerror.New(pgerror.WrongObjectType, "connector %q cannot be written to", conn.Name).At(p.Position(at))
	}
	if _, err := job.ParseOptions(conn, true, given); err != nil {
		return err
	}
	r.Kind, r.EventTime, r.Connector, r.SinkOf = catalog.Sink, -1, conn.Name, from.ID
	r.Options = map[string]string{}
	for _, g := range given {
		r.Options[lower(g.Name)] = g.Value
	}
	o, err := job.SinkOptions(s.e.Connectors, r, from)
	if err != nil {
		return err
	}
	if c, ok := o.Connector.(connector.Checker); ok && !s.e.dry {
		return c.Check(ctx)
	}
	return nil
}

// inlineSink is the sink that CREATE … AS declares with INTO, or with options
// under its name: INTO k WITH ('k.type' = 'kafka_sink', 'k.topic' = …).
func (s *Session) inlineSink(ctx context.Context, snap *catalog.Snapshot, p ast.Parsed, c jobSpec, from *catalog.Relation) (*catalog.Relation, error) {
	name := from.Name
	if c.into != nil {
		name = c.into.Last()
	}
	options := slices.DeleteFunc(givenOptions(p, c.options), func(g option.Given) bool { return isLateOption(g.Name) || isStateOption(g.Name) })
	given, rest := option.Cut(options, name+".")
	if len(rest) > 0 {
		return nil, pgerror.New(pgerror.UndefinedObject, "unrecognized option %q", rest[0].Name).
			WithHint("Options of the sink begin with its name: '%s.%s'.", name, rest[0].Name).At(rest[0].Pos)
	}
	if len(given) == 0 {
		if c.into != nil {
			return nil, pgerror.New(pgerror.UndefinedObject, "sink %q is not declared", name).
				WithHint("Add WITH ('%s.connector' = 'kafka', '%s.topic' = …).", name, name).At(p.Position(c.into.Pos()))
		}
		return nil, nil
	}
	sinkName := name
	if sinkName == from.Name {
		sinkName += "_sink"
	}
	r := &catalog.Relation{
		ID: snap.NextID(), Schema: from.Schema, Name: sinkName, Owner: s.who(), Definition: p.Text, PartOf: from.ID,
		ACL: s.newACL(snap, from.Schema),
	}
	return r, s.bindSink(ctx, p, c.name.Pos(), r, from, given)
}
