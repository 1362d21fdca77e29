package expr

import (
	"strings"
	"unicode/utf8"
)

// timeField is a field of a date and time template, upper case.
type timeField string

// timeFields are the fields, those that begin alike longest first
// (https://www.postgresql.org/docs/15/functions-formatting.html).
var timeFields = []timeField{
	"A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D",
	"FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH",
	"IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS",
	"OF", "P.M.", "PM", "Q", "RM", "SSSSS", "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W",
	"Y,YYY", "YYYY", "YYY", "YY", "Y",
}

// timeNode is a field of a template or, with field "", a literal character.
type timeNode struct {
	field timeField
	text  string // as written: its case says how names are written
	fill  bool   // FM: no padding
	local bool   // TM: names without padding
	th    string // TH or th behind it
	sep   bool   // a literal blank or punctuation mark
}

// maxTemplate bounds the length of a template.
const maxTemplate = 1 << 12

// parseTimeTemplate splits a template into fields and literals.
func parseTimeTemplate(s string) []timeNode {
	var out []timeNode
	for i := 0; i < len(s); {
		n, w := timeNodeAt(s[i:])
		switch {
		case n.field != "":
			out = append(out, n)
			i += w
			continue
		case w > 0: // a prefix before no field
			i += w
			if i == len(s) {
				return out
			}
		}
		if s[i] == '"' {
			i++
			for i < len(s) && s[i] != '"' {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				_, size := utf8.DecodeRuneInString(s[i:])
				out = append(out, timeNode{text: s[i : i+size]})
				i += size
			}
			i++
			continue
		}
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' {
			i++
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		out = append(out, timeNode{text: s[i : i+size], sep: isSeparator(s[i]) || isBlank(s[i])})
		i += size
	}
	return out
}

// isSeparator reports a printable ASCII character other than letters and digits.
func isSeparator(c byte) bool {
	return c > ' ' && c < 0x7f && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
}

// isBlank is C's isspace.
func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// timeNodeAt reads a field with its prefix and suffix; w is how long they are.
func timeNodeAt(s string) (n timeNode, w int) {
	rest := s
	if len(rest) >= 2 {
		switch rest[:2] {
		case "FM", "fm":
			n.fill, rest = true, rest[2:]
		case "TM", "tm":
			n.local, rest = true, rest[2:]
		}
	}
	for _, f := range timeFields {
		if len(rest) < len(f) || !strings.EqualFold(rest[:len(f)], string(f)) || !spelled(rest[:len(f)]) {
			continue
		}
		n.field, n.text = f, rest[:len(f)]
		rest = rest[len(f):]
		switch {
		case strings.HasPrefix(rest, "TH"), strings.HasPrefix(rest, "th"):
			n.th, rest = rest[:2], rest[2:]
		case strings.HasPrefix(rest, "SP"): // spelled out: means nothing
			rest = rest[2:]
		}
		return n, len(s) - len(rest)
	}
	return timeNode{}, len(s) - len(rest)
}

// spelled reports that a field is all in capitals, all in small letters, or a name
// with a capital at its beginning.
func spelled(s string) bool {
	if s == strings.ToUpper(s) || s == strings.ToLower(s) {
		return true
	}
	switch strings.ToLower(s) {
	case "month", "mon", "day", "dy":
		return s[1:] == strings.ToLower(s[1:])
	}
	return false
}

// inCase writes a name in the case of the field's spelling.
func (n timeNode) inCase(name string) string {
	switch {
	case len(n.text) > 1 && n.text[0] >= 'a':
		return strings.ToLower(name)
	case len(n.text) > 1 && n.text[1] >= 'A' && n.text[1] <= 'Z':
		return strings.ToUpper(name)
	}
	return name
}

// ordinal is the ending of an ordinal number.
func ordinal(digits, th string) string {
	n := strings.TrimSpace(digits)
	end := "th"
	if len(n) < 2 || n[len(n)-2] != '1' {
		switch n[max(len(n)-1, 0):] {
		case "1":
			end = "st"
		case "2":
			end = "nd"
		case "3":
			end = "rd"
		}
	}
	if th == "TH" {
		return strings.ToUpper(end)
	}
	return end
}

var (
	monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanNames = []string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)
