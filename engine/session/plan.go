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
		o.Shards = s.e.Shards
	}
	return optimizer.Lower(optimizer.Optimize(p, optimizer.Context{Continuous: o.Continuous}), o)
}

func lower(s string) string { return strings.ToLower(s) }
