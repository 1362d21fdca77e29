package types

import (
	"math"
	"strconv"

	"velostream/pgwire/pgerror"
)

// CastContext says where a cast happens by itself (pg_cast.castcontext).
type CastContext uint8

// Contexts, each including those before it.
const (
	CastExplicit   CastContext = iota // only where it is written
	CastAssignment                    // also on INSERT and UPDATE
	CastImplicit                      // in any expression
)

// CastMethod says how a cast works (pg_cast.castmethod).
type CastMethod uint8

// Methods of casts.
const (
	CastFunction CastMethod = iota
	CastBinary              // the value stays as it is
	CastIO                  // through the text form
)

// Cast is one way from a type to another.
type Cast struct {
	Context CastContext
	Method  CastMethod
}

type castKey struct{ from, to OID }

// FindCast returns the cast from one type to another, and whether there is
// one: those of PostgreSQL's pg_cast, I/O conversions (to strings on
// assignment, from strings where written), and the same for arrays element by
// element. A type casts to itself; unknown, the type of literals, to all.
func FindCast(from, to OID) (Cast, bool) {
	if from == to {
		return Cast{CastImplicit, CastBinary}, true
	}
	if c, ok := castTable[castKey{from, to}]; ok {
		return c, true
	}
	f, okFrom := Type{from, -1}.Info()
	t, okTo := Type{to, -1}.Info()
	if !okFrom || !okTo {
		return Cast{}, false
	}
	if from == OIDUnknown {
		return Cast{CastImplicit, CastIO}, !t.Pseudo
	}
	if to == OIDRecord && in(from, BaseRow) {
		return Cast{CastImplicit, CastBinary}, true
	}
	fe, fromArray := (Type{from, -1}).Elem()
	te, toArray := (Type{to, -1}).Elem()
	if fromArray && toArray {
		return FindCast(fe.OID, te.OID)
	}
	if (Type{from, -1}).IsMap() || (Type{to, -1}).IsMap() {
		if c, ok := findMapCast(Type{from, -1}, Type{to, -1}); ok {
			return c, true
		}
	}
	switch {
	case t.Category == CategoryString && (!f.Pseudo || from == OIDVoid || from == OIDRecord):
		return Cast{CastAssignment, CastIO}, true
	case f.Category == CategoryString && !t.Pseudo:
		return Cast{CastExplicit, CastIO}, true
	}
	return Cast{}, false
}

// CastDatum converts d, a value of from, as an explicit cast to to does, and
// applies to's modifier. f supplies time zone and styles. 42846 if there is no
// such cast.
func CastDatum(from, to Type, d Datum, f *Format) (Datum, error) {
	c, ok := FindCast(from.OID, to.OID)
	if !ok {
		return Datum{}, pgerror.New(pgerror.CannotCoerce, "cannot cast type %s to %s", from, to)
	}
	if d.Null {
		return NullDatum, nil
	}
	var err error
	fe, fromArray := from.Elem()
	te, toArray := to.Elem()
	switch {
	case from.OID == to.OID:
	case fromArray && toArray:
		return castList(fe, te, d, f)
	case from.IsMap() && to.IsMap():
		return castMap(from, to, d, f)
	case c.Method == CastIO || from.OID == OIDUnknown:
		d, err = DecodeText(to, castText(from, d, f), f)
	case c.Method == CastFunction || from.OID == OIDInt4: // its bits, where PostgreSQL only relabels
		d, err = castFunction(from, to, d, f)
	}
	if err != nil {
		return Datum{}, err
	}
	return Coerce(to, d, true)
}

func castList(from, to Type, d Datum, f *Format) (Datum, error) {
	out := make([]Datum, len(d.List))
	for i := range d.List {
		var err error
		if out[i], err = CastDatum(from, to, d.List[i], f); err != nil {
			return Datum{}, err
		}
	}
	return Datum{List: out, B: d.B}, nil
}

// castText is d's text form for a cast; char loses its blanks.
func castText(from Type, d Datum, f *Format) []byte {
	if from.OID == OIDBpchar {
		return TrimBlanks(d.B)
	}
	return AppendText(nil, from, d, f)
}

