package expr

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// numTemplate is a number template: its items in order, and what they say
// about the whole.
type numTemplate struct {
	items     []numItem
	pre, post int // digit positions before and behind the point
	zeroStart int // digits up to the first 0 before the point, 0: there is none
	zeroEnd   int // digits up to the last 0
	multi     int // digits behind V
	signAt    int // digits before S, where it is in front
	sign      byte
	has       numFlags
}

// numItem is a keyword, by its canonical spelling, or a literal character.
type numItem struct {
	key   string // "" literal
	text  string
	lower bool
}

type numFlags struct {
	fill, point, sci, roman, shift, zero, blank bool
	signs, minus, plus, angle                   bool // S, MI, PL, PR
}

// Places of S in numTemplate.sign; 0: none.
const (
	signBefore = 'b'
	signBehind = 'a'
)

// numKeywords are upper case; each may be written in small letters as well.
var numKeywords = []string{
	"EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", "S", "D", "G", "L", "B", "C", "V", "9", "0", ".", ",",
}

func parseNumTemplate(s string) (*numTemplate, error) {
	if len(s) > maxTemplate {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "template is too long")
	}
	t := &numTemplate{}
next:
	for i := 0; i < len(s); {
		for _, k := range numKeywords {
			if len(s)-i < len(k) || s[i:i+len(k)] != k && s[i:i+len(k)] != strings.ToLower(k) {
				continue
			}
			if err := t.add(k); err != nil {
				return nil, err
			}
			t.items = append(t.items, numItem{key: k, lower: s[i] >= 'a'})
			i += len(k)
			continue next
		}
		if s[i] == '"' {
			for i++; i < len(s) && s[i] != '"'; {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				i += t.literal(s[i:])
			}
			i++
			continue
		}
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' {
			i++
		}
		i += t.literal(s[i:])
	}
	return t, nil
}

// literal adds the first character of s and returns its size.
func (t *numTemplate) literal(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	t.items = append(t.items, numItem{text: s[:size]})
	return size
}

// add notes a keyword in what is known of the whole.
func (t *numTemplate) add(k string) error {
	bad := func(text string) error { return pgerror.New(pgerror.SyntaxError, "%s", text) }
	f := &t.has
	if f.sci && k != "EEEE" {
		return bad(`"EEEE" must be the last pattern used`)
	}
	switch k {
	case "9":
		if f.angle {
			return bad(`"9" must be ahead of "PR"`)
		}
		t.addDigit()
	case "0":
		if f.angle {
			return bad(`"0" must be ahead of "PR"`)
		}
		if !f.zero && !f.point {
			f.zero, t.zeroStart = true, t.pre+1
		}
		if f.point {
			t.post++
		} else {
			t.pre++
		}
		t.zeroEnd = t.pre + t.post
	case "B":
		f.blank = f.blank || t.pre == 0 && t.post == 0 && !f.zero
	case ".", "D":
		if f.point {
			return bad("multiple decimal points")
		}
		if f.shift {
			return bad(`cannot use "V" and decimal point together`)
		}
		f.point = true
	case "FM":
		f.fill = true
	case "RN":
		f.roman = true
	case "V":
		if f.point {
			return bad(`cannot use "V" and decimal point together`)
		}
		f.shift = true
	case "EEEE":
		if f.sci {
			return bad(`cannot use "EEEE" twice`)
		}
		if f.blank || f.fill || f.signs || f.angle || f.minus || f.plus || f.roman || f.shift {
			return pgerror.New(pgerror.SyntaxError, `"EEEE" is incompatible with other formats`).
				WithDetail(`"EEEE" may only be used together with digit and decimal point patterns.`)
		}
		f.sci = true
	default:
		return t.addSign(k, bad)
	}
	return nil
}

func (t *numTemplate) addDigit() {
	switch {
	case t.has.shift:
		t.multi++
	case t.has.point:
		t.post++
	default:
		t.pre++
	}
}

