package pgwire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// prepared is a prepared statement under its name.
type prepared struct {
	sql  string
	stmt Statement // nil: the empty statement
	ends bool      // it may end a failed transaction

	fromSQL bool // made by PREPARE
	made    time.Time
}

func (p *prepared) columns() []ResultColumn {
	if p.stmt == nil {
		return nil
	}
	return p.stmt.Columns()
}

func (p *prepared) params() []types.OID {
	if p.stmt == nil {
		return nil
	}
	return p.stmt.Params()
}

func errNoStatement(name string) error {
	if name == "" {
		return pgerror.New(pgerror.InvalidStatementName, "unnamed prepared statement does not exist")
	}
	return pgerror.New(pgerror.InvalidStatementName, "prepared statement %q does not exist", name)
}

func errFailedTransaction() error {
	return pgerror.New(pgerror.InFailedTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

func errNoPortal(name string) error {
	return pgerror.New(pgerror.InvalidCursorName, "portal %q does not exist", name)
}

// parse answers Parse.
func (c *conn) parse(m *pgproto3.Parse) error {
	c.setActive(m.Query)
	if m.Name == "" {
		delete(c.stmts, "")
	} else if err := c.roomForStatement(m.Name); err != nil {
		return err
	}
	if err := checkText(m.Query); err != nil {
		return err
	}
	all, err := c.session.Parse(m.Query)
	if err != nil {
		return err
	}
	var one Parsed
	for _, p := range all {
		if p.Empty() {
			continue
		}
		if one != nil {
			return pgerror.New(pgerror.SyntaxError, "cannot insert multiple commands into a prepared statement")
		}
		one = p
	}
	p := &prepared{sql: m.Query, made: time.Now()}
	if one != nil {
		p.ends = one.Tag() == "ROLLBACK" || one.Tag() == "COMMIT"
		oids := make([]types.OID, len(m.ParameterOIDs))
		for i, o := range m.ParameterOIDs {
			oids[i] = types.OID(o)
		}
		ctx, cancel := c.operation()
		end := c.begun(cancel)
		p.stmt, err = c.session.Prepare(ctx, one, oids)
		end()
		if err != nil {
			return explain(ctx, err)
		}
	}
	c.stmts[m.Name] = p
	c.send(func(b []byte) []byte { return appendEmpty(b, '1') })
	return nil
}

// roomForStatement reports why no statement may be kept as name.
func (c *conn) roomForStatement(name string) error {
	if _, taken := c.stmts[name]; taken {
		return pgerror.New(pgerror.DuplicatePreparedStatement, "prepared statement %q already exists", name)
	}
	if len(c.stmts) >= c.srv.opts.MaxPreparedStatements {
		return pgerror.New(pgerror.ConfigurationLimitExceeded, "too many prepared statements").
			WithDetail("The limit is %d per session.", c.srv.opts.MaxPreparedStatements).
			WithHint("Close statements that are no longer used, with DEALLOCATE or the driver's statement cache size.")
	}
	return nil
}

// bind answers Bind: the portal holds the arguments, Execute runs it.
func (c *conn) bind(m *pgproto3.Bind) error {
	p, ok := c.stmts[m.PreparedStatement]
	if !ok {
		return errNoStatement(m.PreparedStatement)
	}
	if m.DestinationPortal == "" {
		c.dropPortal("")
	} else if err := c.roomForPortal(m.DestinationPortal); err != nil {
		return err
	}
	c.setActive(p.sql)
	if c.session.TxStatus() == 'E' && p.stmt != nil && !p.ends {
		return errFailedTransaction()
	}
	args, err := c.arguments(m, p.params())
	if err != nil {
		return err
	}
	cols := p.columns()
	if n := len(m.ResultFormatCodes); n > 1 && n != len(cols) {
		return pgerror.New(pgerror.ProtocolViolation, "bind message has %d result formats but query has %d columns", n, len(cols))
	}
	if err := checkFormats(m.ResultFormatCodes); err != nil {
		return err
	}
	po := &portal{sql: p.sql, stmt: p.stmt, args: args, cols: cols, formats: m.ResultFormatCodes, opened: time.Now()}
	po.ctx, po.cancel = context.WithCancelCause(c.ctx)
	c.portals[m.DestinationPortal] = po
	c.send(func(b []byte) []byte { return appendEmpty(b, '2') })
	return nil
}

func (c *conn) roomForPortal(name string) error {
	if _, taken := c.portals[name]; taken {
		return pgerror.New(pgerror.DuplicateCursor, "cursor %q already exists", name)
	}
	if len(c.portals) >= c.srv.opts.MaxPreparedStatements {
		return pgerror.New(pgerror.ConfigurationLimitExceeded, "too many open portals").
			WithDetail("The limit is %d per session.", c.srv.opts.MaxPreparedStatements).
			WithHint("Close portals that are no longer used.")
	}
	return nil
}

func checkFormats(codes []int16) error {
	for _, f := range codes {
		if f != 0 && f != 1 {
			return pgerror.New(pgerror.InvalidParameterValue, "unsupported format code: %d", f)
		}
	}
	return nil
}

// arguments decodes the parameters of a Bind into the types of params.
func (c *conn) arguments(m *pgproto3.Bind, params []types.OID) ([]types.Datum, error) {
	codes := m.ParameterFormatCodes
	if n := len(codes); n > 1 && n != len(m.Parameters) {
		return nil, pgerror.New(pgerror.ProtocolViolation, "bind message has %d parameter formats but %d parameters", n, len(m.Parameters))
	}
	if len(m.Parameters) != len(params) {
		return nil, pgerror.New(pgerror.ProtocolViolation, "bind message supplies %d parameters, but prepared statement %q requires %d",
			len(m.Parameters), m.PreparedStatement, len(params))
	}
	if err := checkFormats(codes); err != nil {
		return nil, err
	}
	if len(params) == 0 {
		return nil, nil
	}
	format := c.session.Format()
	args := make([]types.Datum, len(params))
	for i, raw := range m.Parameters {
		if raw == nil {
			args[i] = types.NullDatum
			continue
		}
		t := types.Type{OID: params[i], Mod: -1}
		var err error
		binary := formatOf(codes, i) == 1
		if binary {
			args[i], err = types.DecodeBinaryWith(t, raw, format)
		} else {
			args[i], err = types.DecodeText(t, raw, format)
		}
		if err != nil {
			return nil, inParameter(err, m.DestinationPortal, i+1, binary)
		}
	}
	return args, nil
}

// inParameter adds to an error which parameter it is about, in PostgreSQL's
// words.
func inParameter(err error, portal string, n int, binary bool) error {
	var e *pgerror.Error
	if !errors.As(err, &e) || e.Where != "" {
		return err
	}
	placed := *e
	if portal == "" {
		placed.Where = fmt.Sprintf("unnamed portal parameter $%d", n)
	} else {
		placed.Where = fmt.Sprintf("portal %q parameter $%d", portal, n)
	}
	if !binary {
		placed.Where += " = '...'" // values are not for logs and error texts
	} else if e.Code == pgerror.InvalidBinaryRepresentation {
		placed.Message += fmt.Sprintf(" in bind parameter %d", n)
	}
	return &placed
}

// describe answers Describe of a statement ('S') or portal ('P'). The columns
// of a statement are asked for each time: the catalog may have changed.
func (c *conn) describe(kind byte, name string) error {
	switch kind {
	case 'S':
		p, ok := c.stmts[name]
		if !ok {
			return errNoStatement(name)
		}
		params, cols := p.params(), p.columns()
		c.send(func(b []byte) []byte {
			return appendColumns(appendParameterDescription(b, params), cols, nil)
		})
	case 'P':
		p, ok := c.portals[name]
		if !ok {
			return errNoPortal(name)
		}
		c.send(func(b []byte) []byte { return appendColumns(b, p.cols, p.formats) })
	default:
		return pgerror.New(pgerror.ProtocolViolation, "invalid DESCRIBE message subtype %d", kind)
	}
	return nil
}

// appendColumns appends RowDescription, or NoData for nil.
func appendColumns(dst []byte, cols []ResultColumn, formats []int16) []byte {
	if cols == nil {
		return appendEmpty(dst, 'n')
	}
	return appendRowDescription(dst, cols, formats)
}

// closeNamed answers Close; there need be nothing of that name.
func (c *conn) closeNamed(kind byte, name string) error {
	switch kind {
	case 'S':
		delete(c.stmts, name)
	case 'P':
		c.dropPortal(name)
	default:
		return pgerror.New(pgerror.ProtocolViolation, "invalid CLOSE message subtype %d", kind)
	}
	c.send(func(b []byte) []byte { return appendEmpty(b, '3') })
	return nil
}

// execute answers Execute: up to limit rows of a portal, 0 for all.
func (c *conn) execute(name string, limit int) error {
	c.srv.count.executed.Add(1)
	p, ok := c.portals[name]
	if !ok {
		return errNoPortal(name)
	}
	c.setActive(p.sql)
	switch {
	case p.stmt == nil:
		c.send(func(b []byte) []byte { return appendEmpty(b, 'I') })
		return nil
	case p.done && p.cols == nil:
		return pgerror.New(pgerror.ObjectNotInPrerequisiteState, "portal %q cannot be run", name)
	case p.done:
		c.send(func(b []byte) []byte { return appendCommandComplete(b, p.tag, 0) })
		return nil
	case p.rows != nil && c.session.TxStatus() == 'E':
		return errFailedTransaction()
	}
	before := c.session.TxStatus()
	c.hint(c.syncNext())
	end := c.begun(p.cancel)
	stop := c.limitStatement(p.cancel)
	suspended, rows, err := c.run(p, limit, false)
	stop()
	end()
	if err != nil {
		err = explain(p.ctx, err)
		c.closePortal(p)
		delete(c.portals, name)
		return err
	}
	if suspended {
		c.send(func(b []byte) []byte { return appendEmpty(b, 's') })
		return nil
	}
	c.send(func(b []byte) []byte { return appendCommandComplete(b, p.tag, rows) })
	c.afterStatement(before, p)
	return nil
}
