package operator

import (
	"github.com/tidwall/btree"

	"velostream/storage/state"
)

// entries is an operator's table, or, where it has none, memory in its place that ends with
// 53200 beyond the budget. For one goroutine.
type entries struct {
	table  state.Table
	mem    btree.Map[string, string]
	bytes  int64
	budget budget
	label  string
}

func newEntries(ctx BuildContext, table state.Table, label string) entries {
	return entries{table: table, budget: ctx.budget(), label: label}
}

// fresh reports that nothing was there when the operator was made.
func (s *entries) fresh() bool { return s.table == nil || s.table.Fresh() }

// get returns the value of k, nil when there is none.
func (s *entries) get(k []byte) ([]byte, error) {
	if s.table != nil {
		return s.table.Get(k)
	}
	if v, ok := s.mem.Get(string(k)); ok {
		return []byte(v), nil
	}
	return nil, nil
}

// put sets the value of k; both are copied.
func (s *entries) put(k, v []byte) error {
	if s.table != nil {
		return s.table.Put(k, v)
	}
	old, replaced := s.mem.Set(string(k), string(v))
	s.bytes += int64(len(v) - len(old))
	if !replaced {
		s.bytes += int64(len(k)) + 64
	}
	if s.bytes > s.budget.now() {
		return s.budget.exceeded(s.label, s.bytes)
	}
	return nil
}

// remove deletes k, which may be missing.
func (s *entries) remove(k []byte) error {
	if s.table != nil {
		return s.table.Delete(k)
	}
	if old, ok := s.mem.Delete(string(k)); ok {
		s.bytes -= int64(len(k)+len(old)) + 64
	}
	return nil
}

// removeRange deletes what is from lo on and below hi (nil: to the end).
func (s *entries) removeRange(lo, hi []byte) error {
	if s.table != nil {
		return s.table.DeleteRange(lo, hi)
	}
	var keys [][]byte
	err := s.scan(lo, hi, func(k, _ []byte) (bool, error) {
		keys = append(keys, append([]byte(nil), k...))
		return true, nil
	})
	for _, k := range keys {
		if err == nil {
			err = s.remove(k)
		}
	}
	return err
}

// scan calls each for the entries from lo on and below hi (nil: to the end) in order, until
// it returns false. Keys and values are valid during the call; each must not write.
func (s *entries) scan(lo, hi []byte, each func(k, v []byte) (bool, error)) error {
	if s.table != nil {
		for e, err := range s.table.Scan(lo, hi) {
			if err != nil {
				return err
			}
			more, err := each(e.Key, e.Value)
			if err != nil || !more {
				return err
			}
		}
		return nil
	}
	var err error
	s.mem.Ascend(string(lo), func(k, v string) bool {
		if hi != nil && k >= string(hi) {
			return false
		}
		var more bool
		more, err = each([]byte(k), []byte(v))
		return err == nil && more
	})
	return err
}
