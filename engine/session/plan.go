package session

import (
	"strings"

	"velostream/engine/sql/optimizer"
	"velostream/engine/sql/plan"
	"velostream/pgwire/pgerror"
)

// lower optimizes a bound query and chooses its operators.
func (s *Session) lower(p plan.Logical, o optimizer.LowerOptions) (*plan.Physical, []*pgerror.Error, error) {
	o.Shards = 1
	if o.Continuous {
		// Two at least, so that a stored plan has its exchanges and is right with
		// any number of shards.
		o.Shards = max(s.e.Shards, 2)
	}
	return optimizer.Lower(optimizer.Optimize(p, optimizer.Context{Continuous: o.Continuous}), o)
}

func lower(s string) string { return strings.ToLower(s) }
