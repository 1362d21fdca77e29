package types

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the binary needs no time zone database beside it
)

//go:embed zones.txt
var zoneNames string

// zoneIndex maps the lower-case names of time zones to their names.
var zoneIndex = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 700)
	for name := range strings.Lines(zoneNames) {
		name = strings.TrimSpace(name)
		m[lower(name)] = name
	}
	return m
})

// zoneCache keeps loaded zones: reading one from the time zone database takes
// many times as long as parsing a timestamp. It holds at most the names of
// zoneIndex.
var zoneCache sync.Map // name -> *time.Location

// FindZone returns the time zone that PostgreSQL knows by name: a name of the
// IANA database in any case, an abbreviation, or a POSIX form like UTC+3
// (which lies to the west). The Location's name is the IANA name.
func FindZone(name string) (*time.Location, bool) {
	key := lower(trimSpace(name))
	if key == "utc" || key == "etc/utc" {
		return time.UTC, true
	}
	if full, ok := zoneIndex()[key]; ok {
		if loc, ok := zoneCache.Load(full); ok {
			return loc.(*time.Location), true
		}
		loc, err := time.LoadLocation(full)
		if err != nil {
			return nil, false
		}
		zoneCache.Store(full, loc)
		return loc, true
	}
	if minutes, ok := zoneAbbrevs[key]; ok {
		return time.FixedZone(strings.ToUpper(key), int(minutes)*60), true
	}
	return posixZone(key)
}

// FixedOffset is a zone of so many seconds east of UTC, named as PostgreSQL
// names it (<+02>-02).
func FixedOffset(seconds int) *time.Location {
	east := string(appendOffset(nil, seconds))
	west := string(appendOffset(nil, -seconds))
	return time.FixedZone("<"+east+">"+west, seconds)
}

// posixZone reads letters, or anything in <>, and an offset to the west.
func posixZone(key string) (*time.Location, bool) {
	var n int
	if strings.HasPrefix(key, "<") {
		n = strings.IndexByte(key, '>') + 1
	} else {
		n = span(key, isAlpha)
	}
	if n > 0 && n < 3 || n == len(key) { // without a name the offset is all there is
		return nil, false
	}
	rest := key[n:]
	neg := rest[0] == '-'
	if rest[0] == '-' || rest[0] == '+' {
		rest = rest[1:]
	}
	off := 0
	for i, part := range strings.Split(rest, ":") {
		v, err := strconv.Atoi(part)
		if err != nil || i > 2 || v < 0 || i == 0 && v > 167 || i > 0 && v > 59 {
			return nil, false
		}
		off += v * [3]int{3600, 60, 1}[i]
	}
	if !neg {
		off = -off
	}
	name := strings.ToUpper(strings.Trim(key[:n], "<>"))
	if n == 0 {
		name = key
	}
	return time.FixedZone(name, off), true
}

// LocalToUTC converts a timestamp, local time in loc, to a timestamptz. A time
// that the clocks skipped is read with the offset before the change; one that
// they showed twice, with the offset after it (standard time).
func LocalToUTC(micros int64, loc *time.Location) int64 {
	if loc == nil || loc == time.UTC {
		return micros
	}
	return micros - int64(localOffset(micros, loc))*MicrosPerSecond
}

func localOffset(micros int64, loc *time.Location) int {
	sec := micros / MicrosPerSecond
	if micros%MicrosPerSecond < 0 {
		sec--
	}
	sec += EpochSeconds
	t := time.Unix(sec-86400, 0).In(loc)
	_, before := t.Zone()
	_, end := t.ZoneBounds()
	if end.IsZero() || end.Unix() > sec+86400 {
		return before
	}
	_, after := end.In(loc).Zone()
	boundary := end.Unix()
	beforeTime, afterTime := sec-int64(before), sec-int64(after)
	switch {
	case beforeTime < boundary && afterTime < boundary:
		return before
	case beforeTime >= boundary && afterTime >= boundary:
		return after
	case beforeTime > afterTime:
		return before
	}
	return after
}
