package types

import (
	"math"
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// number reads one number of a date; which part it is follows from what is
// known already and from DateStyle.
func (p *dateParser) number(text string) (int, error) {
	whole, _, hasPoint := strings.Cut(text, ".")
	v, err := strconv.ParseInt(whole, 10, 32)
	if err != nil && whole != "" {
		return 0, p.overflow()
	}
	if hasPoint {
		if len(whole) > 2 {
			return p.packedAs(text, p.mask|maskDate)
		}
		return 0, p.bad()
	}
	n := int(v)
	if len(text) == 3 && p.mask&maskDate == maskYear && n >= 1 && n <= 366 {
		p.dayOfYear = n
		return maskDayOfYear | maskMonth | maskDay, nil
	}
	long := len(text) >= 3
	switch p.mask & maskDate {
	case 0:
		switch {
		case long || p.order == OrderYMD:
			return p.setYear(n, text), nil
		case p.order == OrderDMY:
			return p.setDay(n), nil
		}
		return p.setMonth(n), nil
	case maskMonth:
		if p.textMonth && (long || p.order == OrderYMD) {
			return p.setYear(n, text), nil
		}
		return p.setDay(n), nil
	case maskYear, maskDay:
		return p.setMonth(n), nil
	case maskYear | maskMonth:
		if p.textMonth && long && p.twoDigits {
			p.day = p.year // what was taken for the year was the day
			p.setYear(n, text)
			return maskDay, nil
		}
		return p.setDay(n), nil
	case maskMonth | maskDay:
		return p.setYear(n, text), nil
	case maskDate:
		return p.packed(text)
	}
	return 0, p.bad()
}

func (p *dateParser) setYear(v int, text string) int {
	p.year, p.twoDigits = v, len(text) <= 2
	return maskYear
}

func (p *dateParser) setMonth(v int) int { p.month = v; return maskMonth }

func (p *dateParser) setDay(v int) int { p.day = v; return maskDay }

func (p *dateParser) packed(text string) (int, error) { return p.packedAs(text, p.mask) }

// packedAs reads yymmdd, yyyymmdd, hhmm or hhmmss[.ffffff].
func (p *dateParser) packedAs(text string, mask int) (int, error) {
	whole, frac, hasFrac := strings.Cut(text, ".")
	n := len(whole)
	num := func(s string) int { v, _ := strconv.ParseInt(s, 10, 32); return int(v) }
	if hasFrac {
		p.micro = fractionMicros(frac)
	} else if mask&maskDate != maskDate && n >= 6 {
		p.day, p.month, p.year = num(whole[n-2:]), num(whole[n-4:n-2]), num(whole[:n-4])
		if n-4 > 10 {
			return 0, p.overflow()
		}
		p.twoDigits = n-4 == 2
		return maskDate, nil
	}
	if mask&maskTime == 0 {
		switch n {
		case 6:
			p.hour, p.min, p.sec = num(whole[:2]), num(whole[2:4]), num(whole[4:])
		case 4:
			p.hour, p.min, p.sec = num(whole[:2]), num(whole[2:]), 0
		default:
			return 0, p.bad()
		}
		return maskTime, nil
	}
	return 0, p.bad()
}

// fractionMicros reads the digits after a decimal point, to the nearest µs.
func fractionMicros(digits string) int {
	if digits == "" {
		return 0
	}
	if len(digits) <= 6 {
		v, _ := strconv.Atoi(digits)
		return v * int(pow10[6-len(digits)])
	}
	v, _ := strconv.ParseFloat("0."+digits, 64)
	return int(math.RoundToEven(v * MicrosPerSecond))
}

func (p *dateParser) timeField(text string) (int, error) {
	h, m, s, us, ok := splitClock(text)
	if !ok {
		return 0, p.bad()
	}
	if h < 0 || h > math.MaxInt32 || m > 59 || s > 60 {
		return 0, p.overflow()
	}
	p.hour, p.min, p.sec, p.micro = int(h), m, s, us
	if c := p.clock(); c > MicrosPerDay {
		return 0, p.overflow()
	}
	return maskTime, nil
}

// splitClock reads h:m, h:m:s[.f] and m:s.f. Only the form is checked; a
// field beyond any range comes back as one that is out of its own.
func splitClock(text string) (h int64, m, s, us int, ok bool) {
	whole, frac, hasFrac := strings.Cut(text, ".")
	parts := strings.Split(whole, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, 0, 0, 0, false
	}
	var v [3]int64
	for i, part := range parts {
		if part == "" && i > 0 {
			continue // 04: is 04:00
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			if span(part, isDigit) != len(part) || part == "" {
				return 0, 0, 0, 0, false
			}
			n = math.MaxInt64
		}
		if i > 0 {
			n = min(n, 1000)
		}
		v[i] = n
	}
	if hasFrac {
		if span(frac, isDigit) != len(frac) {
			return 0, 0, 0, 0, false
		}
		us = fractionMicros(frac)
		if len(parts) == 2 {
			v[0], v[1], v[2] = 0, min(v[0], 1000), v[1]
		}
	}
	return v[0], int(v[1]), int(v[2]), us, true
}

// zone reads ±hh[:mm[:ss]] or ±hhmm.
func (p *dateParser) zone(text string) (int, error) {
	off, ok := parseOffset(text)
	if !ok {
		return 0, p.bad()
	}
	if off == offsetTooLarge {
		return 0, pgerror.New("22009", "time zone displacement out of range: \"%s\"", p.src)
	}
	return off, nil
}

const offsetTooLarge = math.MaxInt32

func parseOffset(text string) (int, bool) {
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	parts := strings.Split(text[1:], ":")
	if len(parts) > 3 {
		return 0, false
	}
	var v [3]int
	for i, part := range parts {
		if part == "" || span(part, isDigit) != len(part) {
			return 0, false
		}
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return offsetTooLarge, true
		}
		v[i] = int(n)
	}
	if len(parts) == 1 && len(text) > 3 {
		v[0], v[1] = v[0]/100, v[0]%100
	}
	if v[0] > 15 || v[1] > 59 || v[2] > 59 {
		return offsetTooLarge, true
	}
	off := v[0]*3600 + v[1]*60 + v[2]
	if text[0] == '-' {
		off = -off
	}
	return off, true
}
