package session

import (
	"context"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
)

// createFunction is CREATE FUNCTION … LANGUAGE sql. Calls are replaced by the
// body when a statement is bound, so a function costs nothing at run time.
func (s *Session) createFunction(ctx context.Context, p ast.Parsed, n *ast.CreateFunction) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		f, err := s.newFunction(snap, p, n)
		if err != nil {
			return nil, err
		}
		for _, old := range snap.Functions(f.Schema, f.Name) {
			if old.Signature() != f.Signature() {
				continue
			}
			if !n.OrReplace {
				return nil, pgerror.New(pgerror.DuplicateFunction, "function %q already exists with same argument types", f.Name)
			}
			if old.Returns != f.Returns {
				return nil, pgerror.New("42P13", "cannot change return type of existing function").
					WithHint("Use DROP FUNCTION %s first.", old.Signature())
			}
			if err := s.ownsFunction(snap, old); err != nil {
				return nil, err
			}
			f.ID, f.Owner, f.ACL, f.Comment = old.ID, old.Owner, old.ACL, old.Comment
		}
		o := s.bindOptions(p, nil)
		o.Snapshot = snap
		if f.Functions, err = binder.CheckFunction(o, f); err != nil {
			return nil, inBody(p, n, f.Body, err)
		}
		users, _ := snap.FunctionUsers(f.ID)
		for _, u := range users {
			if u.Persistent() {
				return nil, pgerror.Unsupported("cannot replace function %s: %s %q is computed with it", f.Signature(), kindOf(u), u.Name).
					WithHint("Drop it first, and create it again afterwards.")
			}
		}
		return []catalog.Change{{PutFunction: f}}, nil
	})
	return err
}

func (s *Session) newFunction(snap *catalog.Snapshot, p ast.Parsed, n *ast.CreateFunction) (*catalog.Function, error) {
	if err := refuseFunction(p, n); err != nil {
		return nil, err
	}
	schema, name := s.split(n.Name)
	schema, err := s.creatable(snap, schema, p.Position(n.Name.Pos()))
	if err != nil {
		return nil, err
	}
	if expr.HasFunction(name) {
		return nil, pgerror.Unsupported("a function with the name of a built-in one is not supported").
			WithHint("Choose another name than %q.", name).At(p.Position(n.Name.Pos()))
	}
	f := &catalog.Function{
		ID: snap.NextID(), Schema: schema, Name: name, Owner: s.who(), Volatility: "VOLATILE", Definition: p.Text,
		ACL: snap.NewACL(s.who(), schema, auth.Function),
	}
	for _, a := range n.Args {
		t, err := s.typeOf(p, a.Type)
		if err != nil {
			return nil, err
		}
		f.Args, f.ArgNames = append(f.Args, types.Type{OID: t.OID, Mod: -1}), append(f.ArgNames, a.Name)
	}
	t, err := s.typeOf(p, n.Returns)
	if err != nil {
		return nil, err
	}
	f.Returns = types.Type{OID: t.OID, Mod: -1}
	f.Body = n.Body
	if n.Return != nil {
		f.Body = ast.String(n.Return)
	}
	return f, functionAttrs(p, n, f)
}

// inBody moves the position of an error in a function's body to where the body
// stands in the statement.
func inBody(p ast.Parsed, n *ast.CreateFunction, body string, err error) error {
	e := *pgerror.From(err)
	at := n.BodyPos + 1
	if n.BodyPos < len(p.SQL) && p.SQL[n.BodyPos] == '$' {
		at = n.BodyPos + strings.IndexByte(p.SQL[n.BodyPos+1:], '$') + 2
	}
	if e.Position == 0 || at > len(p.SQL) || !strings.HasPrefix(p.SQL[at:], body) {
		e.Position = 0
		return &e
	}
	e.Position += p.Position(at) - 1
	return &e
}

func functionAttrs(p ast.Parsed, n *ast.CreateFunction, f *catalog.Function) error {
	for _, a := range n.Attrs {
		switch a.Name {
		case "IMMUTABLE", "STABLE", "VOLATILE":
			f.Volatility = a.Name
		case "STRICT", "RETURNS NULL ON NULL INPUT":
			f.Strict = true
		case "CALLED ON NULL INPUT", "LEAKPROOF", "NOT LEAKPROOF", "PARALLEL", "COST", "SECURITY INVOKER":
			// What these promise or estimate is not used: the body is looked at itself.
		default:
			if strings.HasPrefix(a.Name, "PARALLEL") {
				continue
			}
			return pgerror.Unsupported("%s of functions is not supported", a.Name).At(p.Position(a.Pos()))
		}
	}
	return nil
}

