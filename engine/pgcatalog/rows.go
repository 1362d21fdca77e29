package pgcatalog

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// source says how a relation's rows are made: rows calls e.row with a value for
// each of the columns named.
type source struct {
	columns string
	rows    func(c *Catalog, e *emitter)
}

// emitter turns rows of Go values into batches of the wanted columns.
type emitter struct {
	b     *column.Builder
	from  []int // wanted column i is value from[i] of a row, -1: not given
	zero  []types.Datum
	yield func(*column.Batch, error) bool
	over  bool // the reader wants no more
	given map[string]int
}

func newEmitter(r *systemRelation, wanted []int, yield func(*column.Batch, error) bool) *emitter {
	given := map[string]int{}
	for i, n := range strings.Fields(r.source.columns) {
		given[n] = i
	}
	e := &emitter{given: given, from: make([]int, len(wanted)), zero: make([]types.Datum, len(wanted)), yield: yield}
	ts := make([]types.Type, len(wanted))
	for i, j := range wanted {
		col := r.rel.Columns[j]
		ts[i] = col.Type
		if k, ok := given[col.Name]; ok {
			e.from[i] = k
		} else {
			e.from[i] = -1
		}
		e.zero[i] = types.Datum{Null: !col.NotNull}
		if col.Name == "tableoid" {
			e.zero[i] = types.IntDatum(int64(r.rel.ID))
		}
	}
	e.b = column.NewBuilder(ts, 64)
	return e
}

// lazy is a value that costs something: it is computed where it is wanted.
type lazy func() any

// row adds a row. Values are nil (NULL), what datum takes, or lazy.
func (e *emitter) row(values ...any) {
	if e.over {
		return
	}
	for i, k := range e.from {
		if k < 0 {
			e.b.Col(i).Append(e.zero[i])
			continue
		}
		v := values[k]
		if f, ok := v.(lazy); ok {
			v = f()
		}
		e.b.Col(i).Append(datum(v))
	}
	e.b.Row(column.Insert)
	if e.b.Len() == scanRows {
		e.flush()
	}
}

// wants reports that the reader wants a column of the source's, by name.
func (e *emitter) wants(name string) bool {
	k, ok := e.given[name]
	return ok && slices.Contains(e.from, k)
}

func (e *emitter) flush() {
	if !e.over && e.b.Len() > 0 {
		e.over = !e.yield(e.b.Batch(), nil)
	}
	e.b.Reset()
}

func (e *emitter) end() { e.flush() }

// datum makes a value of a Go value: text of strings and bytes, numbers, times
// (zero: NULL), lists of slices.
func datum(v any) types.Datum {
	switch v := v.(type) {
	case nil:
		return types.NullDatum
	case types.Datum:
		return v
	case string:
		return types.StringDatum(v)
	case byte:
		return types.BytesDatum([]byte{v})
	case bool:
		return types.BoolDatum(v)
	case int:
		return types.IntDatum(int64(v))
	case int16:
		return types.IntDatum(int64(v))
	case int32:
		return types.IntDatum(int64(v))
	case int64:
		return types.IntDatum(v)
	case uint32:
		return types.IntDatum(int64(v))
	case types.OID:
		return types.IntDatum(int64(v))
	case float64:
		return types.FloatDatum(v)
	case time.Time:
		if v.IsZero() {
			return types.NullDatum
		}
		return types.IntDatum(types.FromTime(v))
	case []string:
		return list(v)
	case []int:
		return list(v)
	case []int16:
		return list(v)
	case []uint32:
		return list(v)
	case []types.OID:
		return list(v)
	}
	return types.NullDatum
}

func list[T any](in []T) types.Datum {
	d := types.Datum{List: make([]types.Datum, len(in))}
	for i, v := range in {
		d.List[i] = datum(v)
	}
	return d
}

// orNull is nil for an empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// yesNo is information_schema's boolean.
func yesNo(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}

func itoa[T int | int16 | int32 | int64 | uint32 | types.OID](v T) string {
	return strconv.FormatInt(int64(v), 10)
}
