package shell

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// printError prints err as psql does, with the line it is about and a caret
// under the place.
func (c *Client) printError(err error, sql string, line int) {
	if c.File != "" {
		say(c.errOut, "%s:%d: ", c.File, line)
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		say(c.errOut, "ERROR:  %v\n", err)
		return
	}
	say(c.errOut, "%s:  %s\n", pg.Severity, pg.Message)
	if pg.Position > 0 {
		say(c.errOut, "%s", caret(sql, int(pg.Position)))
	}
	for _, part := range []struct{ label, text string }{{"DETAIL", pg.Detail}, {"HINT", pg.Hint}, {"CONTEXT", pg.Where}} {
		if part.text != "" {
			say(c.errOut, "%s:  %s\n", part.label, part.text)
		}
	}
	say(c.errOut, "SQLSTATE: %s\n", pg.Code)
}

// shown is how much of a long line is shown around an error.
const shown = 60

// caret returns "LINE n: text" and under it a caret at the character position
// (from 1) of sql.
func caret(sql string, position int) string {
	runes := []rune(sql)
	at := min(position-1, len(runes))
	from, to := at, at
	for from > 0 && runes[from-1] != '\n' {
		from--
	}
	for to < len(runes) && runes[to] != '\n' && runes[to] != '\r' {
		to++
	}
	number := 1 + strings.Count(string(runes[:from]), "\n")
	before, after := "", ""
	if to-from > shown {
		if at-from > shown/2 {
			from, before = min(at-shown/2, to-shown), "..."
		}
		if to-from > shown {
			to, after = from+shown, "..."
		}
	}
	head := fmt.Sprintf("LINE %d: %s", number, before)
	pad := width(head) + width(untab(runes[from:at]))
	return head + untab(runes[from:to]) + after + "\n" + strings.Repeat(" ", pad) + "^\n"
}

// untab makes each tab one blank, so that the caret stands right.
func untab(r []rune) string { return strings.ReplaceAll(string(r), "\t", " ") }
