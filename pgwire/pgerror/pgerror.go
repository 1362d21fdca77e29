// Package pgerror is the one error type that reaches a client: a message with
// its SQLSTATE, the position in the statement it is about, and what to do.
//
// It is a leaf: every package may import it, it imports nothing of ours.
// Conditions have a constructor each (see conditions.go) so that a SQLSTATE is
// written down once. Errors that are not *Error become XX000 at the edge, in
// pgwire, and are logged there.
package pgerror

import (
	"errors"
	"fmt"
)

// Error is an error as the PostgreSQL protocol reports it (ErrorResponse and
// NoticeResponse fields, https://www.postgresql.org/docs/15/protocol-error-fields.html).
type Error struct {
	Severity   string // "ERROR" when empty; "FATAL" ends the connection; "NOTICE", "WARNING" for notices
	Code       string // SQLSTATE, five characters
	Message    string
	Detail     string
	Hint       string
	Position   int // characters from 1 into the statement's text, 0: none
	Where      string
	Schema     string
	Table      string
	Column     string
	Constraint string
	cause      error
}

// Error returns the message, with its SQLSTATE.
func (e *Error) Error() string {
	return e.Message + " (SQLSTATE " + e.Code + ")"
}

// Unwrap returns the error this one was made from, if any.
func (e *Error) Unwrap() error { return e.cause }

// New makes an error of the SQLSTATE code.
func New(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: sprintf(format, args)}
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// At sets the position, in characters from 1, and returns e. A position that
// is already set stays: the innermost place is the one to show.
func (e *Error) At(pos int) *Error {
	if e.Position == 0 {
		e.Position = pos
	}
	return e
}

// WithDetail sets the detail line and returns e.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = sprintf(format, args)
	return e
}

// WithHint sets the hint line and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = sprintf(format, args)
	return e
}

// WithCause keeps the error this one was made from for errors.Is and logs.
func (e *Error) WithCause(err error) *Error {
	e.cause = err
	return e
}

// OnColumn names the relation and column the error is about.
func (e *Error) OnColumn(schema, table, column string) *Error {
	e.Schema, e.Table, e.Column = schema, table, column
	return e
}

// OnConstraint names the constraint that was violated.
func (e *Error) OnConstraint(schema, table, constraint string) *Error {
	e.Schema, e.Table, e.Constraint = schema, table, constraint
	return e
}

// From returns err as an *Error: itself if it is one (however deeply wrapped),
// else an internal error XX000 that wraps it. nil stays nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: InternalError, Message: err.Error(), cause: err}
}

// Code returns the SQLSTATE of err, XX000 where it has none, "" for nil.
func Code(err error) string {
	if err == nil {
		return ""
	}
	return From(err).Code
}
