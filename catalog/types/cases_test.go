package types

import "strings"

// textInputs are literals by type; each is read and written under the default
// settings.
var textInputs = map[string][]string{
	"bool": {"t", "true", "TRUE", " tru ", "y", "yes", "on", "1", "f", "false", "fals", "n", "no", "off", "of", "o", "0", "", "x", "truex", "10", "oN"},
	"int2": {"0", "-1", "32767", "32768", "-32768", "-32769", " 12 ", "+5", "", " ", "1.5", "abc", "1 2", "0x10", "1_000", "99999999999999999999"},
	"int4": {"2147483647", "2147483648", "-2147483648", "-2147483649", "007", "-", "+", "1e3", "\t8\n"},
	"int8": {"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1", "12a", "--1"},
	"oid":  {"0", "4294967295", "4294967296", "-1", "-2147483648", "-2147483649", "x", ""},
	"float8": {
		"0", "-0", "1", "1.5", "0.1", "1e15", "1e14", "123456789012345678", "1e-4", "1e-5", "0.00001234", "1e22", "1e23", "1.7976931348623157e308", "1e309", "-1e309", "4.9e-324",
		"1e-400", "NaN", "nan", "Infinity", "-infinity", "inf", "+inf", "+Infinity", " 1.25 ", "1e", "e5", ".", ".5", "5.", "1_0", "1.2.3", "", "infinit", "3.14159265358979", "2.2250738585072014e-308",
		"100000000000000000000", "999999999999999.9", "99999999999999.99", "12345678.9", "1e+5", "1E5", "-1.5E-10", "9007199254740993", "0.30000000000000004",
	},
	"float4": {"1.1", "16777217", "1e38", "1e39", "1e-45", "1e-46", "3.4028235e38", "1e5", "1e6", "1234567", "0.0001", "0.00001", "123456.7", "NaN", "-Infinity", "x", "0.1"},
	"numeric": {
		"0", "-0", "0.00", "1", "-1.50", "123.4500", ".5", "5.", ".", "+.5", "1e5", "1e-5", "1.5e3", "1.5E+3", "1.234e-3", "NaN", "nan", "Infinity", "-inf", "+infinity", " 12.5 ", "1 2", "abc", "", "1e", "1e+",
		"123456789012345678", "1234567890123456789", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "99999999999999999999.99999999999999999999", "0.000000000000000000000000000001",
		"10000", "100000000", "1000000000000000000000000", "0.0001", "0.00010000", "0.00000001", "12345.6789", "00012", "-.0001", "1e131071", "1e131072", "1e-16383", "1.5e-16384", "1e-16384", "1e-20000", "1e99999999999", "1-", "-", "--1",
		"9999.9999", "10000.0001", "1e20", "1e-20", "3.14159265358979323846264338327950288", "0e10", "1_000",
	},
	"numeric(5,2)":              {"1.005", "-1.005", "999.994", "999.995", "1000", "NaN", "Infinity", "0", "1e-10", "123.456"},
	"numeric(3,0)":              {"999.4", "999.5", "0.5", "1.5", "2.5", "-0.5"},
	"numeric(3,-2)":             {"12345", "99949", "99950", "49", "50"},
	"numeric(3,5)":              {"0.00999", "0.009994", "0.009995", "0.01"},
	"numeric(38,18)":            {"12345678901234567890.123456789012345678", "1", "99999999999999999999", "100000000000000000000"},
	"text":                      {"", "abc", "日本語", "a'b\\c"},
	"varchar(3)":                {"abc", "abcd", "ab   ", "日本語です", ""},
	"char(3)":                   {"a", "abc", "abcd", "日", "", "ab   "},
	"name":                      {"abc", strings.Repeat("x", 70), strings.Repeat("é", 40)},
	`"char"`:                    {"a", "ab", "", `\377`},
	"bytea":                     {`\x`, `\x00ff`, `\xDEAD BEEF`, `\x0`, `\x0g`, `abc`, `a\\b`, `\000\377`, `a\b`, `\400`, "é"},
	"uuid":                      {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "a0eebc99", "", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g", "a0e-ebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99--9c0b-4ef8-bb6d-6bb9bd380a11"},
	"json":                      jsonInputs,
	"jsonb":                     jsonInputs,
	"int4[]":                    {"{}", "{1,2,3}", " { 1 , 2 } ", "{NULL,1}", "{null}", "{1,2", "1,2", "{1,,2}", "{1,2}x", "{1,}", "{,1}", "{x}", "[1:2]={5,6}", `{"1",2}`, "{}}", "{ }", ""},
	"text[]":                    {`{a,b}`, `{"a b","c,d"}`, `{"a\"b","c\\d"}`, `{NULL,"NULL",null}`, `{""}`, `{a b}`, `{a\,b}`, `{ a , b }`, `{"a"b}`, `{a"b"}`, `{"a`, `{"a\`, `{\}}`, "{a\nb}", `{日本}`},
	"numeric[]":                 {"{1.50,NaN,1e5}", "{1.5,x}"},
	"numeric(5,1)[]":            {"{1.55,2}"},
	"timestamptz[]":             {`{2001-02-03 04:05:06+00,"2001-02-03 04:05:06+02"}`},
	"jsonb[]":                   {`{"{\"a\": 1}","[1, 2]"}`},
	"bool[]":                    {"{t,f,true}"},
	"int2vector":                {"1 2 3", ""},
	"date":                      dateInputs,
	"timestamp":                 timestampInputs,
	"timestamptz":               timestampInputs,
	"timestamp(0)":              {"2001-02-03 04:05:06.5", "2001-02-03 04:05:06.4999", "1999-12-31 23:59:59.5", "1901-01-01 00:00:00.5"},
	"timestamp(3)":              {"2001-02-03 04:05:06.78951", "1901-01-01 00:00:00.0005", "infinity"},
	"time":                      timeInputs,
	"time(2)":                   {"04:05:06.789", "23:59:59.999"},
	"interval":                  intervalInputs,
	"interval(2)":               {"1.23456 s", "-1.235 s", "1 day 00:00:00.005"},
	"interval year":             {"5", "1 year 2 mons 3 days", "1-2"},
	"interval month":            {"5", "14 months 3 days"},
	"interval day":              {"5", "1 day 05:06:07"},
	"interval hour":             {"5", "1 day 05:06:07", "1:30"},
	"interval minute":           {"5", "1 day 05:06:07"},
	"interval second":           {"5", "5.5", "1:30"},
	"interval year to month":    {"1-2", "5", "3 years 4 months 5 days"},
	"interval day to hour":      {"3 4", "3 04:05:06"},
	"interval day to second":    {"3 04:05:06.7", "5"},
	"interval hour to minute":   {"5:30", "5"},
	"interval minute to second": {"5:30", "5:30.5", "1:05:30"},
}

var jsonInputs = []string{
	`{}`, `[]`, `null`, `true`, `false`, `1`, `-1`, `-0`, `0.10`, `1e2`, `1.5E-3`, `12345678901234567890.12345678901234567890`, `"a"`, `""`, ` {"b":1,"a":2,"b":3,"aa":4} `,
	`[1, "x", {"y":[]}, null]`, `"\u00e9\n\t\"\\\/\b\f"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\ud83d"`, `"\u0000"`, `"\u001f"`, `"\x"`, `"\u12"`, "\"a\nb\"", `"abc`, `{`, `[`, `[1,`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`,
	`{1:2}`, `{"a":1 "b":2}`, `[1 2]`, `01`, `1.`, `.5`, `-`, `1e`, `+1`, `nul`, `truex`, `NaN`, ``, `  `, `1 2`, `{} {}`, `"a" "b"`, `]`, `}`, `,`, `:`, `{"日本":"語","é":1}`, `[[[[]]]]`, `{"a":{"c":1,"b":{"z":1,"y":2}}}`, `'a'`, `1e400`, `[1e-5, 100e-2]`, `1_0`, `{"a":1}}`,
	"{\"a\":\n 1,\n \"b\": x}", `"` + strings.Repeat("a", 60) + `" x`, `tru`, `"\`,
}

