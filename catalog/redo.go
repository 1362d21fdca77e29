package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Redo is a change of the catalog as it is kept with the rows of the transaction
// that made it, until the catalog's own store has it.
type Redo struct {
	Base    uint64            `json:"base"` // the version it is made on
	Records []json.RawMessage `json:"records"`
}

func newRedo(base uint64, records [][]byte) *Redo {
	r := &Redo{Base: base}
	for _, b := range records {
		r.Records = append(r.Records, b)
	}
	return r
}

func (r *Redo) encode() ([]byte, error) { return json.Marshal(r) }

func (r *Redo) bytes() [][]byte {
	out := make([][]byte, len(r.Records))
	for i, b := range r.Records {
		out[i] = b
	}
	return out
}

func decodeRedo(b []byte) (*Redo, error) {
	r := &Redo{}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("catalog: redo record: %w", err)
	}
	return r, nil
}

// firstPrivate is the first version of snapshots that only a transaction sees:
// they share no number with stored ones.
const firstPrivate = 1 << 62

// Private returns the snapshot after changes as only the transaction that makes
// them sees it: its version is like no other's.
func (s *Snapshot) Private(changes ...Change) (*Snapshot, error) {
	n, err := s.With(changes...)
	if err == nil {
		n.Version = firstPrivate + s.ids.private.Add(1)
	}
	return n, err
}
