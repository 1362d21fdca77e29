package pgcatalog

import (
	"net"
	"strconv"
	"strings"
	"time"

	"velostream/catalog/types"
)

// settingSources is pg_settings.
func settingSources() map[string]source {
	return map[string]source{
		"pg_settings": {"name setting unit category short_desc context vartype source min_val max_val enumvals boot_val " +
			"reset_val pending_restart", (*Catalog).settingRows},
	}
}

func (c *Catalog) settings() []Setting {
	if c.Settings == nil {
		return nil
	}
	return c.Settings()
}

func (c *Catalog) settingRows(e *emitter) {
	for _, s := range c.settings() {
		from := s.Source
		if from == "" {
			from = "default"
		}
		var enum any
		if len(s.Enum) > 0 {
			enum = s.Enum
		}
		e.row(s.Name, s.Value, orNull(s.Unit), s.Category, s.Doc, s.Context, s.Kind, from, orNull(s.Min), orNull(s.Max),
			enum, s.Initial, s.Reset, false)
	}
}

// secret tells options whose values are not for everyone.
func secret(name string) bool {
	n := strings.ToLower(name)
	for _, s := range []string{"password", "secret", "token", "sasl.jaas", "private", "credential", "key.pem"} {
		if strings.Contains(n, s) {
			return true
		}
	}
	return false
}

// splitAddress gives host, an inet, and port of a client; NULL for what has none.
func splitAddress(a string) (host, port any) {
	h, p, err := net.SplitHostPort(a)
	if err != nil {
		return nil, -1
	}
	if d, err := types.ParseNetwork(types.Inet, h); err == nil {
		host = d
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return host, -1
	}
	return host, n
}

// zoneRows is pg_timezone_names: the zones by name, at present.
func zoneRows(_ *Catalog, e *emitter) {
	now := time.Now()
	for _, n := range []string{"UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Los_Angeles", "Asia/Tokyo", "Asia/Singapore", "Australia/Sydney"} {
		loc, ok := types.FindZone(n)
		if !ok {
			continue
		}
		abbrev, off := now.In(loc).Zone()
		e.row(n, abbrev, types.Datum{Iv: types.Interval{Micros: int64(off) * 1e6}}, now.In(loc).IsDST())
	}
}
