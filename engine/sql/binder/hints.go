package binder

import (
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// noSuchColumn is 42703 with what may have been meant, or 42P01 when the
// qualifier names nothing.
func (b *Binder) noSuchColumn(s *Scope, r *ast.ColumnRef) error {
	name := r.Parts[len(r.Parts)-1]
	qual := r.Parts[:len(r.Parts)-1]
	var e *pgerror.Error
	if len(qual) == 0 {
		e = pgerror.NoSuchColumn(name)
	} else {
		if !b.anyScopeHas(s, qual) {
			return b.noSuchTable(s, qual, r.Pos())
		}
		e = pgerror.New(pgerror.UndefinedColumn, "column %s does not exist", strings.Join(r.Parts, "."))
	}
	if c := nearestColumn(s, qual, name); c != nil {
		near := c.name
		if c.table != "" {
			near = c.table + "." + c.name
		}
		e = e.WithHint("Perhaps you meant to reference the column %q.", near)
	}
	return e.At(b.pos(r.Pos()))
}

func (b *Binder) anyScopeHas(s *Scope, qual []string) bool {
	for ; s != nil; s = s.parent {
		if _, ok := s.tableOf(qual); ok {
			return true
		}
	}
	return false
}

// noSuchTable is the error of a qualifier that no FROM item has.
func (b *Binder) noSuchTable(s *Scope, qual []string, at int) error {
	name := qual[len(qual)-1]
	for ; s != nil; s = s.parent {
		for _, t := range s.tables {
			if t.real == name && t.alias != name {
				return pgerror.New(pgerror.UndefinedTable, "invalid reference to FROM-clause entry for table %q", name).
					WithHint("Perhaps you meant to reference the table alias %q.", t.alias).At(b.pos(at))
			}
		}
	}
	return pgerror.New(pgerror.UndefinedTable, "missing FROM-clause entry for table %q", name).At(b.pos(at))
}

// nearestColumn is the column of s whose name is closest to name, nil when
// none is close: at most half of the letters differ, and at most three.
func nearestColumn(s *Scope, qual []string, name string) *column {
	var best *column
	limit := min(3, len(name)/2)
	for ; s != nil; s = s.parent {
		for i := range s.cols {
			c := &s.cols[i]
			if c.qualified || c.name == "" {
				continue
			}
			d := distance(c.name, name)
			if len(qual) > 0 && c.table != qual[len(qual)-1] {
				d++ // another table's column is a worse guess
			}
			if d <= limit {
				limit, best = d-1, c
			}
		}
	}
	return best
}

// Nearest returns the candidate closest to name, "" when none is close.
func Nearest(name string, candidates []string) string {
	best, limit := "", min(3, len(name)/2)
	for _, c := range candidates {
		if d := distance(c, name); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// distance is the number of single-byte edits between a and b, cut off where
// it can no longer matter.
func distance(a, b string) int {
	const enough = 4
	if len(a)-len(b) >= enough || len(b)-len(a) >= enough || len(a) > 63 || len(b) > 63 {
		return enough
	}
	var row [64]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := prev
			if a[i-1] != b[j-1] {
				cost = 1 + min(prev, row[j], row[j-1])
			}
			prev, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