func (t *numTemplate) addSign(k string, bad func(string) error) error {
	f := &t.has
	switch k {
	case "S":
		if f.signs {
			return bad(`cannot use "S" twice`)
		}
		if f.plus || f.minus || f.angle {
			return bad(`cannot use "S" and "PL"/"MI"/"SG"/"PR" together`)
		}
		f.signs = true
		if t.sign = signBehind; !f.point {
			t.sign, t.signAt = signBefore, t.pre
		}
	case "MI", "PL", "SG":
		if f.signs {
			return bad(`cannot use "S" and "` + k + `" together`)
		}
		f.minus = f.minus || k != "PL"
		f.plus = f.plus || k != "MI"
	case "PR":
		if f.signs || f.plus || f.minus {
			return bad(`cannot use "PR" and "S"/"PL"/"MI"/"SG" together`)
		}
		f.angle = true
	}
	return nil
}

// numText is a number on its way to a template: its digits and point without the
// sign, the blanks before them, and the template as changed by the number.
type numText struct {
	t      numTemplate
	digits string
	blanks int
	minus  bool
}

// newNumText splits a number's text.
func newNumText(t numTemplate, s string) *numText {
	n := &numText{t: t}
	n.digits, n.minus = strings.CutPrefix(s, "-")
	whole := strings.IndexByte(n.digits, '.')
	if whole < 0 {
		whole = len(n.digits)
	}
	switch {
	case whole < t.pre:
		n.blanks = t.pre - whole
	case whole > t.pre:
		n.digits = strings.Repeat("#", t.pre) + "." + strings.Repeat("#", t.post)
	}
	return n
}

// toCharNumber is to_char of a number; get is that of the exact types.
func toCharNumber(get func(datum) types.Decimal) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		t, err := memo(c, a[1].B, parseNumTemplate)
		if err != nil {
			return fail(err)
		}
		if len(a[1].B) == 0 {
			return str("")
		}
		oid := c.Args[0].OID
		if oid == types.OIDFloat4 || oid == types.OIDFloat8 {
			return t.formatFloat(a[0].F, oid == types.OIDFloat4)
		}
		return t.formatDecimal(get(a[0]), oid)
	}
}

// intOverflow is the error of a number beyond a type.
func intOverflow(name string) error {
	return pgerror.New(pgerror.NumericValueOutOfRange, "%s out of range", name)
}

func (t *numTemplate) formatDecimal(d types.Decimal, oid types.OID) (datum, error) {
	switch {
	case t.has.roman:
		if !d.IsFinite() {
			return fail(pgerror.Unsupported("cannot convert %s to integer", map[bool]string{true: "NaN", false: "infinity"}[d.IsNaN()]))
		}
		v, ok := d.Round(0).Int64()
		if !ok || v < math.MinInt32 || v > math.MaxInt32 {
			return fail(intOverflow("integer"))
		}
		return t.layout(&numText{t: *t, digits: roman(v)})
	case t.has.sci:
		return str(t.scientific(d))
	}
	n := *t
	if t.has.shift {
		p, err := types.FromInt64(10).Pow(types.FromInt64(int64(t.multi)))
		if err == nil {
			d, err = d.Mul(p)
		}
		if err != nil {
			return fail(err)
		}
		if v, ok := d.Int64(); oid == types.OIDInt8 && !ok {
			return fail(intOverflow("bigint"))
		} else if oid == types.OIDInt4 && (!ok || v > math.MaxInt32 || v < math.MinInt32) {
			return fail(intOverflow("integer"))
		}
		n.pre += t.multi
	}
	return t.layout(newNumText(n, d.Round(int32(n.post)).String()))
}

// hashes fill the place of a number that cannot be written.
func (t *numTemplate) hashes() string {
	s := []byte(" " + strings.Repeat("#", t.pre+t.post+5))
	s[min(t.pre+1, len(s)-1)] = '.'
	return string(s)
}

func (t *numTemplate) scientific(d types.Decimal) string {
	if !d.IsFinite() {
		return t.hashes()
	}
	s := scientificText(d, t.post)
	if s[0] != '-' {
		s = " " + s
	}
	return s
}

// scientificText writes d with one digit before the point and post behind it.
func scientificText(d types.Decimal, post int) string {
	digits := strings.TrimLeft(strings.Replace(d.Abs().String(), ".", "", 1), "0")
	exp := 0
	if digits != "" {
		exp = len(digits) - 1 - int(d.Scale())
	}
	m := types.NewBigDecimal(d.Unscaled(), d.Scale()+int32(exp)).Round(int32(post))
	sign := "+"
	if exp < 0 {
		sign, exp = "-", -exp
	}
	return fmt.Sprintf("%se%s%02d", m.String(), sign, exp)
}

