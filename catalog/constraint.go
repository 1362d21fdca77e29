package catalog

import (
	"encoding/json"
	"slices"

	"velostream/catalog/types"
)

// ConstraintKind is what a Constraint demands.
type ConstraintKind string

// Kinds of constraints beside primary keys and NOT NULL, which relations and
// columns have themselves.
const (
	Check      ConstraintKind = "CHECK"
	Unique     ConstraintKind = "UNIQUE"
	ForeignKey ConstraintKind = "FOREIGN KEY"
)

// Constraint is a constraint of a native table.
type Constraint struct {
	ID      uint32         `json:"id"`
	Name    string         `json:"name"`
	Kind    ConstraintKind `json:"kind"`
	Columns []int          `json:"columns,omitempty"` // by position; of CHECK those it uses

	// Text is the condition of a CHECK, Expr the same as a typed expression
	// (engine/sql/expr) over all columns of the relation.
	Text string          `json:"text,omitempty"`
	Expr json.RawMessage `json:"expr,omitempty"`

	Index uint32 `json:"index,omitempty"` // of UNIQUE

	// Of FOREIGN KEY: Columns refer to RefColumns of relation Ref, which are its
	// primary key (RefIndex 0) or those of its unique index RefIndex, in that
	// key's order.
	Ref        uint32 `json:"ref,omitempty"`
	RefIndex   uint32 `json:"ref_index,omitempty"`
	RefColumns []int  `json:"ref_columns,omitempty"`
	OnDelete   string `json:"on_delete,omitempty"` // "": NO ACTION, else RESTRICT, CASCADE, SET NULL, SET DEFAULT
	OnUpdate   string `json:"on_update,omitempty"`
	MatchFull  bool   `json:"match_full,omitempty"`
	SetColumns []int  `json:"set_columns,omitempty"` // ON DELETE SET NULL or SET DEFAULT (columns)
	// Deferrable: it may be checked at COMMIT, and Deferred: it is unless a transaction
	// says otherwise.
	Deferrable bool `json:"deferrable,omitempty"`
	Deferred   bool `json:"deferred,omitempty"`
	// NotValid, also of CHECK: rows that were there before it may not meet it.
	NotValid bool `json:"not_valid,omitempty"`
}

// Index is a secondary index of a native table.
type Index struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
	// Columns are the key: a column's position, or ExprColumn(k) for Exprs[k].
	Columns []int       `json:"columns"`
	Exprs   []IndexExpr `json:"exprs,omitempty"`
	// Where says which rows have an entry: those for which it is true. nil: all.
	Where   *IndexExpr `json:"where,omitempty"`
	Include []int      `json:"include,omitempty"` // named by INCLUDE; rows are looked up by key all the same
	// Order says how each of Columns was asked for; nil: the default of all. What is read in
	// the index's order is sorted anyway, so that it is there to be shown.
	Order  []IndexOrder `json:"order,omitempty"`
	Unique bool         `json:"unique,omitempty"`
	// NullsEqual is NULLS NOT DISTINCT.
	NullsEqual bool `json:"nulls_equal,omitempty"`
	// Storage is where its entries are kept, 0: under its OID.
	Storage uint32 `json:"storage,omitempty"`
	// Building: the rows that were there before it are not all in it yet. It is
	// kept up to date and not read.
	Building   bool   `json:"building,omitempty"`
	Definition string `json:"definition,omitempty"` // CREATE INDEX …
	Comment    string `json:"comment,omitempty"`
}

// IndexExpr is an expression over the row: a key of an index, or its predicate.
type IndexExpr struct {
	Text    string          `json:"text"`
	Expr    json.RawMessage `json:"expr"` // as expr.MarshalExpr writes it
	Type    types.Type      `json:"type"`
	Name    string          `json:"name"`           // what a query would call its column
	Call    bool            `json:"call,omitempty"` // a function call, which is written without parentheses
	Columns []int           `json:"columns"`        // that it uses
}

// ExprColumn stands for expression k of an index among its Columns.
func ExprColumn(k int) int { return -1 - k }

// Expr is the expression of key column c of the index, nil: c is a column of the relation.
func (x *Index) Expr(c int) *IndexExpr {
	if c >= 0 {
		return nil
	}
	return &x.Exprs[-1-c]
}

// KeyType is the type of key column c of x, an index of r.
func (r *Relation) KeyType(x *Index, c int) types.Type {
	if e := x.Expr(c); e != nil {
		return e.Type
	}
	return r.Columns[c].Type
}

