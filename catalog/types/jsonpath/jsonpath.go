// Package jsonpath is the syntax of SQL/JSON path expressions, the values of
// PostgreSQL's type jsonpath
// (https://www.postgresql.org/docs/15/datatype-json.html#DATATYPE-JSONPATH):
// Parse makes a tree of text, String gives the form that PostgreSQL prints.
// Evaluation is in engine/sql/expr.
package jsonpath

// Path is a parsed path. It is never changed once parsed.
type Path struct {
	Strict bool
	Root   *Node
}

// Op says what a Node is.
type Op uint8

// The operations, grouped as the grammar groups them.
const (
	Null Op = iota // literals
	String
	Number
	True
	False
	Root    // $
	Current // @
	Last    // last
	Var     // $name

	Or // predicates
	And
	Not
	IsUnknown
	Exists
	Eq
	Ne
	Lt
	Gt
	Le
	Ge
	StartsWith
	LikeRegex

	Add // arithmetic
	Sub
	Mul
	Div
	Mod
	Plus
	Minus

	Key      // .name
	AnyKey   // .*
	Any      // .** with levels
	AnyArray // [*]
	Index    // [subscripts]
	Filter   // ?(predicate)
	Type     // methods
	Size
	Abs
	Floor
	Ceiling
	Double
	Keyvalue
	Datetime
)

// Unbounded is the level "last" of Any.
const Unbounded = 1<<32 - 1

// Node is an operation. What it works on is Left and Right, or, for an
// accessor, the value of the Node whose Next it is.
type Node struct {
	Op   Op
	Text string // of strings, keys, variables, numbers; the pattern of LikeRegex
	// Flags of LikeRegex.
	Flags       string
	Left, Right *Node
	Subs        []Subscript
	// First and Last are the levels of Any.
	First, Last uint32
	Next        *Node
}

// Subscript is From or From to To of [...].
type Subscript struct {
	From, To *Node // To is nil for a single one
}

// Name is how the operator or method is written.
func (o Op) Name() string { return names[o] }

var names = map[Op]string{
	Null: "null", True: "true", False: "false", Root: "$", Current: "@", Last: "last",
	Or: "||", And: "&&", Not: "!", IsUnknown: "is unknown", Exists: "exists",
	Eq: "==", Ne: "!=", Lt: "<", Gt: ">", Le: "<=", Ge: ">=", StartsWith: "starts with", LikeRegex: "like_regex",
	Add: "+", Sub: "-", Mul: "*", Div: "/", Mod: "%", Plus: "+", Minus: "-",
	Type: "type", Size: "size", Abs: "abs", Floor: "floor", Ceiling: "ceiling", Double: "double",
	Keyvalue: "keyvalue", Datetime: "datetime",
}

// Predicate reports that the node's value is true, false or unknown.
func (n *Node) Predicate() bool { return n.Next == nil && n.Op >= Or && n.Op <= LikeRegex }
