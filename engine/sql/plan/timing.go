package plan

// TimeBounds are those of an interval join: the right input's time less the left one's is
// at least Lo and at most Hi, in µs; the least and the greatest number are no bound.
type TimeBounds struct {
	Left  int   `json:"left"` // the time's column of the left input
	Right int   `json:"right"`
	Lo    int64 `json:"lo"`
	Hi    int64 `json:"hi"`
}

// Timing looks at an operator and those below: deferred when one of them emits
// only at the barrier, so that what a watermark is about may come after it; lateness is how
// far behind the watermark rows may be, because windows are kept open and rows of
// interval joins wait for each other.
func Timing(p *Physical) (deferred bool, lateness int64) {
	for _, in := range p.Inputs {
		d, l := Timing(in)
		deferred, lateness = deferred || d, max(lateness, l)
	}
	switch {
	case p.Op == OpOver && p.Emit == EmitFinal, p.Op == OpSession && p.Emit == EmitFinal:
		lateness += p.Lateness
	case p.Op == OpTopN, p.Op == OpClock, p.Op == OpEvery, p.Op == OpOver, p.Op == OpSession, p.Op == OpJoin && !p.AppendOnly, p.Op == OpLookupJoin:
		deferred = true
	case p.Op == OpExchange && !p.Inputs[0].AppendOnly:
		deferred = true // the runtime holds what may retract until the barrier
	case p.Op == OpAggregate:
		deferred = deferred || p.Emit != EmitFinal || p.Late == LateUpdate
		lateness += p.Lateness + p.Retention
	case p.Op == OpTemporalJoin:
		deferred = deferred || p.Temporal.Changes
	case p.Op == OpIntervalJoin:
		lateness += p.Lateness
	}
	return deferred, lateness
}

// Temporal says which rows of the right input a row of the left one meets: those there are
// when it comes (Arrival), else the newest of its keys at its time.
type Temporal struct {
	Arrival bool `json:"arrival,omitempty"`
	Left    int  `json:"left"`  // the time's column of the left input
	Right   int  `json:"right"` // and of the right one
	// Before: a row of the same time does not count.
	Before bool `json:"before,omitempty"`
	// Changes: the right input is a table, which changes; else its rows are the versions.
	Changes bool `json:"changes,omitempty"`
	// Ties are columns of the right input that order rows of one time; of a table: its key.
	Ties []int `json:"ties,omitempty"`
}
