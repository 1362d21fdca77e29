package ast

import "strings"

// ddl writes the statements that make, change and remove objects.
func (p *printer) ddl(s Statement) {
	switch s := s.(type) {
	case *CreateRelation:
		p.createRelation(s)
	case *CreateView:
		p.createView(s)
	case *CreateSink:
		p.createSink(s)
	case *CreateIndex:
		p.createIndex(s)
	case *CreateFunction:
		p.createFunction(s)
	case *CreateSchema:
		p.w("CREATE SCHEMA ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		if s.Name != "" {
			p.id(s.Name)
		}
		if s.Owner != "" {
			p.w(" AUTHORIZATION ")
			p.role(s.Owner)
		}
		for _, e := range s.Elements {
			p.w(" ")
			p.stmt(e)
		}
	case *CreateDatabase:
		p.w("CREATE DATABASE ")
		p.id(s.Name)
		for _, o := range s.Options {
			p.w(" ", strings.ToUpper(o.Name), " = ")
			p.optionValue(o)
		}
	case *CreateRole:
		p.createRole(s)
	case *CreateNamed:
		p.createNamed(s)
	case *CreateSequence:
		p.w([...]string{"CREATE ", "ALTER "}[toInt(s.Alter)])
		p.when(s.Temp, "TEMPORARY ")
		p.w("SEQUENCE ")
		p.when(s.IfNotExists, [...]string{"IF NOT EXISTS ", "IF EXISTS "}[toInt(s.Alter)])
		p.w(s.Name.String())
		p.seqOptions(s.Options)
	case *CreateType:
		p.createType(s)
	case *CreateExtension:
		p.w("CREATE EXTENSION ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.id(s.Name)
		for _, o := range s.Options {
			p.w(" ", strings.ToUpper(o.Name))
			if o.Kind != ValueNone {
				p.w(" ")
				p.id(o.Value)
			}
		}
	case *Other:
		p.w(s.Text)
	default:
		p.change(s)
	}
}

func (p *printer) ifNotExists(b bool) { p.when(b, "IF NOT EXISTS ") }

// role writes a role's name; the words that stand for roles stay bare.
func (p *printer) role(name string) {
	switch name {
	case "current_user", "session_user", "current_role":
		p.w(strings.ToUpper(name))
	default:
		p.id(name)
	}
}

func (p *printer) createRelation(s *CreateRelation) {
	p.w("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.when(s.Temp, "TEMPORARY ")
	p.when(s.Unlogged, "UNLOGGED ")
	p.w(string(s.Kind), " ")
	p.ifNotExists(s.IfNotExists)
	p.w(s.Name.String())
	if s.OfType != nil {
		p.w(" OF ")
		p.typeName(s.OfType)
	}
	if s.PartitionOf != nil {
		p.w(" PARTITION OF ", s.PartitionOf.Parent.String())
	}
	if s.HasColumns {
		p.elements(s)
	}
	if s.PartitionOf != nil {
		p.partitionBound(s.PartitionOf)
	}
	for _, i := range s.Includes {
		p.include(i)
	}
	p.when(s.AppendOnly, " APPEND ONLY")
	p.when(s.OnConflict != "", " ON CONFLICT "+s.OnConflict)
	if s.VersionColumn != nil {
		p.w(" WITH VERSION COLUMN (", QuoteIdent(s.VersionColumn.Name), ")")
	}
	p.postgresClauses(s)
	p.withOptions(s.Options)
	p.format(s.Format)
	switch {
	case s.Query != nil:
		p.w(" AS ")
		p.query(s.Query)
	case s.Execute != nil:
		p.w(" AS ")
		p.stmt(s.Execute)
	}
	p.when(s.NoData, " WITH NO DATA")
}

func (p *printer) postgresClauses(s *CreateRelation) {
	if s.Inherits != nil {
		p.w(" INHERITS (")
		p.names(s.Inherits)
		p.w(")")
	}
	if b := s.PartitionBy; b != nil {
		p.w(" PARTITION BY ", QuoteIdent(b.Strategy), " ")
		p.indexItems(b.Items)
	}
	if s.Using != "" {
		p.w(" USING ", QuoteIdent(s.Using))
	}
	p.when(s.OnCommit != "", " ON COMMIT "+s.OnCommit)
	if s.Tablespace != "" {
		p.w(" TABLESPACE ", QuoteIdent(s.Tablespace))
	}
}

func (p *printer) partitionBound(o *PartitionOf) {
	group := func(word string, xs []Expr) {
		if xs != nil {
			p.w(word, "(")
			p.exprs(xs)
			p.w(")")
		}
	}
	if o.Default {
		p.w(" DEFAULT")
		return
	}
	p.w(" FOR VALUES")
	group(" IN ", o.In)
	group(" FROM ", o.From)
	group(" TO ", o.To)
	if o.Options != nil {
		p.w(" WITH ")
		p.options(o.Options, false)
	}
}

// elements writes the column list: columns, LIKE, watermarks, constraints.
func (p *printer) elements(s *CreateRelation) {
	n := 0
	next := func() {
		if n++; n > 1 {
			p.w(", ")
		}
	}
	p.w(" (")
	if s.Star {
		next()
		p.w("*")
	}
	for i := range s.Columns {
		next()
		p.columnDef(&s.Columns[i])
	}
	for _, l := range s.Likes {
		next()
		p.w("LIKE ", l.Table.String())
		for _, o := range l.Options {
			p.w(" ", o)
		}
	}
	for _, w := range s.Watermarks {
		next()
		p.w("WATERMARK FOR ", QuoteIdent(w.Column.Name))
		if w.X != nil {
			p.w(" AS ")
			p.expr(w.X)
		}
	}
	for i := range s.Constraints {
		next()
		p.constraint(&s.Constraints[i], true)
	}
	p.w(")")
}

func (p *printer) include(i Include) {
	part := i.Part
	if i.Sub != "" {
		part = "header"
	}
	p.w(" INCLUDE ", strings.ToUpper(part))
	if i.Sub != "" {
		p.w(" ")
		p.lit(i.Sub)
	}
	if i.Type != nil {
		p.w(" ")
		p.typeName(i.Type)
	}
	if i.Name != "" {
		p.w(" AS ", QuoteIdent(i.Name))
	}
}

func (p *printer) format(f *Format) {
	if f == nil {
		return
	}
	p.w(" FORMAT ", word(strings.ToLower(f.Format)))
	if f.Encode != "" {
		p.w(" ENCODE ", word(strings.ToLower(f.Encode)))
	}
	if f.Options != nil {
		p.w(" ")
		p.options(f.Options, true)
	}
}

func (p *printer) columnDef(c *ColumnDef) {
	p.id(c.Name)
	if c.Type != nil {
		p.w(" ")
		p.typeName(c.Type)
	}
	p.when(c.Key, " KEY")
	if c.Compression != "" {
		p.w(" COMPRESSION ", compressionWord(c.Compression))
	}
	if c.Storage != "" {
		p.w(" STORAGE ", compressionWord(c.Storage))
	}
	if !c.Collation.IsZero() {
		p.w(" COLLATE ", c.Collation.String())
	}
	for i := range c.Constraints {
		p.w(" ")
		p.constraint(&c.Constraints[i], false)
	}
	if c.Computed != nil {
		p.w(" AS ")
		p.expr(c.Computed)
	}
}

func compressionWord(s string) string {
	if s == "default" {
		return "DEFAULT"
	}
	return QuoteIdent(s)
}

// constraint writes a constraint of a table, or of a column.
func (p *printer) constraint(k *Constraint, table bool) {
	if k.Name != "" {
		p.w("CONSTRAINT ", QuoteIdent(k.Name), " ")
	}
	switch k.Kind {
	case Check:
		p.w("CHECK (")
		p.expr(k.X)
		p.w(")")
	case DefaultVal:
		p.w("DEFAULT ")
		p.restricted(k.X, 0)
	case Generated, Identity:
		p.generated(k)
	case ForeignKey:
		if table {
			p.w("FOREIGN KEY ")
			p.ids(k.Columns)
			p.w(" ")
		}
		p.references(k)
	case Exclusion:
		p.exclude(k)
	default:
		p.w(string(k.Kind))
		p.when(k.NullsNotDistinct, " NULLS NOT DISTINCT")
		if k.UsingIndex != "" {
			p.w(" USING INDEX ", QuoteIdent(k.UsingIndex))
		} else if table {
			p.w(" ")
			p.ids(k.Columns)
		}
		p.indexParams(k)
	}
	p.constraintAttrs(k)
}

func (p *printer) generated(k *Constraint) {
	p.w("GENERATED ", [...]string{"BY DEFAULT", "ALWAYS"}[toInt(k.Always)], " AS ")
	if k.Kind == Generated {
		p.w("(")
		p.expr(k.X)
		p.w(") STORED")
		return
	}
	p.w("IDENTITY")
	if k.Sequence != nil {
		var sub printer
		sub.seqOptions(k.Sequence)
		p.w(" (", strings.TrimSpace(sub.b.String()), ")")
	}
}

func (p *printer) exclude(k *Constraint) {
	p.w("EXCLUDE ")
	if k.Method != "" {
		p.w("USING ", QuoteIdent(k.Method), " ")
	}
	p.parens(len(k.Exclude), func(i int) {
		p.indexItem(k.Exclude[i].Item)
		p.w(" WITH ", operatorText(k.Exclude[i].Op))
	})
	p.indexParams(k)
	if k.X != nil {
		p.w(" WHERE (")
		p.expr(k.X)
		p.w(")")
	}
}

func (p *printer) indexParams(k *Constraint) {
	if k.Include != nil {
		p.w(" INCLUDE ")
		p.ids(k.Include)
	}
	p.withOptions(k.Options)
	if k.Tablespace != "" {
		p.w(" USING INDEX TABLESPACE ", QuoteIdent(k.Tablespace))
	}
}

func (p *printer) references(k *Constraint) {
	p.w("REFERENCES ", k.RefTable.String())
	if k.RefColumns != nil {
		p.w(" ")
		p.ids(k.RefColumns)
	}
	p.when(k.Match != "", " MATCH "+k.Match)
	if k.OnDelete != "" {
		p.w(" ON DELETE ", k.OnDelete)
		if k.SetColumns != nil {
			p.w(" ")
			p.ids(k.SetColumns)
		}
	}
	p.when(k.OnUpdate != "", " ON UPDATE "+k.OnUpdate)
}

func (p *printer) constraintAttrs(k *Constraint) {
	p.when(k.NoInherit, " NO INHERIT")
	p.w([...]string{"", " DEFERRABLE", " NOT DEFERRABLE"}[k.Deferrable])
	p.when(k.Deferred, " INITIALLY DEFERRED")
	p.when(k.NotValid, " NOT VALID")
	p.when(k.NotEnforced, " NOT ENFORCED")
}

func (p *printer) seqOptions(opts []SeqOption) {
	for _, o := range opts {
		p.w(" ", o.Name)
		switch {
		case o.Type != nil:
			p.w(" ")
			p.typeName(o.Type)
		case !o.Owner.IsZero():
			p.w(" ", ownerText(o.Owner))
		case o.Value != "":
			p.w(" ", o.Value)
		}
	}
}

// ownerText is a column's name, or the word NONE.
func ownerText(n Name) string {
	if len(n.Parts) == 1 && n.Parts[0] == "none" {
		return "NONE"
	}
	return n.String()
}
