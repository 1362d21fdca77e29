package types

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// randomCases writes random values in every style and zone; the value is
// given to PostgreSQL in a form that needs no parsing of ours.
func randomCases(seed uint64, n int) []pgCase {
	var cases []pgCase
	r := rand.New(rand.NewPCG(seed, 3))
	add := func(typ, value, sql, set string) {
		cases = append(cases, pgCase{fields: []string{typ, value, set}, sql: "SELECT " + sql, set: set})
	}
	zones := []string{"UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca"}
	layouts := []string{"ISO, MDY", "SQL, DMY", "Postgres, MDY", "German, DMY"}
	for i := range n {
		v := minTimestamp + r.Int64N(endTimestamp/8-minTimestamp)
		if i%2 == 0 {
			v = r.Int64N(4e15) - 3e15 // 1905 to 2031
		}
		if i%3 == 0 {
			v = v / MicrosPerSecond * MicrosPerSecond
		}
		set := "timezone=" + zones[r.IntN(len(zones))] + ";DateStyle=" + layouts[r.IntN(len(layouts))]
		text := string(AppendTimestamp(nil, v))
		add("timestamptz", text+"+00", "timestamptz '"+text+"+00'", set)
		add("timestamp", text, "timestamp '"+text+"'", set)
		add("local", text, "timestamp '"+text+"'::timestamptz", set)
	}
	for range n {
		bits := r.Uint64()
		f := math.Float64frombits(bits)
		if r.IntN(2) == 0 {
			f = float64(r.Int64N(1<<60)) * math.Pow(10, float64(r.IntN(24)))
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		text := fmt.Sprintf("%.17e", f)
		for _, digits := range []string{"1", "0", "-7"} {
			add("float8", text, "float8 '"+text+"'", "extra_float_digits="+digits)
		}
		g := math.Float32frombits(uint32(bits))
		if g == 0 || g != g || math.IsInf(float64(g), 0) {
			continue
		}
		text = fmt.Sprintf("%.9e", g)
		for _, digits := range []string{"1", "0"} {
			add("float4", text, "float4 '"+text+"'", "extra_float_digits="+digits)
		}
	}
	styles := []string{"postgres", "postgres_verbose", "sql_standard", "iso_8601"}
	for range n {
		part := func(limit int64) int64 {
			if r.IntN(3) == 0 {
				return 0
			}
			return r.Int64N(2*limit) - limit
		}
		m, d, us := part(500), part(400), part(3e11)
		text := fmt.Sprintf("%d mons %d days %d us", m, d, us)
		add("interval", text, "interval '"+text+"'", "IntervalStyle="+styles[r.IntN(4)])
		add("numeric", randomNumeric(r, 30, 20), "", "")
		c := &cases[len(cases)-1]
		c.sql = "SELECT numeric '" + c.fields[1] + "'"
	}
	return cases
}

func runRandom(t *testing.T, c pgCase) (string, error) {
	f := formatOf(c.set)
	name, local := c.fields[0], false
	if name == "local" {
		name, local = "timestamp", true
	}
	in := c.fields[1]
	typ := parseTypeName(t, name)
	parse := *f
	if strings.HasPrefix(name, "timestamp") {
		parse.DateStyle = "" // an ISO literal has one reading
	}
	if name == "interval" {
		parse.IntervalStyle = f.IntervalStyle
	}
	d, err := DecodeText(typ, []byte(in), &parse)
	if err != nil {
		return "", err
	}
	if local {
		if d, err = CastDatum(Timestamp, Timestamptz, d, f); err != nil {
			return "", err
		}
		typ = Timestamptz
	}
	text := AppendText(nil, typ, d, f)
	if back, err := DecodeText(typ, text, f); err != nil && !strings.Contains(c.set, "timezone") {
		t.Errorf("%s: written as %q: %v", c.key(), text, err)
	} else if err == nil && typ.OID == OIDInterval && back.Iv != d.Iv {
		t.Errorf("%s: %q is read as %+v", c.key(), text, back.Iv)
	}
	return both(typ, d, f), nil
}

func TestPostgresRandom(t *testing.T) {
	checkPostgres(t, "random.txt", randomCases(1, 150), func(c pgCase) (string, error) { return runRandom(t, c) })
}
