package blackhole

import (
	"testing"

	"velostream/engine/connector"
	"velostream/engine/option"
)

func TestSink(t *testing.T) {
	c, err := connector.NewRegistry(Connector()).Find("blackhole")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSink(option.Options{}, "j")
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), []connector.Record{{Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
