package ast

import (
	"strconv"
	"strings"
)

// stmt writes a statement.
func (p *printer) stmt(s Statement) {
	switch s := s.(type) {
	case *Query:
		p.query(s)
	case *Insert:
		p.insert(s)
	case *Update:
		p.update(s)
	case *Delete:
		p.delete(s)
	case *Merge:
		p.merge(s)
	case *Copy:
		p.copyStmt(s)
	default:
		p.sessionStmt(s)
	}
}

func (p *printer) withClause(w *With) {
	if w != nil {
		p.with(w)
	}
}

func (p *printer) insert(s *Insert) {
	p.withClause(s.With)
	p.w([...]string{"INSERT INTO ", "UPSERT INTO "}[toInt(s.Upsert)])
	p.tableRef(s.Table)
	if s.Columns != nil {
		p.w(" (")
		p.targets(s.Columns)
		p.w(")")
	}
	p.when(s.Overriding != "", " OVERRIDING "+s.Overriding+" VALUE")
	if s.Query == nil {
		p.w(" DEFAULT VALUES")
	} else {
		p.w(" ")
		p.query(s.Query)
	}
	if c := s.OnConflict; c != nil {
		p.onConflict(c)
	}
	p.returning(s.Returning)
}

func (p *printer) onConflict(c *OnConflict) {
	p.w(" ON CONFLICT")
	if c.Targets != nil {
		p.w(" ")
		p.indexItems(c.Targets)
		p.where(c.Where)
	}
	if c.Constraint != "" {
		p.w(" ON CONSTRAINT ")
		p.id(c.Constraint)
	}
	if !c.DoUpdate {
		p.w(" DO NOTHING")
		return
	}
	p.w(" DO UPDATE SET ")
	p.setItems(c.Set)
	p.where(c.UpdateIf)
}

func (p *printer) targets(ts []InsertTarget) {
	p.list(len(ts), func(i int) {
		p.id(ts[i].Name)
		for _, in := range ts[i].Indirection {
			if in.Field != "" {
				p.w(".")
				p.id(in.Field)
			} else {
				p.subscript(in.Lo, in.Hi, in.Slice)
			}
		}
	})
}

func (p *printer) setItems(items []SetItem) {
	p.list(len(items), func(i int) {
		it := items[i]
		p.when(it.Multi, "(")
		p.targets(it.Targets)
		p.when(it.Multi, ")")
		p.w(" = ")
		p.expr(it.X)
	})
}

func (p *printer) update(s *Update) {
	p.withClause(s.With)
	p.w("UPDATE ")
	p.tableRef(s.Table)
	p.w(" SET ")
	p.setItems(s.Set)
	if len(s.From) > 0 {
		p.w(" FROM ")
		p.refs(s.From)
	}
	p.where(s.Where)
	p.returning(s.Returning)
}

func (p *printer) delete(s *Delete) {
	p.withClause(s.With)
	p.w("DELETE FROM ")
	p.tableRef(s.Table)
	if len(s.Using) > 0 {
		p.w(" USING ")
		p.refs(s.Using)
	}
	p.where(s.Where)
	p.returning(s.Returning)
}

func (p *printer) merge(s *Merge) {
	p.withClause(s.With)
	p.w("MERGE INTO ")
	p.tableRef(s.Table)
	p.w(" USING ")
	p.tableRef(s.Source)
	p.w(" ON ")
	p.expr(s.On)
	for _, w := range s.Whens {
		p.w(" WHEN ")
		p.when(!w.Matched, "NOT ")
		p.w("MATCHED")
		if w.Cond != nil {
			p.w(" AND ")
			p.expr(w.Cond)
		}
		p.w(" THEN ", string(w.Action))
		switch w.Action {
		case MergeInsert:
			p.mergeInsert(w)
		case MergeUpdate:
			p.w(" SET ")
			p.setItems(w.Set)
		default:
		}
	}
}

func (p *printer) mergeInsert(w MergeWhen) {
	if w.Columns != nil {
		p.w(" (")
		p.targets(w.Columns)
		p.w(")")
	}
	p.when(w.Overriding != "", " OVERRIDING "+w.Overriding+" VALUE")
	if w.Values == nil {
		p.w(" DEFAULT VALUES")
		return
	}
	p.w(" VALUES (")
	p.exprs(w.Values)
	p.w(")")
}