// Plain reports that all rows are in the index, by columns alone: it can be the key that
// a constraint or a foreign key needs.
func (x *Index) Plain() bool { return len(x.Exprs) == 0 && x.Where == nil }

// Uses reports that the index needs column i of the relation.
func (x *Index) Uses(i int) bool {
	in := func(e IndexExpr) bool { return slices.Contains(e.Columns, i) }
	return slices.Contains(x.Columns, i) || slices.Contains(x.Include, i) || slices.ContainsFunc(x.Exprs, in) || x.Where != nil && in(*x.Where)
}

// IndexExprs are the expressions of all indexes of r, in the order in which the native store
// keeps their values behind the columns of a row.
func (r *Relation) IndexExprs() []IndexExpr {
	var out []IndexExpr
	for _, x := range r.Indexes {
		out = append(out, x.Exprs...)
		if x.Where != nil {
			out = append(out, *x.Where)
		}
	}
	return out
}

// StoredColumns are the key columns of x, an index of r, and the column that must be true
// (nil: none), where the values of IndexExprs lie behind the columns of a row.
func (r *Relation) StoredColumns(x *Index) (key, only []int) {
	at := len(r.Columns)
	for i := range r.Indexes {
		if r.Indexes[i].ID == x.ID {
			break
		}
		at += len(r.Indexes[i].Exprs)
		if r.Indexes[i].Where != nil {
			at++
		}
	}
	for _, c := range x.Columns {
		if c < 0 {
			c = at - 1 - c
		}
		key = append(key, c)
	}
	if x.Where != nil {
		only = []int{at + len(x.Exprs)}
	}
	return key, only
}

// IndexOrder is what CREATE INDEX says of a column.
type IndexOrder struct {
	Class      uint32 `json:"class,omitempty"` // OID of the operator class, 0: the type's default
	Desc       bool   `json:"desc,omitempty"`
	NullsFirst bool   `json:"nulls_first,omitempty"`
}

// Numbers are the settings of a sequence.
type Numbers struct {
	Type      string `json:"type"` // smallint, integer, bigint
	Start     int64  `json:"start"`
	Increment int64  `json:"increment"`
	Min       int64  `json:"min"`
	Max       int64  `json:"max"`
	Cycle     bool   `json:"cycle,omitempty"`
	// Owner and Column: the table column that the sequence goes with.
	Owner  uint32 `json:"owner,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Ref is a relation as a stored query names it.
type Ref struct {
	Schema string `json:"schema,omitempty"` // as written, "" for a bare name
	Name   string `json:"name"`
	ID     uint32 `json:"id"`
	// Columns are the names that its columns had, by position; later columns
	// are not known to the query.
	Columns []string `json:"columns"`
}

// Attributes are the words after the constraint that say when it is checked, and that
// not all rows were, as SQL has them.
func (k *Constraint) Attributes() string {
	out := ""
	if k.Deferrable {
		out = " DEFERRABLE"
	}
	if k.Deferred {
		out += " INITIALLY DEFERRED"
	}
	if k.NotValid {
		out += " NOT VALID"
	}
	return out
}

// EntryStorage is where the entries of the index are kept.
func (x *Index) EntryStorage() uint32 {
	if x.Storage != 0 {
		return x.Storage
	}
	return x.ID
}

// KeyConstraint is the name of r's primary key.
func (r *Relation) KeyConstraint() string {
	if r.KeyName != "" {
		return r.KeyName
	}
	return r.Name + "_pkey"
}

// Index returns the index of r with the OID id, nil: none.
func (r *Relation) Index(id uint32) *Index {
	i := slices.IndexFunc(r.Indexes, func(x Index) bool { return x.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Indexes[i]
}

// Constraint returns the constraint of r called name, nil: none.
func (r *Relation) Constraint(name string) *Constraint {
	i := slices.IndexFunc(r.Constraints, func(c Constraint) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Constraints[i]
}

// Clone returns a copy of r whose lists may be changed.
func (r *Relation) Clone() *Relation {
	c := *r
	c.Columns = slices.Clone(r.Columns)
	c.Constraints = slices.Clone(r.Constraints)
	c.Indexes = slices.Clone(r.Indexes)
	if r.Numbers != nil {
		n := *r.Numbers
		c.Numbers = &n
	}
	return &c
}
