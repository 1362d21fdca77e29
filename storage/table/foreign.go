package table

import (
	"slices"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
)

// Action is what a foreign key does to referring rows when the row referred to
// goes or gets another key.
type Action uint8

// Actions of foreign keys.
const (
	NoAction Action = iota // refused, if it is still so at the end of the statement
	Restrict               // refused
	Cascade                // they go, or get the key, too
	SetNull
	SetDefault
)

// ForeignKey is a foreign key: Columns of the relation Child refer to
// ParentColumns of Parent, which are its primary key (Index 0) or those of a
// unique index, in that key's order.
type ForeignKey struct {
	ID            uint32 // of the constraint
	Name          string
	Child         uint32
	Columns       []int
	Parent        uint32
	Index         uint32
	ParentColumns []int
	OnDelete      Action
	OnUpdate      Action
	SetColumns    []int // of ON DELETE SET NULL and SET DEFAULT; nil: Columns
	MatchFull     bool
	Deferrable    bool // it may be checked when the transaction ends
	Deferred      bool // and is, unless the transaction says otherwise
}

// cascadeMax bounds how many steps one statement's actions may take.
const cascadeMax = 1 << 20

// keyCheck is a key that a statement's end looks at: one that a child refers
// to (arrived), or that its parent no longer has.
type keyCheck struct {
	fk      *ForeignKey
	rel     *Relation // child if arrived, else parent
	arrived bool
	late    bool             // it was deferred
	deleted bool             // the parent row was deleted, else its key changed
	old     []*column.Column // the key's values, one row: of child or parent
	next    []*column.Column // the parent's new key, where it changed
}

// valuesAt copies the columns which of row i.
func valuesAt(cols []*column.Column, which []int, i int) []*column.Column {
	out := make([]*column.Column, len(which))
	for k, j := range which {
		out[k] = column.New(cols[j].Type, 1)
		out[k].AppendFrom(cols[j], i)
	}
	return out
}

// changed reports that the columns which differ between row i of old and next.
func changed(old, next []*column.Column, which []int, i int) bool {
	for _, j := range which {
		if old[j].Null(i) != next[j].Null(i) || !old[j].Null(i) && !column.EqualAt(old[j], i, next[j], i) {
			return true
		}
	}
	return false
}

// arrived notes that row i of cols, new or changed from old, refers to others.
func (tx *Tx) arrived(rel *Relation, old, cols []*column.Column, i int) {
	for _, fk := range rel.Foreign {
		if old == nil || changed(old, cols, fk.Columns, i) {
			tx.checks = append(tx.checks, keyCheck{fk: fk, rel: rel, arrived: true, old: valuesAt(cols, fk.Columns, i)})
		}
	}
}

// left notes that row i of cols, deleted (next nil) or changed to next, may have
// been referred to.
func (tx *Tx) left(rel *Relation, cols, next []*column.Column, i int) {
	for _, fk := range rel.Referenced {
		if next != nil && !changed(cols, next, fk.ParentColumns, i) {
			continue
		}
		c := keyCheck{fk: fk, rel: rel, deleted: next == nil, old: valuesAt(cols, fk.ParentColumns, i)}
		if next != nil {
			c.next = valuesAt(next, fk.ParentColumns, i)
		}
		tx.checks = append(tx.checks, c)
	}
}

// EndStatement carries out and checks the foreign keys that the statement's
// changes touch. Errors: 23503; ErrConflict as Insert.
func (tx *Tx) EndStatement() error {
	if len(tx.checks) == 0 {
		return nil
	}
	// What others committed before they let go of the rows locked here must be seen.
	if err := tx.Refresh(); err != nil {
		return err
	}
	var last []keyCheck
	for steps := 0; len(tx.checks) > 0; {
		todo := tx.checks
		tx.checks = nil
		for _, c := range todo {
			if steps++; steps > cascadeMax {
				return pgerror.New(pgerror.ProgramLimitExceeded, "foreign keys cascade to more than %d rows", cascadeMax)
			}
			act := c.fk.OnUpdate
			if c.deleted {
				act = c.fk.OnDelete
			}
			if c.arrived || act == NoAction || act == Restrict {
				last = append(last, c)
				continue
			}
			if err := tx.cascade(c, act); err != nil {
				return err
			}
			if act == SetDefault { // the default may be the very key that is gone
				if err := tx.checkGone(c); err != nil {
					return err
				}
			}
		}
	}
	var later []keyCheck
	for _, c := range last {
		if tx.waits(c) {
			later = append(later, c)
			continue
		}
		if err := tx.check(c); err != nil {
			return err
		}
	}
	return tx.deferChecks(later)
}

