package main

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of the machine's, or the container's, memory the
// process takes at most when nothing is set. The rest is for the page cache
// and for what lives outside Go's heap.
const memoryShare = 0.8

// limitMemory makes the runtime collect garbage rather than grow beyond limit
// bytes, and returns the limit in force. limit 0 is GOMEMLIMIT or, without it,
// a share of what there is; where that cannot be found out there is no limit,
// and the result is 0.
func limitMemory(ctx context.Context, limit int64, log *slog.Logger) int64 {
	if limit > 0 {
		debug.SetMemoryLimit(limit)
		return limit
	}
	set, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)), memlimit.WithRatio(memoryShare))
	if err != nil {
		log.WarnContext(ctx, "the memory of this machine is not known: set memory_limit", "err", err)
		return 0
	}
	if set == math.MaxInt64 {
		return 0
	}
	log.InfoContext(ctx, "memory limit", "bytes", set)
	return set
}
