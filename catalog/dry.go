package catalog

import "context"

// Dry returns a catalog that begins with s and stores its changes nowhere.
func Dry(s *Snapshot) *Catalog {
	if s == nil {
		s = emptySnapshot()
	}
	own := *s
	own.ids = s.ids.clone()
	c := &Catalog{store: dryStore{}, watch: map[int]chan struct{}{}}
	c.current.Store(&own)
	return c
}

type dryStore struct{}

func (dryStore) Load(context.Context) (uint64, [][]byte, error) { return 0, nil, nil }

func (dryStore) Append(_ context.Context, base uint64, _ [][]byte) (uint64, error) {
	return base + 1, nil
}
