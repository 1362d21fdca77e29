package option

import (
	"math"
	"strconv"
	"strings"
	"time"

	"velostream/pgwire/pgerror"
)

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "on", "yes", "1", "t", "y":
		return true, true
	case "false", "off", "no", "0", "f", "n":
		return false, true
	}
	return false, false
}

var units = []struct {
	names string
	unit  time.Duration
}{
	{" ns nanosecond nanoseconds ", time.Nanosecond},
	{" us µs microsecond microseconds ", time.Microsecond},
	{" ms millisecond milliseconds ", time.Millisecond},
	{" s sec secs second seconds ", time.Second},
	{" m min mins minute minutes ", time.Minute},
	{" h hour hours ", time.Hour},
	{" d day days ", 24 * time.Hour},
	{" w week weeks ", 7 * 24 * time.Hour},
}

// ParseDuration reads 1500 (milliseconds), 1.5s, 2m30s, '5 minutes'. Durations
// are not negative.
func ParseDuration(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(n) * time.Millisecond, n >= 0 && n < math.MaxInt64/int64(time.Millisecond)
	}
	if d, err := time.ParseDuration(s); err == nil {
		return d, d >= 0
	}
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i <= 0 {
		return 0, false
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, false
	}
	for _, u := range units {
		if strings.Contains(u.names, " "+strings.TrimSpace(s[i:])+" ") {
			d := n * float64(u.unit)
			return time.Duration(d), d < math.MaxInt64
		}
	}
	return 0, false
}

// ParseSize reads 1048576, 64kB, 1MB, 1GiB: powers of 1024, as PostgreSQL's
// memory settings have them.
func ParseSize(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i < 0 {
		i = len(s)
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	shift := 0
	switch strings.TrimSpace(s[i:]) {
	case "", "b":
	case "k", "kb", "kib":
		shift = 10
	case "m", "mb", "mib":
		shift = 20
	case "g", "gb", "gib":
		shift = 30
	case "t", "tb", "tib":
		shift = 40
	default:
		return 0, false
	}
	return n << shift, n <= math.MaxInt64>>shift
}

// Expand fills in ${VAR}, ${VAR:-default} (unset or empty) and
// ${VAR:?message} (an error when unset or empty); $${ is a literal ${. A
// ${VAR} that is not set is an error: an empty broker list helps nobody.
func Expand(s string, env Lookup) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	var out strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			out.WriteString(s)
			return out.String(), nil
		}
		if i > 0 && s[i-1] == '$' {
			out.WriteString(s[:i-1])
			out.WriteString("${")
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return "", pgerror.New(pgerror.InvalidParameterValue, "unterminated ${ in %q", s)
		}
		out.WriteString(s[:i])
		v, err := variable(s[i+2:i+end], env)
		if err != nil {
			return "", err
		}
		out.WriteString(v)
		s = s[i+end+1:]
	}
}

func variable(ref string, env Lookup) (string, error) {
	name, rest, has := strings.Cut(ref, ":")
	var v string
	var set bool
	if env != nil {
		if v, set = env(name); !set {
			v = ""
		}
	}
	if has && v == "" {
		if def, ok := strings.CutPrefix(rest, "-"); ok {
			return def, nil
		}
		if msg, ok := strings.CutPrefix(rest, "?"); ok {
			if msg == "" {
				msg = "it is not set"
			}
			return "", pgerror.New(pgerror.InvalidParameterValue, "environment variable %q: %s", name, msg)
		}
	}
	if has && !strings.HasPrefix(rest, "-") && !strings.HasPrefix(rest, "?") {
		return "", pgerror.New(pgerror.InvalidParameterValue, "invalid substitution ${%s}", ref).
			WithHint("Write ${VAR}, ${VAR:-default} or ${VAR:?message}.")
	}
	if !set {
		return "", pgerror.New(pgerror.InvalidParameterValue, "environment variable %q is not set", name).
			WithHint("Write ${%s:-default} to go on without it.", name)
	}
	return v, nil
}

// Nearest returns the name closest to s by edit distance, "" when none is
// close.
func Nearest(s string, names []string) string {
	s = strings.ToLower(s)
	best, at := "", max(2, len(s)/3)+1
	for _, n := range names {
		if d := distance(s, n); d < at {
			best, at = n, d
		}
	}
	return best
}

// distance is Levenshtein's, over bytes: option names are ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}

// ParseFloat reads a finite decimal number.
func ParseFloat(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}
