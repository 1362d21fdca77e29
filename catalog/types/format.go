package types

import (
	"strings"
	"time"
)

// Format is a session's output settings. A nil *Format means
// the defaults.
// Its fields must not change while it is in use.
type Format struct {
	Location         *time.Location   // time zone of timestamptz; nil: UTC
	DateStyle        string           // "ISO, MDY" when empty
	IntervalStyle    string           // "postgres" when empty
	ExtraFloatDigits int              // 1 by default: shortest exact floats when > 0
	ByteaEscape      bool             // bytea_output = escape
	Names            Names            // of the reg types; nil: they are numbers
	Types            Definitions      // of user-made types; nil: there are none
	Now              func() time.Time // the transaction's time, for 'now' and 'today' in input; nil: time.Now
}

// DateLayout is the first half of DateStyle.
type DateLayout uint8

// The layouts of dates and timestamps.
const (
	DateISO DateLayout = iota
	DatePostgres
	DateSQL
	DateGerman
)

// DateOrder is the second half of DateStyle: how 1/2/3 is read and, except in
// ISO, written.
type DateOrder uint8

// The orders of day, month and year.
const (
	OrderMDY DateOrder = iota
	OrderDMY
	OrderYMD
)

// Dates returns the parts of the DateStyle setting.
func (f *Format) Dates() (DateLayout, DateOrder) {
	if f == nil || f.DateStyle == "" || f.DateStyle == "ISO, MDY" {
		return DateISO, OrderMDY
	}
	layout, order := DateISO, OrderMDY
	for part := range strings.SplitSeq(lower(f.DateStyle), ",") {
		switch strings.TrimSpace(part) {
		case "iso":
			layout = DateISO
		case "postgres", "postgresql":
			layout = DatePostgres
		case "sql":
			layout = DateSQL
		case "german":
			layout, order = DateGerman, OrderDMY
		case "mdy", "us", "noneuro", "noneuropean":
			order = OrderMDY
		case "dmy", "euro", "european":
			order = OrderDMY
		case "ymd":
			order = OrderYMD
		}
	}
	return layout, order
}

// isISO is a quick look at the usual layout, for every value.
func (f *Format) isISO() bool {
	return f == nil || f.DateStyle == "" || strings.HasPrefix(f.DateStyle, "ISO")
}

// IntervalLayout is the IntervalStyle setting.
type IntervalLayout uint8

// The layouts of intervals.
const (
	IntervalPostgres IntervalLayout = iota
	IntervalPostgresVerbose
	IntervalSQL
	IntervalISO8601
)

// Intervals returns the IntervalStyle setting.
func (f *Format) Intervals() IntervalLayout {
	if f == nil {
		return IntervalPostgres
	}
	switch lower(f.IntervalStyle) {
	case "postgres_verbose":
		return IntervalPostgresVerbose
	case "sql_standard":
		return IntervalSQL
	case "iso_8601":
		return IntervalISO8601
	}
	return IntervalPostgres
}

// Loc is the session's time zone.
func (f *Format) Loc() *time.Location {
	if f == nil || f.Location == nil {
		return time.UTC
	}
	return f.Location
}

func (f *Format) now() time.Time {
	if f == nil || f.Now == nil {
		return time.Now()
	}
	return f.Now()
}
