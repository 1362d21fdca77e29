package binder

// orderedSets are the aggregates that take WITHIN GROUP.
var orderedSets = map[string]struct{}{
	"percentile_cont": {}, "percentile_disc": {}, "mode": {},
}