var dateInputs = []string{
	"2001-02-03", "2001-2-3", "20010203", "010203", "2001-02-30", "2001-13-01", "2001-00-01", "2001-01-00", "2000-02-29", "1900-02-29", "0001-01-01", "0000-01-01", "4713-01-01 BC", "4714-11-24 BC", "4714-11-23 BC",
	"5874897-12-31", "5874898-01-01", "9999-12-31", "10000-01-01", "1/2/2003", "13/2/2003", "1/2/03", "1/2/70", "1-2-03", "1.2.2003", "Jan 8, 1999", "January 8 1999", "8 January 1999", "8-Jan-1999", "Jan-08-1999", "1999-Jan-08", "99-Jan-08",
	"08-Jan-99", "Jan-08-99", "Jan 8 99", "1999.008", "1999 008", "J2451187", "J2451187.5", "j 2451187", "January 8, 99 BC", "infinity", "-infinity", "+infinity", "epoch", "2001-02-03 04:05:06", "2001-02-03T04:05:06Z", "Mon Jan 08 1999", "monday 1999-01-08",
	"", " ", "x", "2001", "2001-02", "12", "2001-02-03-04", "2001-02-03 x", "2001/02/03", "2001.02.03", "2/3/4/5", "sept 3 2001", "99999-01-01", "2001-366", "2000-366", "2001-02-03 BC", "0044-03-15 BC", "19990108", "990108", "1999008x", "now x", "294277-01-01",
	"1999-01-08 allballs", "99 Jan 8", "Jan 1999 8", "1 2 2003", "2001-W05", "February 30 2001", "123456-01-01", "1234567", "01234567", "1999-1-1 24:00:00",
}