// check carries out c.
func (tx *Tx) check(c keyCheck) error {
	if c.arrived {
		return tx.checkArrived(c)
	}
	return tx.checkGone(c)
}

// ForgetKeys leaves the foreign keys that the statement touched unchecked.
func (tx *Tx) ForgetKeys() { tx.checks = nil }

// parentKey is the store's key of the parent's row, or unique entry, with the
// values vals, and the storage that it is in.
func (tx *Tx) parentKey(fk *ForeignKey, vals []*column.Column) (storage uint32, key string, err error) {
	parent, err := tx.relation(fk.Parent)
	if err != nil {
		return 0, "", err
	}
	if fk.Index == 0 {
		return parent.Storage, string(appendKey(rowKey(nil, parent.Storage), vals, 0)), nil
	}
	if storage, err = parent.entryStorage(fk.Index); err != nil {
		return 0, "", err
	}
	return storage, string(appendKey(indexKey(nil, storage), vals, 0)), nil
}

func (tx *Tx) parentThere(fk *ForeignKey, vals []*column.Column) (bool, error) {
	of, key, err := tx.parentKey(fk, vals)
	if err != nil {
		return false, err
	}
	b, err := tx.get(tx.writes[of], key)
	return b != nil, err
}

// Unmatched returns the first row of b for which no row of fk's parent has the
// values cols, -1: there is none. Rows with a NULL among the values match.
func (tx *Tx) Unmatched(fk *ForeignKey, cols []*column.Column, b *column.Batch) (int, error) {
rows:
	for i := range b.Each {
		vals := make([]*column.Column, len(cols))
		for j, c := range cols {
			if c.Null(i) {
				continue rows
			}
			vals[j] = column.New(c.Type, 1)
			vals[j].AppendFrom(c, i)
		}
		if there, err := tx.parentThere(fk, vals); err != nil || !there {
			return i, err
		}
	}
	return -1, nil
}

// checkArrived demands the row that a child refers to.
func (tx *Tx) checkArrived(c keyCheck) error {
	nulls := 0
	for _, v := range c.old {
		if v.Null(0) {
			nulls++
		}
	}
	if c.late && nulls > 0 && nulls < len(c.old) && c.fk.MatchFull {
		if ok, err := tx.childStill(c); err != nil || !ok {
			return err
		}
	}
	if nulls > 0 && c.fk.MatchFull && nulls < len(c.old) {
		return pgerror.New(pgerror.ForeignKeyViolation, "insert or update on table %q violates foreign key constraint %q", c.rel.Name, c.fk.Name).
			WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.").OnConstraint(c.rel.Schema, c.rel.Name, c.fk.Name)
	}
	if nulls > 0 {
		return nil
	}
	if c.late { // most parents are there: that is the cheaper question
		if there, err := tx.parentThere(c.fk, c.old); err != nil {
			return err
		} else if !there {
			if ok, err := tx.childStill(c); err != nil || !ok {
				return err
			}
		}
	} else if ok, err := tx.childStill(c); err != nil || !ok {
		return err
	}
	_, k, err := tx.parentKey(c.fk, c.old)
	if err != nil {
		return err
	}
	if err := tx.acquire(k, LockKeyShare, true); err != nil {
		return err
	}
	if tx.db.changedAfter(k, tx.base) && !tx.wrote(k) {
		if err := tx.Refresh(); err != nil { // the row was changed while this waited: look again
			return err
		}
	}
	there, err := tx.parentThere(c.fk, c.old)
	if err != nil || there {
		return err
	}
	names, vals := columnText(c.rel, c.fk.Columns, c.old)
	return pgerror.New(pgerror.ForeignKeyViolation, "insert or update on table %q violates foreign key constraint %q", c.rel.Name, c.fk.Name).
		WithDetail("Key (%s)=(%s) is not present in table %q.", names, vals, tx.nameOf(c.fk.Parent)).
		OnConstraint(c.rel.Schema, c.rel.Name, c.fk.Name)
}

