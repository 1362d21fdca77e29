package table

// Limits makes loads hold less in memory: see limits.
func (db *DB) Limits(buffer, small, log, runs int) { db.limits = limits{buffer, small, log, runs} }

// RelaxedMax is how many commits in a row may be lost.
const RelaxedMax = relaxedMax