func (t *numTemplate) formatFloat(f float64, single bool) (datum, error) {
	most := 15 // digits that the type holds
	if single {
		most = 6
	}
	switch {
	case t.has.roman:
		v := int64(math.MinInt32) // what the conversion of others gives
		if r := math.RoundToEven(f); r >= math.MinInt32 && r <= math.MaxInt32 {
			v = int64(r)
		}
		return t.layout(&numText{t: *t, digits: roman(v)})
	case t.has.sci:
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return str(t.hashes())
		}
		s := strconv.FormatFloat(f, 'e', t.post, 64)
		if f >= 0 && s[0] != '-' {
			s = " " + s
		}
		return str(s)
	}
	n := *t
	if t.has.shift {
		m := math.Pow(10, float64(t.multi))
		if single {
			f = float64(float32(f) * float32(m))
		} else {
			f *= m
		}
		n.pre += t.multi
	}
	whole := len(floatDigits(math.Abs(f), 0))
	switch {
	case whole >= most:
		n.post = 0
	case whole+n.post > most:
		n.post = most - whole
	}
	return t.layout(newNumText(n, floatDigits(f, n.post)))
}

func floatDigits(f float64, post int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', post, 64)
}

// roman writes 1 to 3999 in Roman numerals.
func roman(v int64) string {
	if v < 1 || v > 3999 {
		return strings.Repeat("#", 15)
	}
	values := []int64{1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1}
	marks := []string{"M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"}
	var b strings.Builder
	for i, n := range values {
		for v >= n {
			b.WriteString(marks[i])
			v -= n
		}
	}
	return b.String()
}

// numWriter lays a number out in the places of its template. cur is the place, at
// the next digit or point, last the last one that FM keeps (-1: all).
type numWriter struct {
	*numText
	out            []byte
	cur, at, last  int
	count          int
	signed, inside bool
	// cut: a place without digit or sign ends the text.
	cut bool
}

func (t *numTemplate) layout(n *numText) (datum, error) {
	w := &numWriter{numText: n, last: -1}
	w.prepare()
	for _, it := range n.t.items {
		if err := w.item(it); err != nil {
			return fail(err)
		}
		if w.cut {
			break
		}
	}
	return raw(w.out)
}

// prepare decides where the sign and the last digits go.
func (w *numWriter) prepare() {
	f := &w.t.has
	if w.t.zeroStart > 0 {
		w.t.zeroStart--
	}
	if f.roman {
		w.t.sign, w.t.pre, w.t.post, w.blanks = 0, 0, 0, 0
		w.t.has = numFlags{fill: f.fill, roman: true}
	}
	switch {
	case f.plus || f.minus:
		w.signed = f.minus
	default:
		if !w.minus && f.fill {
			f.angle = false
		}
		w.signed = !w.minus && f.fill && !f.signs
		if w.t.sign == signBefore && w.t.pre == w.t.signAt {
			w.t.sign = signBehind
		}
	}
	w.count = w.t.post + w.t.pre - 1
	if f.fill && f.point {
		w.last = lastDigit(w.digits)
		if w.last >= 0 && w.t.zeroEnd > w.blanks {
			w.last = max(w.last, min(len(w.digits)-1, w.t.zeroEnd-w.blanks))
		}
	}
	if !w.signed && w.blanks == 0 {
		w.count++
	}
}

// lastDigit is the place of the last digit behind the point that is not 0, the
// point's if there is none, -1 without a point.
func lastDigit(s string) int {
	if !strings.Contains(s, ".") {
		return -1
	}
	return len(strings.TrimRight(s, "0")) - 1
}

func (w *numWriter) put(s string) { w.out = append(w.out, s...) }

// putBlank writes a blank, unless FM is there.
func (w *numWriter) putBlank() {
	if !w.t.has.fill {
		w.put(" ")
	}
}

