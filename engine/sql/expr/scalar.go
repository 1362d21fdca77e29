package expr

import (
	"velostream/catalog/types"
	"velostream/storage/column"
)

// runScalar is the kernel of a function that computes one row at a time.
func runScalar(f Scalar, c *CallContext, args []*column.Column, out *column.Column) error {
	row := make([]types.Datum, len(args))
	var vary []int
	for j, a := range args {
		if a.Const {
			row[j] = a.Datum(0)
		} else {
			vary = append(vary, j)
		}
	}
	w := newWriter(out)
	err := c.each(func(i int) error {
		for _, j := range vary {
			row[j] = args[j].Datum(i)
		}
		d, err := f(c, row)
		if err != nil {
			return err
		}
		w.datum(i, d)
		return nil
	})
	if err != nil {
		return err
	}
	w.finish(c.N)
	return nil
}

// memo returns the value that belongs to key, kept from the last call if the
// key is the same: pattern arguments are mostly constant.
func memo[T any](c *CallContext, key []byte, build func(string) (T, error)) (T, error) {
	type entry struct {
		key string
		val T
	}
	if e, ok := c.Memo.(*entry); ok && e.key == string(key) {
		return e.val, nil
	}
	v, err := build(string(key))
	if err != nil {
		return v, err
	}
	c.Memo = &entry{string(key), v}
	return v, nil
}
