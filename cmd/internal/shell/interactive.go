package shell

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
)

// lineBytesMax bounds a line of input.
const lineBytesMax = 16 << 20

// Interactive reads statements from in and runs each, with prompts, until \q
// or the end of input. Interrupt cancels the running statement; at the prompt
// it ends the process. Failed statements are reported and passed over; the
// error is of reading, or that the connection is gone.
func (c *Client) Interactive(ctx context.Context, in io.Reader) error {
	say(c.out, "Connected to %s %s. End statements with a semicolon, \\q to leave.\n",
		c.conn.Conn().RemoteAddr(), c.conn.ParameterStatus("server_version"))
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), lineBytesMax)
	var s Splitter
	for {
		c.prompt(s.Pending())
		if !lines.Scan() {
			say(c.out, "\n")
			return lines.Err()
		}
		if !s.Pending() {
			switch strings.TrimSuffix(strings.TrimSpace(lines.Text()), ";") {
			case `\q`, "quit", "exit":
				return nil
			case `\?`, "help":
				say(c.out, "%s\n", `SQL statements end with a semicolon. Ctrl-C cancels the running one. \q leaves.`)
				continue
			}
			if strings.HasPrefix(strings.TrimSpace(lines.Text()), `\`) {
				say(c.errOut, "%s\n", `The only commands are \q and \?. Use psql for others.`)
				continue
			}
		}
		s.Add(lines.Text() + "\n")
		for {
			sql, line, ok := s.Next()
			if !ok {
				break
			}
			if err := c.RunInterruptible(ctx, sql, line); err != nil && c.Closed() {
				return errors.New("the connection to the server was lost")
			}
		}
	}
}

func (c *Client) prompt(pending bool) {
	mark := "=> "
	if pending {
		mark = "-> "
	}
	say(c.out, "velostream%s", mark)
}

// RunInterruptible is Run, with the statement cancelled by an interrupt
// (Ctrl-C) of the process.
func (c *Client) RunInterruptible(ctx context.Context, sql string, line int) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return c.Run(ctx, sql, line)
}
