package ast

// RelationKind is the kind of a relation in CREATE.
type RelationKind string

// Relations that CREATE makes with a column list.
const (
	KindStream RelationKind = "STREAM"
	KindSource RelationKind = "SOURCE"
	KindTable  RelationKind = "TABLE"
)

// CreateRelation is CREATE STREAM, SOURCE or TABLE, with a column list, with
// AS query, or both.
type CreateRelation struct {
	At
	Kind        RelationKind
	Temp        bool
	Unlogged    bool
	OrReplace   bool
	IfNotExists bool
	Name        Name
	Columns     []ColumnDef // of AS query: names only
	Star        bool        // (*): the columns of the schema registry
	Constraints []Constraint
	Likes       []TableLike
	Watermarks  []Watermark
	Includes    []Include
	Options     []Option // WITH (…)

	AppendOnly    bool
	OnConflict    string // "", "OVERWRITE", "IGNORE"
	VersionColumn *Ident // WITH VERSION COLUMN (v)
	Format        *Format

	Query  *Query // AS query
	NoData bool   // WITH NO DATA
	// Execute is the prepared statement of AS EXECUTE, nil: there is none.
	Execute *Execute

	// PostgreSQL's remaining clauses of CREATE TABLE.
	OfType      *TypeName
	Inherits    []Name
	PartitionBy *PartitionBy
	PartitionOf *PartitionOf
	Using       string // access method
	OnCommit    string // "", "PRESERVE ROWS", "DELETE ROWS", "DROP"
	Tablespace  string
	HasColumns  bool // a column list was written, perhaps empty
}

// ColumnDef is a column of a relation or of a record-returning function.
type ColumnDef struct {
	At
	Name        string
	Type        *TypeName // nil where only names are listed
	Collation   Name
	Constraints []Constraint // in the order written, PRIMARY KEY etc. among them
	Computed    Expr         // col type AS expr, nil: none
	Key         bool         // the word KEY after the type
	Compression string
	Storage     string
}

// ConstraintKind is the kind of a constraint.
type ConstraintKind string

// Constraints. Null is the word NULL, which constrains nothing.
const (
	PrimaryKey ConstraintKind = "PRIMARY KEY"
	Unique     ConstraintKind = "UNIQUE"
	NotNull    ConstraintKind = "NOT NULL"
	Null       ConstraintKind = "NULL"
	Check      ConstraintKind = "CHECK"
	ForeignKey ConstraintKind = "FOREIGN KEY"
	DefaultVal ConstraintKind = "DEFAULT"
	Generated  ConstraintKind = "GENERATED" // GENERATED ALWAYS AS (X) STORED
	Identity   ConstraintKind = "IDENTITY"
	Exclusion  ConstraintKind = "EXCLUDE"
)

// Constraint is a constraint of a column or a table.
type Constraint struct {
	At
	Kind             ConstraintKind
	Name             string // CONSTRAINT name
	Columns          []Ident
	X                Expr // of CHECK, DEFAULT, GENERATED; the WHERE of EXCLUDE
	NoInherit        bool
	NotEnforced      bool
	NullsNotDistinct bool
	Deferrable       TriState
	Deferred         bool // INITIALLY DEFERRED
	NotValid         bool

	// FOREIGN KEY and REFERENCES.
	RefTable   Name
	RefColumns []Ident
	Match      string // "", "FULL", "PARTIAL", "SIMPLE"
	OnDelete   string // "", "CASCADE", "SET NULL", …
	OnUpdate   string
	SetColumns []Ident // ON DELETE SET NULL (cols)

	// GENERATED … AS IDENTITY.
	Always     bool
	Sequence   []SeqOption
	Generation string // of SET GENERATED: "ALWAYS", "BY DEFAULT"

	// UNIQUE, PRIMARY KEY, EXCLUDE.
	Include    []Ident
	Options    []Option
	Tablespace string
	UsingIndex string
	Method     string        // EXCLUDE USING method
	Exclude    []ExcludeItem // EXCLUDE (x WITH op, …)
}

// ExcludeItem is an element of an EXCLUDE constraint.
type ExcludeItem struct {
	Item IndexItem
	Op   Operator
}

// Watermark is WATERMARK FOR Column AS X.
type Watermark struct {
	At
	Column Ident
	X      Expr // nil: the column itself
}

