package parser

import (
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// jobRule is the rule for a statement of the dialect that looks at or steers
// running things.
func (p *parser) jobRule() func() ast.Statement {
	switch p.tok.text {
	case "show", "list":
		return p.show
	case "describe", "desc":
		return p.describe
	case "start", "stop", "pause", "resume", "cancel", "deploy", "rollback":
		if p.peek(1).isWord("job") || p.peek(1).isWord("query") {
			return p.job
		}
		if !p.tok.oneOf("start", "rollback") {
			return func() ast.Statement {
				p.next()
				p.expect("job")
				return nil
			}
		}
	case "subscribe":
		return p.subscribe
	case "validate":
		return func() ast.Statement {
			at := p.at()
			p.next()
			return &ast.Validate{At: at, SQLPos: int(p.tok.pos), SQL: p.str()}
		}
	case "flush":
		return func() ast.Statement {
			at := p.at()
			p.next()
			return &ast.Flush{At: at}
		}
	case "backup":
		return func() ast.Statement { return p.backup("to") }
	case "restore":
		return func() ast.Statement { return p.backup("from") }
	}
	return nil
}

func (p *parser) backup(word string) ast.Statement {
	s := &ast.Backup{At: p.at(), Restore: word == "from"}
	p.next()
	p.expect(word)
	s.URL = p.str()
	if p.accept("with") {
		s.Options = p.options(true)
	}
	return s
}

// showKinds maps the word behind SHOW to what is listed.
var showKinds = map[string]ast.ShowKind{
	"jobs": ast.ShowJobs, "queries": ast.ShowJobs, "streams": ast.ShowStreams, "sources": ast.ShowSources, "tables": ast.ShowTables,
	"views": ast.ShowViews, "indexes": ast.ShowIndexes, "topics": ast.ShowTopics, "nodes": ast.ShowNodes, "functions": ast.ShowFunctions,
	"sinks": ast.ShowSinks, "subscriptions": ast.ShowSubscriptions, "connections": ast.ShowConnections, "secrets": ast.ShowSecrets,
	"schemas": ast.ShowSchemas, "databases": ast.ShowDatabases, "connectors": ast.ShowConnectors,
}

// show parses SHOW and LIST: our own objects first, else a setting.
func (p *parser) show() ast.Statement {
	at := p.at()
	list := p.is("list")
	p.next()
	s := &ast.Show{At: at}
	if p.tok.kind == tWord {
		if kind, ok := showKinds[p.tok.text]; ok {
			s.Kind = kind
			p.next()
			p.showFilter(s)
			return s
		}
		if p.showObject(s) {
			return s
		}
	}
	if list {
		p.unexpected()
		words := make([]string, 0, len(showKinds))
		for w := range showKinds {
			words = append(words, w)
		}
		p.hintWord(words...)
		return s
	}
	return p.showSetting(at)
}

// showObject parses the kinds of SHOW that are about one object, and reports
// whether one of them was there.
func (p *parser) showObject(s *ast.Show) bool {
	next := p.peek(1)
	isName := next.isLabel() || next.kind == tString
	kinds := map[string]ast.ShowKind{"partitions": ast.ShowPartitions, "schema": ast.ShowSchema, "columns": ast.ShowColumns}
	switch word := p.tok.text; word {
	case "job", "query":
		sub := map[string]ast.ShowKind{"status": ast.ShowJobStatus, "metrics": ast.ShowJobMetrics, "versions": ast.ShowJobVersions}
		kind, ok := sub[next.text]
		if !ok || next.kind != tWord {
			p.next()
			p.expectOneOf("status", "metrics", "versions")
			return true
		}
		p.next()
		p.next()
		s.Kind, s.Name = kind, p.objectName()
	case "topic":
		p.next()
		p.expect("details")
		s.Kind, s.Name = ast.ShowTopicDetails, p.objectName()
	case "materialized":
		p.next()
		p.expect("views")
		s.Kind = ast.ShowMatViews
		p.showFilter(s)
	case "partitions", "schema", "columns":
		if !isName {
			return false
		}
		s.Kind = kinds[word]
		p.next()
		p.acceptOneOf("from", "of", "for")
		s.Name = p.objectName()
	case "properties":
		p.next()
		s.Kind = ast.ShowProperties
		s.ObjectKind = p.relationKind()
		s.Name = p.objectName()
	case "create":
		p.next()
		s.Kind = ast.ShowCreate
		s.ObjectKind = p.relationKind()
		s.Name = p.objectName()
	default:
		return false
	}
	return true
}

// relationKind takes the kind of a relation.
func (p *parser) relationKind() string {
	if p.accept("materialized") {
		p.expect("view")
		return "MATERIALIZED VIEW"
	}
	return upper(p.expectOneOf("stream", "table", "view", "sink", "source", "index", "function", "subscription"))
}

// objectName takes a name that may be written as a string: 'name'.
func (p *parser) objectName() ast.Name {
	if p.tok.kind == tString {
		n := ast.Name{At: p.at(), Parts: []string{p.tok.text}}
		p.next()
		return n
	}
	return p.name()
}

func (p *parser) showFilter(s *ast.Show) {
	for p.err == nil {
		switch {
		case p.accept("like"):
			s.Like = &ast.Literal{At: p.at(), Kind: ast.LitString, Text: p.str()}
		case p.accept("where"):
			s.Where = p.expr()
		case s.Kind == ast.ShowTables && p.accept("with", "schemas"):
			s.WithSchema = true
		case s.Kind == ast.ShowJobs && p.accept("on", "node"):
			s.Node = p.str()
		default:
			return
		}
	}
}

// showSetting parses SHOW name of PostgreSQL.
func (p *parser) showSetting(at ast.At) ast.Statement {
	s := &ast.ShowSetting{At: at}
	switch {
	case p.accept("all"):
		s.Name = "all"
	case p.accept("time", "zone"):
		s.Name = "timezone"
	case p.accept("transaction", "isolation", "level"):
		s.Name = "transaction_isolation"
	case p.accept("session", "authorization"):
		s.Name = "session_authorization"
	default:
		s.Name = p.settingName()
	}
	return s
}

func (p *parser) describe() ast.Statement {
	s := &ast.Show{At: p.at(), Kind: ast.Describe}
	p.next()
	if p.is("extended") && (p.peek(1).isLabel() || p.peek(1).kind == tString) {
		p.next()
		s.Extended = true
	}
	if p.tok.oneOf("stream", "table", "view", "sink", "source", "materialized", "function") && p.peek(1).isLabel() {
		s.ObjectKind = p.relationKind()
	}
	s.Name = p.objectName()
	return s
}

// job parses START, STOP, PAUSE, RESUME, CANCEL, DEPLOY and ROLLBACK JOB.
func (p *parser) job() ast.Statement {
	s := &ast.Job{At: p.at(), Action: ast.JobAction(upper(p.tok.text) + " JOB")}
	p.next()
	p.next()
	s.Name = p.objectName()
	switch s.Action {
	case ast.JobStop, ast.JobCancel:
		s.Force = p.accept("force")
	case ast.JobRollback:
		if p.accept("version") {
			s.Version = p.str()
		}
	case ast.JobStart, ast.JobDeploy:
		if p.accept("version") {
			s.Version = p.str()
		} else if s.Action == ast.JobDeploy {
			p.expect("version")
		}
		p.expect("as")
		s.Stmt = p.persistent()
		if p.is("with") && p.peek(1).isOp("(") {
			p.next()
			s.Options = p.options(true)
		}
		if p.accept("strategy") {
			s.Strategy = upper(p.expectOneOf("blue_green", "canary", "rolling", "replace"))
			if p.acceptOp("(") {
				s.Percent = p.expr()
				p.expectOp(")")
			}
		}
	default:
	}
	return s
}

// persistent parses what a job runs: a query, or a CREATE of one.
func (p *parser) persistent() ast.Statement {
	switch {
	case p.is("create"):
		return p.create()
	case p.isOp("("):
		return p.query()
	}
	return p.preparable()
}

// subscribe parses SUBSCRIBE.
func (p *parser) subscribe() ast.Statement {
	s := &ast.Subscribe{At: p.at()}
	p.next()
	p.accept("to")
	switch {
	case p.isOp("("):
		p.next()
		s.Query = p.query()
		p.expectOp(")")
	case p.startsQuery():
		s.Query = p.query()
	default:
		s.Table = &ast.TableName{At: p.at(), Name: p.relation()}
	}
	for p.err == nil {
		switch {
		case p.accept("envelope"):
			s.Envelope = upper(p.expectOneOf("upsert", "debezium"))
			if p.acceptOp("(") {
				p.expect("key")
				s.Key = p.idents()
				p.expectOp(")")
			}
		case p.is("with") && p.peek(1).isOp("("):
			p.next()
			s.Options = p.options(true)
		case p.accept("as", "of"):
			s.AsOf = p.expr()
		case p.accept("up", "to"):
			s.UpTo = p.expr()
		default:
			return s
		}
	}
	return s
}

// explain parses EXPLAIN of a statement or of a running object.
func (p *parser) explain() ast.Statement {
	s := &ast.Explain{At: p.at()}
	p.next()
	if p.is2("timestamp", "for") {
		p.next()
		p.next()
		s.Timestamp = true
		s.Stmt = p.query()
		return s
	}
	if p.is("plan") {
		p.next()
		s.Plan = true
	}
	if p.isOp("(") && !p.queryInParens() {
		s.Options = p.utilityOptions()
	} else {
		for _, w := range []string{"analyze", "analyse", "verbose"} {
			if p.is(w) {
				name := strings.Replace(w, "analyse", "analyze", 1)
				s.Options = append(s.Options, ast.Option{At: p.at(), Name: name, ValuePos: int(p.tok.pos)})
				p.next()
			}
		}
	}
	if p.tok.oneOf("materialized", "sink", "job") {
		return p.explainObject(s)
	}
	s.Stmt = p.explained()
	return s
}

func (p *parser) explainObject(s *ast.Explain) ast.Statement {
	o := &ast.Object{At: p.at()}
	if p.accept("materialized") {
		p.expect("view")
		o.Kind = "MATERIALIZED VIEW"
	} else {
		o.Kind = upper(p.tok.text)
		p.next()
	}
	o.Name = p.objectName()
	s.Object = o
	if p.isOp("(") {
		for _, opt := range p.options(false) {
			if opt.Name != "duration" {
				p.failAt(int(opt.At), pgerror.SyntaxError, "unrecognized EXPLAIN option \"%s\"", opt.Name)
			}
			s.Duration = opt.Value
		}
	}
	return s
}

// explained parses what EXPLAIN can explain.
func (p *parser) explained() ast.Statement {
	switch {
	case p.is("create"):
		return p.create()
	case p.is("refresh"):
		return p.refresh()
	case p.is("execute"):
		return p.execute()
	case p.is("declare"):
		return p.declare()
	case p.is("subscribe"):
		return p.subscribe()
	case p.tok.oneOf("start", "deploy") && p.peek(1).isWord("job"):
		return p.job()
	}
	return p.preparable()
}
