package session

import (
	"errors"
	"math"

	"velostream/engine/sql/binder"
	"velostream/engine/sql/expr"
	"velostream/pgwire/pgerror"
	"velostream/storage/column"
	"velostream/storage/table"
)

// rowLocks are the locks that SELECT … FOR UPDATE and its like take on each row before it
// is shown.
type rowLocks struct {
	locks         []binder.Lock
	count, offset expr.Expr // of the rows that could be locked, nil: all, none
}

var lockModes = map[string]table.LockMode{
	"UPDATE": table.LockUpdate, "NO KEY UPDATE": table.LockNoKeyUpdate, "SHARE": table.LockShare, "KEY SHARE": table.LockKeyShare,
}

// lockRows locks the rows of b and gives those that it has got.
func lockRows(c *changeRun, b *column.Batch) (int, *column.Batch, error) {
	sel := make([]int32, 0, b.Rows())
	for i := range b.Each {
		if c.full() {
			break
		}
		ok, err := c.lockRow(b, i)
		switch {
		case err != nil:
			return 0, nil, err
		case !ok:
		case c.skip > 0:
			c.skip--
		default:
			sel = append(sel, int32(i))
			c.left--
		}
	}
	return len(sel), &column.Batch{Cols: b.Cols[:len(c.out)], N: b.N, Sel: sel}, nil
}

// full reports that a LIMIT has had its rows.
func (c *changeRun) full() bool { return c.rows != nil && c.left <= 0 }

// lockRow takes the locks of row i; false: another transaction has one of them, and the
// row is to be left out.
func (c *changeRun) lockRow(b *column.Batch, i int) (bool, error) {
	for _, l := range c.rows.locks {
		key := b.Cols[l.Key : l.Key+len(l.Relation.Key)]
		err := c.tx.LockKey(l.Relation.ID, key, i, lockModes[l.Strength], l.Wait == "")
		switch {
		case err == nil:
		case !errors.Is(err, table.ErrLocked):
			return false, err
		case l.Wait == "SKIP LOCKED":
			return false, nil
		default:
			return false, pgerror.New(pgerror.LockNotAvailable, "could not obtain lock on row in relation %q", l.Relation.Name)
		}
	}
	return true, nil
}

// limits evaluates LIMIT and OFFSET of the rows that are locked. NULL is none.
func (c *changeRun) limits() error {
	if c.rows == nil {
		return nil
	}
	c.left = math.MaxInt64
	for _, l := range []struct {
		e    expr.Expr
		to   *int64
		code string
		what string
	}{{c.rows.offset, &c.skip, "2201X", "OFFSET"}, {c.rows.count, &c.left, "2201W", "LIMIT"}} {
		if l.e == nil {
			continue
		}
		d, err := expr.EvalConst(l.e, c.env)
		switch {
		case err != nil:
			return err
		case d.Null:
		case d.I < 0:
			return pgerror.New(l.code, "%s must not be negative", l.what)
		default:
			*l.to = d.I
		}
	}
	return nil
}