// Include is INCLUDE part [AS Name]: a part of the record as a column.
type Include struct {
	At
	Part string // key, partition, offset, timestamp, headers, payload
	Sub  string // INCLUDE HEADER 'x'
	Name string // "" if not given
	Type *TypeName
}

// Format is FORMAT f (…) ENCODE e (…).
type Format struct {
	At
	Format  string // PLAIN, UPSERT, DEBEZIUM, …: upper case
	Encode  string // JSON, AVRO, …: upper case
	Options []Option
}

// PartitionBy is PARTITION BY strategy (items).
type PartitionBy struct {
	At
	Strategy string
	Items    []IndexItem
}

// PartitionOf is PARTITION OF Parent bound. The bound's parts are as in
// PostgreSQL: IN, FROM … TO, WITH (MODULUS, REMAINDER), or DEFAULT.
type PartitionOf struct {
	At
	Parent  Name
	Default bool
	In      []Expr
	From    []Expr
	To      []Expr
	Options []Option // modulus, remainder
}

// CreateView is CREATE [MATERIALIZED] VIEW.
type CreateView struct {
	At
	Materialized bool
	OrReplace    bool
	Temp         bool
	Recursive    bool
	IfNotExists  bool
	Name         Name
	Columns      []Ident
	Options      []Option
	Query        *Query
	CheckOption  string // "", "CASCADED", "LOCAL"
	NoData       bool   // WITH NO DATA
	Using        string
	Tablespace   string
}

// CreateSink is CREATE SINK name {FROM rel | AS query}.
type CreateSink struct {
	At
	OrReplace   bool
	IfNotExists bool
	Name        Name
	From        Name   // exactly one of From
	Query       *Query // and Query is set
	Into        Name
	Options     []Option
	Format      *Format
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	At
	Unique           bool
	Concurrently     bool
	IfNotExists      bool
	Name             string // "" lets the server choose
	Table            Name
	Only             bool
	Method           string
	Items            []IndexItem
	Include          []IndexItem
	NullsNotDistinct bool
	Options          []Option
	Tablespace       string
	Where            Expr
}

// IndexItem is an indexed column or expression.
type IndexItem struct {
	At
	X           Expr // a *ColumnRef of one part is a column
	Collation   Name
	OpClass     Name
	OpClassOpts []Option
	Desc        bool
	Nulls       NullsOrder
}

// CreateFunction is CREATE FUNCTION or PROCEDURE.
type CreateFunction struct {
	At
	OrReplace bool
	Procedure bool
	Name      Name
	Args      []FuncArg
	Returns   *TypeName   // nil: none
	Table     []ColumnDef // RETURNS TABLE (…)
	Language  string
	Body      string // AS 'body'
	BodyPos   int
	Link      string // AS 'obj', 'link'
	Return    Expr   // RETURN expr
	Attrs     []FuncAttr
	HasAtomic bool
	Atomic    []Statement // BEGIN ATOMIC … END: queries, DML, *Return
}

// Return is RETURN X in the body of a function.
type Return struct {
	At
	X Expr
}

// FuncAttr is an attribute of a function: IMMUTABLE, STRICT, COST 10, SET x = y.
type FuncAttr struct {
	At
	Name  string // upper case: "IMMUTABLE", "STRICT", "CALLED ON NULL INPUT", "COST", "SET x", …
	Value string
}

// FuncArg is a parameter of a function.
type FuncArg struct {
	At
	Mode    string // "", "IN", "OUT", "INOUT", "VARIADIC"
	Name    string
	Type    *TypeName
	Default Expr
}

// FuncSig is a function named with its argument types, as in DROP FUNCTION.
type FuncSig struct {
	At
	Name    Name
	Args    []FuncArg
	HasArgs bool
}

// CreateSchema is CREATE SCHEMA.
type CreateSchema struct {
	At
	IfNotExists bool
	Name        string // "" with AUTHORIZATION: the role's name
	Owner       string
	Elements    []Statement
}

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	At
	Name    string
	Options []Option
}

// CreateRole is CREATE ROLE, USER or GROUP, and ALTER of them with options.
type CreateRole struct {
	At
	Kind        string // "ROLE", "USER", "GROUP"
	Alter       bool
	IfNotExists bool
	Name        Ident
	Options     []Option // superuser, nosuperuser, login, password, valid until, in role, role, admin, …
}

