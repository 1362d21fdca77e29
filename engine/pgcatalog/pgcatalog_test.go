package pgcatalog

import (
	"strings"
	"testing"

	"velostream/catalog"
	"velostream/catalog/types"
)

func testCatalog(t *testing.T) *Catalog {
	t.Helper()
	snap := catalog.Dry(nil).Snapshot()
	return New(Source{
		Snapshot: snap, Database: "velostream", User: superuser, SearchPath: []string{"public"},
		Functions: func() []Function {
			return []Function{
				{Name: "abs", Args: []types.OID{types.OIDInt4}, Ret: types.OIDInt4, Kind: 'f', Strict: true, Volatility: 'i'},
				{Name: "=", Args: []types.OID{types.OIDInt4, types.OIDInt4}, Ret: types.OIDBool, Kind: 'o', Volatility: 'i'},
			}
		},
	})
}

// TestScan reads all columns of all relations: sources name columns that
// exist, rows have as many values as were named, OIDs occur once.
func TestScan(t *testing.T) {
	c := testCatalog(t)
	for _, r := range system().all {
		wanted := make([]int, len(r.rel.Columns))
		for i := range wanted {
			wanted[i] = i
		}
		oid := r.rel.ColumnIndex("oid")
		seen := map[int64]bool{}
		for b, err := range c.Scan(r.rel.ID, wanted) {
			if err != nil {
				t.Fatalf("%s: %v", r.rel.Name, err)
			}
			for i := range b.N {
				for j, col := range b.Cols {
					if col.Null(i) && r.rel.Columns[j].NotNull {
						t.Errorf("%s.%s is NULL in row %d", r.rel.Name, r.rel.Columns[j].Name, i)
					}
				}
				if oid >= 0 {
					v := b.Cols[oid].Ints[i]
					if seen[v] {
						t.Errorf("%s: OID %d occurs twice", r.rel.Name, v)
					}
					seen[v] = true
				}
			}
		}
	}
}

// TestColumns: the columns that sources name exist.
func TestColumns(t *testing.T) {
	for name, s := range sources() {
		i, ok := system().byName[name]
		if !ok {
			t.Errorf("source of %s, which does not exist", name)
			continue
		}
		for col := range strings.FieldsSeq(s.columns) {
			if i.ColumnIndex(col) < 0 {
				t.Errorf("%s has no column %s", name, col)
			}
		}
	}
}

// TestStatic: all cells of static.txt can be read, in full rows.
func TestStatic(t *testing.T) {
	for name, rows := range staticRows() {
		cols := columnsOf(relationOf(name))
		for n, row := range rows {
			if len(row) != len(cols) {
				t.Errorf("%s row %d has %d cells, not %d", name, n, len(row), len(cols))
				continue
			}
			for i, cell := range row {
				if cell == nil {
					continue
				}
				if _, err := types.DecodeText(cols[i].Type, []byte(*cell), nil); err != nil {
					t.Errorf("%s row %d, %s: %v", name, n, cols[i].Name, err)
				}
			}
		}
	}
}

// TestTypes: every type that columns can have is in pg_type, as types has it.
func TestTypes(t *testing.T) {
	rows := map[types.OID][]*string{}
	for _, r := range staticRows()["pg_type"] {
		rows[types.OID(number(*r[0]))] = r
	}
	for _, i := range types.Builtins() {
		r, ok := rows[i.OID]
		switch {
		case !ok:
			t.Errorf("pg_type has no %s (%d)", i.Name, i.OID)
		case *r[1] != i.Name || *r[4] != itoa(i.Len) || !i.Pseudo && *r[7] != string(i.Category):
			t.Errorf("pg_type of %s: %s, length %s, category %s", i.Name, *r[1], *r[4], *r[7])
		}
	}
}

// TestNames: names of objects lead back to them.
func TestNames(t *testing.T) {
	c := testCatalog(t)
	for _, n := range []struct {
		kind types.OID
		name string
		oid  uint32
	}{
		{types.OIDRegclass, "pg_class", 1259},
		{types.OIDRegclass, "information_schema.tables", Relation("information_schema", "tables").ID},
		{types.OIDRegtype, "integer", 23},
		{types.OIDRegtype, "timestamp with time zone[]", 1185},
		{types.OIDRegproc, "abs", 1397},
		{types.OIDRegprocedure, "abs(integer)", 1397},
		{types.OIDRegnamespace, "pg_catalog", 11},
		{types.OIDRegrole, "velo", 10},
		{types.OIDRegoperator, "=(integer,integer)", 96},
		{types.OIDRegcollation, `"C"`, 950},
	} {
		if got := c.Name(n.kind, n.oid); got != n.name {
			t.Errorf("name of %d: %q, want %q", n.oid, got, n.name)
		}
		if got, err := c.Number(n.kind, n.name); err != nil || got != n.oid {
			t.Errorf("%q is %d (%v), want %d", n.name, got, err, n.oid)
		}
	}
	for text, want := range map[string][]string{`a.b`: {"a", "b"}, `"A b".C`: {"A b", "c"}, `"x""y"`: {`x"y`}} {
		got, err := splitName(text)
		if err != nil || len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "a.", `"a`, `"a"b`} {
		if got, err := splitName(text); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

// FuzzNames: no text breaks the reading of names.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"a.b", `"a""b".c`, "int4[]", "abs(int4, text)", "-", "12"} {
		f.Add(s)
	}
	snap, err := catalog.Dry(nil).Snapshot().With()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		c := New(Source{Snapshot: snap, SearchPath: []string{"public"}})
		for _, k := range []types.OID{types.OIDRegclass, types.OIDRegtype, types.OIDRegproc, types.OIDRegprocedure, types.OIDRegoperator} {
			if oid, err := c.Number(k, s); err == nil {
				c.Name(k, oid)
			}
		}
	})
}
