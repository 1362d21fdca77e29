package types

import "time"

// Format is a session's output settings.
type Format struct {
	Location         *time.Location // time zone of timestamptz; nil: UTC
	DateStyle        string         // "ISO, MDY" when empty
	IntervalStyle    string         // "postgres" when empty
	ExtraFloatDigits int            // 1 by default: shortest exact floats when > 0
	ByteaEscape      bool           // bytea_output = escape
}
