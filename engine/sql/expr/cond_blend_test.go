package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// TestCaseBelow compares a CASE that is decided while it chooses with one whose
// condition is no plain comparison.
func TestCaseBelow(t *testing.T) {
	in := &column.Batch{N: 70, Cols: make([]*column.Column, len(testColumns))}
	values := []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, 41, 42, 43, math.MaxInt64 - 1, math.MaxInt64}
	for _, nulls := range []bool{false, true} {
		for _, c := range testColumns {
			in.Cols[c.Index] = column.New(c.T, in.N)
			for i := range in.N {
				switch {
				case c.T.OID != types.OIDInt8 && c.T.OID != types.OIDInt4:
					in.Cols[c.Index].AppendNull()
				case nulls && i%9 == c.Index:
					in.Cols[c.Index].AppendNull()
				case c.T.OID == types.OIDInt8:
					in.Cols[c.Index].Append(types.IntDatum(values[i%len(values)]))
				default:
					in.Cols[c.Index].Append(types.IntDatum(int64(i)))
				}
			}
		}
		for _, op := range []string{"<", "<=", ">", ">=", "=", "<>"} {
			for _, limit := range []string{"42", "9223372036854775807", "-9223372036854775807", "0"} {
				for _, then := range []string{"i4 else 7", "7 else i4", "i8 else i4", "1 else 2", "null else i4"} {
					plain := fmt.Sprintf("case when i8 %s %s then %s end", op, limit, then)
					other := fmt.Sprintf("case when (i8 %s %s) and true = (i4 = i4 or i4 is null) then %s end", op, limit, then)
					a, b := evalAll(t, plain, in), evalAll(t, other, in)
					if a != b {
						t.Errorf("%s:\n%s, want\n%s", plain, a, b)
					}
				}
			}
		}
	}
}

func evalAll(t *testing.T, s string, in *column.Batch) string {
	t.Helper()
	e, err := parseExpr(s, testColumns)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	ev, err := Compile(Fold(e))
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	c, err := ev.Eval(testEnv, in, nil)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	var out []string
	for i := range in.N {
		if c.Null(i) {
			out = append(out, "null")
		} else {
			out = append(out, strconv.FormatInt(c.Ints[c.At(i)], 10))
		}
	}
	return strings.Join(out, " ")
}
