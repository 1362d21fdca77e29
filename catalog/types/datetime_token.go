package types

// fieldKind is the shape of one field of a date, time or interval literal.
type fieldKind uint8

const (
	fieldNumber fieldKind = iota // digits, perhaps with one point
	fieldDate                    // digits or letters joined by - / . and more
	fieldTime                    // digits with colons
	fieldZone                    // a sign and digits
	fieldWord                    // letters
	fieldSigned                  // a sign and letters
)

type dateField struct {
	kind fieldKind
	text string // lower case
}

// dateFieldsMax bounds a literal, as in PostgreSQL.
const dateFieldsMax = 25

// splitDateFields cuts a literal into its fields, by the rules of the manual's
// appendix "Date/Time Input Interpretation"
// (https://www.postgresql.org/docs/15/datetime-input-rules.html).
func splitDateFields(s string, buf []dateField) ([]dateField, bool) {
	s = lower(s)
	fields := buf[:0]
	for i := 0; i < len(s); {
		var f dateField
		var n int
		switch c := s[i]; {
		case isSpace(c):
			i++
			continue
		case isDigit(c):
			f.kind, n = scanNumberField(s[i:])
		case c == '.':
			f.kind, n = fieldNumber, 1+span(s[i+1:], isDigit)
		case isAlpha(c):
			f.kind, n = scanWordField(s[i:])
		case c == '+' || c == '-':
			blanks := span(s[i+1:], isSpace)
			rest := s[i+1+blanks:]
			switch {
			case rest != "" && isDigit(rest[0]):
				f.kind, n = fieldZone, span(rest, func(c byte) bool { return isDigit(c) || c == ':' || c == '.' || c == '-' })
			case rest != "" && isAlpha(rest[0]):
				f.kind, n = fieldSigned, span(rest, isAlpha)
			default:
				return nil, false
			}
			f.text = s[i:i+1] + rest[:n]
			i += 1 + blanks + n
		case c > ' ' && c < 0x7f:
			i++ // other punctuation separates
			continue
		default:
			return nil, false
		}
		if f.text == "" {
			f.text = s[i : i+n]
			i += n
		}
		if len(fields) == dateFieldsMax {
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }

func scanNumberField(s string) (fieldKind, int) {
	n := span(s, isDigit)
	if n == len(s) {
		return fieldNumber, n
	}
	switch delim := s[n]; delim {
	case ':':
		return fieldTime, n + span(s[n:], func(c byte) bool { return isDigit(c) || c == ':' || c == '.' })
	case '-', '/', '.':
		n++
		if n == len(s) || !isDigit(s[n]) {
			return fieldDate, n + span(s[n:], func(c byte) bool { return isAlnum(c) || c == delim })
		}
		n += span(s[n:], isDigit)
		if n < len(s) && s[n] == delim {
			return fieldDate, n + span(s[n:], func(c byte) bool { return isDigit(c) || c == delim })
		}
		if delim == '.' {
			return fieldNumber, n
		}
		return fieldDate, n
	}
	return fieldNumber, n
}

// scanWordField reads letters; with punctuation or, unless they are a known
// word, digits after them they are a date or the name of a time zone.
func scanWordField(s string) (fieldKind, int) {
	n := span(s, isAlpha)
	if n == len(s) {
		return fieldWord, n
	}
	joined := false
	switch c := s[n]; {
	case c == '-' || c == '/' || c == '.':
		joined = true
	case c == '+' || isDigit(c):
		joined = !isDateWord(s[:n])
	}
	if !joined {
		return fieldWord, n
	}
	return fieldDate, n + span(s[n:], func(c byte) bool {
		return isAlnum(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':'
	})
}

// wordKind is what a word in a date means.
type wordKind uint8

const (
	wordUnknown  wordKind = iota
	wordReserved          // now, today, …
	wordMonth
	wordWeekday
	wordIgnore
	wordAMPM
	wordADBC
	wordISOTime // T
	wordJulian
	wordDST
)

type dateWord struct {
	kind  wordKind
	value int
}

// Values of reserved words.
const (
	reservedNow = iota
	reservedToday
	reservedTomorrow
	reservedYesterday
	reservedEpoch
	reservedInfinity
	reservedNegInfinity
	reservedAllballs
)

var dateWords = map[string]dateWord{
	"now": {wordReserved, reservedNow}, "today": {wordReserved, reservedToday},
	"tomorrow": {wordReserved, reservedTomorrow}, "yesterday": {wordReserved, reservedYesterday},
	"epoch": {wordReserved, reservedEpoch}, "infinity": {wordReserved, reservedInfinity},
	"-infinity": {wordReserved, reservedNegInfinity},
	"allballs":  {wordReserved, reservedAllballs},
	"jan":       {wordMonth, 1}, "january": {wordMonth, 1}, "feb": {wordMonth, 2}, "february": {wordMonth, 2},
	"mar": {wordMonth, 3}, "march": {wordMonth, 3}, "apr": {wordMonth, 4}, "april": {wordMonth, 4},
	"may": {wordMonth, 5}, "jun": {wordMonth, 6}, "june": {wordMonth, 6}, "jul": {wordMonth, 7}, "july": {wordMonth, 7},
	"aug": {wordMonth, 8}, "august": {wordMonth, 8}, "sep": {wordMonth, 9}, "sept": {wordMonth, 9},
	"september": {wordMonth, 9}, "oct": {wordMonth, 10}, "october": {wordMonth, 10}, "nov": {wordMonth, 11},
	"november": {wordMonth, 11}, "dec": {wordMonth, 12}, "december": {wordMonth, 12},
	"sun": {wordWeekday, 0}, "sunday": {wordWeekday, 0}, "mon": {wordWeekday, 1}, "monday": {wordWeekday, 1},
	"tue": {wordWeekday, 2}, "tues": {wordWeekday, 2}, "tuesday": {wordWeekday, 2}, "wed": {wordWeekday, 3},
	"weds": {wordWeekday, 3}, "wednesday": {wordWeekday, 3}, "thu": {wordWeekday, 4}, "thur": {wordWeekday, 4},
	"thurs": {wordWeekday, 4}, "thursday": {wordWeekday, 4}, "fri": {wordWeekday, 5}, "friday": {wordWeekday, 5},
	"sat": {wordWeekday, 6}, "saturday": {wordWeekday, 6},
	"at": {wordIgnore, 0}, "on": {wordIgnore, 0},
	"am": {wordAMPM, 0}, "pm": {wordAMPM, 12}, "ad": {wordADBC, 0}, "bc": {wordADBC, 1},
	"t": {wordISOTime, 0}, "j": {wordJulian, 0}, "jd": {wordJulian, 0}, "julian": {wordJulian, 0},
	"dst": {wordDST, 0},
}

// otherDateWords are known to PostgreSQL's scanner, but no date has them.
var otherDateWords = map[string]bool{
	"d": true, "dow": true, "doy": true, "h": true, "isodow": true, "isoyear": true, "m": true, "mm": true, "s": true, "y": true,
}

func isDateWord(w string) bool {
	_, ok := dateWords[w]
	return ok || otherDateWords[w]
}
