package parser

import (
	"context"
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"velostream/engine/sql/ast"
)

// TestPrecedence writes random expressions without parentheses, has us put
// in all that our tree means, and asks PostgreSQL whether both texts mean the
// same: same plan, or same complaint about types.
func TestPrecedence(t *testing.T) {
	if *postgresDSN == "" {
		t.Skip("needs -postgres")
	}
	ctx := t.Context()
	conn, err := pgconn.Connect(ctx, *postgresDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rnd := rand.New(rand.NewSource(*seed))
	accepted := 0
	for range *mutations {
		text := flatExpr(rnd)
		x, err := ParseExpr(text)
		if err != nil {
			continue // TestMutations compares refusals
		}
		accepted++
		plain, full := meaning(ctx, conn, text), meaning(ctx, conn, fullParens(x))
		if plain != full {
			t.Errorf("%s\nas we read it %s\n got %s\nwant %s", text, fullParens(x), full, plain)
		}
		if minimal := meaning(ctx, conn, ast.String(x)); plain != minimal {
			t.Errorf("%s\nprinted %s\n got %s\nwant %s", text, ast.String(x), minimal, plain)
		}
	}
	t.Logf("%d expressions", accepted)
}

// meaning is PostgreSQL's plan for an expression, or its complaint without
// the position.
func meaning(ctx context.Context, conn *pgconn.PgConn, expr string) string {
	sql := "EXPLAIN (VERBOSE, COSTS off) SELECT " + expr +
		" FROM (SELECT oid::int AS i, relname::text AS s, relhasindex AS b, now() AS ts FROM pg_class) x"
	res, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok {
			return e.Code + " " + e.Message
		}
		return err.Error()
	}
	var b strings.Builder
	for _, row := range res[0].Rows {
		b.Write(row[0])
		b.WriteByte('\n')
	}
	return b.String()
}

// flatExpr is a chain of operands and operators.
func flatExpr(rnd *rand.Rand) string {
	pick := func(s ...string) string { return s[rnd.Intn(len(s))] }
	var b strings.Builder
	for n := 2 + rnd.Intn(4); n > 0; n-- {
		b.WriteString(pick("", "", "", "", "- ", "NOT ", "@ ", "~ ", "+ "))
		b.WriteString(pick("i", "i", "s", "b", "1", "2.5", "'x'", "NULL", "ts", "true"))
		b.WriteString(pick("", "", "", "", "::text", "::int", " IS NULL", " IS NOT TRUE", ` COLLATE "C"`, " IN (1, 2)", " NOTNULL"))
		if n == 1 {
			break
		}
		b.WriteString(" " + pick("+", "-", "*", "/", "%", "^", "||", "|", "&", "#", "<<", "=", "<", "<>", ">=", "AND", "OR", "LIKE", "NOT LIKE",
			"SIMILAR TO", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "AT TIME ZONE", "~", "!~", "BETWEEN 1 AND", "NOT BETWEEN i AND",
			"OPERATOR(pg_catalog.+)", "= ANY (ARRAY[1]) AND", "LIKE 'a' ESCAPE") + " ")
	}
	return b.String()
}

// fullParens prints an expression with parentheses around every operator.
func fullParens(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Binary:
		op := x.Op.Symbol
		if x.Op.Schema != "" {
			op = "OPERATOR(" + x.Op.Schema + "." + op + ")"
		}
		return "(" + fullParens(x.L) + " " + op + " " + fullParens(x.R) + ")"
	case *ast.Unary:
		return "(" + x.Op.Symbol + " " + fullParens(x.X) + ")"
	case *ast.Logical:
		word := " AND "
		if x.Or {
			word = " OR "
		}
		parts := make([]string, len(x.Args))
		for i, a := range x.Args {
			parts[i] = fullParens(a)
		}
		return "(" + strings.Join(parts, word) + ")"
	case *ast.Not:
		return "(NOT " + fullParens(x.X) + ")"
	case *ast.Cast:
		return "(" + fullParens(x.X) + "::" + x.Type.String() + ")"
	case *ast.Collate:
		return "(" + fullParens(x.X) + ` COLLATE "C")`
	case *ast.FuncCall:
		if x.Form == ast.FormAtTimeZone {
			return "(" + fullParens(x.Args[1]) + " AT TIME ZONE " + fullParens(x.Args[0]) + ")"
		}
	}
	return predicateParens(x)
}

func predicateParens(x ast.Expr) string {
	not := func(n bool) string {
		if n {
			return " NOT"
		}
		return ""
	}
	switch x := x.(type) {
	case *ast.Is:
		return "(" + fullParens(x.X) + " IS" + not(x.Not) + " " + string(x.Test) + ")"
	case *ast.Distinct:
		return "(" + fullParens(x.L) + " IS" + not(x.Not) + " DISTINCT FROM " + fullParens(x.R) + ")"
	case *ast.Between:
		return "(" + fullParens(x.X) + not(x.Not) + " BETWEEN " + fullParens(x.Lo) + " AND " + fullParens(x.Hi) + ")"
	case *ast.Like:
		s := "(" + fullParens(x.X) + not(x.Not) + " " + string(x.Kind) + " " + fullParens(x.Pattern)
		if x.Escape != nil {
			s += " ESCAPE " + fullParens(x.Escape)
		}
		return s + ")"
	case *ast.In:
		return "(" + fullParens(x.X) + not(x.Not) + " IN (1, 2))"
	case *ast.Quantified:
		return "(" + fullParens(x.X) + " " + x.Op.Symbol + " ANY (ARRAY[1]))"
	}
	return ast.String(x)
}
