package ast

// query writes a query with all its clauses.
func (p *printer) query(q *Query) {
	if q.With != nil {
		p.with(q.With)
	}
	p.body(q.Body)
	p.orderBy(q.OrderBy)
	if q.Limit != nil {
		p.limit(q.Limit)
	}
	for _, l := range q.Locking {
		p.w(" FOR ", l.Strength)
		if len(l.Of) > 0 {
			p.w(" OF ")
			p.names(l.Of)
		}
		p.when(l.Wait != "", " "+l.Wait)
	}
	if q.Emit != nil {
		p.emit(q.Emit)
	}
	if q.Late != nil {
		p.w(" LATE ROWS ")
		p.w(word(q.Late.Strategy))
	}
	if q.Sink != nil {
		p.w(" INTO ", q.Sink.String())
	}
	p.withOptions(q.Options)
}

func (p *printer) with(w *With) {
	p.w("WITH ")
	p.when(w.Recursive, "RECURSIVE ")
	p.list(len(w.CTEs), func(i int) {
		c := w.CTEs[i]
		p.id(c.Name)
		if c.Columns != nil {
			p.w(" ")
			p.strs(c.Columns)
		}
		p.w(" AS ", [...]string{"", "MATERIALIZED ", "NOT MATERIALIZED "}[c.Materialized], "(")
		p.stmt(c.Stmt)
		p.w(")")
		if s := c.Search; s != nil {
			p.w(" SEARCH ", [...]string{"DEPTH", "BREADTH"}[toInt(s.Breadth)], " FIRST BY ")
			p.list(len(s.Columns), func(i int) { p.id(s.Columns[i]) })
			p.w(" SET ")
			p.id(s.Set)
		}
		if y := c.Cycle; y != nil {
			p.w(" CYCLE ")
			p.list(len(y.Columns), func(i int) { p.id(y.Columns[i]) })
			p.w(" SET ")
			p.id(y.Mark)
			if y.Value != nil {
				p.w(" TO ")
				p.expr(y.Value)
				p.w(" DEFAULT ")
				p.expr(y.Default)
			}
			p.w(" USING ")
			p.id(y.Path)
		}
	})
	p.w(" ")
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// body writes an operand of a query.
func (p *printer) body(b SelectBody) {
	switch b := b.(type) {
	case *Select:
		p.selectCore(b)
	case *Values:
		p.w("VALUES ")
		p.list(len(b.Rows), func(i int) {
			p.w("(")
			p.exprs(b.Rows[i])
			p.w(")")
		})
	case *TableCommand:
		p.w("TABLE ")
		p.tableRef(b.Table)
	case *Query:
		p.w("(")
		p.query(b)
		p.w(")")
	case *SetOp:
		p.setOp(b)
	}
}

// setOp writes a set operation. Those that bind less strongly, or stand to
// the right of an equal one, came in parentheses and are a *Query then.
func (p *printer) setOp(s *SetOp) {
	p.body(s.L)
	p.w(" ", string(s.Kind))
	p.when(s.All, " ALL")
	p.w(" ")
	p.body(s.R)
}

func (p *printer) selectCore(s *Select) {
	p.w("SELECT")
	switch {
	case len(s.DistinctOn) > 0:
		p.w(" DISTINCT ON (")
		p.exprs(s.DistinctOn)
		p.w(")")
	case s.Distinct:
		p.w(" DISTINCT")
	}
	if len(s.Items) > 0 {
		p.w(" ")
		p.items(s.Items)
	}
	if i := s.Into; i != nil {
		p.w(" INTO ")
		p.when(i.Temp, "TEMPORARY ")
		p.when(i.Unlogged, "UNLOGGED ")
		p.w("TABLE ", i.Name.String())
	}
	if len(s.From) > 0 {
		p.w(" FROM ")
		p.refs(s.From)
	}
	p.where(s.Where)
	if s.GroupBy != nil {
		p.w(" GROUP BY ")
		p.when(s.GroupBy.Distinct, "DISTINCT ")
		p.groupItems(s.GroupBy.Items)
	}
	if s.Window != nil {
		p.w(" WINDOW ")
		p.window(s.Window)
	}
	if s.Having != nil {
		p.w(" HAVING ")
		p.expr(s.Having)
	}
	if len(s.Windows) > 0 {
		p.w(" WINDOW ")
		p.list(len(s.Windows), func(i int) {
			p.id(s.Windows[i].Name)
			p.w(" AS ")
			p.windowSpec(&s.Windows[i])
		})
	}
}

func (p *printer) where(x Expr) {
	if x != nil {
		p.w(" WHERE ")
		p.expr(x)
	}
}

func (p *printer) items(items []SelectItem) { p.list(len(items), func(i int) { p.item(items[i]) }) }

func (p *printer) item(it SelectItem) {
	p.expr(it.X)
	if it.AliasPos >= 0 {
		p.w(" AS ")
		p.id(it.Alias)
	}
	p.when(it.PrimaryKey, " PRIMARY KEY")
}

func (p *printer) groupItems(items []GroupItem) {
	p.list(len(items), func(i int) {
		it := items[i]
		switch it.Kind {
		case GroupExpr:
			p.expr(it.X)
		case GroupEmpty:
			p.w("()")
		case GroupRollup, GroupCube:
			p.w([...]string{"ROLLUP (", "CUBE ("}[toInt(it.Kind == GroupCube)])
			p.exprs(it.Exprs)
			p.w(")")
		case GroupSets:
			p.w("GROUPING SETS (")
			p.groupItems(it.Sets)
			p.w(")")
		case GroupWindow:
			p.window(it.Window)
		}
	})
}

func (p *printer) orderBy(items []OrderItem) {
	if len(items) == 0 {
		return
	}
	p.w(" ORDER BY ")
	p.list(len(items), func(i int) { p.orderItem(items[i]) })
}

func (p *printer) orderItem(it OrderItem) {
	p.expr(it.X)
	if it.Using != nil {
		p.w(" USING ", operatorText(*it.Using))
	}
	p.when(it.Asc, " ASC")
	p.when(it.Desc, " DESC")
	p.nulls(it.Nulls)
}

func (p *printer) nulls(n NullsOrder) {
	p.w([...]string{"", " NULLS FIRST", " NULLS LAST"}[n])
}

func (p *printer) limit(l *Limit) {
	if l.Offset != nil {
		p.w(" OFFSET ")
		p.expr(l.Offset)
	}
	switch {
	case l.WithTies:
		p.w(" FETCH FIRST ")
		switch l.Count.(type) {
		case *Literal, *Param:
			p.expr(l.Count)
		default:
			p.w("(")
			p.expr(l.Count)
			p.w(")")
		}
		p.w(" ROWS WITH TIES")
	case l.All:
		p.w(" LIMIT ALL")
	case l.Count != nil:
		p.w(" LIMIT ")
		p.expr(l.Count)
	}
}

// window writes a time window with the keywords of its arguments; a table
// function's are known by their order.
func (p *printer) window(w *Window) {
	p.w(string(w.Kind), "(")
	p.windowArgs(w)
	p.w(")")
}

func (p *printer) windowArgs(w *Window) {
	n := 0
	arg := func(word string, x Expr) {
		if x == nil {
			return
		}
		if n++; n > 1 {
			p.w(", ")
		}
		p.w(word)
		p.expr(x)
	}
	arg("", w.TimeCol)
	if w.Place == PlaceTable {
		arg("", w.Gap)
		arg("", w.Advance)
		arg("", w.Size)
		arg("", w.Offset)
	} else {
		advance := "ADVANCE BY "
		if w.Kind == Cumulate {
			advance = "STEP "
		}
		arg("SIZE ", w.Size)
		arg(advance, w.Advance)
		arg("GAP ", w.Gap)
		arg("OFFSET ", w.Offset)
	}
	arg("MAX_DURATION ", w.MaxDuration)
	for _, k := range w.Keys {
		arg("", k)
	}
}

func (p *printer) emit(e *Emit) {
	switch e.Mode {
	case EmitChanges:
		p.w(" EMIT CHANGES")
	case EmitFinal:
		p.w(" EMIT FINAL")
	case EmitEvery:
		p.w(" EMIT EVERY ")
		p.expr(e.Every)
	case EmitWindowClose:
		p.w(" EMIT ON WINDOW CLOSE")
		if e.Delay != nil {
			p.w(" WITH DELAY ")
			p.expr(e.Delay)
		}
		if e.Timeout != nil {
			p.w(" TIMEOUT ")
			p.expr(e.Timeout)
		}
	}
}

func (p *printer) refs(refs []TableRef) { p.list(len(refs), func(i int) { p.tableRef(refs[i]) }) }

func (p *printer) alias(a *Alias) {
	if a == nil {
		return
	}
	p.w(" AS ")
	p.id(a.Name)
	if a.Columns != nil {
		p.w(" ")
		p.strs(a.Columns)
	}
}

// tableRef writes an item of FROM.
func (p *printer) tableRef(r TableRef) {
	switch r := r.(type) {
	case *TableName:
		p.when(r.Only, "ONLY ")
		p.w(r.Name.String())
		if r.AsOf != nil {
			p.w(" FOR SYSTEM_TIME AS OF ")
			p.expr(r.AsOf.Time)
		}
		p.alias(r.Alias)
		if s := r.Sample; s != nil {
			p.w(" TABLESAMPLE ", s.Method.String(), "(")
			p.exprs(s.Args)
			p.w(")")
			if s.Seed != nil {
				p.w(" REPEATABLE (")
				p.expr(s.Seed)
				p.w(")")
			}
		}
	case *SubqueryRef:
		p.when(r.Lateral, "LATERAL ")
		p.w("(")
		p.query(r.Query)
		p.w(")")
		p.alias(r.Alias)
	case *FuncRef:
		p.funcRef(r)
	case *WindowRef:
		names := map[WindowKind]string{Tumbling: "TUMBLE(", Hop: "HOP(", Session: "SESSION(", Cumulate: "CUMULATE("}
		p.w(names[r.Window.Kind])
		p.tableRef(r.Input)
		p.w(", ")
		p.windowArgs(r.Window)
		p.w(")")
		p.alias(r.Alias)
	case *Join:
		p.join(r)
	}
}

func (p *printer) funcRef(r *FuncRef) {
	p.when(r.Lateral, "LATERAL ")
	if r.RowsFrom {
		p.w("ROWS FROM ")
		p.parens(len(r.Funcs), func(i int) {
			p.expr(r.Funcs[i].X)
			if r.Funcs[i].ColDefs != nil {
				p.w(" AS ")
				p.colDefs(r.Funcs[i].ColDefs)
			}
		})
	} else {
		p.expr(r.Funcs[0].X)
	}
	p.when(r.Ordinality, " WITH ORDINALITY")
	switch {
	case r.ColDefs != nil && r.Alias == nil:
		p.w(" AS ")
		p.colDefs(r.ColDefs)
	case r.ColDefs != nil:
		p.alias(r.Alias)
		p.w(" ")
		p.colDefs(r.ColDefs)
	default:
		p.alias(r.Alias)
	}
}

// colDefs writes the columns of a record.
func (p *printer) colDefs(defs []ColumnDef) {
	p.parens(len(defs), func(i int) {
		p.id(defs[i].Name)
		p.w(" ")
		p.typeName(defs[i].Type)
		if !defs[i].Collation.IsZero() {
			p.w(" COLLATE ", defs[i].Collation.String())
		}
	})
}

func (p *printer) join(j *Join) {
	p.when(j.Alias != nil, "(")
	p.tableRef(j.L)
	p.w(" ")
	p.when(j.Natural, "NATURAL ")
	p.when(j.AsOf, "ASOF ")
	p.when(j.Kind != InnerJoin, string(j.Kind)+" ")
	p.w("JOIN ")
	// A join on the right came in parentheses, or before its own condition.
	right, nested := j.R.(*Join)
	nested = nested && right.Alias == nil
	p.when(nested, "(")
	p.tableRef(j.R)
	p.when(nested, ")")
	if j.Within != nil {
		p.w(" WITHIN ")
		p.duration(j.Within)
	}
	if j.On != nil {
		p.w(" ON ")
		p.expr(j.On)
	}
	if j.Using != nil {
		p.w(" USING ")
		p.ids(j.Using)
		if j.UsingAlias != "" {
			p.w(" AS ")
			p.id(j.UsingAlias)
		}
	}
	if j.Alias != nil {
		p.w(")")
		p.alias(j.Alias)
	}
}

// duration writes a duration so that it is known as one by its first token.
func (p *printer) duration(x Expr) {
	switch x.(type) {
	case *Interval, *Param:
		p.expr(x)
		return
	}
	p.w("(")
	p.expr(x)
	p.w(")")
}

// returning writes RETURNING if there are items.
func (p *printer) returning(items []SelectItem) {
	if len(items) > 0 {
		p.w(" RETURNING ")
		p.items(items)
	}
}
