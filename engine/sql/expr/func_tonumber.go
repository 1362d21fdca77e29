package expr

import (
	"fmt"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// numTemplate is a number template: its items in order, and what they say
// about the whole.
type numTemplate struct {
	items              []numItem
	pre, post          int // digit positions before and behind the point
	zero               int // first position before the point that shows a zero, -1: none
	fill               bool
	point, sci, roman  bool
	shift              int // digits behind V
	lead, trail        bool
	minus, plus, angle bool
	explicit           bool // a sign item that replaces the blank for the sign
	lastZero           int  // last 0 behind the point (count of digits up to it)
}

type numItem struct {
	kind byte // 9 digit, . point, , group, S sign, M MI, P PL, G SG, R PR, L currency, t th, T TH, x literal
	text string
}

var numKeywords = []struct {
	word string
	kind byte
}{
	{"EEEE", 'E'},
	{"FM", 'F'},
	{"MI", 'M'},
	{"PL", 'P'},
	{"PR", 'R'},
	{"RN", 'N'},
	{"SG", 'G'},
	{"TH", 't'},
	{"S", 'S'},
	{"D", '.'},
	{"G", ','},
	{"L", 'L'},
	{"B", 'B'},
	{"C", 'B'},
	{"V", 'V'},
	{"9", '9'},
	{"0", '0'},
	{".", '.'},
	{",", ','},
}

func parseNumTemplate(s string) (*numTemplate, error) {
	if len(s) > maxTemplate {
		return nil, pgerror.New(pgerror.ProgramLimitExceeded, "template is too long")
	}
	t := &numTemplate{zero: -1}
	inV := false
next:
	for i := 0; i < len(s); {
		if s[i] == '"' {
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				end = len(s) - i - 1
			}
			t.items = append(t.items, numItem{'x', s[i+1 : i+1+end]})
			i = min(i+end+2, len(s))
			continue
		}
		for _, k := range numKeywords {
			if len(s)-i < len(k.word) || !strings.EqualFold(s[i:i+len(k.word)], k.word) {
				continue
			}
			if err := t.add(k.kind, s[i:i+len(k.word)], &inV); err != nil {
				return nil, err
			}
			i += len(k.word)
			continue next
		}
		t.items = append(t.items, numItem{'x', s[i : i+1]})
		i++
	}
	return t, nil
}

func (t *numTemplate) add(kind byte, text string, inV *bool) error {
	bad := func(format string) error { return pgerror.New(pgerror.SyntaxError, "%s", format) }
	switch kind {
	case 'F':
		t.fill = true
		return nil
	case 'B': // without meaning, but not shown
		return nil
	case 'E':
		t.sci = true
		return nil
	case 'N':
		t.roman = true
	case 'V':
		if t.point {
			return bad("cannot use \"V\" and decimal point together")
		}
		*inV = true
		return nil
	case '9', '0':
		t.addDigit(kind == '0', *inV)
		kind = '9'
	case '.':
		if t.point {
			return bad("multiple decimal points")
		}
		if *inV {
			return bad("cannot use \"V\" and decimal point together")
		}
		t.point = true
	case 'S':
		if t.lead || t.trail {
			return bad("cannot use \"S\" twice")
		}
		if t.explicit {
			return bad("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together")
		}
		t.explicit = true
		if t.pre == 0 && !t.point {
			t.lead = true
			return nil
		}
		t.trail = true
	case 'M':
		t.minus, t.explicit = true, true
	case 'P':
		t.plus = true
	case 'G':
		t.explicit = true
	case 'R':
		t.angle, t.explicit = true, true
	case 't':
		if text[0] == 'T' {
			kind = 'T'
		}
	}
	t.items = append(t.items, numItem{kind, text})
	return nil
}

// addDigit counts a digit position.
func (t *numTemplate) addDigit(zero, inV bool) {
	if t.point {
		t.post++
		if zero {
			t.lastZero = t.post
		}
		return
	}
	if zero && t.zero < 0 {
		t.zero = t.pre
	}
	t.pre++
	if inV {
		t.shift++
	}
}

func toCharNumber(get func(datum) types.Decimal) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		t, err := memo(c, a[1].B, parseNumTemplate)
		if err != nil {
			return fail(err)
		}
		return str(t.format(get(a[0])))
	}
}

func (t *numTemplate) format(d types.Decimal) string {
	switch {
	case t.roman:
		return t.formatRoman(d)
	case t.sci:
		return t.formatSci(d)
	}
	if t.shift > 0 {
		d = shiftDecimal(d, t.shift)
	}
	d = d.Round(int32(t.post))
	text := strings.TrimPrefix(d.String(), "-")
	whole, frac, _ := strings.Cut(text, ".")
	if !d.IsFinite() || len(strings.TrimLeft(whole, "0")) > t.pre {
		whole, frac = strings.Repeat("#", t.pre), strings.Repeat("#", t.post)
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" && t.post == 0 && t.zero < 0 && t.pre > 0 {
		whole = "0"
	}
	if t.zero >= 0 && len(whole) < t.pre-t.zero {
		whole = strings.Repeat("0", t.pre-t.zero-len(whole)) + whole
	}
	if t.fill {
		for len(frac) > t.lastZero && strings.HasSuffix(frac, "0") {
			frac = frac[:len(frac)-1]
		}
	}
	return t.layout(whole, frac, d)
}