// childStill reports that a child with the values is still there: a row that came
// and went in one statement refers to nothing. Only cascades can take it away, or, where
// the check was deferred, a later statement.
func (tx *Tx) childStill(c keyCheck) (bool, error) {
	if c.fk.Parent != c.fk.Child && !c.late {
		return true, nil
	}
	found := false
	err := tx.children(c.fk, c.old, func(*column.Batch) error { found = true; return nil })
	return found, err
}

func (tx *Tx) nameOf(id uint32) string {
	if r, err := tx.relation(id); err == nil {
		return r.Name
	}
	return ""
}

func columnText(rel *Relation, which []int, vals []*column.Column) (names, text string) {
	named := &Relation{}
	all := make([]int, len(which))
	for i, k := range which {
		named.Names = append(named.Names, rel.Names[k])
		all[i] = i
	}
	return keyText(named, all, vals, 0)
}

// checkGone refuses that a key goes which children have.
func (tx *Tx) checkGone(c keyCheck) error {
	for _, v := range c.old {
		if v.Null(0) {
			return nil
		}
	}
	if there, err := tx.parentThere(c.fk, c.old); err != nil || there {
		return err // another row has taken the key over
	}
	found := false
	if err := tx.children(c.fk, c.old, func(*column.Batch) error { found = true; return nil }); err != nil || !found {
		return err
	}
	child := tx.nameOf(c.fk.Child)
	names, vals := columnText(c.rel, c.fk.ParentColumns, c.old)
	return pgerror.New(pgerror.ForeignKeyViolation,
		"update or delete on table %q violates foreign key constraint %q on table %q", c.rel.Name, c.fk.Name, child).
		WithDetail("Key (%s)=(%s) is still referenced from table %q.", names, vals, child).
		OnConstraint(c.rel.Schema, child, c.fk.Name)
}

// children gives f the rows of the child that have the values, in one batch;
// f is not called when there are none. An index of the child's whose first
// columns are the key's is used, else all rows are read.
func (tx *Tx) children(fk *ForeignKey, vals []*column.Column, f func(*column.Batch) error) error {
	child, err := tx.relation(fk.Child)
	if err != nil {
		return nil // dropped meanwhile
	}
	rows := tx.Scan(fk.Child)
	for _, x := range child.Indexes {
		if !x.Building && len(x.Only) == 0 && slices.Equal(x.Columns, fk.Columns) {
			rows = tx.Lookup(fk.Child, x.ID, vals, 0)
		}
	}
	want := appendKey(nil, vals, 0)
	one := column.NewBuilder(child.Types, 1)
	out := column.NewBuilder(child.Types, 0)
	for e, err := range rows {
		one.Reset()
		if err == nil {
			err = rowenc.DecodeRow(e.Value, one)
		}
		if err != nil {
			return err
		}
		one.Row(column.Insert)
		if b := one.Batch(); string(rowenc.AppendKey(nil, b.Cols, fk.Columns, 0)) == string(want) {
			out.AppendRow(b, 0, column.Insert)
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return f(out.Batch())
}

// cascade does to the children what the foreign key says.
func (tx *Tx) cascade(c keyCheck, act Action) error {
	for _, v := range c.old {
		if v.Null(0) {
			return nil
		}
	}
	return tx.children(c.fk, c.old, func(rows *column.Batch) error {
		if act == Cascade && c.deleted {
			_, err := tx.Delete(c.fk.Child, rows)
			return err
		}
		next := column.NewBuilder(typesOf(rows), rows.N)
		set := c.fk.Columns
		if c.deleted && len(c.fk.SetColumns) > 0 {
			set = c.fk.SetColumns
		}
		defaults, err := tx.defaultsOf(c.fk.Child, set, act)
		if err != nil {
			return err
		}
		for i := range rows.Each {
			for j, col := range rows.Cols {
				at := slices.Index(set, j)
				switch {
				case at < 0:
					next.Col(j).AppendFrom(col, i)
				case act == SetNull:
					next.Col(j).AppendNull()
				case act == SetDefault:
					next.Col(j).Append(defaults[at])
				default:
					next.Col(j).AppendFrom(c.next[at], 0)
				}
			}
			next.Row(column.Insert)
		}
		b := next.Batch()
		_, err = tx.Update(c.fk.Child, &column.Batch{Cols: rows.Cols, N: rows.N}, &column.Batch{Cols: b.Cols, N: b.N})
		return err
	})
}

func typesOf(b *column.Batch) []types.Type {
	out := make([]types.Type, len(b.Cols))
	for i, c := range b.Cols {
		out[i] = c.Type
	}
	return out
}
