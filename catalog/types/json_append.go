package types

import (
	"bytes"
	"strconv"
)

// AppendJSON adds a value of any type as to_json gives it: numbers and
// booleans as such, json as it is, arrays as arrays, dates and times in
// ISO 8601, anything else as the string of its text.
func AppendJSON(dst []byte, t Type, d Datum, f *Format) []byte {
	if d.Null {
		return append(dst, "null"...)
	}
	switch t.OID {
	case OIDBool:
		if d.Bool() {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case OIDInt2, OIDInt4, OIDInt8:
		return AppendText(dst, t, d, f)
	case OIDFloat4, OIDFloat8, OIDNumeric:
		s := AppendText(nil, t, d, f)
		if last := s[len(s)-1]; last == 'y' || last == 'N' { // Infinity, NaN
			return AppendJSONString(dst, s)
		}
		return append(dst, s...)
	case OIDJSON, OIDJSONB:
		return append(dst, d.B...)
	case OIDTimestamp, OIDTimestamptz:
		iso := &Format{ExtraFloatDigits: 1}
		if f != nil {
			iso.Location = f.Location
		}
		s := AppendText(nil, t, d, iso)
		if t.OID == OIDTimestamptz && len(s) > 3 && (s[len(s)-3] == '+' || s[len(s)-3] == '-') {
			s = append(s, ":00"...)
		}
		return AppendJSONString(dst, bytes.Replace(s, []byte(" "), []byte("T"), 1))
	case OIDDate:
		return AppendJSONString(dst, AppendText(nil, t, d, nil))
	default:
	}
	if t.IsMap() {
		return append(dst, d.B...)
	}
	if t.IsRow() {
		return AppendJSONRow(dst, t, d.B, ",", f)
	}
	if elem, ok := t.Elem(); ok {
		return AppendJSONArray(dst, elem, d.List, d.Dims(t), ",", f)
	}
	return AppendJSONString(dst, AppendText(nil, t, d, f))
}

// AppendJSONArray adds list, which has the dimensions dims; sep is between the
// elements of the outermost.
func AppendJSONArray(dst []byte, elem Type, list []Datum, dims []Dim, sep string, f *Format) []byte {
	dst = append(dst, '[')
	if len(dims) > 1 {
		each := len(list) / int(dims[0].Len)
		for i := range int(dims[0].Len) {
			if i > 0 {
				dst = append(dst, sep...)
			}
			dst = AppendJSONArray(dst, elem, list[i*each:(i+1)*each], dims[1:], ",", f)
		}
		return append(dst, ']')
	}
	for i, e := range list {
		if i > 0 {
			dst = append(dst, sep...)
		}
		dst = AppendJSON(dst, elem, e, f)
	}
	return append(dst, ']')
}

// AppendJSONRow adds the row b, of type t, as an object; sep is between its members.
func AppendJSONRow(dst []byte, t Type, b []byte, sep string, f *Format) []byte {
	r, err := ParseRow(b)
	if err != nil {
		return append(dst, "null"...)
	}
	names := r.names(t, f)
	dst = append(dst, '{')
	for i, d := range r.Values {
		if i > 0 {
			dst = append(dst, sep...)
		}
		dst = append(AppendJSONString(dst, []byte(names[i])), ':')
		dst = AppendJSON(dst, r.Types[i], d, f)
	}
	return append(dst, '}')
}

// names are the names of the fields of r, a row of type t.
func (r *Row) names(t Type, f *Format) []string {
	names := make([]string, len(r.Types))
	if t.IsComposite() && f != nil && f.Types != nil {
		if fields := f.Types.Row(t.OID); len(fields) >= len(names) {
			for i := range names {
				names[i] = fields[i].Name
			}
			return names
		}
	}
	if r.Names != nil {
		return r.Names
	}
	for i := range names {
		names[i] = "f" + strconv.Itoa(i+1)
	}
	return names
}