var timestampInputs = append([]string{
	"2001-02-03 04:05:06.789", "2001-02-03 04:05:06.789123", "2001-02-03 04:05:06.7891235", "2001-02-03 04:05:06.7891234999", "2001-02-03 04:05", "2001-02-03 04", "2001-02-03 040506", "2001-02-03 0405", "2001-02-03T040506", "20010203T040506", "20010203 040506.5",
	"2001-02-03 04:05:06 AM", "2001-02-03 04:05:06 PM", "2001-02-03 12:00 AM", "2001-02-03 12:30 PM", "2001-02-03 13:00 PM", "2001-02-03 4:5:6", "2001-02-03 24:00:00", "2001-02-03 24:00:01", "2001-02-03 23:59:60", "2001-02-03 23:60", "2001-02-03 25:00", "2001-02-03 04:05:61",
	"2001-02-03 04:05:06+00", "2001-02-03 04:05:06+02", "2001-02-03 04:05:06-0330", "2001-02-03 04:05:06+05:30", "2001-02-03 04:05:06+05:30:15", "2001-02-03 04:05:06 +2", "2001-02-03 04:05:06Z", "2001-02-03 04:05:06 z", "2001-02-03 04:05:06 UTC", "2001-02-03 04:05:06 GMT",
	"2001-02-03 04:05:06 EST", "2001-02-03 04:05:06 PST", "2001-02-03 04:05:06 CET", "2001-07-03 04:05:06 CEST", "2001-02-03 04:05:06 America/New_York", "2001-07-03 04:05:06 america/new_york", "2001-02-03 04:05:06 Europe/Berlin", "2001-02-03 04:05:06 Nowhere/City", "2001-02-03 04:05:06 Nowhere",
	"2001-02-03 04:05:06+16", "2001-02-03 04:05:06+15:59", "2001-02-03 04:05:06+1560", "2001-02-03 04:05:06 UTC+3", "2001-02-03 04:05:06 EST5EDT", "2001-02-03 04:05:06 Asia/Kolkata",
	"2001-03-25 02:30:00 Europe/Berlin", "2001-10-28 02:30:00 Europe/Berlin", "1883-11-18 12:03:58 America/New_York", "1800-01-01 00:00 America/New_York", "2100-07-01 12:00 Europe/London",
	"Wed Feb 03 04:05:06 2001", "Sat Feb 03 04:05:06.5 2001 PST", "Feb 3 2001 4:05pm", "3 Feb 2001 04:05:06", "04:05:06 2001-02-03", "2001-02-03, 04:05:06", "02/03/2001 04:05:06", "2001-02-03 04:05:06 BC", "0001-01-01 00:00:00 BC", "4713-11-24 00:00:00 BC", "4714-11-24 00:00:00 BC", "4714-11-23 23:59:59 BC",
	"294276-12-31 23:59:59.999999", "294277-01-01 00:00:00", "294277-01-01 00:00:00+01", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00", "2000-01-01", "1999-12-31 23:59:59.9999995", "2001-02-03 04:05:06.", "2001-02-03 04:05:.5", "2001-02-03 04:", "2001-02-03 :05", "2001-02-03 04:05:06:07",
	"2001-02-03 04:05:06 04:05:06", "2001-02-03 2001-02-03", "epoch 04:05", "2001-02-03 04:05:06 DST", "2001-02-03 04:05:06 EST DST", "2001-02-03T", "T04:05", "2001-02-03 04:05:06-08:00", "2001-02-03 04:05:06 -8", "20010203040506", "2001-02-03 05:06.7", "J2451187 04:05:06", "J2451187.25 04:05", "2001-02-03 04.05.06",
	"2001-02-03 04:05:06.5 +01:00", "2001-02-03 at 04:05", "2001-02-03 noon", "Jan 1 2001 00:00:00+00 BC", "1/1/2001 1:1:1.1 am", "2001-02-03 0:0", "2001-02-03 040506-08", "2001-02-03 040506.789+08",
}, dateInputs...)

