package job

import (
	"velostream/catalog"
	"velostream/storage/column"
	"velostream/storage/table"
)

// domainChecks are the constraints of the domains of r's columns, column by column.
func domainChecks(snap *catalog.Snapshot, r *catalog.Relation) ([]table.Check, error) {
	var out []table.Check
	for i, c := range r.Columns {
		u := snap.UserType(c.Domain)
		if u == nil || c.Dropped {
			continue
		}
		checks, err := DomainChecks(snap, u, i)
		if err != nil {
			return nil, err
		}
		out = append(out, checks...)
	}
	return out, nil
}

// DomainChecks are the constraints of the domain u over column i of a table, NULL first.
func DomainChecks(snap *catalog.Snapshot, u *catalog.UserType, i int) ([]table.Check, error) {
	var out []table.Check
	name := u.Type().String()
	if snap.DomainNotNull(u) {
		out = append(out, table.Check{Domain: name, Null: true, Violated: func(b *column.Batch) (int, error) {
			for row := range b.Each {
				if b.Cols[i].Null(row) {
					return row, nil
				}
			}
			return -1, nil
		}})
	}
	for _, k := range snap.DomainChecks(u) {
		check, err := CheckOf(catalog.Constraint{Name: k.Name, Expr: k.Expr}, snap)
		if err != nil {
			return nil, err
		}
		out = append(out, table.Check{Domain: name, Name: k.Name, Violated: func(b *column.Batch) (int, error) {
			return check.Violated(&column.Batch{Cols: b.Cols[i : i+1], N: b.N, Sel: b.Sel, Ops: b.Ops})
		}})
	}
	return out, nil
}