// CreateNamed is CREATE SECRET, CONNECTION or SUBSCRIPTION: a named object
// with options. SUBSCRIPTION has From or Query.
type CreateNamed struct {
	At
	Kind        string // "SECRET", "CONNECTION", "SUBSCRIPTION"
	OrReplace   bool
	IfNotExists bool
	Name        Name
	From        Name
	Query       *Query
	Options     []Option
	Value       *Literal // SECRET … AS 'value'
}

// CreateSequence is CREATE or ALTER SEQUENCE with its options.
type CreateSequence struct {
	At
	Alter       bool
	Temp        bool
	IfNotExists bool // IF EXISTS of ALTER
	Name        Name
	Options     []SeqOption
}

// SeqOption is an option of a sequence.
type SeqOption struct {
	At
	Name  string // "AS", "INCREMENT", "MINVALUE", "NO MINVALUE", "MAXVALUE", "NO MAXVALUE", "START", "RESTART", "CACHE", "CYCLE", "NO CYCLE", "OWNED BY", "SEQUENCE NAME"
	Value string // number or dotted name, "" if none
	Type  *TypeName
	Owner Name // OWNED BY, SEQUENCE NAME
}

// CreateType is CREATE TYPE as an enum, a composite, or a domain.
type CreateType struct {
	At
	Name        Name
	Enum        bool
	Labels      []string    // of an enum
	Columns     []ColumnDef // of a composite
	Domain      *TypeName   // CREATE DOMAIN: the base type
	Collation   Name
	Constraints []Constraint // of a domain
}

// CreateExtension is CREATE EXTENSION.
type CreateExtension struct {
	At
	IfNotExists bool
	Name        string
	Options     []Option // schema, version, cascade
}

// Object is what DROP, COMMENT, GRANT and ALTER … OWNER name.
type Object struct {
	At
	Kind string // "TABLE", "MATERIALIZED VIEW", "STREAM", "FUNCTION", …
	Name Name
	Sig  *FuncSig  // of FUNCTION, PROCEDURE, ROUTINE, AGGREGATE
	On   Name      // TRIGGER x ON t, CONSTRAINT x ON t, POLICY, RULE
	Type *TypeName // of TYPE, DOMAIN
	Raw  string    // what else identifies it, as text
}

// Drop is DROP kind names.
type Drop struct {
	At
	Kind         string // "TABLE", "VIEW", "MATERIALIZED VIEW", "STREAM", "SOURCE", "SINK", "INDEX", "JOB", …
	IfExists     bool
	Concurrently bool
	Objects      []Object
	Behavior     Behavior
	Options      []Option // DROP DATABASE x WITH (FORCE)
}

// Alter is ALTER kind name with one or more actions.
type Alter struct {
	At
	Kind     string // "STREAM", "TABLE", "MATERIALIZED VIEW", "VIEW", "SINK", "SOURCE", "INDEX", "SCHEMA", "DATABASE", "SEQUENCE", "TYPE", "FUNCTION", …
	IfExists bool
	Only     bool
	Object   Object
	Actions  []AlterAction
}

// AlterKind is the kind of an action of ALTER.
type AlterKind string

// Actions of ALTER; Detail of a raw one is its text.
const (
	AlterRename           AlterKind = "RENAME TO"
	AlterRenameColumn     AlterKind = "RENAME COLUMN"
	AlterRenameConstraint AlterKind = "RENAME CONSTRAINT"
	AlterRenameValue      AlterKind = "RENAME VALUE"
	AlterAddColumn        AlterKind = "ADD COLUMN"
	AlterDropColumn       AlterKind = "DROP COLUMN"
	AlterColumnType       AlterKind = "ALTER COLUMN TYPE"
	AlterSetDefault       AlterKind = "SET DEFAULT"
	AlterDropDefault      AlterKind = "DROP DEFAULT"
	AlterSetNotNull       AlterKind = "SET NOT NULL"
	AlterDropNotNull      AlterKind = "DROP NOT NULL"
	AlterAddIdentity      AlterKind = "ADD GENERATED"
	AlterSetIdentity      AlterKind = "SET GENERATED" // and SET option, RESTART: Constraint has them
	AlterDropIdentity     AlterKind = "DROP IDENTITY"
	AlterDropExpression   AlterKind = "DROP EXPRESSION"
	AlterAddConstraint    AlterKind = "ADD CONSTRAINT"
	AlterDropConstraint   AlterKind = "DROP CONSTRAINT"
	AlterValidate         AlterKind = "VALIDATE CONSTRAINT"
	AlterConstraint       AlterKind = "ALTER CONSTRAINT"
	AlterSetOptions       AlterKind = "SET OPTIONS"   // SET (option = …)
	AlterResetOptions     AlterKind = "RESET OPTIONS" // RESET (option, …)
	AlterOwner            AlterKind = "OWNER TO"
	AlterSetSchema        AlterKind = "SET SCHEMA"
	AlterSwap             AlterKind = "SWAP WITH"
	AlterAs               AlterKind = "AS"
	AlterAddValue         AlterKind = "ADD VALUE"
	AlterSetting          AlterKind = "SET" // ALTER DATABASE d SET x = y
	AlterRaw              AlterKind = "RAW"
)

