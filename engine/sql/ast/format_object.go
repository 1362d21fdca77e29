package ast

import "strings"

func (p *printer) createView(s *CreateView) {
	p.w("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.when(s.Temp, "TEMPORARY ")
	p.when(s.Recursive, "RECURSIVE ")
	p.when(s.Materialized, "MATERIALIZED ")
	p.w("VIEW ")
	p.ifNotExists(s.IfNotExists)
	p.w(s.Name.String())
	if s.Columns != nil {
		p.w(" ")
		p.ids(s.Columns)
	}
	if s.Using != "" {
		p.w(" USING ", QuoteIdent(s.Using))
	}
	p.withOptions(s.Options)
	if s.Tablespace != "" {
		p.w(" TABLESPACE ", QuoteIdent(s.Tablespace))
	}
	p.w(" AS ")
	p.query(s.Query)
	p.when(s.NoData, " WITH NO DATA")
	p.when(s.CheckOption != "", " WITH "+s.CheckOption+" CHECK OPTION")
}

func (p *printer) createSink(s *CreateSink) {
	p.w("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.w("SINK ")
	p.ifNotExists(s.IfNotExists)
	p.w(s.Name.String())
	if s.Query != nil {
		p.w(" AS ")
		p.query(s.Query)
	} else {
		p.w(" FROM ", s.From.String())
	}
	if !s.Into.IsZero() {
		p.w(" INTO ", s.Into.String())
	}
	p.withOptions(s.Options)
	p.format(s.Format)
}

func (p *printer) createIndex(s *CreateIndex) {
	p.w("CREATE ")
	p.when(s.Unique, "UNIQUE ")
	p.w("INDEX ")
	p.when(s.Concurrently, "CONCURRENTLY ")
	p.ifNotExists(s.IfNotExists)
	if s.Name != "" {
		p.id(s.Name)
		p.w(" ")
	}
	p.w("ON ")
	p.when(s.Only, "ONLY ")
	p.w(s.Table.String())
	if s.Method != "" {
		p.w(" USING ", QuoteIdent(s.Method))
	}
	p.w(" ")
	p.indexItems(s.Items)
	if s.Include != nil {
		p.w(" INCLUDE ")
		p.indexItems(s.Include)
	}
	p.when(s.NullsNotDistinct, " NULLS NOT DISTINCT")
	p.withOptions(s.Options)
	if s.Tablespace != "" {
		p.w(" TABLESPACE ", QuoteIdent(s.Tablespace))
	}
	p.where(s.Where)
}

func (p *printer) indexItems(items []IndexItem) {
	p.parens(len(items), func(i int) { p.indexItem(items[i]) })
}

func (p *printer) indexItem(it IndexItem) {
	if c, ok := it.X.(*ColumnRef); ok && len(c.Parts) == 1 && !c.Star {
		p.id(c.Parts[0])
	} else {
		p.w("(")
		p.expr(it.X)
		p.w(")")
	}
	if !it.Collation.IsZero() {
		p.w(" COLLATE ", it.Collation.String())
	}
	if !it.OpClass.IsZero() {
		p.w(" ", it.OpClass.String())
		if it.OpClassOpts != nil {
			p.w(" ")
			p.options(it.OpClassOpts, true)
		}
	}
	p.when(it.Desc, " DESC")
	p.nulls(it.Nulls)
}

func (p *printer) createFunction(s *CreateFunction) {
	p.w("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.w([...]string{"FUNCTION ", "PROCEDURE "}[toInt(s.Procedure)], s.Name.String())
	p.funcArgs(s.Args)
	switch {
	case s.Table != nil:
		p.w(" RETURNS TABLE ")
		p.colDefs(s.Table)
	case s.Returns != nil:
		p.w(" RETURNS ")
		p.typeName(s.Returns)
	}
	if s.Language != "" {
		p.w(" LANGUAGE ", QuoteIdent(s.Language))
	}
	for _, a := range s.Attrs {
		p.funcAttr(a)
	}
	switch {
	case s.Return != nil:
		p.w(" RETURN ")
		p.expr(s.Return)
	case s.HasAtomic:
		p.w(" BEGIN ATOMIC ")
		for _, a := range s.Atomic {
			if r, ok := a.(*Return); ok {
				p.w("RETURN ")
				p.expr(r.X)
			} else {
				p.stmt(a)
			}
			p.w("; ")
		}
		p.w("END")
	case s.BodyPos >= 0:
		p.w(" AS ")
		p.lit(s.Body)
		if s.Link != "" {
			p.w(", ")
			p.lit(s.Link)
		}
	}
}

func (p *printer) funcAttr(a FuncAttr) {
	name, setting, isSet := strings.Cut(a.Name, " ")
	switch {
	case isSet && name == "SET":
		p.w(" SET ")
		p.setting(setting)
		if a.Value == "" {
			p.w(" TO DEFAULT")
			return
		}
		p.w(" TO ")
		p.lit(a.Value)
	case a.Name == "TRANSFORM":
		p.w(" TRANSFORM FOR TYPE ", a.Value)
	default:
		p.w(" ", a.Name)
		p.when(a.Value != "", " "+a.Value)
	}
}

func (p *printer) funcArgs(args []FuncArg) {
	p.parens(len(args), func(i int) {
		a := args[i]
		p.when(a.Mode != "", a.Mode+" ")
		if a.Name != "" {
			p.id(a.Name)
			p.w(" ")
		}
		p.typeName(a.Type)
		if a.Default != nil {
			p.w(" DEFAULT ")
			p.expr(a.Default)
		}
	})
}

func (p *printer) createRole(s *CreateRole) {
	p.w([...]string{"CREATE ", "ALTER "}[toInt(s.Alter)], s.Kind, " ")
	p.ifNotExists(s.IfNotExists)
	p.role(s.Name.Name)
	for _, o := range s.Options {
		p.w(" ", strings.ToUpper(o.Name))
		switch o.Kind {
		case ValueList:
			p.w(" ")
			p.list(len(o.Items), func(i int) { p.role(o.Items[i]) })
		case ValueNone:
			p.when(o.Name == "password", " NULL")
		default:
			p.w(" ")
			p.optionValue(o)
		}
	}
}

func (p *printer) createNamed(s *CreateNamed) {
	p.w("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.w(s.Kind, " ")
	p.ifNotExists(s.IfNotExists)
	p.w(s.Name.String())
	switch {
	case !s.From.IsZero():
		p.w(" FROM ", s.From.String())
	case s.Query != nil:
		p.w(" AS ")
		p.query(s.Query)
	}
	p.withOptions(s.Options)
	if s.Value != nil {
		p.w(" AS ")
		p.expr(s.Value)
	}
}

func (p *printer) createType(s *CreateType) {
	if s.Domain != nil {
		p.w("CREATE DOMAIN ", s.Name.String(), " AS ")
		p.typeName(s.Domain)
		if !s.Collation.IsZero() {
			p.w(" COLLATE ", s.Collation.String())
		}
		for i := range s.Constraints {
			p.w(" ")
			p.constraint(&s.Constraints[i], false)
		}
		return
	}
	p.w("CREATE TYPE ", s.Name.String(), " AS ")
	if s.Enum {
		p.w("ENUM ")
		p.parens(len(s.Labels), func(i int) { p.lit(s.Labels[i]) })
		return
	}
	p.colDefs(s.Columns)
}

// change writes the statements that change and remove objects.
func (p *printer) change(s Statement) {
	switch s := s.(type) {
	case *Drop:
		p.w("DROP ", s.Kind, " ")
		p.when(s.Concurrently, "CONCURRENTLY ")
		p.when(s.IfExists, "IF EXISTS ")
		p.list(len(s.Objects), func(i int) { p.object(s.Objects[i]) })
		if s.Options != nil {
			p.w(" WITH ")
			p.options(s.Options, false)
		}
		p.behavior(s.Behavior)
	case *Alter:
		p.w("ALTER ", s.Kind, " ")
		p.when(s.IfExists, "IF EXISTS ")
		p.when(s.Only, "ONLY ")
		p.object(s.Object)
		p.list(len(s.Actions), func(i int) {
			p.when(i == 0, " ")
			p.alterAction(&s.Actions[i])
		})
	case *Comment:
		p.w("COMMENT ON ", s.Object.Kind, " ")
		p.object(s.Object)
		p.w(" IS ")
		if s.Text == nil {
			p.w("NULL")
		} else {
			p.lit(*s.Text)
		}
	case *Truncate:
		p.w("TRUNCATE TABLE ")
		p.list(len(s.Tables), func(i int) { p.tableRef(s.Tables[i]) })
		p.w([...]string{"", " RESTART IDENTITY", " CONTINUE IDENTITY"}[s.RestartIdentity])
		p.behavior(s.Behavior)
	case *Refresh:
		p.w("REFRESH MATERIALIZED VIEW ")
		p.when(s.Concurrently, "CONCURRENTLY ")
		p.w(s.Name.String())
		p.when(s.NoData, " WITH NO DATA")
	case *Grant:
		p.grant(s, false)
	case *Owned:
		p.w(s.Tag(), " BY ")
		p.list(len(s.Roles), func(i int) { p.role(s.Roles[i].Name) })
		if s.Reassign {
			p.w(" TO ")
			p.role(s.To)
		}
		p.behavior(s.Behavior)
	case *AlterDefaultPrivileges:
		p.w("ALTER DEFAULT PRIVILEGES ")
		if s.Roles != nil {
			p.w("FOR ROLE ")
			p.list(len(s.Roles), func(i int) { p.role(s.Roles[i].Name) })
			p.w(" ")
		}
		if s.Schemas != nil {
			p.w("IN SCHEMA ")
			p.list(len(s.Schemas), func(i int) { p.id(s.Schemas[i].Name) })
			p.w(" ")
		}
		p.grant(s.Grant, true)
	}
}

func (p *printer) behavior(b Behavior) {
	p.w([...]string{"", " RESTRICT", " CASCADE"}[b])
}

// object writes what names an object, without its kind.
func (p *printer) object(o Object) {
	switch {
	case o.Sig != nil:
		p.w(o.Sig.Name.String())
		if o.Sig.HasArgs {
			if o.Sig.Args == nil {
				p.w("(*)")
			} else {
				p.funcArgs(o.Sig.Args)
			}
		}
	case o.Type != nil:
		p.typeName(o.Type)
	case o.Kind == "ROLE" || o.Kind == "USER" || o.Kind == "GROUP":
		if o.Raw != "" {
			p.w(o.Raw)
		} else {
			p.role(o.Name.Last())
		}
		if !o.On.IsZero() {
			p.w(" IN DATABASE ", o.On.String())
		}
	case o.Kind == "CONSTRAINT":
		p.w(o.Name.String(), " ON ")
		p.when(o.Raw != "", o.Raw+" ")
		p.w(o.On.String())
	case o.Raw != "":
		p.w(o.Raw)
	default:
		p.w(o.Name.String())
		if !o.On.IsZero() {
			p.w(" ON ", o.On.String())
		}
	}
}

func (p *printer) grant(g *Grant, defaults bool) {
	p.w([...]string{"GRANT ", "REVOKE "}[toInt(g.Revoke)])
	if g.Revoke && g.WithOption != "" {
		p.w(g.WithOption, " OPTION FOR ")
	}
	p.list(len(g.Privileges), func(i int) {
		pr := g.Privileges[i]
		switch {
		case g.Role:
			p.role(pr.Name)
		case pr.Name == "ALL":
			p.w("ALL PRIVILEGES")
		default:
			p.w(pr.Name)
		}
		if pr.Columns != nil {
			p.w(" ")
			p.ids(pr.Columns)
		}
	})
	switch {
	case g.Role:
	case defaults:
		p.w(" ON ", g.AllInSchema)
	case g.AllInSchema != "":
		p.w(" ON ALL ", g.AllInSchema, " IN SCHEMA ")
		p.list(len(g.Objects), func(i int) { p.object(g.Objects[i]) })
	default:
		p.w(" ON ")
		if len(g.Objects) > 0 {
			p.w(g.Objects[0].Kind, " ")
		}
		p.list(len(g.Objects), func(i int) { p.object(g.Objects[i]) })
	}
	p.w([...]string{" TO ", " FROM "}[toInt(g.Revoke)])
	p.list(len(g.Grantees), func(i int) { p.role(g.Grantees[i].Name) })
	if !g.Revoke && g.WithOption != "" {
		p.w(" WITH ", g.WithOption, " OPTION")
	}
	if g.GrantedBy != "" {
		p.w(" GRANTED BY ")
		p.role(g.GrantedBy)
	}
	p.behavior(g.Behavior)
}

// alterAction writes one action of ALTER.
func (p *printer) alterAction(a *AlterAction) {
	switch a.Kind {
	case AlterRename, AlterSetSchema, AlterSwap:
		p.w(string(a.Kind), " ", a.NewName.String())
	case AlterOwner:
		p.w("OWNER TO ")
		p.role(a.NewName.Last())
	case AlterRenameColumn, AlterRenameConstraint:
		p.w(string(a.Kind), " ", QuoteIdent(a.Column.Name), " TO ", a.NewName.String())
	case AlterRenameValue:
		p.w("RENAME VALUE ")
		p.lit(a.Column.Name)
		p.w(" TO ")
		p.lit(a.NewName.Last())
	case AlterAddColumn:
		p.w("ADD COLUMN ")
		p.ifNotExists(a.IfExists)
		p.columnDef(a.Def)
	case AlterAddConstraint:
		p.w("ADD ")
		p.constraint(a.Constraint, true)
	case AlterAddValue:
		p.w("ADD VALUE ")
		p.ifNotExists(a.IfExists)
		p.lit(a.Column.Name)
		if a.Detail != "" {
			p.w(" ", a.Detail, " ")
			p.lit(a.NewName.Last())
		}
	case AlterDropColumn, AlterDropConstraint:
		p.w(string(a.Kind), " ")
		p.when(a.IfExists, "IF EXISTS ")
		p.id(a.Column.Name)
	case AlterValidate:
		p.w("VALIDATE CONSTRAINT ", QuoteIdent(a.Column.Name))
	case AlterConstraint:
		p.w("ALTER CONSTRAINT ", QuoteIdent(a.Column.Name))
		p.constraintAttrs(a.Constraint)
	case AlterAs:
		p.w("AS ")
		p.query(a.Query)
	case AlterSetOptions:
		p.w("SET ")
		p.options(a.Options, true)
	case AlterResetOptions:
		p.w("RESET ")
		p.options(a.Options, true)
	case AlterSetting:
		p.alterSetting(a.Set)
	default:
		p.alterColumn(a)
	}
	p.behavior(a.Behavior)
}

func (p *printer) alterSetting(s *Set) {
	if s.Default && s.Name == "" {
		p.w("RESET ALL")
		return
	}
	p.w("SET ")
	p.setRest(s)
}

func (p *printer) alterColumn(a *AlterAction) {
	if a.Kind == AlterRaw {
		p.w(a.Detail)
		return
	}
	// Of a domain there is no column.
	if a.Column.Name != "" {
		p.w("ALTER COLUMN ", QuoteIdent(a.Column.Name), " ")
	}
	switch a.Kind {
	case AlterColumnType:
		p.w("TYPE ")
		p.typeName(a.Type)
		if !a.Collation.IsZero() {
			p.w(" COLLATE ", a.Collation.String())
		}
		if a.X != nil {
			p.w(" USING ")
			p.expr(a.X)
		}
	case AlterSetDefault:
		p.w("SET DEFAULT ")
		p.expr(a.X)
	case AlterAddIdentity:
		p.w("ADD ")
		p.generated(a.Constraint)
	case AlterSetIdentity:
		p.identityChange(a.Constraint)
	case AlterDropIdentity, AlterDropExpression:
		p.w(string(a.Kind))
		p.when(a.IfExists, " IF EXISTS")
	default:
		p.w(string(a.Kind))
	}
}

func (p *printer) identityChange(k *Constraint) {
	sep := ""
	if k.Generation != "" {
		p.w("SET GENERATED ", k.Generation)
		sep = " "
	}
	for _, o := range k.Sequence {
		p.w(sep)
		p.when(o.Name != "RESTART", "SET ")
		sep = " "
		var sub printer
		sub.seqOptions([]SeqOption{o})
		p.w(strings.TrimSpace(sub.b.String()))
	}
}