// signOf is what a sign item of the template shows.
func signOf(kind byte, neg bool) byte {
	switch {
	case neg && kind != 'P':
		return '-'
	case !neg && kind != 'M':
		return '+'
	}
	return ' '
}

// leadingSign is what stands right before the first digit.
func (t *numTemplate) leadingSign(neg bool) byte {
	switch {
	case t.angle && neg:
		return '<'
	case t.lead && !neg:
		return '+'
	case neg:
		return '-'
	}
	return ' '
}

// layout writes the digits in their places.
func (t *numTemplate) layout(whole, frac string, d types.Decimal) string {
	neg := d.Sign() < 0
	var b strings.Builder
	blank := func() {
		if !t.fill {
			b.WriteByte(' ')
		}
	}
	writeSign := func(c byte) {
		if c != ' ' || !t.fill {
			b.WriteByte(c)
		}
	}
	signDone := t.explicit && !t.lead && !t.angle
	putSign := func() {
		if signDone {
			return
		}
		signDone = true
		writeSign(t.leadingSign(neg))
	}
	pos, fracPos, started, behind := 0, 0, false, false
	for _, it := range t.items {
		switch it.kind {
		case '9':
			if behind {
				if fracPos < len(frac) {
					b.WriteByte(frac[fracPos])
				}
				fracPos++
				break
			}
			at := len(whole) - (t.pre - pos)
			pos++
			if at < 0 {
				blank()
				break
			}
			putSign()
			started = true
			b.WriteByte(whole[at])
		case '.':
			putSign()
			behind = true
			b.WriteByte('.')
		case ',':
			if !started {
				blank()
				break
			}
			b.WriteByte(',')
		case 'S', 'G', 'M', 'P':
			writeSign(signOf(it.kind, neg))
		case 'R':
			putSign()
			if !neg {
				blank()
				break
			}
			b.WriteByte('>')
		case 'L':
			blank()
		case 't', 'T':
			if !neg && !t.point {
				b.WriteString(ordinal(whole, it.text))
			}
		case 'x':
			b.WriteString(it.text)
		}
	}
	return b.String()
}

func shiftDecimal(d types.Decimal, by int) types.Decimal {
	p := types.FromInt64(1)
	for range by {
		p, _ = p.Mul(types.FromInt64(10))
	}
	v, err := d.Mul(p)
	if err != nil {
		return types.DecimalNaN
	}
	return v
}

func (t *numTemplate) formatSci(d types.Decimal) string {
	if !d.IsFinite() {
		return " " + strings.Repeat("#", t.pre+t.post+6)
	}
	s := fmt.Sprintf("%.*e", t.post, d.Float64())
	if t.fill || s[0] == '-' {
		return s
	}
	return " " + s
}

func (t *numTemplate) formatRoman(d types.Decimal) string {
	v, ok := d.Round(0).Int64()
	s := strings.Repeat("#", 15)
	if ok && v > 0 && v < 4000 {
		s = roman(int(v))
		if !t.fill {
			s = fmt.Sprintf("%15s", s)
		}
	}
	for _, it := range t.items {
		if it.kind == 'N' && it.text[0] == 'r' {
			return strings.ToLower(s)
		}
	}
	return s
}

func roman(v int) string {
	values := []int{1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1}
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

// toNumber reads the digits, point and sign that the template lets through.
func toNumber(c *CallContext, a []datum) (datum, error) {
	t, err := memo(c, a[1].B, parseNumTemplate)
	if err != nil {
		return fail(err)
	}
	if len(a[1].B) == 0 {
		return null()
	}
	var b strings.Builder
	neg, point, pre, post := false, false, 0, 0
	for _, ch := range string(a[0].B) {
		switch {
		case ch >= '0' && ch <= '9':
			if point {
				if post++; post > t.post {
					continue
				}
			} else if pre++; pre > t.pre {
				continue
			}
			b.WriteRune(ch)
		case ch == '.' && !point && t.point:
			point = true
			b.WriteByte('.')
		case ch == '-' || ch == '<' && t.angle:
			neg = true
		}
	}
	s := b.String()
	if strings.Trim(s, ".") == "" {
		return fail(pgerror.InvalidText("numeric", strings.TrimSpace(s)))
	}
	if neg {
		s = "-" + s
	}
	d, err := types.ParseDecimal(s)
	if err == nil && t.shift > 0 {
		d, err = d.Mul(types.NewDecimal(1, int32(t.shift)))
	}
	return types.DecimalDatum(d), err
}
