package session

import (
	"context"

	"velostream/catalog"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// comment is COMMENT ON.
func (s *Session) comment(ctx context.Context, p ast.Parsed, n *ast.Comment) error {
	text := ""
	if n.Text != nil {
		text = *n.Text
	}
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		switch o := n.Object; o.Kind {
		case "SCHEMA":
			name := o.Name.Last()
			if !snap.HasSchema(name) {
				return nil, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
			}
			if err := s.ownsSchema(snap, name); err != nil {
				return nil, err
			}
			return []catalog.Change{{CommentSchema: []string{name, text}}}, nil
		case "FUNCTION":
			f, err := s.function(snap, p, o)
			if err != nil {
				return nil, err
			}
			if err := s.ownsFunction(snap, f); err != nil {
				return nil, err
			}
			c := *f
			c.Comment = text
			return []catalog.Change{{PutFunction: &c}}, nil
		case "TYPE", "DOMAIN":
			t, err := s.userType(snap, o)
			if err == nil {
				err = s.ownsType(snap, t)
			}
			if err != nil {
				return nil, err
			}
			c := t.Clone()
			c.Comment = text
			return []catalog.Change{{PutType: c}}, nil
		case "INDEX":
			r, x := s.index(snap, o.Name)
			if x == nil {
				return nil, pgerror.NoSuchRelation(o.Name.Last()).At(p.Position(o.Name.Pos()))
			}
			if err := s.owns(snap, r); err != nil {
				return nil, err
			}
			c := r.Clone()
			c.Index(x.ID).Comment = text
			return []catalog.Change{{Put: c}}, nil
		case "COLUMN":
			return s.commentColumn(snap, p, o, text)
		default:
			kinds := dropKinds[o.Kind]
			if kinds == nil || o.Kind == "JOB" {
				return nil, pgerror.Unsupported("COMMENT ON %s is not supported", o.Kind).At(p.Position(n.Pos()))
			}
			r, err := s.owned(snap, p, o.Name)
			if err != nil {
				return nil, err
			}
			if err := isKind(r, o.Kind); err != nil {
				return nil, err
			}
			c := r.Clone()
			c.Comment = text
			return []catalog.Change{{Put: c}}, nil
		}
	})
	return err
}

func (s *Session) commentColumn(snap *catalog.Snapshot, p ast.Parsed, o ast.Object, text string) ([]catalog.Change, error) {
	if len(o.Name.Parts) < 2 {
		return nil, pgerror.New(pgerror.SyntaxError, "column name must be qualified").At(p.Position(o.Name.Pos()))
	}
	of := o.Name
	of.Parts = of.Parts[:len(of.Parts)-1]
	if t, err := s.userType(snap, ast.Object{Kind: "TYPE", Name: of}); err == nil && t.Kind == catalog.CompositeType {
		if err := s.ownsType(snap, t); err != nil {
			return nil, err
		}
		i, c := t.Attribute(o.Name.Last()), t.Clone()
		if i < 0 {
			return nil, noAttribute(t, o.Name.Last())
		}
		c.Attributes[i].Comment = text
		return []catalog.Change{{PutType: c}}, nil
	}
	r, err := s.owned(snap, p, of)
	if err != nil {
		return nil, err
	}
	i := r.ColumnIndex(o.Name.Last())
	if i < 0 || r.Columns[i].Dropped {
		return nil, pgerror.New(pgerror.UndefinedColumn, "column %q of relation %q does not exist", o.Name.Last(), r.Name)
	}
	c := r.Clone()
	c.Columns[i].Comment = text
	return []catalog.Change{{Put: c}}, nil
}
