package deparse

import (
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
)

// namespace is the names that one query's FROM gives.
type namespace struct {
	items []*item
	// merged are the columns that JOIN USING made one, as they are printed.
	merged map[string]*node
	// of is the query's select list, by what ORDER BY and GROUP BY may name.
	targets []target
}

// item is an item of FROM.
type item struct {
	old     string // as the stored text calls it
	name    string // as it is printed: unlike all others in sight
	columns []itemColumn
	list    bool // its columns have names of their own
	ref     ast.TableRef
}

type itemColumn struct {
	old, now string
	domain   uint32
	hidden   bool
}

func (it *item) column(old string) *itemColumn {
	var hidden *itemColumn
	for i := range it.columns {
		if c := &it.columns[i]; c.old == old {
			if !c.hidden {
				return c
			}
			hidden = c
		}
	}
	return hidden
}

// find looks up the item that holds table.name, from the innermost query outwards. Of
// a table without a name any item will do.
func (d *deparser) find(table, name string) (*item, *itemColumn, int) {
	for i, ns := range slices.Backward(d.spaces) {
		for _, it := range ns.items {
			if it.old != table {
				continue
			}
			if c := it.column(name); c != nil {
				return it, c, i
			}
		}
	}
	return nil, nil, 0
}

// column makes the node of a column reference.
func (d *deparser) column(e *ast.ColumnRef) *node {
	t := d.natural(e)
	c, ok := d.trace.Columns[e]
	if ok {
		return d.columnNode(c.Table, c.Name, t)
	}
	last := e.Parts[len(e.Parts)-1]
	if len(e.Parts) == 1 {
		for _, it := range d.spaces[len(d.spaces)-1].items { // an argument that was not looked at
			if c := it.column(last); c != nil {
				return d.columnNode(it.old, last, t)
			}
		}
		for _, ns := range slices.Backward(d.spaces) {
			for _, it := range ns.items {
				if it.old == last {
					return &node{kind: kVar, t: t, text: quote(it.name) + ".*", name: last}
				}
			}
		}
	}
	return &node{kind: kVar, t: t, text: ast.Name{Parts: e.Parts}.String(), name: last}
}

func (d *deparser) columnNode(table, name string, t types.Type) *node {
	if table == "" {
		for _, ns := range slices.Backward(d.spaces) {
			if m := ns.merged[name]; m != nil {
				c := *m
				c.t = t
				return &c
			}
		}
	}
	it, c, at := d.find(table, name)
	if it == nil {
		return &node{kind: kVar, t: t, text: quote(name), name: name}
	}
	if at == len(d.spaces)-1 {
		d.own = true
	}
	n := &node{kind: kVar, t: t, text: quote(c.now), name: c.now, domain: c.domain}
	switch {
	case d.value:
		n.text, n.domain = "VALUE", 0
	case !d.bare:
		n.text = quote(it.name) + "." + n.text
	}
	return n
}

// unique is name, with a number where another item in sight has it.
func (d *deparser) unique(ns *namespace, name string) string {
	taken := func(s string) bool {
		for _, p := range append(slices.Clip(d.spaces), ns) {
			for _, it := range p.items {
				if it.name == s {
					return true
				}
			}
		}
		return false
	}
	out := name
	for i := 1; taken(out); i++ {
		out = name + "_" + strconv.Itoa(i)
	}
	return out
}

// gather adds the items of r to ns.
func (d *deparser) gather(ns *namespace, r ast.TableRef) {
	tr := d.trace.Items[r]
	switch r := r.(type) {
	case *ast.Join:
		d.gather(ns, r.L)
		d.gather(ns, r.R)
		d.merge(ns, r)
		if r.Alias != nil {
			it := &item{ref: r, old: r.Alias.Name, name: d.unique(ns, r.Alias.Name)}
			for _, c := range tr.Columns {
				it.columns = append(it.columns, itemColumn{old: c.Name, now: c.Name, hidden: c.Hidden})
			}
			ns.items = append(ns.items, it)
		}
	case *ast.TableName:
		ns.items = append(ns.items, d.tableItem(ns, r))
	case *ast.WindowRef:
		ns.items = append(ns.items, d.windowItem(ns, r))
	case *ast.SubqueryRef:
		ns.items = append(ns.items, d.plainItem(ns, r, r.Alias, tr.Table))
	case *ast.FuncRef:
		it := d.plainItem(ns, r, r.Alias, tr.Table)
		it.list = true
		ns.items = append(ns.items, it)
	}
}

