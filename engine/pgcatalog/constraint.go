package pgcatalog

import (
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
)

// constraint is a constraint as the catalogs show it.
type constraint struct {
	catalog.Constraint
	rel   *catalog.Relation
	kind  string // p, u, c, f
	index uint32
}

// constraints lists all constraints.
func (c *Catalog) constraints() []constraint {
	var out []constraint
	for _, r := range c.relations() {
		if r.PrimaryKey && len(r.Key) > 0 {
			out = append(out, constraint{
				Constraint: catalog.Constraint{ID: constraintOID(r), Name: r.KeyConstraint(), Columns: r.Key},
				rel:        r, kind: "p", index: baseIndex + r.ID,
			})
		}
		for _, k := range r.Constraints {
			x := constraint{Constraint: k, rel: r, index: k.Index}
			switch k.Kind {
			case catalog.Check:
				x.kind = "c"
			case catalog.Unique:
				x.kind = "u"
			case catalog.ForeignKey:
				x.kind = "f"
				if x.index = k.RefIndex; x.index == 0 {
					x.index = baseIndex + k.Ref
				}
			}
			out = append(out, x)
		}
	}
	return out
}

// constraintSources are pg_constraint and pg_index.
func constraintSources() map[string]source {
	return map[string]source{
		"pg_constraint": {"oid conname connamespace contype condeferrable condeferred convalidated conrelid conindid confrelid confupdtype confdeltype " +
			"confmatchtype conislocal connoinherit conkey confkey confdelsetcols conbin contypid", (*Catalog).constraintRows},
		"pg_index": {"indexrelid indrelid indnatts indnkeyatts indisunique indnullsnotdistinct indisprimary indimmediate " +
			"indisvalid indisready indislive indkey indcollation indclass indoption indexprs indpred", (*Catalog).indexRows},
	}
}

// actionLetters are pg_constraint's letters of ON DELETE and ON UPDATE.
var actionLetters = map[string]string{"": "a", "NO ACTION": "a", "RESTRICT": "r", "CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d"}

func (c *Catalog) constraintRows(e *emitter) {
	for _, k := range c.constraints() {
		up, del, match := " ", " ", " "
		var ref uint32
		var confkey, setcols, bin any
		switch k.kind {
		case "f":
			up, del, match, ref, confkey = actionLetters[k.OnUpdate], actionLetters[k.OnDelete], "s", k.Ref, numbers(k.RefColumns)
			if k.MatchFull {
				match = "f"
			}
			if len(k.SetColumns) > 0 {
				setcols = numbers(k.SetColumns)
			}
		case "c":
			bin = lazy(func() any { return k.checkText(c, false) })
		}
		e.row(k.ID, k.Name, c.schemaOID(k.rel.Schema), k.kind, k.Deferrable, k.Deferred, !k.NotValid, k.rel.ID, k.index, ref, up, del, match, true, k.kind != "c",
			numbers(k.Columns), confkey, setcols, bin, 0)
	}
	c.domainConstraintRows(e)
}

// checkText is the condition of a CHECK.
func (k *constraint) checkText(c *Catalog, pretty bool) string {
	out, _ := c.exprText(k.rel, k.Text, types.Bool, pretty)
	return out
}

// parenthesised puts an expression in parentheses where PostgreSQL does when it
// is not to be pretty: unless it is one word, one literal, or a call.
func parenthesised(text string) string {
	if text == "" || isOne(text) {
		return text
	}
	return "(" + text + ")"
}

// isOne reports that text is one word or literal, a call, or in parentheses.
func isOne(text string) bool {
	depth := 0
	for i := 0; i < len(text); {
		n := quoted(text[i:])
		switch c := text[i]; {
		case n > 1:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0 && !isWord(c) && c != '.' && c != ':':
			return false
		}
		i += n
	}
	return true
}

// text is the constraint as pg_get_constraintdef prints it.
func (k *constraint) text(c *Catalog, pretty bool) string {
	list := func(r *catalog.Relation, cols []int) string {
		return "(" + strings.Join(quoteAll(columnNames(r, cols)), ", ") + ")"
	}
	switch k.kind {
	case "p":
		return "PRIMARY KEY " + list(k.rel, k.Columns)
	case "u":
		s := "UNIQUE "
		if x := k.rel.Index(k.Index); x != nil && x.NullsEqual {
			s += "NULLS NOT DISTINCT "
		}
		return s + list(k.rel, k.Columns)
	case "c":
		return "CHECK (" + k.checkText(c, pretty) + ")" + k.Attributes()
	}
	ref := c.relation(k.Ref)
	if ref == nil {
		return "FOREIGN KEY " + list(k.rel, k.Columns)
	}
	s := "FOREIGN KEY " + list(k.rel, k.Columns) + " REFERENCES " + c.qualified(ref.Schema, ref.Name) + list(ref, k.RefColumns)
	if k.MatchFull {
		s += " MATCH FULL"
	}
	if k.OnUpdate != "" && k.OnUpdate != "NO ACTION" {
		s += " ON UPDATE " + k.OnUpdate
	}
	if k.OnDelete != "" && k.OnDelete != "NO ACTION" {
		s += " ON DELETE " + k.OnDelete
		if len(k.SetColumns) > 0 {
			s += " " + list(k.rel, k.SetColumns)
		}
	}
	return s + k.Attributes()
}
