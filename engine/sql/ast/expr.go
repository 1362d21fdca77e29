package ast

// ColumnRef is a column or whole-row reference, or a star: a, t.a, s.t.a, *, t.*.
type ColumnRef struct {
	At
	Parts []string // without the star
	Star  bool
	// Own: the server wants the column for itself, which takes no privilege. The parser
	// never sets it.
	Own bool
}

// Param is $1, $2, …
type Param struct {
	At
	N int // from 1
}

// LiteralKind is the lexical kind of a constant.
type LiteralKind uint8

// Kinds of constants.
const (
	LitNull    LiteralKind = iota
	LitBool                // Text "true" or "false"
	LitInteger             // Text is decimal digits that fit in 64 bits; int4 if it fits in 32
	LitNumber              // Text is a decimal or exponent form, or an integer beyond 64 bits: numeric
	LitString              // Text is the value, escapes resolved
	LitBit                 // B'101': Text is the binary digits
	LitHex                 // X'1F': Text is the hexadecimal digits
)

// Literal is a constant without a type name before it.
type Literal struct {
	At
	Kind LiteralKind
	Text string
}

// Interval is an interval constant in any spelling: INTERVAL '1' MINUTE,
// INTERVAL '1 minute', INTERVAL 5 MINUTES, SIZE 1 MINUTE, 30s, and a bare
// number of seconds in a time window. Text and Fields are as for PostgreSQL's
// interval input; other spellings are rewritten into that ("30 seconds").
type Interval struct {
	At
	Text      string
	Fields    IntervalFields
	Precision int // of seconds, -1: none given
}

// CastStyle is how a cast was written.
type CastStyle uint8

// Ways to write a cast.
const (
	CastFunc   CastStyle = iota // CAST(x AS t)
	CastColon                   // x::t
	CastPrefix                  // t 'literal'
)

// Cast converts X to Type. Its position is that of CAST, ::, or the type.
type Cast struct {
	At
	X     Expr
	Type  *TypeName
	Style CastStyle
}

// Operator is an operator's symbol, with the schema of OPERATOR(schema.op).
type Operator struct {
	At
	Schema string // "" unless given
	Symbol string // != is <>
}

// Binary is L op R; comparisons and arithmetic included, AND and OR not. Its
// position is the operator's.
type Binary struct {
	At
	Op   Operator
	L, R Expr
}

// Unary is a prefix operator applied to X: -x, @ x.
type Unary struct {
	At
	Op Operator
	X  Expr
}

// Logical is AND or OR over two or more operands, chains flattened.
type Logical struct {
	At
	Or   bool // else AND
	Args []Expr
}

// Not is NOT X.
type Not struct {
	At
	X Expr
}

// Test is the predicate of an Is node.
type Test string

// Predicates of IS.
const (
	TestNull     Test = "NULL"
	TestTrue     Test = "TRUE"
	TestFalse    Test = "FALSE"
	TestUnknown  Test = "UNKNOWN"
	TestDocument Test = "DOCUMENT"
)

// Is is X IS [NOT] Test; also X ISNULL, X NOTNULL.
type Is struct {
	At
	X    Expr
	Test Test
	Not  bool
}

// Distinct is L IS [NOT] DISTINCT FROM R.
type Distinct struct {
	At
	L, R Expr
	Not  bool
}

// Between is X [NOT] BETWEEN [SYMMETRIC] Lo AND Hi.
type Between struct {
	At
	X, Lo, Hi Expr
	Not       bool
	Symmetric bool
}

// LikeKind is the pattern language of a Like.
type LikeKind string

// Pattern matching predicates.
const (
	LikePlain   LikeKind = "LIKE"
	LikeNoCase  LikeKind = "ILIKE"
	LikeSimilar LikeKind = "SIMILAR TO"
)

// Like is X [NOT] LIKE Pattern [ESCAPE Escape] and its relatives.
type Like struct {
	At
	Kind       LikeKind
	X, Pattern Expr
	Escape     Expr // nil if absent
	Not        bool
}

// In is X [NOT] IN (list) or (query); exactly one of List and Query is set.
type In struct {
	At
	X     Expr
	List  []Expr
	Query *Query
	Not   bool
}

// Quantified is X op ANY|ALL (array or query). SOME is ANY. LIKE and ILIKE
// come with the operators ~~, ~~* and their negations.
type Quantified struct {
	At
	X     Expr
	Op    Operator
	All   bool
	Array Expr   // exactly one of Array
	Query *Query // and Query is set
}

// Exists is EXISTS (query).
type Exists struct {
	At
	Query *Query
}

// Subquery is a query used as a scalar or row value.
type Subquery struct {
	At
	Query *Query
}

// ArrayExpr is ARRAY[a, b], nested rows of it as ArrayExpr elements.
type ArrayExpr struct {
	At
	Elems []Expr
}

