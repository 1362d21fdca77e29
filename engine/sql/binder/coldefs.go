package binder

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/expr"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// Definition is the bound column list of CREATE STREAM, SOURCE or TABLE.
type Definition struct {
	Columns []catalog.Column
	// PrimaryKey are positions in Columns, nil: none declared. Enforced is
	// false with NOT ENFORCED.
	PrimaryKey []int
	KeyName    string // of the primary key, "": none given
	Enforced   bool
	// Constraints are CHECK, UNIQUE and FOREIGN KEY, in the order written;
	// those NOT ENFORCED are left out. Sequences belong to serial and identity
	// columns.
	Constraints []*Constraint
	Sequences   []SequenceDef
	EventTime   int   // position of the watermark column, -1: none
	Delay       int64 // of the watermark behind it, µs
}

// BindColumnDefs binds a column list with its constraints, INCLUDE and
// WATERMARK FOR. Constraints that nobody enforces are 0A000 unless they
// are NOT ENFORCED: the caller refuses those of a relation that is not native.
func BindColumnDefs(o Options, r *ast.CreateRelation) (*Definition, error) {
	b := New(o)
	b.Session = nil // a default is evaluated by whoever inserts
	d := &Definition{EventTime: -1, Enforced: true}
	for i := range r.Columns {
		if err := b.columnDef(d, &r.Columns[i], r); err != nil {
			return nil, err
		}
	}
	for _, inc := range r.Includes {
		if err := b.include(d, inc); err != nil {
			return nil, err
		}
	}
	for _, c := range r.Constraints {
		if err := b.tableConstraint(d, c, r); err != nil {
			return nil, err
		}
	}
	for i := range r.Columns {
		if err := b.columnExprs(d, i, &r.Columns[i], r); err != nil {
			return nil, err
		}
	}
	if err := b.constraints(d, r); err != nil {
		return nil, err
	}
	if len(r.Watermarks) > 1 {
		return nil, pgerror.New(pgerror.InvalidTableDefinition, "a relation can have one watermark only").At(b.pos(r.Watermarks[1].Pos()))
	}
	for _, w := range r.Watermarks {
		if err := b.watermark(d, w); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Definition) index(name string) int {
	return slices.IndexFunc(d.Columns, func(c catalog.Column) bool { return c.Name == name })
}

func (b *Binder) columnDef(d *Definition, c *ast.ColumnDef, r *ast.CreateRelation) error {
	if d.index(c.Name) >= 0 {
		return pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", c.Name).At(b.pos(c.Pos()))
	}
	col := catalog.Column{Name: c.Name}
	if c.Type != nil {
		t, domain, err := b.typeOrDomain(c.Type)
		if err != nil {
			return err
		}
		if domain != nil {
			col.Domain = domain.ID
		}
		if t.OID == types.OIDRecord || t.OID == types.OIDVoid || t.OID == types.OIDUnknown {
			return pgerror.New(pgerror.InvalidTableDefinition, "column %q has pseudo-type %s", c.Name, TypeName(t)).At(b.pos(c.Type.Pos()))
		}
		if isSerial(c.Type.Name.Last()) {
			col.NotNull = true
			d.Sequences = append(d.Sequences, SequenceDef{Column: len(d.Columns), At: c.Pos()})
		}
		col.Type = t
	} else if r.Query == nil && c.Computed == nil {
		return pgerror.New(pgerror.SyntaxError, "column %q has no type", c.Name).At(b.behindWord(c.Pos()))
	}
	d.Columns = append(d.Columns, col)
	i := len(d.Columns) - 1
	if c.Key {
		d.PrimaryKey = append(d.PrimaryKey, i)
		d.Columns[i].NotNull = true
	}
	for _, k := range c.Constraints {
		if err := b.columnConstraint(d, i, k, r); err != nil {
			return err
		}
	}
	return nil
}

func isSerial(name string) bool {
	switch name {
	case "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8":
		return true
	}
	return false
}

func (b *Binder) columnConstraint(d *Definition, i int, k ast.Constraint, r *ast.CreateRelation) error {
	switch k.Kind {
	case ast.PrimaryKey:
		return b.primaryKey(d, []int{i}, k, r)
	case ast.NotNull:
		d.Columns[i].NotNull = true
	case ast.Identity:
		return b.identity(d, i, k, r)
	default: // the others follow when all columns are known
	}
	return nil
}

// identity makes column i GENERATED … AS IDENTITY.
func (b *Binder) identity(d *Definition, i int, k ast.Constraint, r *ast.CreateRelation) error {
	c := &d.Columns[i]
	switch c.Type.OID {
	case types.OIDInt2, types.OIDInt4, types.OIDInt8:
	default:
		return pgerror.New(pgerror.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	if slices.ContainsFunc(d.Sequences, func(s SequenceDef) bool { return s.Column == i }) {
		return pgerror.New(pgerror.SyntaxError, "both default and identity specified for column %q of table %q", c.Name, r.Name.Last()).At(b.pos(k.Pos()))
	}
	c.Identity, c.NotNull = "BY DEFAULT", true
	if k.Always {
		c.Identity = "ALWAYS"
	}
	d.Sequences = append(d.Sequences, SequenceDef{Column: i, Options: k.Sequence, At: k.Pos()})
	return nil
}

// constraints binds CHECK, UNIQUE and FOREIGN KEY of columns and table.
func (b *Binder) constraints(d *Definition, r *ast.CreateRelation) error {
	own := &owner{name: r.Name.Last(), schema: b.schemaFor(r), columns: d.Columns, key: d.PrimaryKey}
	type todo struct {
		k   ast.Constraint
		col []int
	}
	var list []todo
	for i, c := range r.Columns {
		for _, k := range c.Constraints {
			list = append(list, todo{k, []int{i}})
		}
	}
	for _, k := range r.Constraints {
		list = append(list, todo{k, nil})
	}
	// Foreign keys last: they may refer to a UNIQUE of the table itself.
	for _, foreign := range []bool{false, true} {
		for _, t := range list {
			switch t.k.Kind {
			case ast.PrimaryKey, ast.NotNull, ast.Null, ast.DefaultVal, ast.Generated, ast.Identity:
				continue
			default:
			}
			if t.k.NotEnforced || (t.k.Kind == ast.ForeignKey) != foreign {
				continue
			}
			c, err := b.constraint(own, t.k, t.col)
			if err != nil {
				return err
			}
			if c.Kind == catalog.Unique {
				own.unique = append(own.unique, c.Columns)
			}
			d.Constraints = append(d.Constraints, c)
		}
	}
	return nil
}

func (b *Binder) primaryKey(d *Definition, cols []int, k ast.Constraint, r *ast.CreateRelation) error {
	if len(d.PrimaryKey) > 0 {
		return pgerror.New(pgerror.InvalidTableDefinition, "multiple primary keys for table %q are not allowed", r.Name.Last()).At(b.pos(k.Pos()))
	}
	if k.Deferrable == ast.Yes || k.Deferred {
		return b.missing(k, "deferrable primary keys are not supported")
	}
	d.PrimaryKey, d.KeyName = cols, k.Name
	if k.NotEnforced {
		d.Enforced = false
	}
	for _, c := range cols {
		d.Columns[c].NotNull = true
	}
	return nil
}

func (b *Binder) tableConstraint(d *Definition, k ast.Constraint, r *ast.CreateRelation) error {
	if k.Kind != ast.PrimaryKey {
		return nil
	}
	var cols []int
	for _, c := range k.Columns {
		i := d.index(c.Name)
		if i < 0 {
			return pgerror.New(pgerror.UndefinedColumn, "column %q named in key does not exist", c.Name).At(b.pos(k.Pos()))
		}
		if slices.Contains(cols, i) {
			return pgerror.New(pgerror.DuplicateColumn, "column %q appears twice in primary key constraint", c.Name).At(b.pos(k.Pos()))
		}
		cols = append(cols, i)
	}
	return b.primaryKey(d, cols, k, r)
}

// schemaFor is the schema that r is made in.
func (b *Binder) schemaFor(r *ast.CreateRelation) string {
	if s := r.Name.Schema(); s != "" {
		return s
	}
	for _, s := range b.SearchPath {
		if b.hasSchema(s) {
			return s
		}
	}
	return "public"
}

// columnExprs binds DEFAULT and AS of column i, and keeps their text.
func (b *Binder) columnExprs(d *Definition, i int, c *ast.ColumnDef, r *ast.CreateRelation) error {
	rel := r.Name.Last()
	computed, generatedAt := c.Computed, c.Pos()
	for _, k := range c.Constraints {
		switch k.Kind {
		case ast.Generated:
			computed, generatedAt = k.X, k.Pos()
		case ast.DefaultVal:
			text, err := b.storedDefault(&d.Columns[i], k.X)
			if err != nil {
				return err
			}
			d.Columns[i].Default = text
		default:
		}
	}
	if computed == nil {
		return nil
	}
	if d.Columns[i].Default != "" {
		return pgerror.New(pgerror.SyntaxError, "both default and generation expression specified for column %q of table %q", c.Name, rel).
			At(b.pos(generatedAt))
	}
	return b.generation(b.schemaFor(r), rel, d.Columns, i, computed)
}

// BindGeneration binds the expression that column i of rel is generated as, and gives it
// to the column.
func BindGeneration(o Options, rel *catalog.Relation, i int, x ast.Expr) error {
	b := New(o)
	b.Session = nil
	return b.generation(rel.Schema, rel.Name, rel.Columns, i, x)
}

func (b *Binder) generation(schema, rel string, columns []catalog.Column, i int, computed ast.Expr) error {
	own := &columns[i]
	e, err := b.expr(computed, &context{scope: rowScope(schema, rel, columns), clause: "column generation expressions"})
	if err != nil {
		return err
	}
	if own.Type.OID == 0 {
		own.Type = e.Type()
	}
	if e, err = b.assign(e, own.Type, own.Name, computed); err != nil {
		return err
	}
	if e, err = toCols(b, e); err != nil {
		return err
	}
	if expr.VolatilityOf(e) == expr.Volatile {
		return pgerror.New(pgerror.InvalidObjectDefinition, "generation expression is not immutable").At(b.pos(leftmost(computed)))
	}
	var bad *pgerror.Error
	plan.EachColumn(e, func(k *expr.Col) {
		if k.Index == i || columns[k.Index].Computed != "" {
			bad = pgerror.New(pgerror.InvalidObjectDefinition, "cannot use generated column %q in column generation expression",
				columns[k.Index].Name).At(b.pos(leftmost(computed)))
		}
	})
	if bad != nil {
		return bad
	}
	own.Computed = ast.String(computed)
	return nil
}

// BindDefault binds the DEFAULT that column c is to have, and gives it to c.
func BindDefault(o Options, c *catalog.Column, x ast.Expr) error {
	b := New(o)
	b.Session = nil
	var err error
	c.Default, err = b.storedDefault(c, x)
	return err
}

// storedDefault is the text of a DEFAULT. Where that is the next number of a sequence, c
// notes which, whatever it is called later.
func (b *Binder) storedDefault(c *catalog.Column, x ast.Expr) (string, error) {
	if r, ok := x.(*ast.ColumnRef); ok {
		return "", pgerror.New(pgerror.FeatureNotSupported, "cannot use column reference in DEFAULT expression").At(b.pos(r.Pos()))
	}
	e, err := b.expr(x, &context{clause: "DEFAULT expressions"})
	if err != nil {
		return "", err
	}
	from := e.Type()
	if from.OID != types.OIDUnknown && !castAllowed(from, c.Type, castAssignment) {
		return "", pgerror.New(pgerror.DatatypeMismatch, "column %q is of type %s but default expression is of type %s",
			c.Name, TypeName(c.Type), TypeName(from)).WithHint("You will need to rewrite or cast the expression.")
	}
	c.Sequence = numberedBy(e)
	if e, err = b.assign(e, c.Type, c.Name, x); err != nil {
		return "", err
	}
	if _, err := toCols(b, e); err != nil {
		return "", err
	}
	return ast.String(x), nil
}

// numberedBy is the sequence whose next number e is, 0: it is something else.
func numberedBy(e expr.Expr) uint32 {
	call, ok := e.(*expr.Call)
	if !ok || call.Name != "nextval" || len(call.Args) != 1 {
		return 0
	}
	c, ok := call.Args[0].(*expr.Const)
	if !ok || c.T.OID != types.OIDRegclass || c.Value.Null {
		return 0
	}
	return uint32(c.Value.I)
}

// includeTypes are the parts of a record that INCLUDE gives as columns.
var includeTypes = map[string]types.Type{
	"key": types.Text, "partition": types.Int4, "offset": types.Int8, "timestamp": types.Timestamptz,
	"headers": types.JSONB, "payload": types.Text, "topic": types.Text,
}

func (b *Binder) include(d *Definition, inc ast.Include) error {
	t, ok := includeTypes[inc.Part]
	if !ok {
		return b.missing(inc, "INCLUDE %s is not supported", inc.Part)
	}
	name := inc.Name
	if name == "" {
		name = "_" + inc.Part
	}
	if d.index(name) >= 0 {
		return pgerror.New(pgerror.DuplicateColumn, "column %q specified more than once", name).At(b.pos(inc.Pos()))
	}
	if inc.Type != nil {
		var err error
		if t, err = b.Type(inc.Type); err != nil {
			return err
		}
	}
	d.Columns = append(d.Columns, catalog.Column{Name: name, Type: t, System: "_" + inc.Part})
	return nil
}

// watermark binds WATERMARK FOR c AS c [- interval].
func (b *Binder) watermark(d *Definition, w ast.Watermark) error {
	i := d.index(w.Column.Name)
	if i < 0 {
		return pgerror.NoSuchColumn(w.Column.Name).At(b.pos(w.Column.Pos()))
	}
	if !isTime(d.Columns[i].Type) {
		return pgerror.New(pgerror.DatatypeMismatch, "the watermark column %q must be a timestamp, not %s",
			w.Column.Name, TypeName(d.Columns[i].Type)).At(b.pos(w.Column.Pos()))
	}
	d.EventTime = i
	x := w.X
	if m, ok := x.(*ast.Binary); ok && m.Op.Symbol == "-" {
		delay, err := b.duration(m.R, "the watermark's delay")
		if err != nil {
			return err
		}
		if delay < 0 {
			return pgerror.New(pgerror.InvalidParameterValue, "the watermark's delay must not be negative").At(b.pos(leftmost(m.R)))
		}
		d.Delay, x = delay, m.L
	}
	if x == nil {
		return nil
	}
	if r, ok := x.(*ast.ColumnRef); ok && len(r.Parts) == 1 && r.Parts[0] == w.Column.Name {
		return nil
	}
	return b.missing(ast.At(leftmost(w.X)), "this watermark expression is not supported").
		WithHint("Write WATERMARK FOR %s AS %s - INTERVAL '5 seconds'.", w.Column.Name, w.Column.Name)
}

// behindWord is the position of what follows the word at an offset.
func (b *Binder) behindWord(at int) int {
	rest := b.SQL[min(at, len(b.SQL)):]
	n := strings.IndexAny(rest, " \t\r\n,()")
	if strings.HasPrefix(rest, `"`) {
		n = strings.Index(rest[1:], `"`) + 2
	}
	if n < 0 {
		return b.pos(at)
	}
	return b.pos(at + n + len(rest[n:]) - len(strings.TrimLeft(rest[n:], " \t\r\n")))
}