func (w *numWriter) item(it numItem) error {
	switch it.key {
	case "":
		w.put(it.text)
	case "9", "0", ".", "D":
		w.digit(it.key)
	case ",", "G":
		if w.inside {
			w.put(",")
		} else {
			w.putBlank()
		}
	case "L":
		w.put(" ")
	case "RN":
		s := w.digits
		if it.lower {
			s = strings.ToLower(s)
		}
		if !w.t.has.fill {
			w.put(strings.Repeat(" ", 15-len(s)))
		}
		w.put(s)
	case "TH":
		if w.t.has.roman || strings.HasPrefix(w.digits, "#") || w.minus || w.t.has.point {
			break
		}
		if c := w.digits[len(w.digits)-1]; c < '0' || c > '9' {
			return pgerror.New(pgerror.InvalidTextRepresentation, "\"%s\" is not a number", w.digits)
		}
		th := "TH"
		if it.lower {
			th = "th"
		}
		w.put(ordinal(w.digits, th))
	case "MI", "PL":
		if w.minus == (it.key == "MI") && !w.t.has.roman {
			w.put(signText(w.minus))
		} else {
			w.putBlank()
		}
	case "SG":
		if w.cut = w.t.has.roman; !w.cut {
			w.put(signText(w.minus))
		}
	}
	return nil
}

func signText(minus bool) string {
	if minus {
		return "-"
	}
	return "+"
}

// leading reports a 0 before the point that is not shown.
func (w *numWriter) leading() bool {
	return !w.t.has.zero && w.at == 0 && strings.HasPrefix(w.digits, "0") && w.t.post != 0
}

// endsAtPoint: FM leaves nothing behind the point.
func (w *numWriter) endsAtPoint() bool { return w.last >= 0 && w.digits[w.last] == '.' }

// digit writes what belongs to a place for a digit or the point.
func (w *numWriter) digit(key string) {
	if w.t.has.roman {
		return
	}
	w.inside = false
	zeros := w.t.has.zero && w.t.zeroStart <= w.cur
	if !w.signed && (w.cur >= w.blanks || w.t.has.zero && w.t.zeroStart == w.cur) && (!w.leading() || w.endsAtPoint()) {
		w.putSign()
	}
	switch {
	case w.cur < w.blanks && !zeros:
		w.putBlank()
	case w.cur < w.blanks:
		w.put("0")
		w.inside = true
	default:
		w.putDigit(key)
	}
	if w.cut {
		return
	}
	end := w.count + b2i(w.blanks > 0) + b2i(w.t.has.point)
	if w.last >= 0 && w.last == w.at {
		end = w.cur
	}
	if w.cur+1 == end {
		if w.signed && w.t.has.angle {
			w.put(map[bool]string{true: ">", false: " "}[w.minus])
		}
		if w.t.has.signs && w.t.sign == signBehind {
			w.put(signText(w.minus))
		}
	}
	w.cur++
}

func (w *numWriter) putSign() {
	f := &w.t.has
	switch {
	case f.signs:
		if w.t.sign != signBefore {
			return
		}
		w.put(signText(w.minus))
	case f.angle:
		w.put(map[bool]string{true: "<", false: " "}[w.minus])
	case w.minus:
		w.put("-")
	default:
		w.putBlank()
	}
	w.signed = true
}

func (w *numWriter) putDigit(key string) {
	var c byte
	if w.at < len(w.digits) {
		c = w.digits[w.at]
	}
	switch {
	case c == '.':
		if !w.endsAtPoint() || w.t.has.fill {
			w.put(".")
		}
	case w.last >= 0 && w.at > w.last && key != "0": // dropped by FM
	case w.leading():
		switch {
		case !w.t.has.fill:
			w.put(" ")
		case w.endsAtPoint():
			w.put("0")
		}
	case c == 0:
		w.cut = true
	default:
		w.put(string(c))
		w.inside = true
	}
	w.at = min(w.at+1, len(w.digits))
}

// numReader reads a text by a template: digits, point and sign into digits.
type numReader struct {
	t         *numTemplate
	in        string
	pos       int
	sign      byte
	digits    []byte
	pre, post int
	point     bool
}

