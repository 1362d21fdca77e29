package catalog

import (
	"bytes"
	"context"
	"errors"
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

// Records are rewritten when there are more than rewriteMin bytes of them, of which
// most are about what has changed since or is gone.
const (
	rewriteMin   = 256 << 10
	rewriteTimes = 4
	// rewriteBytesMax is what a store surely takes as one change.
	rewriteBytesMax = 192 << 20
)

// kept is what the store has: next is from how many bytes on it is worth while to look
// whether it has too much.
type kept struct{ bytes, next int }

func (k *kept) add(records [][]byte) { k.bytes += size(records) }

// due says that it is to be looked. What is looked at is all the catalog, so this
// comes once in several times its size.
func (k *kept) due() bool { return k.bytes >= max(k.next, rewriteMin) }

// shrink is rewrite while the server runs. A store that cannot be rewritten goes on
// as it is; REQUIRES: c.mu is held, and s is all that was stored.
func (c *Catalog) shrink(ctx context.Context, s *Snapshot) {
	if c.rewrite(ctx, s) != nil {
		c.kept.next = 2 * c.kept.bytes
	}
}

// rewrite makes the store hold s alone, where that is much less than what it has.
func (c *Catalog) rewrite(ctx context.Context, s *Snapshot) error {
	w, ok := c.store.(Rewriter)
	if !ok || !c.kept.due() {
		return nil
	}
	changes := s.permanent()
	records, err := encodeAll(changes)
	if err != nil {
		return err
	}
	live := size(records)
	c.kept.next = rewriteTimes * live
	if c.kept.bytes < c.kept.next {
		return nil
	}
	if live > rewriteBytesMax {
		return errors.New("catalog: rewriting: too much for one change")
	}
	// What is about to replace everything must say the same.
	again := emptySnapshot()
	for _, c := range changes {
		if err := again.change(c); err != nil {
			return fmt.Errorf("catalog: rewriting: %w", err)
		}
	}
	repeated, err := encodeAll(again.changes())
	if err != nil {
		return err
	}
	if !slices.EqualFunc(records, repeated, bytes.Equal) {
		return errors.New("catalog: rewriting: the definitions say something else when read again")
	}
	version, err := w.Rewrite(ctx, c.stored, records)
	if err != nil {
		return fmt.Errorf("catalog: rewriting: %w", err)
	}
	c.stored = version
	c.kept.bytes = live
	return nil
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
	for _, l := range s.settings {
		out = append(out, Change{PutSettings: &l})
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