var timeInputs = []string{
	"04:05:06", "04:05", "040506", "0405", "04:05:06.789", "04:05:06.7891235", "4:05 PM", "12:00 AM", "24:00:00", "24:00:01", "23:59:60", "23:59:60.5", "25:00", "", "x", "04", "allballs", "04:05:06 PST", "04:05:06+02", "04:05:06 America/New_York", "2003-04-12 04:05:06 America/New_York", "2003-04-12 04:05:06",
	"T04:05:06", "04:05:06Z", "040506.789", "040506+08", "11:59:59.9999995 PM", "13:00 PM", "04:60", "infinity", "-1:00", "040506-08:00", "405", "1 PM", "03:04:05 2001-02-03",
}

var intervalInputs = []string{
	"1 day", "1 day 02:03:04", "-1 day 02:03:04", "1 day -02:03:04", "1 year 2 mons 3 days 04:05:06.789", "@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs ago", "1.5 years", "1.5 months", "1.5 weeks", "1.5 days", "1.5 hours", "1.5 minutes", "1.5 seconds", "1.5 ms", "1.5 us", "1.23 decades", "0.01 century", "0.001 millennium",
	"1 decade 1 century 1 millennium", "3 weeks", "04:05", "04:05:06", "-04:05:06", "+04:05:06", "100:00:00", "1000000:00:00", "5", "5.5", "-5", "", " ", "x", "1 x", "1", "day", "1 day day", "1 day 2 days", "1 hour 02:03", "1-2", "-1-2", "1-2 3", "1-2 3 4:05:06", "1-12", "+1-2 -3 +4:05:06", "1 2", "1 2:03",
	"P1Y2M3DT4H5M6S", "P1Y", "PT1H", "P1W", "P1.5D", "PT1.5S", "P-1Y-2M", "PT-6.789S", "P0001-02-03T04:05:06", "P00010203T040506", "P1", "PT", "P", "P1S", "PT1D", "P1Y2", "P0001-02", "P0001", "1y2mon3d4h5m6s", "1 mon", "1 m", "1 min", "1 mons", "1 msec", "1 microsecond", "1 milliseconds", "1 us", "1 h", "1 hr", "1 hrs", "1 d", "1 w", "1 y", "1 yr", "1 c", "1 mil", "1 dec", "ago",
	"1 day ago", "-1 day ago", "1 day 2 hours ago", "infinity", "178000000 years", "178956970 years", "178956971 years", "2147483647 months", "2147483648 months", "2147483647 days", "2147483648 days", "9223372036854775807 us", "9223372036854775808 us", "2562047788:00:54.775807", "2562047788:00:54.775808", "-2147483648 days", "0.0000005 s", "0.0000015 s",
	"1 mon -1 day", "-1 mon +1 day", "-1 year -2 mons +3 days -04:05:06", "1 year -1 day", "0.5 months", "0.1 months", "-0.1 months", "0.1 years", "1.04 years", "-1.5 years", "1:30", "1 day 1:30.5", "00:00:00.000001", "1 day 25:00:00", "1 day 00:60", "00:00:60", "00:00:61", "1 quarter", "2 yrs 3 mons", "1 Day", "1 MONTH 2 HOURS", "1,5 days", "1 century ago", "+1 day", "- 1 day", "1 day-1 hour", "1e3 seconds",
	"10 years 5 hours 40 minutes", "1 2 years", "1 day 12", "-0:00:01", "-00:00:00.5", "0", "0 days", "-1 days -0:00:00.1",
}