// toNumber is to_number.
func toNumber(c *CallContext, a []datum) (datum, error) {
	t, err := memo(c, a[1].B, parseNumTemplate)
	if err != nil {
		return fail(err)
	}
	if len(a[1].B) == 0 {
		return null()
	}
	switch {
	case t.has.sci:
		return fail(pgerror.Unsupported(`"EEEE" not supported for input`))
	case t.has.roman:
		return fail(pgerror.Unsupported(`"RN" not supported for input`))
	}
	r := &numReader{t: t, in: string(a[0].B)}
	for _, it := range t.items {
		if r.end() {
			break
		}
		r.item(it)
	}
	s := strings.TrimSuffix(string(r.digits), ".")
	if r.sign != 0 {
		s = string(r.sign) + s
	}
	d, err := types.ParseDecimal(s)
	if strings.Trim(s, "+-") == "" {
		err = pgerror.InvalidText("numeric", cmp.Or(s, " "))
	}
	if err == nil && d.Precision()-int(d.Scale()) > t.pre+t.multi && !d.IsZero() {
		err = pgerror.New(pgerror.NumericValueOutOfRange, "numeric field overflow").
			WithDetail("A field with precision %d, scale %d must round to an absolute value less than 10^%d.", t.pre+t.multi+r.post, r.post, t.pre+t.multi)
	}
	if err == nil && t.has.shift {
		var p types.Decimal
		if p, err = types.FromInt64(10).Pow(types.FromInt64(int64(-t.multi))); err == nil {
			d, err = d.Mul(p)
		}
	}
	return types.DecimalDatum(d), err
}

func (r *numReader) end() bool { return r.pos >= len(r.in) }

// peek is the character i places on, 0 at the end.
func (r *numReader) peek(i int) byte {
	if r.pos+i >= len(r.in) {
		return 0
	}
	return r.in[r.pos+i]
}

// other passes over n characters that are not those of numbers.
func (r *numReader) other(n int) {
	for ; n > 0 && !r.end() && !strings.ContainsRune("0123456789.,+-", rune(r.in[r.pos])); n-- {
		r.skip()
	}
}

func (r *numReader) skip() {
	_, size := utf8.DecodeRuneInString(r.in[r.pos:])
	r.pos += size
}

func (r *numReader) item(it numItem) {
	switch it.key {
	case "":
		r.skip()
	case "9", "0", ".", "D":
		r.digit(it.key)
		r.pos++
	case ",", "G":
		if r.peek(0) == ',' && !r.t.has.fill {
			r.pos++
		}
	case "L":
		r.other(1)
	case "TH":
		if !r.t.has.point {
			r.other(2)
		}
	case "MI", "PL", "SG":
		c := r.peek(0)
		if c == '-' && it.key != "PL" || c == '+' && it.key != "MI" {
			r.sign = c
			r.pos++
			return
		}
		r.other(1)
	}
}

// signHere takes the sign at pos, if there is one; it may be of MI and the like.
func (r *numReader) signHere(angle bool) bool {
	switch c := r.peek(0); {
	case c == '-' || angle && c == '<':
		r.sign = '-'
	case c == '+':
		r.sign = '+'
	default:
		return false
	}
	return true
}

// digit reads a digit or the point; the caller goes past it.
func (r *numReader) digit(key string) {
	if r.peek(0) == ' ' {
		r.pos++
	}
	if r.end() {
		return
	}
	f := r.t.has
	if r.sign == 0 && (key == "0" || key == "9") && r.pre+r.post == 0 && r.signHere(f.angle) {
		r.pos++
	}
	if r.end() {
		return
	}
	read := false
	switch c := r.peek(0); {
	case c >= '0' && c <= '9':
		if r.point && r.post == r.t.post {
			return
		}
		r.digits = append(r.digits, c)
		if r.point {
			r.post++
		} else {
			r.pre++
		}
		read = true
	case f.point && !r.point && c == '.':
		r.digits = append(r.digits, '.')
		r.point, read = true, true
	}
	if r.sign != 0 || r.pre+r.post == 0 {
		return
	}
	next := r.peek(1)
	switch {
	case f.signs && read && next != 0 && (next < '0' || next > '9'):
		r.pos++
		if !r.signHere(false) {
			r.pos--
		}
	case !read && !f.signs && (f.plus || f.minus):
		r.signHere(false)
	}
}
