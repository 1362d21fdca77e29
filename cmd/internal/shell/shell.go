// Package shell is a small SQL client: it sends statements to a server over
// the simple query protocol and prints what comes back as aligned tables, rows
// of an endless query as they arrive.
//
// It is what `velostream sql` and the demo are made of. It does not replace
// psql: there are no backslash commands but \q, and no line editing.
package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// ErrFailed says that a statement failed; why is already printed.
var ErrFailed = errors.New("a statement failed")

// cancelWait is how long a server may take to obey a cancel request before the
// connection is given up.
const cancelWait = 5 * time.Second

// statementBytesMax bounds a statement that is read.
const statementBytesMax = 64 << 20

// Client is a connection and where its results go. For one goroutine.
type Client struct {
	conn   *pgconn.PgConn
	out    io.Writer
	errOut io.Writer
	// File names where statements come from in error messages, "": nowhere.
	File string
}

// Connect opens a connection. dsn is a URL or key=value string as libpq takes;
// what it leaves open is taken from the PG… environment variables.
func Connect(ctx context.Context, dsn string, out, errOut io.Writer) (*Client, error) {
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	c := &Client{out: out, errOut: errOut}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		say(errOut, "%s:  %s\n", n.Severity, n.Message)
		if n.Hint != "" {
			say(errOut, "HINT:  %s\n", n.Hint)
		}
	}
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		say(errOut, "Asynchronous notification %q with payload %q received from server process with PID %d.\n", n.Channel, n.Payload, n.PID)
	}
	if _, ok := cfg.RuntimeParams["application_name"]; !ok {
		cfg.RuntimeParams["application_name"] = "velostream sql"
	}
	// A context that ends cancels the statement and keeps the connection.
	cfg.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelWait}
	}
	if c.conn, err = pgconn.ConnectConfig(ctx, cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.conn.Close(ctx)
}

// Closed reports that the connection is gone.
func (c *Client) Closed() bool { return c.conn.IsClosed() }

// Run runs one statement and prints its results. When ctx ends, the statement
// is cancelled and the error is ErrFailed like that of any other failure;
// ctx.Err tells them apart. line is where the statement begins in its file.
func (c *Client) Run(ctx context.Context, sql string, line int) error {
	var err error
	switch {
	case copyOut.MatchString(sql):
		var tag pgconn.CommandTag
		if tag, err = c.conn.CopyTo(ctx, c.out, sql); err == nil {
			say(c.out, "%s\n", tag)
		}
	case copyIn.MatchString(sql):
		err = errors.New("COPY … FROM STDIN is not possible here; use psql")
	default:
		err = c.query(ctx, sql)
	}
	if err == nil {
		return nil
	}
	c.printError(err, sql, line)
	return ErrFailed
}

var (
	copyOut = regexp.MustCompile(`(?is)^\s*copy\b.*\bto\s+stdout\b`)
	copyIn  = regexp.MustCompile(`(?is)^\s*copy\b.*\bfrom\s+stdin\b`)
)

// Watch runs a continuous query and prints its rows as they arrive, until ctx
// ends; then its cancellation is no error worth printing.
func (c *Client) Watch(ctx context.Context, sql string) error {
	err := c.query(ctx, sql)
	if err != nil && ctx.Err() == nil {
		c.printError(err, sql, 1)
		return ErrFailed
	}
	return nil
}

func (c *Client) query(ctx context.Context, sql string) error {
	results := c.conn.Exec(ctx, sql)
	for results.NextResult() {
		if err := c.result(results.ResultReader()); err != nil {
			_ = results.Close() // says the same
			return err
		}
	}
	return results.Close()
}

// result prints one result: a table, or the tag of a statement without rows.
func (c *Client) result(r *pgconn.ResultReader) error {
	fields := r.FieldDescriptions()
	if len(fields) == 0 {
		tag, err := r.Close()
		if err == nil && tag.String() != "" {
			say(c.out, "%s\n", tag)
		}
		return err
	}
	t := newTable(c.out, fields)
	for r.NextRow() {
		t.add(r.Values())
	}
	tag, err := r.Close()
	t.end(err == nil)
	if err == nil && !tag.Select() && !strings.HasPrefix(tag.String(), "SHOW") {
		say(c.out, "%s\n", tag)
	}
	return err
}

// RunAll runs the statements of text in order, until one fails. Interrupt
// (Ctrl-C) cancels the running one.
func (c *Client) RunAll(ctx context.Context, text string) error {
	return c.RunStream(ctx, strings.NewReader(text))
}

// RunStream is RunAll with statements that are run as they come in.
func (c *Client) RunStream(ctx context.Context, in io.Reader) error {
	lines := bufio.NewReader(in)
	var s Splitter
	for {
		text, readErr := lines.ReadString('\n')
		if s.Add(text); s.Size() > statementBytesMax {
			return fmt.Errorf("a statement has more than %d bytes", statementBytesMax)
		}
		for {
			sql, line, ok := s.Next()
			if !ok && readErr == io.EOF {
				sql, line, ok = s.Rest()
			}
			if !ok {
				break
			}
			if err := c.RunInterruptible(ctx, sql, line); err != nil {
				return err
			}
		}
		switch {
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return readErr
		}
	}
}

// say prints; an output that is gone ends the program by itself.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
