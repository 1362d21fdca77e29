// Package ast is the syntax tree of Velostream's SQL: PostgreSQL 15's
// statements plus the streaming clauses, as plain structs. It says what was
// written, not what it means: no name is looked up and no type is derived.
//
// Every node has its position, a byte offset from 0 into the text that was
// given to the parser (all of it, also when it holds several statements).
// CharPos turns an offset into what ErrorResponse wants.
//
// Names are as the catalog knows them: unquoted ones folded to lower case
// (ASCII letters only), all of them cut to 63 bytes.
//
// Trees are made by the parser and shared afterwards: treat them as read-only.
// Deep walks are bounded, because the parser limits the depth of what it builds.
package ast

import (
	"strings"
	"unicode/utf8"
)

// Node is any part of a statement.
type Node interface {
	// Pos is the byte offset of the node's first or characteristic token: a
	// binary operator's is the operator's, as in PostgreSQL's messages.
	Pos() int
}

// At is a byte offset from 0 into the parsed text; embedding it makes a Node.
type At int

// Pos returns the offset.
func (a At) Pos() int { return int(a) }

// Statement is one SQL statement.
type Statement interface {
	Node
	// Tag is the command tag as far as the syntax tells it: "BEGIN",
	// "CREATE TABLE", "SELECT". Counts are not part of it.
	Tag() string
	stmt()
}

// Expr is a scalar expression.
type Expr interface {
	Node
	expr()
}

// TableRef is an item of FROM.
type TableRef interface {
	Node
	tableRef()
}

// SelectBody is what can stand between WITH and ORDER BY: *Select, *SetOp,
// *Values, *TableCommand, or a parenthesised *Query.
type SelectBody interface {
	Node
	selectBody()
}

// Parsed is one statement with its text.
type Parsed struct {
	Stmt        Statement // the parser leaves empty statements out; nil stands for one where a caller needs it
	SQL         string    // the whole text given to the parser; offsets in Stmt count from its start
	Text        string    // the statement alone: SQL[Start:End], without the semicolon
	Start, End  int       // byte offsets into SQL
	Annotations []Annotation
	Params      int // the highest parameter number used, $3 -> 3
}

// Empty reports a statement of blanks and comments only.
func (p Parsed) Empty() bool { return p.Stmt == nil }

// Tag is the statement's command tag, "" when it is empty.
func (p Parsed) Tag() string {
	if p.Stmt == nil {
		return ""
	}
	return p.Stmt.Tag()
}

// Position turns a node's offset into a position for pgerror.
func (p Parsed) Position(offset int) int { return CharPos(p.SQL, offset) }

// Annotation is a comment `-- @name: value` that stands before a statement.
type Annotation struct {
	At
	Name     string // without the @, as written
	Value    string // without surrounding blanks; "" if there is none
	ValuePos int
}

// CharPos turns a byte offset into text into the position that ErrorResponse
// wants: characters from 1. Offsets beyond the end count as the end.
func CharPos(text string, offset int) int {
	if offset < 0 {
		return 0
	}
	return utf8.RuneCountInString(text[:min(offset, len(text))]) + 1
}

// Ident is a single name with its place.
type Ident struct {
	At
	Name string
}

// Name is a possibly qualified name, outermost part first: {"public", "t"}.
type Name struct {
	At
	Parts []string
}

// Last is the name without its qualifiers, "" if there is none.
func (n Name) Last() string {
	if len(n.Parts) == 0 {
		return ""
	}
	return n.Parts[len(n.Parts)-1]
}

// Schema is the part before the last, "" if there is none.
func (n Name) Schema() string {
	if len(n.Parts) < 2 {
		return ""
	}
	return n.Parts[len(n.Parts)-2]
}

// Database is the third part from the end, "" if there is none.
func (n Name) Database() string {
	if len(n.Parts) < 3 {
		return ""
	}
	return n.Parts[len(n.Parts)-3]
}

// IsZero reports that there is no name at all.
func (n Name) IsZero() bool { return len(n.Parts) == 0 }

// Dotted is the name as messages show it: parts joined by dots, unquoted.
func (n Name) Dotted() string { return strings.Join(n.Parts, ".") }

// ValueKind says how an option's value was written.
type ValueKind uint8

// Ways to write an option's value.
const (
	ValueNone   ValueKind = iota // no value: the option's name alone
	ValueString                  // 'quoted'
	ValueNumber                  // 10, -1.5
	ValueWord                    // bare: true, csv, earliest; lower case unless quoted
	ValueList                    // (a, b) in Items, also * as one item
)

// Option is an item of an option list: WITH ('a.b' = 'c'), (FORMAT csv).
type Option struct {
	At
	Name     string // lower case, dots kept, however it was quoted
	Kind     ValueKind
	Value    string   // the value's text; durations and sizes as written: 10s
	ValuePos int      // offset of the value, of the name if there is none
	Items    []string // of ValueList
}

// Behavior is what DROP, TRUNCATE and REVOKE do with dependents.
type Behavior uint8

// Drop behaviours.
const (
	BehaviorDefault Behavior = iota
	Restrict
	Cascade
)

// TriState is a choice that may have been left open.
type TriState uint8

// Values of TriState.
const (
	Unset TriState = iota
	Yes
	No
)
