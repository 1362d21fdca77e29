package ast

// IntervalFields are the fields that qualify an interval: INTERVAL … DAY TO SECOND.
type IntervalFields string

// Interval fields; other combinations are not in the standard.
const (
	FieldsNone     IntervalFields = ""
	Year           IntervalFields = "YEAR"
	Month          IntervalFields = "MONTH"
	Day            IntervalFields = "DAY"
	Hour           IntervalFields = "HOUR"
	Minute         IntervalFields = "MINUTE"
	Second         IntervalFields = "SECOND"
	YearToMonth    IntervalFields = "YEAR TO MONTH"
	DayToHour      IntervalFields = "DAY TO HOUR"
	DayToMinute    IntervalFields = "DAY TO MINUTE"
	DayToSecond    IntervalFields = "DAY TO SECOND"
	HourToMinute   IntervalFields = "HOUR TO MINUTE"
	HourToSecond   IntervalFields = "HOUR TO SECOND"
	MinuteToSecond IntervalFields = "MINUTE TO SECOND"
)

// TypeName is a type as written. The types that are keywords have their
// catalog name: integer is {"pg_catalog", "int4"}, char is pg_catalog.bpchar
// with modifier 1, float(20) is pg_catalog.float4. All others, among them the
// dialect's (string, double, map, struct), have the name as written.
type TypeName struct {
	At
	Name    Name
	Mods    []Expr         // (10, 2)
	Fields  IntervalFields // of interval; its precision is in Mods
	Bounds  []int          // one per array dimension, -1 where none is given
	SetOf   bool
	Percent bool      // %TYPE: Name is a column
	Args    []TypeArg // MAP(k, v), STRUCT<a int, b text>, ARRAY<int>
}

// TypeArg is a component of a composed type.
type TypeArg struct {
	Name string // of a STRUCT's field, else ""
	Type *TypeName
}
