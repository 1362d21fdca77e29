package binder_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/binder"
	"velostream/engine/sql/internal/sqltest"
	"velostream/pgwire/pgerror"
)

// TestParams: the types that parameters get from where they stand.
func TestParams(t *testing.T) {
	const file = "testdata/params.txt"
	snap := sqltest.Snapshot(t, sqltest.Schema)
	cases := sqltest.ReadCases(t, file)
	var pg *pgx.Conn
	if *rewrite {
		pg = postgres(t)
	}
	for _, c := range cases {
		got := paramTypes(snap, c.SQL)
		if *rewrite {
			c.Want = got
			if c.Has("postgres") {
				c.Want = postgresParams(pg, c.SQL)
			}
		}
		if got != c.Want {
			t.Errorf("%s:%d: %s\ngot:  %swant: %s", file, c.Line, c.SQL, got, c.Want)
		}
	}
	if *rewrite {
		sqltest.WriteCases(t, file, cases)
	}
}

func typeList(oids []types.OID) string {
	out := make([]string, len(oids))
	for i, o := range oids {
		out[i] = types.Type{OID: o, Mod: -1}.String()
	}
	return strings.Join(out, ", ") + "\n"
}

func paramTypes(snap *catalog.Snapshot, sql string) string {
	r, err := bindAny(binder.Options{Snapshot: snap, SQL: sql}, sql)
	if err != nil {
		e := pgerror.From(err)
		return describe(e.Code, e.Position, e.Message)
	}
	switch r := r.(type) {
	case *binder.Result:
		return typeList(r.Params)
	case *binder.Insert:
		return typeList(r.Params)
	case *binder.Update:
		return typeList(r.Params)
	case *binder.Delete:
		return typeList(r.Params)
	}
	return "?\n"
}

func postgresParams(c *pgx.Conn, sql string) string {
	d, err := c.Prepare(context.Background(), "", sql)
	if err != nil {
		return postgresError(c, sql)
	}
	oids := make([]types.OID, len(d.ParamOIDs))
	for i, o := range d.ParamOIDs {
		oids[i] = types.OID(o)
	}
	return typeList(oids)
}

// TestDeclaredParams: a type the client declares is not inferred again.
func TestDeclaredParams(t *testing.T) {
	snap := sqltest.Snapshot(t, sqltest.Schema)
	sql := "SELECT id FROM accounts WHERE id = $1 AND owner = $2 AND balance > $3"
	r, err := bindAny(binder.Options{Snapshot: snap, SQL: sql, Params: []types.OID{types.OIDInt4, 0, types.OIDFloat8}}, sql)
	if err != nil {
		t.Fatal(err)
	}
	if got := typeList(r.(*binder.Result).Params); got != "integer, text, double precision\n" {
		t.Error(got)
	}
}
