package parser

import (
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// sessionRule is the rule for a statement about the session: transactions,
// settings, prepared statements, cursors, notifications.
func (p *parser) sessionRule() func() ast.Statement {
	switch p.tok.text {
	case "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release":
		if p.peek(1).isWord("job") {
			return nil
		}
		return p.transaction
	case "prepare":
		return p.prepare
	case "execute":
		return p.execute
	case "deallocate":
		return p.deallocate
	case "declare":
		return p.declare
	case "fetch", "move":
		return p.fetch
	case "close":
		return p.closeCursor
	case "set":
		return p.set
	case "reset":
		return p.reset
	case "discard":
		return p.discard
	case "listen", "unlisten", "notify":
		return p.notification
	case "lock":
		return p.lock
	case "vacuum", "analyze", "analyse":
		return p.vacuum
	case "do":
		return p.do
	case "call":
		return p.callStmt
	case "checkpoint":
		return p.checkpoint
	case "load":
		return p.load
	}
	return nil
}

func (p *parser) checkpoint() ast.Statement {
	at := p.at()
	p.next()
	return &ast.Checkpoint{At: at}
}

func (p *parser) load() ast.Statement {
	at := p.at()
	p.next()
	return &ast.Load{At: at, File: p.str()}
}

// transaction parses the statements that begin, end and divide transactions.
func (p *parser) transaction() ast.Statement {
	s := &ast.Transaction{At: p.at()}
	word := p.tok.text
	p.next()
	switch word {
	case "begin", "start":
		s.Kind = ast.TxBegin
		if s.Start = word == "start"; s.Start {
			p.expect("transaction")
		} else {
			p.acceptOneOf("work", "transaction")
		}
		s.Options = p.transactionModes()
	case "savepoint":
		s.Kind = ast.TxSavepoint
		s.Savepoint = p.identText()
	case "release":
		s.Kind = ast.TxRelease
		s.Savepoint = p.nameBehind("savepoint")
	case "commit", "end":
		s.Kind = ast.TxCommit
		p.endTransaction(s, word == "commit", ast.TxCommitPrepared)
	default:
		s.Kind = ast.TxRollback
		p.endTransaction(s, word == "rollback", ast.TxRollbackPrepared)
	}
	return s
}

// endTransaction parses what may follow COMMIT and ROLLBACK.
func (p *parser) endTransaction(s *ast.Transaction, twoPhase bool, prepared ast.TxKind) {
	if twoPhase && p.accept("prepared") {
		s.Kind, s.GID = prepared, p.str()
		return
	}
	p.acceptOneOf("work", "transaction")
	if s.Kind == ast.TxRollback && twoPhase && p.accept("to") {
		s.Kind, s.Savepoint = ast.TxRollbackTo, p.nameBehind("savepoint")
		return
	}
	if p.accept("and") {
		s.Chain = ast.Yes
		if p.accept("no") {
			s.Chain = ast.No
		}
		p.expect("chain")
	}
}

// nameBehind takes a name with a word before it that may be left out, and is the name itself
// where nothing follows it.
func (p *parser) nameBehind(word string) string {
	if next := p.peek(1); next.kind != tEOF && !next.isOp(";") {
		p.accept(word)
	}
	return p.identText()
}

// transactionModes parses a list of modes with or without commas.
func (p *parser) transactionModes() []ast.Option {
	var out []ast.Option
	for p.err == nil {
		o := ast.Option{At: p.at(), Kind: ast.ValueWord, ValuePos: int(p.tok.pos)}
		switch {
		case p.accept("isolation"):
			p.expect("level")
			o.Name, o.ValuePos = "isolation", int(p.tok.pos)
			switch p.expectOneOf("serializable", "repeatable", "read") {
			case "serializable":
				o.Value = "serializable"
			case "repeatable":
				p.expect("read")
				o.Value = "repeatable read"
			case "read":
				o.Value = "read " + p.expectOneOf("committed", "uncommitted")
			}
		case p.accept("read"):
			o.Name, o.Value = "read_only", "false"
			if p.expectOneOf("only", "write") == "only" {
				o.Value = "true"
			}
		case p.accept("deferrable"):
			o.Name, o.Value = "deferrable", "true"
		case p.accept("not"):
			p.expect("deferrable")
			o.Name, o.Value = "deferrable", "false"
		default:
			return out
		}
		out = append(out, o)
		if p.acceptOp(",") && !p.tok.oneOf("isolation", "read", "deferrable", "not") {
			p.unexpected()
		}
	}
	return out
}

func (p *parser) prepare() ast.Statement {
	at := p.at()
	p.next()
	if p.is("transaction") && p.peek(1).kind == tString {
		p.next()
		return &ast.Transaction{At: at, Kind: ast.TxPrepare, GID: p.str()}
	}
	s := &ast.Prepare{At: at, Name: p.identText()}
	if p.acceptOp("(") {
		s.Types = append(s.Types, p.typeName())
		for p.acceptOp(",") {
			s.Types = append(s.Types, p.typeName())
		}
		p.expectOp(")")
	}
	p.expect("as")
	s.Stmt = p.preparable()
	return s
}

func (p *parser) execute() ast.Statement {
	s := &ast.Execute{At: p.at()}
	p.next()
	s.Name = p.identText()
	if p.acceptOp("(") {
		s.Args = p.exprList()
		p.expectOp(")")
	}
	return s
}

func (p *parser) deallocate() ast.Statement {
	s := &ast.Deallocate{At: p.at()}
	p.next()
	if p.is2("prepare", "all") {
		p.next()
	}
	if s.All = p.accept("all"); !s.All {
		s.Name = p.nameBehind("prepare")
	}
	return s
}

// declare parses DECLARE … CURSOR FOR, and SUBSCRIPTION CURSOR FOR.
func (p *parser) declare() ast.Statement {
	s := &ast.DeclareCursor{At: p.at()}
	p.next()
	s.Name = p.identText()
	subscription := false
	for p.err == nil && !p.is("cursor") {
		switch p.expectOneOf("no", "scroll", "binary", "asensitive", "insensitive", "subscription") {
		case "no":
			p.expect("scroll")
			s.Scroll = ast.No
		case "scroll":
			s.Scroll = ast.Yes
		case "binary":
			s.Binary = true
		case "asensitive":
			s.Sensitivity = "ASENSITIVE"
		case "insensitive":
			s.Sensitivity = "INSENSITIVE"
		case "subscription":
			subscription = true
		}
	}
	p.expect("cursor")
	switch {
	case p.accept("with"):
		p.expect("hold")
		s.Hold = ast.Yes
	case p.accept("without"):
		p.expect("hold")
		s.Hold = ast.No
	}
	p.expect("for")
	switch {
	case subscription:
		s.Subscription = p.relation()
		if p.accept("since") {
			s.Since = p.expr()
		} else {
			s.Full = p.accept("full")
		}
	case p.is("subscribe"):
		s.Query = p.subscribe()
	default:
		if !p.startsQuery() && !p.isOp("(") {
			p.unexpected()
		}
		s.Query = p.query()
	}
	return s
}

// fetch parses FETCH and MOVE.
func (p *parser) fetch() ast.Statement {
	s := &ast.Fetch{At: p.at(), Move: p.is("move"), Direction: ast.FetchNext, Count: 1}
	p.next()
	p.fetchDirection(s)
	p.acceptOneOf("from", "in")
	s.Cursor = p.identText()
	if p.is("with") && p.peek(1).isOp("(") {
		p.next()
		s.Options = p.options(true)
	}
	return s
}

// fetchDirection parses the direction; a direction's word is a cursor's name
// when nothing follows it.
func (p *parser) fetchDirection(s *ast.Fetch) {
	next := p.peek(1)
	alone := next.kind == tEOF || next.isOp(";")
	switch {
	case p.tok.kind == tInt || p.isOp("-") || p.isOp("+"):
		s.Direction, s.Count = ast.FetchForward, p.signed()
		return
	case p.is("all"):
		p.next()
		s.Direction, s.All = ast.FetchForward, true
		return
	case alone:
		return
	}
	switch p.acceptOneOf("next", "prior", "first", "last", "absolute", "relative", "forward", "backward") {
	case "prior":
		s.Direction = ast.FetchPrior
	case "first":
		s.Direction = ast.FetchFirst
	case "last":
		s.Direction = ast.FetchLast
	case "absolute":
		s.Direction, s.Count = ast.FetchAbsolute, p.signed()
	case "relative":
		s.Direction, s.Count = ast.FetchRelative, p.signed()
	case "forward":
		s.Direction = ast.FetchForward
		p.fetchCount(s)
	case "backward":
		s.Direction = ast.FetchBackward
		p.fetchCount(s)
	}
}

func (p *parser) fetchCount(s *ast.Fetch) {
	switch {
	case p.accept("all"):
		s.All = true
	case p.tok.kind == tInt || p.isOp("-") || p.isOp("+"):
		s.Count = p.signed()
	}
}

func (p *parser) closeCursor() ast.Statement {
	s := &ast.CloseCursor{At: p.at()}
	p.next()
	if s.All = p.accept("all"); !s.All {
		s.Name = p.identText()
	}
	return s
}

func (p *parser) notification() ast.Statement {
	at := p.at()
	word := p.tok.text
	p.next()
	switch {
	case word == "unlisten" && p.acceptOp("*"):
		return &ast.Unlisten{At: at, All: true}
	case word == "unlisten":
		return &ast.Unlisten{At: at, Channel: p.identText()}
	case word == "listen":
		return &ast.Listen{At: at, Channel: p.identText()}
	}
	s := &ast.Notify{At: at, Channel: p.identText()}
	if p.acceptOp(",") {
		s.Payload = p.str()
	}
	return s
}

func (p *parser) lock() ast.Statement {
	s := &ast.LockTable{At: p.at(), Mode: "ACCESS EXCLUSIVE"}
	p.next()
	p.accept("table")
	s.Tables = []*ast.TableName{p.relationExpr()}
	for p.acceptOp(",") {
		s.Tables = append(s.Tables, p.relationExpr())
	}
	if p.accept("in") {
		s.Mode = p.lockMode()
		p.expect("mode")
	}
	s.NoWait = p.accept("nowait")
	return s
}

// lockMode parses the mode of LOCK.
func (p *parser) lockMode() string {
	words := []string{p.expectOneOf("access", "row", "share", "exclusive")}
	switch words[0] {
	case "access", "row":
		words = append(words, p.expectOneOf("share", "exclusive"))
	case "share":
		switch w := p.acceptOneOf("update", "row"); w {
		case "update", "row":
			p.expect("exclusive")
			words = append(words, w, "exclusive")
		}
	}
	return upper(strings.Join(words, " "))
}

// vacuum parses VACUUM and ANALYZE in both forms.
func (p *parser) vacuum() ast.Statement {
	s := &ast.Vacuum{At: p.at(), Analyze: !p.is("vacuum")}
	p.next()
	if p.isOp("(") {
		s.Options = p.utilityOptions()
	} else {
		words := []string{"verbose"}
		if !s.Analyze {
			words = []string{"full", "freeze", "verbose", "analyze", "analyse"}
		}
		for p.tok.oneOf(words...) {
			name := p.tok.text
			if name == "analyse" {
				name = "analyze"
			}
			s.Options = append(s.Options, ast.Option{At: p.at(), Name: name, ValuePos: int(p.tok.pos)})
			p.next()
		}
	}
	for p.tok.isName() {
		t := ast.VacuumTable{At: p.at(), Name: p.relation()}
		if p.isOp("(") {
			t.Columns = p.idents()
		}
		s.Tables = append(s.Tables, t)
		if !p.acceptOp(",") {
			break
		}
		if !p.tok.isName() {
			p.unexpected()
		}
	}
	return s
}

func (p *parser) do() ast.Statement {
	s := &ast.Do{At: p.at(), Language: "plpgsql"}
	p.next()
	for first := true; first || p.is("language") || p.tok.kind == tString; first = false {
		if p.accept("language") {
			s.Language = p.nonReservedOrString()
		} else {
			s.Body = p.str()
		}
	}
	return s
}

func (p *parser) nonReservedOrString() string {
	if p.tok.kind == tString {
		return p.str()
	}
	return p.nonReserved().Name
}

func (p *parser) callStmt() ast.Statement {
	s := &ast.Call{At: p.at()}
	p.next()
	name := p.funcName()
	if !p.isOp("(") {
		p.unexpected()
		return s
	}
	f, ok := p.call(name).(*ast.FuncCall)
	if !ok {
		p.failAt(int(name.At), pgerror.SyntaxError, "CALL takes a procedure with its arguments")
	}
	s.Func = f
	return s
}

func (p *parser) discard() ast.Statement {
	s := &ast.Discard{At: p.at()}
	p.next()
	s.What = upper(p.expectOneOf("all", "plans", "sequences", "temp", "temporary"))
	if s.What == "TEMPORARY" {
		s.What = "TEMP"
	}
	return s
}
