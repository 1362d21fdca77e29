package roofline

import (
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	tr := &Trades{Symbols: NewDictionary()}
	line := ` {"id":1, "symbol":"ABC","price":12.5,"qty":-3,"ord":7,"account":9,"ts":"2026-03-01T01:02:03.000004Z","x":true} `
	if err := tr.Decode([]byte(line), Symbol|Price|Qty|Order|Account|Time); err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 3, 1, 1, 2, 3, 4000, time.UTC).UnixMicro()
	if tr.Price[0] != 1250 || tr.Qty[0] != -3 || tr.Order[0] != 7 || tr.Account[0] != 9 || tr.Time[0] != want || string(tr.Symbols.Names[0]) != "ABC" {
		t.Fatalf("%+v", tr)
	}
	for _, bad := range []string{"", "[]", `{"qty":x}`, `{"qty":1`, `{"price":1.234}`} {
		if tr.Decode([]byte(bad), Price|Qty) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestGroups(t *testing.T) {
	g := NewGroups(1)
	for i := range int64(10_000) {
		g.At(i%5000*3).Count++
	}
	if g.Len() != 5000 || g.At(3*4999).Count != 2 {
		t.Fatal(g.Len())
	}
	if n := len(g.Changes(nil)); n != 5000*56 {
		t.Fatal(n)
	}
}
