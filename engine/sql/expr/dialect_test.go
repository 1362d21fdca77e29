package expr

import "testing"

// TestDialect checks the functions that PostgreSQL does not have.
func TestDialect(t *testing.T) {
	tests := []struct{ in, want string }{
		{`json_value('{"a":{"b":[1,"x"]}}', '$.a.b[1]')`, "text: x"},
		{`json_value('{"a":{"b":[1,"x"]}}', '$.a')`, "text: <null>"},
		{`json_query('{"a":{"b":[1,"x"]}}', '$.a.b')`, `jsonb: [1, "x"]`},
		{`json_exists('{"a":{"b c":1}}', '$.a."b c"')`, "boolean: t"},
		{`json_exists('no json', '$.a')`, "boolean: f"},
		{`json_extract('{"a":"x"}', '$[''a'']')`, "text: x"},
		{`json_extract('{"a":"x"}'::jsonb, '$.a')`, `jsonb: "x"`},
		{`json_value('{}', '$.a[')`, `!22023 invalid JSON path "$.a["`},
		{`map_keys('{"b":1,"a":2}')`, "text[]: {a,b}"},
		{`map_values('{"b":1,"a":"x"}')`, "text[]: {x,1}"},
		{`header('{"k":"v"}'::jsonb, 'k')`, "text: v"},
		{`has_header('{"k":"v"}'::jsonb, 'x')`, "boolean: f"},
		{`set_header('{"k":"v"}'::jsonb, 'x', 'y')`, `jsonb: {"k": "v", "x": "y"}`},
		{`remove_header('{"k":"v"}'::jsonb, 'k')`, "jsonb: {}"},
		{`array_contains(array[1,2], 2)`, "boolean: t"},
		{`len('abc')`, "integer: 3"},
		{`split('a,b', ',')`, "text[]: {a,b}"},
		{`join(array['a','b'], '-')`, "text: a-b"},
		{`regexp('abc', '^a')`, "boolean: t"},
		{`year(date '2024-05-06')`, "integer: 2024"},
		{`hour(timestamp '2024-05-06 07:08:09')`, "integer: 7"},
		{`datediff('day', timestamp '2024-01-01', timestamp '2024-01-31')`, "bigint: 30"},
		{`datediff('months', timestamp '2024-01-31', timestamp '2024-03-01')`, "bigint: 1"},
		{`datediff('parsec', timestamp '2024-01-31', timestamp '2024-03-01')`, `!22023 unit "parsec" not recognized for type timestamp without time zone`},
		{`date_format(timestamp '2024-05-06 17:08:09', '%Y/%m/%d %H:%M')`, "text: 2024/05/06 17:08"},
		{`date_format(timestamp '2024-05-06 17:08:09.25', 'yyyy-MM-dd''T''HH:mm:ss.SSS')`, "text: 2024-05-06T17:08:09.250"},
		{`from_unixtime(0)`, "timestamp with time zone: 1970-01-01 00:00:00+00"},
		{`from_unixtime(86400, '%F')`, "text: 1970-01-02"},
		{`unix_timestamp(timestamptz '1970-01-01 00:01+00')`, "bigint: 60"},
		{`extract(nanosecond from timestamp '2024-01-01 00:00:01.5')`, "numeric: 1500000000"},
	}
	for _, tt := range tests {
		if got := outcome(tt.in); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