// ArrayQuery is ARRAY(query).
type ArrayQuery struct {
	At
	Query *Query
}

// Row is ROW(a, b) or (a, b).
type Row struct {
	At
	Items    []Expr
	Explicit bool // with the keyword ROW
}

// Subscript is X[Lo], or the slice X[Lo:Hi] whose bounds may be nil.
type Subscript struct {
	At
	X      Expr
	Lo, Hi Expr
	Slice  bool
	// Closed: it is in parentheses before another subscript, which is not one more
	// dimension but is of the value that this gives.
	Closed bool
}

// FieldSelect is (X).Name or (X).*.
type FieldSelect struct {
	At
	X    Expr
	Name string
	Star bool
}

// When is a branch of CASE.
type When struct {
	At
	Cond, Result Expr
}

// Case is CASE [Operand] WHEN … [ELSE Else] END.
type Case struct {
	At
	Operand Expr // nil for the searched form
	Whens   []When
	Else    Expr // nil if absent
}

// Collate is X COLLATE Name.
type Collate struct {
	At
	X    Expr
	Name Name
}

// NamedArg is a function argument name => X.
type NamedArg struct {
	At
	Name string
	X    Expr
}

// SQLValue is a function without parentheses: CURRENT_TIMESTAMP, USER, …
type SQLValue struct {
	At
	Name      string // lower case: current_date, current_time, current_timestamp, localtime, localtimestamp, current_role, current_user, user, session_user, current_catalog, current_schema
	Precision int    // -1: none given
}

// Default is DEFAULT as a value in INSERT, UPDATE and MERGE.
type Default struct{ At }

// CurrentOf is WHERE CURRENT OF cursor.
type CurrentOf struct {
	At
	Cursor string
}

// Form is the special syntax a function call was written in. Name and Args
// are those of the ordinary function, so only printing needs Form.
type Form uint8

// Special syntaxes of function calls.
const (
	FormCall       Form = iota
	FormKeyword         // COALESCE, GREATEST, LEAST, NULLIF, GROUPING: not looked up as functions
	FormExtract         // EXTRACT(f FROM x): extract('f', x)
	FormSubstring       // SUBSTRING(x FROM a [FOR b]): substring(x, a, b)
	FormSimilar         // SUBSTRING(x SIMILAR p ESCAPE e): substring(x, p, e)
	FormPosition        // POSITION(a IN b): position(b, a)
	FormTrim            // TRIM([BOTH|LEADING|TRAILING] c FROM x): btrim|ltrim|rtrim(x, c)
	FormOverlay         // OVERLAY(x PLACING y FROM a [FOR b]): overlay(x, y, a, b)
	FormAtTimeZone      // x AT TIME ZONE z: timezone(z, x)
	FormOverlaps        // (a, b) OVERLAPS (c, d): overlaps(a, b, c, d)
	FormNormalize       // NORMALIZE(x [, form]): normalize(x, 'form')
	FormNormalized      // x IS [form] NORMALIZED: is_normalized(x, 'form')
	FormCollation       // COLLATION FOR (x): pg_collation_for(x)
	FormTreat           // TREAT(x AS t): t(x)
	FormXML             // an XML construct, kept for its name only
)

// FuncCall is a function, aggregate or window function call.
type FuncCall struct {
	At
	Name          Name // special syntaxes: {"pg_catalog", "extract"}
	Args          []Expr
	Form          Form
	Star          bool // f(*)
	Distinct      bool
	All           bool // f(ALL x)
	Variadic      bool // the last argument is VARIADIC
	OrderBy       []OrderItem
	WithinGroup   []OrderItem
	Filter        Expr
	Over          *WindowSpec
	NullTreatment NullTreatment
}

// NullTreatment is RESPECT NULLS or IGNORE NULLS after a window function.
type NullTreatment uint8

// Values of NullTreatment.
const (
	NullsDefault NullTreatment = iota
	NullsRespect
	NullsIgnore
)

func (*ColumnRef) expr()   {}
func (*Param) expr()       {}
func (*Literal) expr()     {}
func (*Interval) expr()    {}
func (*Cast) expr()        {}
func (*Binary) expr()      {}
func (*Unary) expr()       {}
func (*Logical) expr()     {}
func (*Not) expr()         {}
func (*Is) expr()          {}
func (*Distinct) expr()    {}
func (*Between) expr()     {}
func (*Like) expr()        {}
func (*In) expr()          {}
func (*Quantified) expr()  {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*ArrayExpr) expr()   {}
func (*ArrayQuery) expr()  {}
func (*Row) expr()         {}
func (*Subscript) expr()   {}
func (*FieldSelect) expr() {}
func (*Case) expr()        {}
func (*Collate) expr()     {}
func (*NamedArg) expr()    {}
func (*SQLValue) expr()    {}
func (*Default) expr()     {}
func (*CurrentOf) expr()   {}
func (*FuncCall) expr()    {}
