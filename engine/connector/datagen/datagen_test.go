package datagen

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"testing"
	"time"

	"velostream/engine/connector"
	"velostream/engine/connector/connectortest"
	"velostream/engine/option"
)

func open(t *testing.T, kv ...string) connector.Source {
	t.Helper()
	var given []option.Given
	for i := 0; i < len(kv); i += 2 {
		given = append(given, option.Given{Name: kv[i], Value: kv[i+1]})
	}
	c := Connector()
	o, err := option.Parse(given, nil, c.SourceOptions)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSource(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	connectortest.Bounded(t, open(t, "profile", "trades", "rows", "2001", "splits", "2", "rows.per.second", "0", "start", "2025-01-31T00:00:00Z"))
	connectortest.Bounded(t, open(t, "fields.a.kind", "sequence", "rows", "3", "rows.per.second", "1000"))
}

func TestFields(t *testing.T) {
	s := open(t, "rows", "50", "rows.per.second", "0", "fields.id.kind", "sequence", "fields.n.kind", "random", "fields.n.min", "-5", "fields.n.max", "5",
		"fields.p.kind", "decimal", "fields.p.min", "-1.5", "fields.p.max", "1.5", "fields.s.kind", "string", "fields.s.length", "20", "fields.c.kind", "choice", "fields.c.values", "x, y",
		"fields.t.kind", "timestamp", "fields.t.max_past", "5s", "fields.u.kind", "uuid", "fields.b.kind", "bool")
	for i, rec := range all(t, s) {
		var v struct {
			ID   int
			N    int
			P    json.Number
			S, C string
			T    time.Time
			U    string
			B    bool
		}
		if err := json.Unmarshal(rec.Value, &v); err != nil {
			t.Fatal(err, string(rec.Value))
		}
		if v.ID != i+1 || v.N < -5 || v.N > 5 || len(v.S) != 20 || v.C != "x" && v.C != "y" ||
			!regexp.MustCompile(`^-?[01]\.\d\d$`).MatchString(v.P.String()) || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(v.U) {
			t.Fatalf("%s", rec.Value)
		}
	}
}

func all(t *testing.T, s connector.Source) (out []connector.Record) {
	t.Helper()
	splits, _ := s.Splits(t.Context())
	var starts []connector.Start
	for _, sp := range splits {
		starts = append(starts, connector.Start{Split: sp, Position: connector.Unset})
	}
	r, err := s.Open(t.Context(), starts)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var c connector.Chunk
		err := r.Read(t.Context(), &c)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c.Records...)
	}
}

func TestTrades(t *testing.T) {
	late, symbols := 0, map[string]int{}
	var top time.Time
	for _, rec := range all(t, open(t, "profile", "trades", "rows", "20000", "rows.per.second", "0", "start", "2020-01-01T00:00:00Z")) {
		var v struct {
			Symbol string
			Price  json.Number
			Time   time.Time `json:"event_time"`
		}
		if err := json.Unmarshal(rec.Value, &v); err != nil {
			t.Fatal(err, string(rec.Value))
		}
		if v.Symbol != string(rec.Key) {
			t.Fatal(v.Symbol, string(rec.Key))
		}
		symbols[v.Symbol]++
		behind := time.UnixMicro(rec.Timestamp).Sub(v.Time)
		if behind > 3001*time.Millisecond {
			late++
		}
		if behind < 0 || behind > 61*time.Second {
			t.Fatal(behind)
		}
		if v.Time.After(top) {
			top = v.Time
		}
	}
	if late < 10 || late > 100 || len(symbols) != 20 || symbols["AAPL"] < 2*symbols["ORCL"] {
		t.Error(late, symbols)
	}
}

func TestRate(t *testing.T) {
	s := open(t, "profile", "trades", "rows.per.second", "1000")
	splits, _ := s.Splits(t.Context())
	r, _ := s.Open(t.Context(), []connector.Start{{Split: splits[0], Position: 100}})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	n := 0
	for {
		var c connector.Chunk
		if err := r.Read(ctx, &c); err != nil {
			break
		}
		n += len(c.Records)
	}
	if n < 20 || n > 260 {
		t.Error(n)
	}
}