// styled lists the settings under which some types are read and written, too.
var styled = []struct {
	set    string
	types  []string
	inputs []string
}{
	{"DateStyle=SQL, DMY", []string{"date", "timestamp", "timestamptz"}, styleInputs},
	{"DateStyle=SQL, MDY", []string{"date", "timestamp", "timestamptz"}, styleInputs},
	{"DateStyle=SQL, YMD", []string{"date", "timestamp"}, styleInputs},
	{"DateStyle=Postgres, DMY", []string{"date", "timestamp", "timestamptz"}, styleInputs},
	{"DateStyle=Postgres, MDY", []string{"date", "timestamp", "timestamptz"}, styleInputs},
	{"DateStyle=Postgres, YMD", []string{"date", "timestamp"}, styleInputs},
	{"DateStyle=German", []string{"date", "timestamp", "timestamptz"}, styleInputs},
	{"DateStyle=ISO, DMY", []string{"date", "timestamp"}, styleInputs},
	{"DateStyle=ISO, YMD", []string{"date", "timestamp"}, styleInputs},
	{"timezone=America/New_York", []string{"timestamptz"}, timestampInputs},
	{"timezone=Europe/Berlin", []string{"timestamptz"}, []string{"2001-03-25 01:59:59", "2001-03-25 02:30", "2001-03-25 03:00", "2001-10-28 01:30", "2001-10-28 02:30", "2001-10-28 03:00", "1880-01-01", "1945-05-24 02:30", "2038-01-20", "2500-07-01", "0001-01-01 BC", "infinity"}},
	{"timezone=Asia/Kolkata;DateStyle=SQL, DMY", []string{"timestamptz"}, styleInputs},
	{"timezone=America/Sao_Paulo;DateStyle=Postgres, DMY", []string{"timestamptz"}, styleInputs},
	{"timezone=Asia/Tehran;DateStyle=German", []string{"timestamptz"}, styleInputs},
	{"IntervalStyle=sql_standard", []string{"interval"}, intervalInputs},
	{"IntervalStyle=iso_8601", []string{"interval"}, intervalInputs},
	{"IntervalStyle=postgres_verbose", []string{"interval"}, intervalInputs},
	{"extra_float_digits=0", []string{"float4", "float8"}, floatInputs},
	{"extra_float_digits=-3", []string{"float4", "float8"}, floatInputs},
	{"extra_float_digits=3", []string{"float4", "float8"}, floatInputs},
	{"bytea_output=escape", []string{"bytea"}, []string{`\x00ff5c41`, `abc`, `\x7f1f20`}},
}

var styleInputs = []string{
	"2001-02-03 04:05:06.789", "1/2/2003", "13/2/2003", "2/13/2003", "1/2/3", "03/1/2", "2001-02-03 BC", "infinity", "Feb 3 2001", "3 Feb 01", "01 Feb 03", "01-Feb-03", "Feb-03-01", "99-2-3", "12.11.2001", "12345-01-02", "2001-07-03 12:00:00+00", "19990108", "990108",
	"Sat 03 Feb 04:05:06 2001 PST", "1 2 3", "2003/1/2",
}

var floatInputs = []string{"0.1", "1e15", "123456789.123456789", "1e-5", "NaN", "3.14159265358979", "100000", "1000000", "16777216", "1e100", "0.30000000000000004", "-2.5", "99999.95", "999999.5"}

func textCases() []pgCase {
	var cases []pgCase
	add := func(typ, in, set string) {
		fields := []string{typ, in}
		if set != "" {
			fields = append(fields, set)
		}
		cases = append(cases, pgCase{fields: fields, set: set, sql: "SELECT CAST(" + sqlQuote(in) + " AS " + typ + ")"})
	}
	names := make([]string, 0, len(textInputs))
	for typ := range textInputs {
		names = append(names, typ)
	}
	sortStrings(names)
	for _, typ := range names {
		for _, in := range textInputs[typ] {
			add(typ, in, "")
		}
	}
	for _, s := range styled {
		for _, typ := range s.types {
			for _, in := range s.inputs {
				if !(typ != "timestamptz" && typ != "interval" && strings.Contains(in, "today")) {
					add(typ, in, s.set)
				}
			}
		}
	}
	return cases
}
