package parser

import (
	"strconv"
	"strings"

	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// unitWords maps the words of a time unit to the unit of interval input.
var unitWords = map[string]string{
	"nanosecond": "nanoseconds", "nanoseconds": "nanoseconds",
	"microsecond": "microseconds", "microseconds": "microseconds",
	"millisecond": "milliseconds", "milliseconds": "milliseconds",
	"second": "seconds", "seconds": "seconds", "sec": "seconds", "secs": "seconds",
	"minute": "minutes", "minutes": "minutes", "min": "minutes", "mins": "minutes",
	"hour": "hours", "hours": "hours", "day": "days", "days": "days", "week": "weeks", "weeks": "weeks",
	"month": "months", "months": "months", "quarter": "quarters", "quarters": "quarters", "year": "years", "years": "years",
	"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks",
}

// intervalText is interval input for a number of units. Intervals have no
// unit below the microsecond and none of a quarter.
func intervalText(number, unit string) string {
	switch unit {
	case "nanoseconds":
		return shiftPoint(number) + " microseconds"
	case "quarters":
		if n, err := strconv.Atoi(number); err == nil && n < 1<<28 && n > -1<<28 {
			return strconv.Itoa(3*n) + " months"
		}
	}
	return number + " " + unit
}

// shiftPoint divides a decimal number by 1000.
func shiftPoint(n string) string {
	sign := ""
	if strings.HasPrefix(n, "-") {
		sign, n = "-", n[1:]
	}
	whole, frac, _ := strings.Cut(n, ".")
	if len(whole) < 4 {
		whole = strings.Repeat("0", 4-len(whole)) + whole
	}
	cut := len(whole) - 3
	frac = strings.TrimRight(whole[cut:]+frac, "0")
	whole = strings.TrimLeft(whole[:cut-1], "0") + whole[cut-1:cut]
	if frac == "" {
		return sign + whole
	}
	return sign + whole + "." + frac
}

// duration takes a short duration: 30s, 1.5h.
func (p *parser) duration() *ast.Interval {
	text := p.tok.text
	n := strings.LastIndexFunc(text, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }) + 1
	x := &ast.Interval{At: p.at(), Text: intervalText(text[:n], durationUnits[strings.ToLower(text[n:])]), Precision: -1}
	p.next()
	return x
}

// intervalLiteral parses INTERVAL and a constant; nil if the word is a name.
func (p *parser) intervalLiteral() ast.Expr {
	at := p.at()
	next := p.peek(1)
	switch {
	case next.kind == tString:
		p.next()
		return p.intervalFields(at, p.str(), -1)
	case next.kind == tDuration:
		p.next()
		d := p.duration()
		d.At = at
		return d
	case next.kind == tInt, next.kind == tNum,
		next.isOp("-") && (p.peek(2).kind == tInt || p.peek(2).kind == tNum):
		p.next()
		return p.numberOfUnits(at)
	case next.isOp("("):
		p.next()
		p.next()
		prec := p.integer()
		p.expectOp(")")
		return &ast.Interval{At: at, Text: p.str(), Precision: prec}
	}
	return nil
}

// intervalFields parses the fields behind the text of an interval. Units that
// are no fields in PostgreSQL (plurals, WEEK, …) belong to a text that is a
// bare number; behind any other text the word is not the interval's.
func (p *parser) intervalFields(at ast.At, text string, prec int) ast.Expr {
	x := &ast.Interval{At: at, Text: text, Precision: prec}
	if p.tok.kind != tWord {
		return x
	}
	if isField(p.tok.text) {
		x.Fields, x.Precision = p.fields()
		return x
	}
	if unit, ok := unitWords[p.tok.text]; ok && len(p.tok.text) > 2 && isNumber(text) {
		p.next()
		x.Text = intervalText(strings.TrimSpace(text), unit)
	}
	return x
}

func isField(word string) bool {
	switch word {
	case "year", "month", "day", "hour", "minute", "second":
		return true
	}
	return false
}

func isNumber(s string) bool {
	s = strings.TrimPrefix(strings.TrimSpace(s), "-")
	if s == "" || s == "." {
		return false
	}
	dots := 0
	for i := range len(s) {
		if s[i] == '.' {
			dots++
		} else if !isDigit(s[i]) {
			return false
		}
	}
	return dots <= 1
}

// fields parses YEAR, DAY TO SECOND(3), …; precision is -1 unless given.
func (p *parser) fields() (ast.IntervalFields, int) {
	from := p.tok.text
	p.next()
	prec := -1
	if from == "second" {
		return ast.Second, p.secondPrecision()
	}
	if !p.is("to") {
		return ast.IntervalFields(strings.ToUpper(from)), prec
	}
	ends := map[string][]string{
		"year": {"month"}, "day": {"hour", "minute", "second"}, "hour": {"minute", "second"}, "minute": {"second"},
	}[from]
	if !p.peek(1).oneOf(ends...) {
		if ends != nil {
			p.next()
		}
		p.unexpected()
		return ast.FieldsNone, -1
	}
	p.next()
	to := p.tok.text
	p.next()
	if to == "second" {
		prec = p.secondPrecision()
	}
	return ast.IntervalFields(strings.ToUpper(from + " to " + to)), prec
}

func (p *parser) secondPrecision() int {
	if !p.isOp("(") {
		return -1
	}
	p.next()
	n := p.integer()
	p.expectOp(")")
	return n
}

// numberOfUnits parses 5 MINUTES, as in INTERVAL 5 MINUTES and SIZE 1 HOUR.
// at is where the whole begins.
func (p *parser) numberOfUnits(at ast.At) ast.Expr {
	text := p.number()
	unit, ok := unitWords[p.tok.text]
	if p.tok.kind != tWord || !ok {
		near := p.tok
		p.unexpectedAt(near)
		if p.err != nil && p.err.Code == pgerror.SyntaxError {
			p.err.Hint = "A unit of time is expected here, such as SECONDS, MINUTES, HOURS or DAYS."
		}
		return &ast.Interval{At: at}
	}
	p.next()
	return &ast.Interval{At: at, Text: intervalText(text, unit), Precision: -1}
}