func (p *printer) copyStmt(s *Copy) {
	p.w("COPY ")
	if s.Table != nil {
		p.w(s.Table.String())
		if s.Columns != nil {
			p.w(" ")
			p.ids(s.Columns)
		}
	} else {
		p.w("(")
		p.stmt(s.Query)
		p.w(")")
	}
	p.w([...]string{" FROM ", " TO "}[toInt(s.To)])
	switch {
	case s.Stdio:
		p.w([...]string{"STDIN", "STDOUT"}[toInt(s.To)])
	default:
		p.when(s.Program, "PROGRAM ")
		p.lit(s.File)
	}
	if len(s.Options) > 0 {
		p.w(" WITH ")
		p.options(s.Options, false)
	}
	p.where(s.Where)
}

// sessionStmt writes the statements about the session.
func (p *printer) sessionStmt(s Statement) {
	switch s := s.(type) {
	case *Transaction:
		p.transaction(s)
	case *Set:
		p.set(s)
	case *SetTransaction:
		p.w("SET ")
		p.when(s.Local, "LOCAL ")
		p.when(s.Session, "SESSION CHARACTERISTICS AS ")
		p.w("TRANSACTION ")
		if s.Snapshot != "" {
			p.w("SNAPSHOT ")
			p.lit(s.Snapshot)
		}
		p.modes(s.Options)
	case *SetConstraints:
		p.w("SET CONSTRAINTS ")
		p.when(s.All, "ALL")
		p.names(s.Names)
		p.w([...]string{" IMMEDIATE", " DEFERRED"}[toInt(s.Deferred)])
	case *Reset:
		p.w("RESET ")
		p.settingOrAll(s.Name, s.All)
	case *Discard:
		p.w("DISCARD ", s.What)
	case *ShowSetting:
		p.w("SHOW ")
		p.settingOrAll(s.Name, s.Name == "all")
	case *Prepare:
		p.w("PREPARE ")
		p.id(s.Name)
		if s.Types != nil {
			p.w(" ")
			p.parens(len(s.Types), func(i int) { p.typeName(s.Types[i]) })
		}
		p.w(" AS ")
		p.stmt(s.Stmt)
	case *Execute:
		p.w("EXECUTE ")
		p.id(s.Name)
		if s.Args != nil {
			p.w(" (")
			p.exprs(s.Args)
			p.w(")")
		}
	case *Deallocate:
		p.w("DEALLOCATE ")
		p.nameOrAll(s.Name, s.All, "ALL")
	case *DeclareCursor:
		p.declare(s)
	case *Fetch:
		p.fetch(s)
	case *CloseCursor:
		p.w("CLOSE ")
		p.nameOrAll(s.Name, s.All, "ALL")
	default:
		p.utility(s)
	}
}

func (p *printer) nameOrAll(name string, all bool, word string) {
	if all {
		p.w(word)
		return
	}
	p.id(name)
}

// setting writes a setting's dotted name.
func (p *printer) setting(name string) {
	for i, part := range strings.Split(name, ".") {
		p.when(i > 0, ".")
		p.id(part)
	}
}

func (p *printer) settingOrAll(name string, all bool) {
	if all {
		p.w("ALL")
		return
	}
	p.setting(name)
}

func (p *printer) transaction(s *Transaction) {
	p.w(s.Tag())
	switch s.Kind {
	case TxBegin:
		if len(s.Options) > 0 {
			p.w(" ")
			p.modes(s.Options)
		}
	case TxSavepoint, TxRelease:
		p.w(" ")
		p.id(s.Savepoint)
	case TxRollbackTo:
		p.w(" TO SAVEPOINT ")
		p.id(s.Savepoint)
	case TxPrepare, TxCommitPrepared, TxRollbackPrepared:
		p.w(" ")
		p.lit(s.GID)
	default:
	}
	p.w([...]string{"", " AND CHAIN", " AND NO CHAIN"}[s.Chain])
}

func (p *printer) modes(opts []Option) {
	p.list(len(opts), func(i int) {
		switch o := opts[i]; o.Name {
		case "isolation":
			p.w("ISOLATION LEVEL ", strings.ToUpper(o.Value))
		case "read_only":
			p.w([...]string{"READ WRITE", "READ ONLY"}[toInt(o.Value == "true")])
		case "deferrable":
			p.w([...]string{"NOT DEFERRABLE", "DEFERRABLE"}[toInt(o.Value == "true")])
		}
	})
}

