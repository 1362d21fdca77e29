package session

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

func isEnum(t *catalog.UserType) error {
	if t.Kind != catalog.EnumType {
		return pgerror.New(pgerror.WrongObjectType, "%s is not an enum", t.Type())
	}
	return nil
}

// addValue is ALTER TYPE … ADD VALUE. The values that are there keep their places.
func (s *Session) addValue(snap *catalog.Snapshot, c *catalog.UserType, x *ast.AlterAction) (*redefinition, error) {
	if err := isEnum(c); err != nil {
		return nil, err
	}
	label := x.Column.Name
	if err := checkLabel(label); err != nil {
		return nil, err
	}
	if c.Enum().Find(label) != nil {
		if x.IfExists {
			s.noticeOf(pgerror.DuplicateObject, "enum label %q already exists, skipping", label)
			return nil, nil
		}
		return nil, pgerror.New(pgerror.DuplicateObject, "enum label %q already exists", label)
	}
	at := len(c.Labels)
	if x.Detail != "" {
		beside := x.NewName.Last()
		if at = slices.IndexFunc(c.Labels, func(l types.EnumLabel) bool { return l.Label == beside }); at < 0 {
			return nil, pgerror.New(pgerror.InvalidParameterValue, "%q is not an existing enum label", beside)
		}
		if x.Detail == "AFTER" {
			at++
		}
	}
	place, err := placeAt(c, at)
	if err != nil {
		return nil, err
	}
	c.Labels = slices.Insert(c.Labels, at, types.EnumLabel{ID: snap.NextID(), Label: label, Place: place})
	return &redefinition{changes: []catalog.Change{{PutType: c}}}, nil
}

// placeAt is a place between the values before and at position i.
func placeAt(c *catalog.UserType, i int) (int64, error) {
	switch n := len(c.Labels); {
	case n == 0:
		return 0, nil
	case i == n:
		return c.Labels[n-1].Place + placeStep, nil
	case i == 0:
		return c.Labels[0].Place - placeStep, nil
	}
	lo, hi := c.Labels[i-1].Place, c.Labels[i].Place
	if hi-lo < 2 {
		return 0, pgerror.New(pgerror.ProgramLimitExceeded, "no room for another value between %q and %q", c.Labels[i-1].Label, c.Labels[i].Label).
			WithHint("Make a new type with the values in their order, and change the columns to it.")
	}
	return lo + (hi-lo)/2, nil
}

// renameValue is ALTER TYPE … RENAME VALUE. Stored values hold their label, so it is for
// types that no rows and no expressions have.
func (s *Session) renameValue(snap *catalog.Snapshot, p ast.Parsed, c *catalog.UserType, x *ast.AlterAction) (*redefinition, error) {
	if err := isEnum(c); err != nil {
		return nil, err
	}
	label, to := x.Column.Name, x.NewName.Last()
	if err := checkLabel(to); err != nil {
		return nil, err
	}
	l := c.Enum().Find(label)
	if l == nil {
		return nil, pgerror.New(pgerror.InvalidParameterValue, "%q is not an existing enum label", label)
	}
	if c.Enum().Find(to) != nil {
		return nil, pgerror.New(pgerror.DuplicateObject, "enum label %q already exists", to)
	}
	for _, u := range snap.TypeUses(c.ID) {
		return nil, pgerror.Unsupported("RENAME VALUE of a type that %s uses is not supported", strings.TrimSpace(useText(u))).
			WithHint("ALTER TYPE … ADD VALUE, and UPDATE the rows.").At(p.Position(x.Pos()))
	}
	l.Label = to
	return &redefinition{changes: []catalog.Change{{PutType: c}}}, nil
}