// AlterAction is one action of ALTER.
type AlterAction struct {
	At
	Kind       AlterKind
	Column     Ident // the column, constraint, or value the action is about
	IfExists   bool  // also IF NOT EXISTS of ADD
	NewName    Name  // RENAME, OWNER TO, SET SCHEMA, SWAP WITH
	Def        *ColumnDef
	Constraint *Constraint
	Type       *TypeName
	Collation  Name
	X          Expr // USING expr of a type change; the default
	Options    []Option
	Query      *Query
	Set        *Set
	Behavior   Behavior
	Detail     string
}

// Comment is COMMENT ON object IS text.
type Comment struct {
	At
	Object Object
	Text   *string // nil: IS NULL
}

// Truncate is TRUNCATE.
type Truncate struct {
	At
	Tables          []*TableName
	RestartIdentity TriState
	Behavior        Behavior
}

// Refresh is REFRESH MATERIALIZED VIEW.
type Refresh struct {
	At
	Concurrently bool
	Name         Name
	NoData       bool
}

// Privilege is a privilege in GRANT or REVOKE; Name is upper case, "ALL" for
// all of them, and in a grant of roles the role's name.
type Privilege struct {
	At
	Name    string
	Columns []Ident
}

// Grant is GRANT or REVOKE, of privileges on objects or of roles.
type Grant struct {
	At
	Revoke      bool
	Role        bool // a grant of membership
	Privileges  []Privilege
	Objects     []Object // Kind "TABLE" also where no kind is written
	AllInSchema string   // "TABLES", "SEQUENCES", "FUNCTIONS": Objects are schemas
	Grantees    []Ident  // "public" for PUBLIC
	WithOption  string   // WITH "GRANT" or "ADMIN" OPTION; of REVOKE: … OPTION FOR
	GrantedBy   string
	Behavior    Behavior
}

// Owned is REASSIGN OWNED BY roles TO role, and DROP OWNED BY roles.
type Owned struct {
	At
	Reassign bool
	Roles    []Ident
	To       string
	Behavior Behavior // of DROP
}

// AlterDefaultPrivileges is ALTER DEFAULT PRIVILEGES.
type AlterDefaultPrivileges struct {
	At
	Roles   []Ident
	Schemas []Ident
	Grant   *Grant
}

// Other is a statement of PostgreSQL that is understood only as far as its
// kind: it is about objects that do not exist here, and is refused by name.
type Other struct {
	At
	Name string // "CREATE TRIGGER"
	Text string // the whole statement as written
}

// TableLike is LIKE table [INCLUDING …] in a column list.
type TableLike struct {
	At
	Table   Name
	Options []string // "INCLUDING ALL", "EXCLUDING DEFAULTS", …
}

func (*CreateRelation) stmt()         {}
func (*CreateView) stmt()             {}
func (*CreateSink) stmt()             {}
func (*CreateIndex) stmt()            {}
func (*CreateFunction) stmt()         {}
func (*Return) stmt()                 {}
func (*CreateSchema) stmt()           {}
func (*CreateDatabase) stmt()         {}
func (*CreateRole) stmt()             {}
func (*CreateNamed) stmt()            {}
func (*CreateSequence) stmt()         {}
func (*CreateType) stmt()             {}
func (*CreateExtension) stmt()        {}
func (*Drop) stmt()                   {}
func (*Alter) stmt()                  {}
func (*Comment) stmt()                {}
func (*Truncate) stmt()               {}
func (*Refresh) stmt()                {}
func (*Grant) stmt()                  {}
func (*Owned) stmt()                  {}
func (*AlterDefaultPrivileges) stmt() {}
func (*Other) stmt()                  {}
