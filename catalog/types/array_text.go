package types

// appendArrayText adds {a,"b c",NULL}, [0:1]={a,b}, {{a},{b}}; the vector types are
// separated by blanks.
func appendArrayText(dst []byte, t, elem Type, d Datum, f *Format) []byte {
	if t.OID == OIDInt2Vector || t.OID == OIDOidVector {
		for i, e := range d.List {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = AppendText(dst, elem, e, f)
		}
		return dst
	}
	if len(d.B) == 0 {
		return appendElements(dst, elem, d.List, f)
	}
	dims := d.Dims(t)
	for _, dim := range dims {
		if dim.Lower != 1 {
			dst = append(AppendDims(dst, dims), '=')
			break
		}
	}
	return appendNested(dst, elem, d.List, dims, f)
}

// appendNested adds list, which has the dimensions dims.
func appendNested(dst []byte, elem Type, list []Datum, dims []Dim, f *Format) []byte {
	if len(dims) == 1 {
		return appendElements(dst, elem, list, f)
	}
	dst = append(dst, '{')
	each := len(list) / int(dims[0].Len)
	for i := range int(dims[0].Len) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendNested(dst, elem, list[i*each:(i+1)*each], dims[1:], f)
	}
	return append(dst, '}')
}

func appendElements(dst []byte, elem Type, list []Datum, f *Format) []byte {
	dst = append(dst, '{')
	for i, d := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if d.Null {
			dst = append(dst, "NULL"...)
			continue
		}
		at := len(dst)
		dst = AppendText(dst, elem, d, f)
		if needsQuotes(dst[at:]) {
			dst = quoteElement(dst, at)
		}
	}
	return append(dst, '}')
}

func needsQuotes(v []byte) bool {
	if len(v) == 0 || len(v) == 4 && lower(string(v)) == "null" {
		return true
	}
	for _, c := range v {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || isSpace(c) {
			return true
		}
	}
	return false
}

// quoteElement rewrites dst[at:] as a quoted element.
func quoteElement(dst []byte, at int) []byte {
	raw := string(dst[at:])
	dst = append(dst[:at], '"')
	for i := range len(raw) {
		if raw[i] == '"' || raw[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, raw[i])
	}
	return append(dst, '"')
}
