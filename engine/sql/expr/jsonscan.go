package expr

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"velostream/catalog/types"
)

// Values of json and jsonb are kept as their text, which was checked when it
// came in. So reading a member is skipping over text, and its value is a part
// of the text: nothing is parsed or built.

// jsonSpace skips white space at i.
func jsonSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// jsonEnd returns where the value that begins at i ends.
func jsonEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = jsonStringEnd(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + max(0, depth+1)
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// jsonStringEnd returns the end of the string literal at i.
func jsonStringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// jsonTrim cuts white space around a value.
func jsonTrim(b []byte) []byte { return bytes.TrimSpace(b) }

// jsonFirst is the first byte of a value, which tells its kind.
func jsonFirst(b []byte) byte {
	if i := jsonSpace(b, 0); i < len(b) {
		return b[i]
	}
	return 0
}

// jsonEach calls f for the elements of an array (key nil) or the members of an
// object, until it returns false. For a scalar it does nothing.
func jsonEach(b []byte, f func(key, val []byte) bool) {
	i := jsonSpace(b, 0)
	if i >= len(b) || b[i] != '[' && b[i] != '{' {
		return
	}
	object := b[i] == '{'
	for i++; ; i++ {
		i = jsonSpace(b, i)
		if i >= len(b) || b[i] == ']' || b[i] == '}' {
			return
		}
		var key []byte
		if object {
			end := jsonStringEnd(b, i)
			key = b[i:end]
			i = jsonSpace(b, end) + 1
			i = jsonSpace(b, i)
		}
		end := jsonEnd(b, i)
		if !f(key, b[i:end]) {
			return
		}
		if i = jsonSpace(b, end); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

// jsonLen is the number of elements or members.
func jsonLen(b []byte) int {
	n := 0
	jsonEach(b, func(_, _ []byte) bool { n++; return true })
	return n
}

// jsonbMember is jsonMember for jsonb, which has no key twice.
func jsonbMember(b, name []byte) ([]byte, bool) {
	i := jsonSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil, false
	}
	for i++; i < len(b); i++ {
		if i = jsonSpace(b, i); i >= len(b) || b[i] != '"' {
			break
		}
		end := jsonStringEnd(b, i)
		at := jsonSpace(b, jsonSpace(b, end)+1)
		stop := jsonEnd(b, at)
		if jsonKeyIs(b[i:end], name) {
			return b[at:stop], true
		}
		i = jsonSpace(b, stop)
	}
	return nil, false
}

// jsonMember finds the value of a member; the last one, where json has the key
// twice.
func jsonMember(b, name []byte) (val []byte, ok bool) {
	if jsonFirst(b) != '{' {
		return nil, false
	}
	jsonEach(b, func(k, v []byte) bool {
		if jsonKeyIs(k, name) {
			val, ok = v, true
		}
		return true
	})
	return val, ok
}

// jsonKeyIs compares a string literal with a text.
func jsonKeyIs(lit, name []byte) bool {
	in := lit[1 : len(lit)-1]
	if bytes.IndexByte(in, '\\') < 0 {
		return bytes.Equal(in, name)
	}
	return bytes.Equal(jsonUnquote(lit), name)
}

// jsonElement finds an element by its index, from the end if negative.
func jsonElement(b []byte, index int) (val []byte, ok bool) {
	if jsonFirst(b) != '[' {
		return nil, false
	}
	if index < 0 {
		index += jsonLen(b)
	}
	if index < 0 {
		return nil, false
	}
	jsonEach(b, func(_, v []byte) bool {
		if index == 0 {
			val, ok = v, true
		}
		index--
		return !ok
	})
	return val, ok
}

// jsonUnquote returns the text of a string literal.
func jsonUnquote(lit []byte) []byte {
	in := lit[1 : len(lit)-1]
	if bytes.IndexByte(in, '\\') < 0 {
		return in
	}
	var s string
	if json.Unmarshal(lit, &s) != nil {
		return in
	}
	return []byte(s)
}

// jsonText is a value as ->> gives it: strings without quotes, null as NULL.
func jsonText(v []byte) datum {
	switch jsonFirst(v) {
	case '"':
		return types.BytesDatum(jsonUnquote(jsonTrim(v)))
	case 'n':
		return types.NullDatum
	}
	return types.BytesDatum(v)
}

// jsonStep goes one step of a path down: a member by name, or an element by
// its index in digits.
func jsonStep(b, step []byte) ([]byte, bool) {
	switch jsonFirst(b) {
	case '{':
		return jsonMember(b, step)
	case '[':
		n, err := strconv.ParseInt(string(step), 10, 32)
		if err != nil {
			return nil, false
		}
		return jsonElement(b, int(n))
	}
	return nil, false
}

// jsonPath follows a path of texts; a NULL step finds nothing.
func jsonPath(b []byte, path []datum) ([]byte, bool) {
	for _, p := range path {
		var ok bool
		if p.Null {
			return nil, false
		}
		if b, ok = jsonStep(b, p.B); !ok {
			return nil, false
		}
	}
	return jsonTrim(b), true
}

// appendJSONKey adds a text as a string literal.
func appendJSONKey(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	return types.AppendJSONString(dst, s)
}