func refuseFunction(p ast.Parsed, n *ast.CreateFunction) error {
	what := ""
	switch {
	case n.Procedure:
		what = "procedures are"
	case n.Language == "" && n.Return == nil && !n.HasAtomic:
		return pgerror.New("42P13", "no language specified")
	case !slices.Contains([]string{"", "sql", "javascript", "wasm", "plpgsql", "c", "internal"}, lower(n.Language)):
		return pgerror.New(pgerror.UndefinedObject, "language %q does not exist", n.Language)
	case n.HasAtomic:
		what = "BEGIN ATOMIC is"
	case n.Language != "" && lower(n.Language) != "sql":
		what = "functions in language " + n.Language + " are"
	case len(n.Table) > 0:
		what = "functions that return a table are"
	case n.Returns == nil:
		what = "functions without RETURNS are"
	case n.Returns.SetOf:
		what = "functions that return a set are"
	case n.Body == "" && n.Return == nil:
		return pgerror.New("42P13", "no function body specified").At(p.Position(n.Pos()))
	}
	for i, a := range n.Args {
		switch {
		case a.Name != "" && slices.ContainsFunc(n.Args[:i], func(b ast.FuncArg) bool { return b.Name == a.Name }):
			return pgerror.New("42P13", "parameter name %q used more than once", a.Name)
		case a.Default == nil && i > 0 && n.Args[i-1].Default != nil:
			return pgerror.New("42P13", "input parameters after one with a default value must also have defaults")
		case a.Mode != "" && a.Mode != "IN":
			what = a.Mode + " arguments of functions are"
		case a.Default != nil:
			what = "defaults of arguments are"
		}
	}
	if what == "" {
		return nil
	}
	return pgerror.Unsupported("%s not supported", what).At(p.Position(n.Pos()))
}

// dropFunctions is DROP FUNCTION.
func (s *Session) dropFunctions(ctx context.Context, p ast.Parsed, n *ast.Drop) error {
	_, err := s.apply(ctx, func(snap *catalog.Snapshot) ([]catalog.Change, error) {
		var out []catalog.Change
		var rels []*catalog.Relation
		for _, o := range n.Objects {
			f, err := s.function(snap, p, o)
			if err != nil {
				if n.IfExists && pgerror.Code(err) == pgerror.UndefinedFunction {
					s.notice("%s, skipping", pgerror.From(err).Message)
					continue
				}
				return nil, err
			}
			if s.ownsSchema(snap, f.Schema) != nil {
				if err := s.ownsFunction(snap, f); err != nil {
					return nil, err
				}
			}
			users, fns := snap.FunctionUsers(f.ID)
			if (len(users) > 0 && n.Behavior != ast.Cascade) || len(fns) > 0 {
				var what string
				if len(users) > 0 {
					what = kindOf(users[0]) + " " + users[0].Name
				} else {
					what = "function " + fns[0].Signature()
				}
				return nil, pgerror.New(pgerror.DependentObjectsStillExist, "cannot drop function %s because other objects depend on it", f.Signature()).
					WithDetail("%s depends on function %s", what, f.Signature()).
					WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
			}
			for _, u := range users {
				s.notice("drop cascades to %s %s", kindOf(u), u.Name)
			}
			rels = append(rels, users...)
			out = append(out, catalog.Change{DropFunction: f.ID})
		}
		drops, err := s.dropChanges(snap, rels, true)
		return append(drops, out...), err
	})
	return err
}

// function finds the function that an object names.
func (s *Session) function(snap *catalog.Snapshot, p ast.Parsed, o ast.Object) (*catalog.Function, error) {
	name := o.Name
	if o.Sig != nil {
		name = o.Sig.Name
	}
	var fns []*catalog.Function
	if sc := name.Schema(); sc != "" {
		fns = snap.Functions(sc, name.Last())
	} else {
		for _, sc := range s.path() {
			fns = append(fns, snap.Functions(sc, name.Last())...)
		}
	}
	if o.Sig == nil || !o.Sig.HasArgs {
		switch len(fns) {
		case 0:
			return nil, pgerror.New(pgerror.UndefinedFunction, "could not find a function named %q", strings.Join(name.Parts, "."))
		case 1:
			return fns[0], nil
		}
		return nil, pgerror.New(pgerror.AmbiguousFunction, "function name %q is not unique", strings.Join(name.Parts, ".")).
			WithHint("Specify the argument list to select the function unambiguously.")
	}
	want := &catalog.Function{Name: name.Last()}
	for _, a := range o.Sig.Args {
		t, err := s.typeOf(p, a.Type)
		if err != nil {
			return nil, err
		}
		want.Args = append(want.Args, t)
	}
	for _, f := range fns {
		if f.Signature() == want.Signature() {
			return f, nil
		}
	}
	return nil, pgerror.New(pgerror.UndefinedFunction, "function %s does not exist", want.Signature())
}
