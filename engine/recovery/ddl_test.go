package recovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"velostream/storage/state"
)

// object is a relation that may come and go.
type object struct {
	name, create, drop string
	query              string // what a view shows, "": a table
	over               *object
	is                 presence
}

// presence is what is known of an object.
type presence int

const (
	absent presence = iota
	present
	unknown // a statement was cut off
)

// definitions is a table with rows, and objects over it that are created and
// dropped.
type definitions struct {
	r       *rand.Rand
	objects []*object
	rows    int // of the table, as acknowledged
	doubt   int // rows of the INSERT that was cut off
}

const definitionRows = 6000

func newDefinitions(seed uint64) *definitions {
	d := &definitions{r: rand.New(rand.NewPCG(seed, 7))}
	view := func(name, query string, over *object) *object {
		o := &object{
			name: name, query: query, over: over,
			create: "CREATE MATERIALIZED VIEW " + name + " AS " + query, drop: "DROP MATERIALIZED VIEW " + name,
		}
		d.objects = append(d.objects, o)
		return o
	}
	a := view("va", "SELECT k, count(*) AS n, sum(v) AS s, max(id) AS hi FROM base GROUP BY k", nil)
	view("vb", "SELECT n, count(*) AS c FROM va GROUP BY n", a)
	view("vc", "SELECT id, v FROM base WHERE v > 500", nil)
	view("vd", "SELECT b.id, a.n FROM base b JOIN va a ON b.k = a.k WHERE b.v < 50", a)
	for _, n := range []string{"ta", "tb"} {
		d.objects = append(d.objects, &object{
			name: n, create: "CREATE TABLE " + n + " (id int PRIMARY KEY, x text NOT NULL)", drop: "DROP TABLE " + n,
		})
	}
	return d
}

func (d *definitions) insert(ctx context.Context, c *pgx.Conn, n int) error {
	var b strings.Builder
	b.WriteString("INSERT INTO base VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "(%d,%d,%d)", d.rows+i, d.r.IntN(40), d.r.IntN(1000))
	}
	_, err := c.Exec(ctx, b.String())
	switch {
	case err == nil:
		d.rows += n
	case lost(err):
		d.doubt = n
	}
	return err
}

// step runs one statement; what it was is in the ledger.
func (d *definitions) step(ctx context.Context, c *pgx.Conn) error {
	if d.r.IntN(6) == 0 {
		return d.insert(ctx, c, 1+d.r.IntN(20))
	}
	o := d.objects[d.r.IntN(len(d.objects))]
	sql, to := o.create, present
	if o.is == present {
		sql, to = o.drop, absent
		if slices.ContainsFunc(d.objects, func(x *object) bool { return x.over == o && x.is == present }) {
			return nil
		}
	} else if o.over != nil && o.over.is != present {
		return nil
	}
	_, err := c.Exec(ctx, sql)
	switch {
	case err == nil:
		o.is = to
	case lost(err):
		o.is = unknown
	default:
		return fmt.Errorf("%s: %w", sql, err)
	}
	return err
}

// check compares what is there with what was acknowledged.
func (d *definitions) check(ctx context.Context, t *testing.T, c *pgx.Conn) {
	t.Helper()
	var n int
	if err := c.QueryRow(ctx, "SELECT count(*) FROM base", pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != d.rows && n != d.rows+d.doubt {
		t.Fatalf("base has %d rows, %d were acknowledged, %d more were cut off", n, d.rows, d.doubt)
	}
	d.rows, d.doubt = n, 0
	for _, o := range d.objects {
		_, err := lines(ctx, c, "SELECT * FROM "+o.name+" LIMIT 1")
		there := err == nil
		if err != nil && !strings.Contains(err.Error(), "42P01") {
			t.Fatal(err)
		}
		if o.is == present && !there || o.is == absent && there {
			t.Fatalf("%s is there: %v, acknowledged: %v", o.name, there, o.is == present)
		}
		o.is = absent
		if !there {
			continue
		}
		o.is = present
		if o.query != "" {
			equal(ctx, t, c, "SELECT * FROM "+o.name, o.query)
			continue
		}
		for _, sql := range []string{"DELETE FROM " + o.name, "INSERT INTO " + o.name + " VALUES (1, 'x')"} {
			if _, err := c.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
}

// TestKillDefining kills the server while objects are created, filled and
// dropped. Each is there as a whole or not at all, and nothing is left of those
// that are gone.
func TestKillDefining(t *testing.T) {
	s := seed(t)
	d := newDefinitions(s)
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	p.start()
	c := p.mustConnect(ctx)
	if _, err := c.Exec(ctx, "CREATE TABLE base (id int PRIMARY KEY, k int, v int)"); err != nil {
		t.Fatal(err)
	}
	for d.rows < definitionRows {
		if err := d.insert(ctx, c, 1500); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close(ctx)
	p.kill()
	p.killWhile(ctx, t, d.r, 150*time.Millisecond, d.check, d.step)
	p.start()
	c = p.mustConnect(ctx)
	d.check(ctx, t, c)
	for _, o := range slices.Backward(d.objects) {
		if o.is == present {
			if _, err := c.Exec(ctx, o.drop); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.Close(ctx)
	p.terminate() // perhaps before the last state is deleted: then the next start does it
	p.start()
	p.terminate()
	nothingLeft(t, p.dir)
}

// nothingLeft checks that no job has state any more.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	s, err := state.OpenPebble(filepath.Join(dir, "state"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	n := 0
	for e, err := range s.Scan(nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n < 5 {
			t.Errorf("state of a dropped job: %x", e.Key)
		}
	}
	if n > 0 {
		t.Errorf("%d entries are left", n)
	}
}
