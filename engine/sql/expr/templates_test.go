package expr

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces are what random templates are made of.
var (
	numPieces  = strings.Fields("9 9 9 9 0 0 . , D G S MI PL SG PR FM FM L TH th V B C RN rn EEEE x - SP \" \\\" (")
	timePieces = append(strings.Fields("A.D. am PM a.m. AD BC b.c. CC DAY Day day DDD DD DY Dy D FF1 FF3 FF6 FX HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM MONTH Mon mon MS Q RM rm SSSS SS TZH TZM US WW W Y,YYY YYYY YYYY YYY YY Y FM FM TH th SP TM - / : . , x T \"a\" 5"), " ", " ", " ")
	numTexts   = strings.Fields("0 1 -1 12 -12.5 0.5 -0.05 123.456 1234567.891 0.001 -99.99 99.95 999999999999 NaN 1e-10 0.0000 100 10.10")
	timeTexts  = []string{
		"2024-02-29", "2024 02 29", "20240229", "12:34:56.789", "05 Jun 2000", "2000/JUN", "June", "mon", "1", "12", "366", "53", "-5", "2024-366", "XII",
		"1,999", "44 BC", "44 bc", "pm 12", "12 a.m.", "2023-12-31 23:59:59.999999+05:30", "  2000   JUN ", "99", "520", "-2000-1-2", "3rd 4th", "2451545", "+07", "",
		"20 05 99 12 31", "5 6 7 8 9 10 11", "123456789012",
	}
	times     = []string{"timestamp '2024-02-29 12:34:56.789'", "timestamp '0044-03-15 00:00:00 BC'", "timestamptz '1999-12-31 23:59:59.999999'", "date '12000-01-01'", "timestamp '0099-10-05'"}
	intervals = []string{"15h 2m 12s", "-1 day -2:03", "400 days 30:00", "1 year 2 mons", "-25 years -3 mons 40 days -1.5 sec", "0"}
)

// TestOracleTemplates compares to_char, to_number, to_date and to_timestamp of
// random templates with the PostgreSQL that -postgres names.
func TestOracleTemplates(t *testing.T) {
	ask := oracle(t)
	r := rand.New(rand.NewPCG(*seed, 5))
	pick := func(s []string) string { return s[r.IntN(len(s))] }
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	template := func(pieces []string) string {
		var b strings.Builder
		for range 1 + r.IntN(7) {
			b.WriteString(pick(pieces))
		}
		return quote(b.String())
	}
	wrong := 0
	for range 4000 {
		var in string
		switch r.IntN(6) {
		case 0:
			in = "to_char((" + quote(pick(numTexts)) + ")::" + pick([]string{"numeric", "float8", "float4"}) + ", " + template(numPieces) + ")"
		case 1:
			in = "to_char(" + pick([]string{"5", "-17", "0", "4000", "1234567890123"}) + ", " + template(numPieces) + ")"
		case 2:
			in = "to_number(" + quote(pick([]string{"12,454.8-", "-34,338,492", "<123.456>", " 12.5", "1e5", "$1,234.56", "12th", "- 5", "5-", "+7.", ".5", "abc", "1 2 3"})) + ", " + template(numPieces) + ")"
		case 3:
			in = "to_char(" + pick(times) + ", " + template(timePieces) + ")"
		case 4:
			in = "to_char(interval " + quote(pick(intervals)) + ", " + template(timePieces) + ")"
		default:
			in = pick([]string{"to_timestamp(", "to_date("}) + quote(pick(timeTexts)) + ", " + template(timePieces) + ")"
		}
		if got, want := outcome(in), ask(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
			if wrong++; wrong > 60 {
				t.FailNow()
			}
		}
	}
}
