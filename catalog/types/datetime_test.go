package types

import (
	"encoding/json"
	"testing"
	"time"
)

func TestNow(t *testing.T) {
	berlin, ok := FindZone("europe/berlin")
	if !ok || berlin.String() != "Europe/Berlin" {
		t.Fatal(berlin)
	}
	f := &Format{Location: berlin, Now: func() time.Time { return time.Date(2026, 3, 1, 23, 30, 15, 250_000_000, time.UTC) }}
	for _, c := range []struct{ typ, in, want string }{
		{"timestamptz", "now", "2026-03-02 00:30:15.25+01"},
		{"timestamp", "now", "2026-03-02 00:30:15.25"},
		{"date", "today", "2026-03-02"},
		{"date", "Tomorrow", "2026-03-03"},
		{"date", "yesterday", "2026-03-01"},
		{"timestamptz", "today 12:00", "2026-03-02 12:00:00+01"},
		{"timestamptz", "today", "2026-03-02 00:00:00+01"},
		{"timestamptz", "epoch", "1970-01-01 01:00:00+01"},
		{"time", "now", "00:30:15.25"},
	} {
		typ := parseTypeName(t, c.typ)
		d, err := DecodeText(typ, []byte(c.in), f)
		if got := string(AppendText(nil, typ, d, f)); err != nil || got != c.want {
			t.Errorf("%s %q: %s, %v; want %s", c.typ, c.in, got, err, c.want)
		}
	}
	if v := FromTime(f.Now()); !ToTime(v).Equal(f.Now()) {
		t.Errorf("%v becomes %v", f.Now(), ToTime(v))
	}
}

func TestFindZone(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, offset := range map[string]int{
		"UTC": 0, "utc": 0, "America/New_York": -4 * 3600, "EST": -5 * 3600, "cest": 2 * 3600, "Etc/GMT+5": -5 * 3600,
		"UTC+3": -3 * 3600, "<+02>-02": 2 * 3600, "PST8PDT": -7 * 3600, "Asia/Kolkata": 19800,
	} {
		loc, ok := FindZone(name)
		if !ok {
			t.Errorf("no zone %s", name)
			continue
		}
		if _, off := at.In(loc).Zone(); off != offset {
			t.Errorf("%s: %d, want %d", name, off, offset)
		}
	}
	for _, name := range []string{"", "Nowhere", "../etc/passwd", "UTC+", "UTC+99999", "+"} {
		if loc, ok := FindZone(name); ok {
			t.Errorf("%q is %s", name, loc)
		}
	}
	if s := FixedOffset(-19800).String(); s != "<-05:30>+05:30" {
		t.Error(s)
	}
}

func TestDatumJSON(t *testing.T) {
	d := Datum{List: []Datum{DecimalDatum(NewDecimal(150, 2)), {Dec: DecimalNaN}, NullDatum, {Iv: Interval{1, 2, 3}, B: []byte("x")}}}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back Datum
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(raw) {
		t.Errorf("%s becomes %s, %v", raw, again, err)
	}
}
