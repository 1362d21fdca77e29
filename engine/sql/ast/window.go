package ast

// WindowKind is the kind of a time window.
type WindowKind string

// Time windows. SLIDING and HOPPING are HOP.
const (
	Tumbling WindowKind = "TUMBLING"
	Hop      WindowKind = "HOP"
	Session  WindowKind = "SESSION"
	Cumulate WindowKind = "CUMULATE"
)

// WindowPlace is where a time window was written.
type WindowPlace uint8

// Places of a time window.
const (
	PlaceClause WindowPlace = iota // WINDOW TUMBLING(…), SESSION WINDOW (…)
	PlaceGroup                     // an item of GROUP BY
	PlaceTable                     // a table function
)

// Window is a time window, all spellings brought into one shape. Durations
// are expressions, mostly *Interval (a bare number of seconds is one too).
type Window struct {
	At
	Kind        WindowKind
	Place       WindowPlace
	TimeCol     Expr   // nil: the relation's event time
	Size        Expr   // Tumbling, Hop; Cumulate's greatest size
	Advance     Expr   // Hop's slide; Cumulate's step; nil of Hop: equal to Size
	Gap         Expr   // Session
	MaxDuration Expr   // Session's hard cap, nil: none
	Offset      Expr   // from the epoch, nil: none
	Keys        []Expr // Session's own keys
}

// EmitMode is when a continuous query gives its rows.
type EmitMode uint8

// Emit modes.
const (
	EmitChanges     EmitMode = iota // EMIT CHANGES
	EmitFinal                       // EMIT FINAL
	EmitWindowClose                 // EMIT ON WINDOW CLOSE, the same as FINAL with options
	EmitEvery                       // EMIT EVERY INTERVAL '1 s'
)

// Emit is an EMIT clause.
type Emit struct {
	At
	Mode    EmitMode
	Every   Expr // of EmitEvery
	Delay   Expr // ON WINDOW CLOSE WITH DELAY …
	Timeout Expr // ON WINDOW CLOSE … TIMEOUT …
}

// LateRows is LATE ROWS strategy.
type LateRows struct {
	At
	Strategy string // drop, dead_letter, include_in_next, update_previous
}
