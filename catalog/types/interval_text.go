package types

import "strconv"

// AppendInterval adds an interval in one of the four IntervalStyles.
func AppendInterval(dst []byte, iv Interval, style IntervalLayout) []byte {
	p := splitInterval(iv)
	switch style {
	case IntervalSQL:
		return p.appendSQL(dst)
	case IntervalISO8601:
		return p.appendISO(dst)
	case IntervalPostgresVerbose:
		return p.appendVerbose(dst)
	default:
	}
	return p.appendPostgres(dst)
}

// intervalParts are an interval's fields, each with its own sign.
type intervalParts struct {
	year, month, day int64
	hour, min, sec   int64
	micro            int64
}

func splitInterval(iv Interval) intervalParts {
	t := iv.Micros
	p := intervalParts{year: int64(iv.Months / 12), month: int64(iv.Months % 12), day: int64(iv.Days)}
	p.hour, t = t/MicrosPerHour, t%MicrosPerHour
	p.min, t = t/MicrosPerMinute, t%MicrosPerMinute
	p.sec, p.micro = t/MicrosPerSecond, t%MicrosPerSecond
	return p
}

func (p *intervalParts) timeNegative() bool {
	return p.hour < 0 || p.min < 0 || p.sec < 0 || p.micro < 0
}

func (p *intervalParts) hasTime() bool {
	return p.hour != 0 || p.min != 0 || p.sec != 0 || p.micro != 0
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// appendClockParts adds h:mm:ss.f without sign; hours have at least width digits.
func (p *intervalParts) appendClockParts(dst []byte, width int) []byte {
	if h := abs64(p.hour); h < 10 && width == 2 {
		dst = append(dst, '0', byte('0'+h))
	} else {
		dst = strconv.AppendInt(dst, h, 10)
	}
	dst = appendDigits2(append(dst, ':'), int(abs64(p.min)))
	dst = appendDigits2(append(dst, ':'), int(abs64(p.sec)))
	return appendFraction(dst, uint32(abs64(p.micro)))
}

func (p *intervalParts) appendPostgres(dst []byte) []byte {
	first, before := true, false
	unit := func(v int64, name string) {
		if v == 0 {
			return
		}
		if !first {
			dst = append(dst, ' ')
		}
		if before && v > 0 {
			dst = append(dst, '+')
		}
		dst = append(append(strconv.AppendInt(dst, v, 10), ' '), name...)
		if v != 1 {
			dst = append(dst, 's')
		}
		// Only the nearest unit in front decides whether a plus is needed.
		first, before = false, v < 0
	}
	unit(p.year, "year")
	unit(p.month, "mon")
	unit(p.day, "day")
	if !first && !p.hasTime() {
		return dst
	}
	if !first {
		dst = append(dst, ' ')
	}
	if p.timeNegative() {
		dst = append(dst, '-')
	} else if before {
		dst = append(dst, '+')
	}
	return p.appendClockParts(dst, 2)
}

func (p *intervalParts) appendVerbose(dst []byte) []byte {
	dst = append(dst, '@')
	first, ago := true, false
	unit := func(v int64, name string) {
		if v == 0 {
			return
		}
		if first {
			ago = v < 0
			v = abs64(v)
		} else if ago {
			v = -v
		}
		first = false
		dst = append(append(strconv.AppendInt(append(dst, ' '), v, 10), ' '), name...)
		if v != 1 {
			dst = append(dst, 's')
		}
	}
	unit(p.year, "year")
	unit(p.month, "mon")
	unit(p.day, "day")
	unit(p.hour, "hour")
	unit(p.min, "min")
	if p.sec != 0 || p.micro != 0 {
		neg := p.sec < 0 || p.micro < 0
		dst = append(dst, ' ')
		if first {
			ago = neg
		} else if neg != ago {
			dst = append(dst, '-')
		}
		first = false
		dst = appendFraction(strconv.AppendInt(dst, abs64(p.sec), 10), uint32(abs64(p.micro)))
		dst = append(dst, " sec"...)
		if abs64(p.sec) != 1 || p.micro != 0 {
			dst = append(dst, 's')
		}
	}
	if first {
		dst = append(dst, " 0"...)
	}
	if ago {
		dst = append(dst, " ago"...)
	}
	return dst
}

func (p *intervalParts) appendISO(dst []byte) []byte {
	unit := func(v int64, name byte) {
		if v != 0 {
			dst = append(strconv.AppendInt(dst, v, 10), name)
		}
	}
	if *p == (intervalParts{}) {
		return append(dst, "PT0S"...)
	}
	dst = append(dst, 'P')
	unit(p.year, 'Y')
	unit(p.month, 'M')
	unit(p.day, 'D')
	if p.hasTime() {
		dst = append(dst, 'T')
	}
	unit(p.hour, 'H')
	unit(p.min, 'M')
	if p.sec != 0 || p.micro != 0 {
		if p.sec < 0 || p.micro < 0 {
			dst = append(dst, '-')
		}
		dst = appendFraction(strconv.AppendInt(dst, abs64(p.sec), 10), uint32(abs64(p.micro)))
		dst = append(dst, 'S')
	}
	return dst
}

func (p *intervalParts) appendSQL(dst []byte) []byte {
	neg := p.year < 0 || p.month < 0 || p.day < 0 || p.timeNegative()
	pos := p.year > 0 || p.month > 0 || p.day > 0 || p.hour > 0 || p.min > 0 || p.sec > 0 || p.micro > 0
	hasYM := p.year != 0 || p.month != 0
	hasDT := p.day != 0 || p.hasTime()
	switch {
	case !neg && !pos:
		return append(dst, '0')
	case neg && pos || hasYM && hasDT:
		// Not a standard interval: each part has its sign.
		dst = append(dst, signOf(p.year < 0 || p.month < 0))
		dst = append(strconv.AppendInt(dst, abs64(p.year), 10), '-')
		dst = append(strconv.AppendInt(dst, abs64(p.month), 10), ' ', signOf(p.day < 0))
		dst = append(strconv.AppendInt(dst, abs64(p.day), 10), ' ', signOf(p.timeNegative()))
		return p.appendClockParts(dst, 1)
	}
	if neg {
		dst = append(dst, '-')
	}
	switch {
	case hasYM:
		dst = append(strconv.AppendInt(dst, abs64(p.year), 10), '-')
		return strconv.AppendInt(dst, abs64(p.month), 10)
	case p.day != 0:
		dst = append(strconv.AppendInt(dst, abs64(p.day), 10), ' ')
	}
	return p.appendClockParts(dst, 1)
}

func signOf(neg bool) byte {
	if neg {
		return '-'
	}
	return '+'
}
