package ast

// jobStmt writes the statements about running things.
func (p *printer) jobStmt(s Statement) {
	switch s := s.(type) {
	case *Show:
		p.show(s)
	case *Job:
		p.job(s)
	case *Subscribe:
		p.subscribe(s)
	case *Validate:
		p.w("VALIDATE ")
		p.lit(s.SQL)
	case *Flush:
		p.w("FLUSH")
	case *Backup:
		p.w([...]string{"BACKUP TO ", "RESTORE FROM "}[toInt(s.Restore)])
		p.lit(s.URL)
		p.withOptions(s.Options)
	default:
		p.ddl(s)
	}
}

func (p *printer) show(s *Show) {
	if s.Kind == Describe {
		p.w("DESCRIBE")
		p.when(s.Extended, " EXTENDED")
	} else {
		p.w("SHOW ", string(s.Kind))
	}
	p.when(s.ObjectKind != "", " "+s.ObjectKind)
	if !s.Name.IsZero() {
		p.w(" ", s.Name.String())
	}
	if s.Node != "" {
		p.w(" ON NODE ")
		p.lit(s.Node)
	}
	if s.Like != nil {
		p.w(" LIKE ")
		p.expr(s.Like)
	}
	p.where(s.Where)
	p.when(s.WithSchema, " WITH SCHEMAS")
}

func (p *printer) job(s *Job) {
	p.w(string(s.Action), " ", s.Name.String())
	p.when(s.Force, " FORCE")
	if s.Version != "" {
		p.w(" VERSION ")
		p.lit(s.Version)
	}
	if s.Stmt != nil {
		p.w(" AS ")
		p.stmt(s.Stmt)
	}
	p.withOptions(s.Options)
	if s.Strategy != "" {
		p.w(" STRATEGY ", s.Strategy)
	}
	if s.Percent != nil {
		p.w("(")
		p.expr(s.Percent)
		p.w(")")
	}
}

func (p *printer) subscribe(s *Subscribe) {
	p.w("SUBSCRIBE TO ")
	if s.Table != nil {
		p.tableRef(s.Table)
	} else {
		p.w("(")
		p.query(s.Query)
		p.w(")")
	}
	if s.Envelope != "" {
		p.w(" ENVELOPE ", s.Envelope)
	}
	if s.Key != nil {
		p.w(" (KEY ")
		p.ids(s.Key)
		p.w(")")
	}
	p.withOptions(s.Options)
	if s.AsOf != nil {
		p.w(" AS OF ")
		p.expr(s.AsOf)
	}
	if s.UpTo != nil {
		p.w(" UP TO ")
		p.expr(s.UpTo)
	}
}