func (p *printer) set(s *Set) {
	p.w("SET ")
	p.when(s.Scope != ScopeDefault, string(s.Scope)+" ")
	p.setRest(s)
}

// setRest writes the setting and its value.
func (p *printer) setRest(s *Set) {
	if s.Zone != nil {
		p.w("TIME ZONE ")
		p.expr(s.Zone)
		return
	}
	p.setting(s.Name)
	switch {
	case s.Current:
		p.w(" FROM CURRENT")
		return
	case s.Default:
		p.w(" TO DEFAULT")
		return
	}
	p.w(" TO ")
	p.list(len(s.Values), func(i int) {
		v := s.Values[i]
		switch {
		case v.Kind == ValueString:
			p.lit(v.Text)
		case v.Kind == ValueNumber, v.Text == "true", v.Text == "false", v.Text == "on":
			p.w(v.Text)
		default:
			p.id(v.Text)
		}
	})
}

func (p *printer) declare(s *DeclareCursor) {
	p.w("DECLARE ")
	p.id(s.Name)
	p.when(s.Binary, " BINARY")
	p.when(s.Sensitivity != "", " "+s.Sensitivity)
	p.w([...]string{"", " SCROLL", " NO SCROLL"}[s.Scroll])
	p.when(!s.Subscription.IsZero(), " SUBSCRIPTION")
	p.w(" CURSOR", [...]string{"", " WITH HOLD", " WITHOUT HOLD"}[s.Hold], " FOR ")
	if s.Subscription.IsZero() {
		p.stmt(s.Query)
		return
	}
	p.w(s.Subscription.String())
	if s.Since != nil {
		p.w(" SINCE ")
		p.expr(s.Since)
	}
	p.when(s.Full, " FULL")
}

func (p *printer) fetch(s *Fetch) {
	p.w(s.Tag(), " ", string(s.Direction))
	switch s.Direction {
	case FetchForward, FetchBackward, FetchAbsolute, FetchRelative:
		if s.All {
			p.w(" ALL")
		} else {
			p.w(" ", strconv.FormatInt(s.Count, 10))
		}
	default:
	}
	p.w(" FROM ")
	p.id(s.Cursor)
	p.withOptions(s.Options)
}

// utility writes the small statements.
func (p *printer) utility(s Statement) {
	switch s := s.(type) {
	case *Listen:
		p.w("LISTEN ")
		p.id(s.Channel)
	case *Unlisten:
		p.w("UNLISTEN ")
		p.nameOrAll(s.Channel, s.All, "*")
	case *Notify:
		p.w("NOTIFY ")
		p.id(s.Channel)
		if s.Payload != "" {
			p.w(", ")
			p.lit(s.Payload)
		}
	case *LockTable:
		p.w("LOCK TABLE ")
		p.list(len(s.Tables), func(i int) { p.tableRef(s.Tables[i]) })
		p.w(" IN ", s.Mode, " MODE")
		p.when(s.NoWait, " NOWAIT")
	case *Vacuum:
		p.w(s.Tag())
		if s.Options != nil {
			p.w(" ")
			p.options(s.Options, false)
		}
		p.when(len(s.Tables) > 0, " ")
		p.list(len(s.Tables), func(i int) {
			p.w(s.Tables[i].Name.String())
			if s.Tables[i].Columns != nil {
				p.w(" ")
				p.ids(s.Tables[i].Columns)
			}
		})
	case *Do:
		p.w("DO LANGUAGE ")
		p.id(s.Language)
		p.w(" ")
		p.lit(s.Body)
	case *Call:
		p.w("CALL ")
		p.expr(s.Func)
	case *Checkpoint:
		p.w("CHECKPOINT")
	case *Load:
		p.w("LOAD ")
		p.lit(s.File)
	case *Explain:
		p.explain(s)
	default:
		p.jobStmt(s)
	}
}

func (p *printer) explain(s *Explain) {
	p.w("EXPLAIN ")
	p.when(s.Plan, "PLAN ")
	p.when(s.Timestamp, "TIMESTAMP FOR ")
	if s.Options != nil {
		p.options(s.Options, false)
		p.w(" ")
	}
	if s.Object == nil {
		p.stmt(s.Stmt)
		return
	}
	p.w(s.Object.Kind, " ", s.Object.Name.String())
	if s.Duration != "" {
		p.w(" (duration ")
		p.lit(s.Duration)
		p.w(")")
	}
}