// plainItem is an item of FROM that is no relation.
func (d *deparser) plainItem(ns *namespace, r ast.TableRef, a *ast.Alias, name string) *item {
	it := &item{ref: r, old: name, name: d.unique(ns, name)}
	for _, c := range d.trace.Items[r].Columns {
		it.columns = append(it.columns, itemColumn{old: c.Name, now: c.Name, hidden: c.Hidden})
	}
	it.list = a != nil && len(a.Columns) > 0
	return it
}

// tableItem is a relation or common table expression: its columns have the names of today.
func (d *deparser) tableItem(ns *namespace, r *ast.TableName) *item {
	tr := d.trace.Items[r]
	it := d.plainItem(ns, r, r.Alias, tr.Table)
	cur := d.relation(tr.Relation)
	if cur == nil {
		return it
	}
	if r.Alias == nil {
		it.name = d.unique(ns, cur.Name)
	}
	d.today(it, r, cur)
	return it
}

func (d *deparser) relation(id uint32) *catalog.Relation {
	if id == 0 || d.Options.Snapshot == nil {
		return nil
	}
	return d.Options.Snapshot.ByID(id)
}

// today gives the columns of it the names that those of rel have now.
func (d *deparser) today(it *item, r *ast.TableName, rel *catalog.Relation) {
	old := make([]string, len(rel.Columns))
	for i, c := range rel.Columns {
		old[i] = c.Name
	}
	for _, ref := range d.refs {
		if ref.Name == r.Name.Last() && ref.Schema == r.Name.Schema() {
			copy(old, ref.Columns)
		}
	}
	aliased := 0
	if r.Alias != nil {
		aliased = len(r.Alias.Columns)
	}
	n := 0
	for i := range it.columns {
		c := &it.columns[i]
		if !c.hidden {
			if n++; n <= aliased {
				continue
			}
		}
		for j, name := range old {
			if name == c.old && !rel.Columns[j].Dropped {
				c.now, c.domain = rel.Columns[j].Name, rel.Columns[j].Domain
			}
		}
	}
}

// windowItem is a windowing table function over a relation.
func (d *deparser) windowItem(ns *namespace, r *ast.WindowRef) *item {
	name := d.trace.Items[r].Table
	it := d.plainItem(ns, r, r.Alias, name)
	if t, ok := r.Input.(*ast.TableName); ok {
		if cur := d.relation(d.trace.Items[t].Relation); cur != nil {
			if r.Alias == nil && t.Alias == nil {
				it.name = d.unique(ns, cur.Name)
			}
			d.today(it, t, cur)
		}
	}
	return it
}

// merge notes the columns that USING or NATURAL makes one.
func (d *deparser) merge(ns *namespace, r *ast.Join) {
	for _, name := range d.using(r) {
		side := r.L
		if r.Kind == ast.RightJoin {
			side = r.R
		}
		n := &node{kind: kVar, text: quote(name), name: name}
		if r.Kind != ast.FullJoin {
			if m := d.side(ns, side, name); m != nil {
				n = m
			}
		}
		if ns.merged == nil {
			ns.merged = map[string]*node{}
		}
		ns.merged[name] = n
	}
}

// using are the columns that r equates by name.
func (d *deparser) using(r *ast.Join) []string {
	var out []string
	for _, u := range r.Using {
		out = append(out, u.Name)
	}
	if !r.Natural {
		return out
	}
	right := map[string]bool{}
	for _, c := range d.trace.Items[r.R].Columns {
		right[c.Name] = !c.Hidden || right[c.Name]
	}
	for _, c := range d.trace.Items[r.L].Columns {
		if !c.Hidden && right[c.Name] {
			out = append(out, c.Name)
		}
	}
	return out
}

// side finds the column name among the items of side.
func (d *deparser) side(ns *namespace, side ast.TableRef, name string) *node {
	if j, ok := side.(*ast.Join); ok && j.Alias == nil {
		if slices.Contains(d.using(j), name) {
			return ns.merged[name]
		}
		if n := d.side(ns, j.L, name); n != nil {
			return n
		}
		return d.side(ns, j.R, name)
	}
	for _, it := range ns.items {
		if it.ref != side {
			continue
		}
		if c := it.column(name); c != nil {
			return &node{kind: kVar, text: quote(it.name) + "." + quote(c.now), name: c.now, domain: c.domain}
		}
	}
	return nil
}
