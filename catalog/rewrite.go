package catalog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"velostream/catalog/auth"
)

// Rewriter is a Store that can replace all its records by others that say the
// same, as one change.
type Rewriter interface {
	Rewrite(ctx context.Context, base uint64, records [][]byte) (uint64, error)
}

// Records are rewritten when a catalog is opened with more than rewriteMin of
// them, of which most are about what has changed since or is gone.
const (
	rewriteMin   = 1024
	rewriteTimes = 4
	// rewriteBytesMax is what a store surely takes as one change.
	rewriteBytesMax = 64 << 20
)

// rewrite makes the store hold s alone, where that is much less than the n
// records it has. It returns the version of the store.
func rewrite(ctx context.Context, store Store, s *Snapshot, n int) (uint64, error) {
	w, ok := store.(Rewriter)
	if !ok || n < rewriteMin {
		return s.Version, nil
	}
	records, err := encodeAll(s.changes())
	if err != nil || n < rewriteTimes*len(records) || size(records) > rewriteBytesMax {
		return s.Version, err
	}
	// What is about to replace everything must say the same.
	again := emptySnapshot()
	for _, c := range s.changes() {
		if err := again.change(c); err != nil {
			return 0, fmt.Errorf("catalog: rewriting: %w", err)
		}
	}
	repeated, err := encodeAll(again.changes())
	if err != nil || !slices.EqualFunc(records, repeated, bytes.Equal) {
		return s.Version, err
	}
	return w.Rewrite(ctx, s.Version, records)
}

func size(records [][]byte) int {
	n := 0
	for _, r := range records {
		n += len(r)
	}
	return n
}

func encodeAll(changes []Change) ([][]byte, error) {
	out := make([][]byte, len(changes))
	for i, c := range changes {
		var err error
		if out[i], err = encodeChange(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// changes are those that make s from nothing.
func (s *Snapshot) changes() []Change {
	out := []Change{{NextID: s.ids.next.Load()}}
	if !s.schemas[DefaultSchema] {
		out = append(out, Change{DropSchema: DefaultSchema})
	}
	for _, name := range s.Schemas() {
		if name != DefaultSchema {
			out = append(out, Change{CreateSchema: name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.comments)) {
		out = append(out, Change{CommentSchema: []string{name, s.comments[name]}})
	}
	for _, name := range slices.Sorted(maps.Keys(auth.Predefined())) {
		if s.roles[name] == nil {
			out = append(out, Change{DropRole: name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.roles)) {
		out = append(out, Change{PutRole: s.roles[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(s.rights)) {
		r := s.rights[name]
		out = append(out, Change{PutRights: &r})
	}
	for _, d := range s.defaults {
		out = append(out, Change{PutDefaults: &d})
	}
	for _, t := range s.UserTypes("") {
		out = append(out, Change{PutType: t})
	}
	for _, f := range s.Functions("", "") {
		out = append(out, Change{PutFunction: f})
	}
	for _, r := range sortedRelations(s.byID) {
		out = append(out, Change{Put: r})
	}
	return append(out, s.statisticsChanges()...)
}
