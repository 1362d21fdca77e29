package session

import (
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/job"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/rowenc"
	"velostream/storage/table"
)

// foreignCheck is a foreign key that the rows which are there are to be compared with.
type foreignCheck struct{ child, constraint uint32 }

// check runs the alteration's checks over the rows that are there. Where rows are
// written anew, those about single rows are made then.
func (a *alteration) check(tx *table.Tx) error {
	if a.rewrite != nil && a.empty == nil || len(a.verify) == 0 && a.empty == nil {
		return nil
	}
	return eachBatch(tx, a.r, func(b *column.Batch) error {
		if a.empty != nil {
			return a.empty
		}
		return a.verifyRows(b)
	})
}

func (a *alteration) verifyRows(b *column.Batch) error {
	for _, f := range a.verify {
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// eachBatch calls f with the rows of r, as tx sees them, some at a time. A batch is
// valid until f returns.
func eachBatch(tx *table.Tx, r *catalog.Relation, f func(*column.Batch) error) error {
	b := column.NewBuilder(r.Types(), scanRows)
	for e, err := range tx.Scan(r.ID) {
		if err == nil {
			err = rowenc.DecodeRow(e.Value, b)
		}
		if err != nil {
			return err
		}
		if b.Row(column.Insert); b.Len() == scanRows {
			if err := f(b.Batch()); err != nil {
				return err
			}
			b.Reset()
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return f(b.Batch())
}

// verifyNotNull demands that column i is not NULL in the rows that are there.
func (a *alteration) verifyNotNull(i int) {
	name := a.c.Columns[i].Name
	a.verify = append(a.verify, func(b *column.Batch) error {
		if i >= len(b.Cols) {
			return nil
		}
		for row := range b.Each {
			if b.Cols[i].Null(row) {
				return pgerror.New(pgerror.NotNullViolation, "column %q of relation %q contains null values", name, a.r.Name).
					OnColumn(a.r.Schema, a.r.Name, name)
			}
		}
		return nil
	})
}

// verifyDomain demands that what rows have in column at, which is new, is of its domain.
func (a *alteration) verifyDomain(at int) error {
	u := a.snap.UserType(a.c.Columns[at].Domain)
	if u == nil {
		return nil
	}
	checks, err := job.DomainChecks(a.snap, u, at)
	if err != nil {
		return err
	}
	a.verify = append(a.verify, func(b *column.Batch) error {
		b, err := a.wide(b, at+1)
		if err != nil {
			return err
		}
		for _, k := range checks {
			i, err := k.Violated(b)
			switch {
			case err != nil:
				return err
			case i >= 0 && k.Null:
				return types.DomainNull(k.Domain)
			case i >= 0:
				return types.DomainCheck(k.Domain, k.Name)
			}
		}
		return nil
	})
	return nil
}

func (a *alteration) verifyCheck(k catalog.Constraint) error {
	check, err := job.CheckOf(k, a.snap)
	if err != nil {
		return err
	}
	a.verify = append(a.verify, func(b *column.Batch) error {
		b, err := a.wide(b, len(a.c.Columns))
		if err != nil {
			return err
		}
		i, err := check.Violated(b)
		if err == nil && i >= 0 {
			err = pgerror.New(pgerror.CheckViolation, "check constraint %q of relation %q is violated by some row", k.Name, a.r.Name).
				OnConstraint(a.r.Schema, a.r.Name, k.Name)
		}
		return err
	})
	return nil
}

// wide is b with the columns that the same statement adds, up to the n-th.
func (a *alteration) wide(b *column.Batch, n int) (*column.Batch, error) {
	if len(b.Cols) >= n {
		return b, nil
	}
	out := &column.Batch{Cols: slices.Clone(b.Cols), N: b.N, Sel: b.Sel}
	for _, c := range a.c.Columns[len(b.Cols):n] {
		d := types.NullDatum
		if c.Missing != nil {
			var err error
			if d, err = types.DecodeStored(c.Type, []byte(*c.Missing)); err != nil {
				return nil, err
			}
		}
		out.Cols = append(out.Cols, column.Constant(c.Type, d))
	}
	return out, nil
}

// after compares the rows with the foreign keys that are new, or whose columns have
// changed, once the new definitions hold, and restarts sequences.
func (a *alteration) after(tx *table.Tx, snap *catalog.Snapshot) error {
	for _, r := range a.restart {
		tx.RestartSequence(r.sequence, r.at)
	}
	for _, f := range a.foreign {
		child := snap.ByID(f.child)
		i := slices.IndexFunc(child.Constraints, func(k catalog.Constraint) bool { return k.ID == f.constraint })
		if i < 0 {
			continue // the same statement dropped it
		}
		if err := verifyForeign(tx, snap, child, child.Constraints[i]); err != nil {
			return err
		}
	}
	return nil
}

// verifyForeign demands that the rows of child refer to rows that there are.
func verifyForeign(tx *table.Tx, snap *catalog.Snapshot, child *catalog.Relation, k catalog.Constraint) error {
	parent := snap.ByID(k.Ref)
	fk := job.ForeignKeyOf(child, k)
	bad := func(detail string, args ...any) error {
		return pgerror.New(pgerror.ForeignKeyViolation, "insert or update on table %q violates foreign key constraint %q", child.Name, k.Name).
			WithDetail(detail, args...).OnConstraint(child.Schema, child.Name, k.Name)
	}
	return eachBatch(tx, child, func(b *column.Batch) error {
		cols := make([]*column.Column, len(k.Columns))
		for n, j := range k.Columns {
			cols[n] = b.Cols[j]
		}
		if k.MatchFull && mixesNulls(cols, b) {
			return bad("MATCH FULL does not allow mixing of null and nonnull key values.")
		}
		i, err := tx.Unmatched(fk, cols, b)
		if err != nil || i < 0 {
			return err
		}
		var names, vals []string
		for n, j := range k.Columns {
			names = append(names, child.Columns[j].Name)
			vals = append(vals, string(types.AppendText(nil, cols[n].Type, cols[n].Datum(i), nil)))
		}
		return bad("Key (%s)=(%s) is not present in table %q.", strings.Join(names, ", "), strings.Join(vals, ", "), parent.Name)
	})
}

// mixesNulls reports that some row of b has NULL in some of cols, but not in all.
func mixesNulls(cols []*column.Column, b *column.Batch) bool {
	for i := range b.Each {
		nulls := 0
		for _, c := range cols {
			if c.Null(i) {
				nulls++
			}
		}
		if nulls > 0 && nulls < len(cols) {
			return true
		}
	}
	return false
}
