package types

// parseISO reads the form in which nearly all timestamps come:
// YYYY-MM-DD{ |T}hh:mm:ss[.ffffff][Z|±hh[:mm]]. hasZone tells whether there was
// a zone; offset is in seconds east. ok is false for everything else, which the
// general parser then reads, or refuses with its messages.
func parseISO(s string) (micros int64, offset int, hasZone, ok bool) {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != ' ' && s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, 0, false, false
	}
	days, ok := isoDays(s)
	h, okH := twoDigits(s, 11)
	m, okM := twoDigits(s, 14)
	sec, okS := twoDigits(s, 17)
	if !ok || !okH || !okM || !okS || h > 23 || m > 59 || sec > 59 {
		return 0, 0, false, false
	}
	micros = days*MicrosPerDay + (int64(h)*3600+int64(m)*60+int64(sec))*MicrosPerSecond
	rest := s[19:]
	if rest != "" && rest[0] == '.' {
		n := span(rest[1:], isDigit)
		if n == 0 || n > 6 {
			return 0, 0, false, false
		}
		frac := int64(0)
		for _, c := range []byte(rest[1 : n+1]) {
			frac = frac*10 + int64(c-'0')
		}
		micros += frac * pow10[6-n]
		rest = rest[n+1:]
	}
	offset, hasZone, ok = isoZone(rest)
	return micros, offset, hasZone, ok
}

func isoZone(s string) (offset int, hasZone, ok bool) {
	switch {
	case s == "":
		return 0, false, true
	case s == "Z":
		return 0, true, true
	case len(s) != 3 && len(s) != 6 || s[0] != '+' && s[0] != '-':
		return 0, false, false
	}
	h, ok := twoDigits(s, 1)
	m := 0
	if len(s) == 6 && ok {
		m, ok = twoDigits(s, 4)
		ok = ok && s[3] == ':'
	}
	if !ok || h > 15 || m > 59 {
		return 0, false, false
	}
	offset = h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true, true
}

// isoDays reads YYYY-MM-DD at the beginning of s.
func isoDays(s string) (int64, bool) {
	c, ok1 := twoDigits(s, 0)
	y, ok2 := twoDigits(s, 2)
	m, ok3 := twoDigits(s, 5)
	d, ok4 := twoDigits(s, 8)
	y += c * 100
	if !ok1 || !ok2 || !ok3 || !ok4 || y == 0 || m < 1 || m > 12 || d < 1 || d > DaysInMonth(y, m) {
		return 0, false
	}
	return DaysFromCivil(y, m, d), true
}

func twoDigits(s string, at int) (int, bool) {
	a, b := s[at]-'0', s[at+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
