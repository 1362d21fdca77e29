package source

// Times returns, by split ID, the greatest event time of the rows handed out:
// with Positions it is what a restart needs, so that late rows stay late.
func (in *Input) Times() map[string]int64 {
	out := make(map[string]int64, len(in.order))
	for _, s := range in.order {
		if s.seen {
			out[s.split.ID] = s.max
		}
	}
	for id, t := range in.times {
		if s := in.splits[id]; s == nil || !s.seen {
			out[id] = t // nothing came from it yet
		}
	}
	return out
}

// RestoreTimes takes over what Times returned before a restart. Call it before
// Open.
func (in *Input) RestoreTimes(times map[string]int64) { in.times = times }