func castFunction(from, to Type, d Datum, f *Format) (Datum, error) {
	switch from.OID {
	case OIDBool:
		if to.OID == OIDInt4 {
			return d, nil
		}
		return StringDatum(strconv.FormatBool(d.I != 0)), nil
	case OIDInt2, OIDInt4, OIDInt8, OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		return castInt(from, to, d.I)
	case OIDFloat4, OIDFloat8:
		return castFloat(from, to, d.F)
	case OIDNumeric:
		return castNumeric(to, d.Dec)
	case OIDText, OIDVarchar, OIDBpchar, OIDName, OIDChar1:
		return castString(from, to, d, f)
	case OIDJSONB:
		return castJSON(to, d.B)
	case OIDInet, OIDCidr:
		return castNetwork(to, d), nil
	case OIDBit:
		return castBits(to, d.B)
	default:
	}
	return castTimes(from, to, d, f)
}

// IntOutOfRange is the error of an integer type that cannot hold a value.
func IntOutOfRange(t Type) error {
	switch t.OID {
	case OIDInt2, OIDInt4, OIDInt8:
		return pgerror.OutOfRange(intName(t.OID))
	default:
	}
	return pgerror.OutOfRange("OID")
}

// CheckInt reports an integer that t cannot hold (22003).
func CheckInt(t Type, v int64) error {
	if fitsInt(t.OID, v) {
		return nil
	}
	return IntOutOfRange(t)
}

func castInt(from, to Type, v int64) (Datum, error) {
	switch to.OID {
	case OIDBool:
		return BoolDatum(v != 0), nil
	case OIDFloat4:
		return FloatDatum(float64(float32(v))), nil
	case OIDFloat8:
		return FloatDatum(float64(v)), nil
	case OIDNumeric:
		return DecimalDatum(FromInt64(v)), nil
	case OIDBit:
		return bitsOfInt(to, v), nil
	case OIDChar1:
		if v < math.MinInt8 || v > math.MaxInt8 {
			return Datum{}, pgerror.OutOfRange(`"char"`)
		}
		if v == 0 {
			return BytesDatum([]byte{}), nil
		}
		return BytesDatum([]byte{byte(v)}), nil
	case OIDOid, OIDRegproc, OIDRegclass, OIDRegtype, OIDRegnamespace,
		OIDRegrole, OIDRegprocedure, OIDRegoper, OIDRegoperator, OIDRegcollation:
		if v < 0 && from.OID == OIDInt4 {
			return IntDatum(int64(uint32(v))), nil // its bits
		}
	default:
	}
	return IntDatum(v), CheckInt(to, v)
}

// FloatToInt rounds to the nearest integer, halves to the even one; 22003 if t
// cannot hold it.
func FloatToInt(t Type, v float64) (int64, error) {
	r := math.RoundToEven(v)
	if !(r >= math.MinInt64 && r < math.MaxInt64) || !fitsInt(t.OID, int64(r)) {
		return 0, IntOutOfRange(t)
	}
	return int64(r), nil
}

// FloatToFloat4 rounds to 32 bits; 22003 if that leaves the range.
func FloatToFloat4(v float64) (float64, error) {
	r := float64(float32(v))
	switch {
	case math.IsInf(r, 0) && !math.IsInf(v, 0):
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "value out of range: overflow")
	case r == 0 && v != 0:
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "value out of range: underflow")
	}
	return r, nil
}

func castFloat(from, to Type, v float64) (Datum, error) {
	switch to.OID {
	case OIDFloat8:
		return FloatDatum(v), nil
	case OIDFloat4:
		r, err := FloatToFloat4(v)
		return FloatDatum(r), err
	case OIDNumeric:
		if from.OID == OIDFloat4 {
			return DecimalDatum(FromFloat32(v)), nil
		}
		return DecimalDatum(FromFloat64(v)), nil
	default:
	}
	return intResult(FloatToInt(to, v))
}

// DecimalToInt rounds to the nearest integer, halves away from zero; 22003 if
// t cannot hold it, 0A000 for NaN and infinities.
func DecimalToInt(t Type, v Decimal) (int64, error) {
	if v.form == nan {
		return 0, pgerror.Unsupported("cannot convert NaN to %s", intName(t.OID))
	}
	if v.form != finite {
		return 0, pgerror.Unsupported("cannot convert infinity to %s", intName(t.OID))
	}
	i, ok := v.Int64()
	if !ok || !fitsInt(t.OID, i) {
		return 0, IntOutOfRange(t)
	}
	return i, nil
}

