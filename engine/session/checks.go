package session

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

const invalidValue = "invalid value"

func invalid(hint string) error {
	return pgerror.New(pgerror.InvalidParameterValue, invalidValue).WithHint("%s", hint)
}

func oneOf(values ...string) func(string) (string, error) {
	return func(v string) (string, error) {
		if low := strings.ToLower(v); slices.Contains(values, low) {
			return low, nil
		}
		return v, invalid("Available values: " + strings.Join(values, ", ") + ".")
	}
}

func checkBool(v string) (string, error) {
	switch strings.ToLower(v) {
	case "on", "true", "yes", "1", "t", "y":
		return "on", nil
	case "off", "false", "no", "0", "f", "n":
		return "off", nil
	}
	return v, invalid("Available values: on, off.")
}

func checkInt(lo, hi int) func(string) (string, error) {
	return func(v string) (string, error) {
		n, err := strconv.Atoi(v)
		if err == nil && (n < lo || n > hi) {
			return v, pgerror.New(pgerror.InvalidParameterValue, "%d is outside the valid range", n).WithDetail(" (%d .. %d)", lo, hi)
		}
		if err != nil {
			return v, invalid("It is a number from " + strconv.Itoa(lo) + " to " + strconv.Itoa(hi) + ".")
		}
		return strconv.Itoa(n), nil
	}
}

// checkDuration takes milliseconds, or a number with a unit, and gives
// milliseconds.
func checkDuration(v string) (string, error) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
		return v, nil
	}
	d, ok := option.ParseDuration(v)
	if !ok {
		return v, invalid("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".")
	}
	return strconv.FormatInt(d.Milliseconds(), 10), nil
}

// checkEncoding takes UTF8 in every spelling drivers use, also in quotes.
func checkEncoding(v string) (string, error) {
	switch strings.ToUpper(strings.NewReplacer("-", "", "_", "", "'", "", `"`, "").Replace(v)) {
	case "UTF8", "UNICODE", "SQLASCII", "":
		return "UTF8", nil
	}
	return v, invalid("The only encoding is UTF8.")
}

func checkTimeZone(v string) (string, error) {
	if _, ok := types.FindZone(v); !ok {
		return v, invalid("It is a name such as 'Europe/Berlin', or an offset in hours.")
	}
	return v, nil
}

// checkDateStyle merges a style, an order, or both, into PostgreSQL's form.
func checkDateStyle(v string) (string, error) {
	style, order := "ISO", "MDY"
	for w := range strings.SplitSeq(v, ",") {
		switch strings.ToUpper(strings.TrimSpace(w)) {
		case "ISO":
			style = "ISO"
		case "SQL":
			style = "SQL"
		case "POSTGRES":
			style = "Postgres"
		case "GERMAN":
			style = "German"
			order = "DMY"
		case "MDY", "US", "NONEURO", "NONEUROPEAN":
			order = "MDY"
		case "DMY", "EURO", "EUROPEAN":
			order = "DMY"
		case "YMD":
			order = "YMD"
		case "DEFAULT", "":
		default:
			return v, invalid("It is one of ISO, SQL, Postgres, German, with MDY, DMY or YMD.")
		}
	}
	return style + ", " + order, nil
}

// zoneOfInterval turns SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE into an
// offset that FindZone reads.
func zoneOfInterval(n *ast.Interval) string {
	t := strings.TrimSpace(n.Text)
	if h, m, ok := strings.Cut(t, ":"); ok && strings.Trim(m, "0:") == "" {
		t = h
	}
	if strings.Trim(t, "+-0") == "" {
		return "UTC"
	}
	if h, err := strconv.Atoi(t); err == nil {
		return types.FixedOffset(h * 3600).String()
	}
	return t
}

// memoryUnits are the units of amounts of memory, in bytes; a bare number is in kB.
var memoryUnits = map[string]int64{"": 1 << 10, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}

// parseMemory reads an amount of memory as PostgreSQL writes them, in bytes.
func parseMemory(v string) (int64, bool) {
	v = strings.TrimSpace(v)
	digits := len(v) - len(strings.TrimLeft(v, "0123456789"))
	n, err := strconv.ParseInt(v[:digits], 10, 64)
	unit, ok := memoryUnits[strings.TrimSpace(v[digits:])]
	if err != nil || !ok || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// checkMemory takes an amount of memory of at least 1 MB.
func checkMemory(v string) (string, error) {
	n, ok := parseMemory(v)
	switch {
	case !ok:
		return v, invalid("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".")
	case n < 1<<20:
		return v, invalid("It must be 1MB or more.")
	}
	return v, nil
}

// queryMemory is what an operator of a query may keep, in bytes.
func (st *settings) queryMemory() int64 {
	n, _ := parseMemory(st.values["query_memory"]) // checked when it was set
	return n
}