// DecimalToFloat8 returns the nearest double; 22003 beyond its range.
func DecimalToFloat8(v Decimal) (float64, error) {
	r := v.Float64()
	if v.form == finite && (math.IsInf(r, 0) || r == 0 && !v.IsZero()) {
		return 0, pgerror.New(pgerror.NumericValueOutOfRange, "\"%s\" is out of range for type double precision", v)
	}
	return r, nil
}

func castNumeric(to Type, v Decimal) (Datum, error) {
	switch to.OID {
	case OIDFloat8:
		r, err := DecimalToFloat8(v)
		return FloatDatum(r), err
	case OIDFloat4:
		r, err := ParseFloat4(v.String()) // rounded once, not through a double
		return FloatDatum(r), err
	case OIDNumeric:
		return DecimalDatum(v), nil
	default:
	}
	return intResult(DecimalToInt(to, v))
}

func castString(from, to Type, d Datum, f *Format) (Datum, error) {
	switch to.OID {
	case OIDInt4: // of "char"
		if len(d.B) == 0 {
			return IntDatum(0), nil
		}
		return IntDatum(int64(int8(d.B[0]))), nil
	case OIDRegclass:
		return DecodeText(to, d.B, f)
	default:
	}
	b := d.B
	if from.OID == OIDBpchar {
		b = TrimBlanks(b)
	}
	switch to.OID {
	case OIDName:
		return BytesDatum(truncateName(b)), nil
	case OIDChar1:
		return BytesDatum(parseChar1(b)), nil
	default:
	}
	return BytesDatum(b), nil
}

// castJSON takes a number or a boolean out of jsonb.
func castJSON(to Type, b []byte) (Datum, error) {
	n, err := parseJSON(b)
	if err != nil {
		return Datum{}, err
	}
	want := jsonNumber
	if to.OID == OIDBool {
		want = jsonBool
	}
	if n.kind != want {
		kind := [...]string{"null", "string", "numeric", "boolean", "array", "object"}[n.kind]
		return Datum{}, pgerror.New(pgerror.InvalidParameterValue, "cannot cast jsonb %s to type %s", kind, Type{to.OID, -1})
	}
	if want == jsonBool {
		return BoolDatum(n.flag), nil
	}
	return castNumeric(to, n.num)
}

func castTimes(from, to Type, d Datum, f *Format) (Datum, error) {
	switch (castKey{from.OID, to.OID}) {
	case castKey{OIDDate, OIDTimestamp}:
		return intResult(DateToTimestamp(d.I))
	case castKey{OIDDate, OIDTimestamptz}:
		return intResult(DateToTimestamptz(d.I, f.Loc()))
	case castKey{OIDTime, OIDInterval}:
		return Datum{Iv: Interval{Micros: d.I}}, nil
	case castKey{OIDInterval, OIDTime}:
		return IntDatum(IntervalToTime(d.Iv)), nil
	case castKey{OIDTimestamp, OIDTimestamptz}:
		return intResult(TimestampToTimestamptz(d.I, f.Loc()))
	case castKey{OIDTimestamptz, OIDTimestamp}:
		return intResult(TimestamptzToTimestamp(d.I, f.Loc()))
	case castKey{OIDTimestamp, OIDDate}:
		return IntDatum(TimestampToDate(d.I)), nil
	case castKey{OIDTimestamptz, OIDDate}:
		return IntDatum(TimestampToDate(UTCToLocal(d.I, f.Loc()))), nil
	case castKey{OIDTimestamp, OIDTime}, castKey{OIDTimestamptz, OIDTime}:
		ts := d.I
		if from.OID == OIDTimestamptz {
			ts = UTCToLocal(ts, f.Loc())
		}
		t, ok := TimestampToTime(ts)
		return Datum{I: t, Null: !ok}, nil
	}
	return Datum{}, pgerror.New(pgerror.CannotCoerce, "cannot cast type %s to %s", from, to)
}
