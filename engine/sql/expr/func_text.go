package expr

import (
	"crypto/md5" //nolint:gosec // the SQL function md5
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode/utf8"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// textFormFamily is the table of functions on the form of text: quoting,
// encoding, digests, concat and format.
func textFormFamily() []Function {
	digest := func(f func(b []byte) []byte) Scalar {
		return func(_ *CallContext, a []datum) (datum, error) { return raw(f(a[0].B)) }
	}
	md5hex := digest(func(b []byte) []byte {
		s := md5.Sum(b) //nolint:gosec // the SQL function md5
		return hex.AppendEncode(nil, s[:])
	})
	return table([]def{
		{sig: "concat(variadic any) text", scalar: concat, nullCall: true, volatility: Stable, doc: "texts of the arguments that are not NULL"},
		{sig: "concat_ws(text,variadic any) text", scalar: concatWs, nullCall: true, volatility: Stable, doc: "texts of the arguments that are not NULL, with a separator"},
		{sig: "format(text) text", scalar: formatText, nullCall: true, volatility: Stable, doc: "formats like printf: %s, %I, %L"},
		{sig: "format(text,variadic any) text", scalar: formatText, nullCall: true, volatility: Stable, doc: "formats like printf: %s, %I, %L"},
		{sig: "quote_ident(text) text", scalar: text1(QuoteIdent), doc: "quotes an identifier where needed"},
		{sig: "quote_literal(text) text", scalar: text1(quoteLiteral), doc: "quotes a literal"},
		{sig: "quote_literal(anyelement) text", scalar: quoteAny, volatility: Stable, doc: "quotes a literal"},
		{sig: "quote_nullable(text) text", scalar: quoteNullable, nullCall: true, doc: "quotes a literal, or gives NULL as text"},
		{sig: "quote_nullable(anyelement) text", scalar: quoteNullable, nullCall: true, volatility: Stable, doc: "quotes a literal, or gives NULL as text"},
		{sig: "md5(text) text", scalar: md5hex, doc: "MD5 in hexadecimal"},
		{sig: "md5(bytea) text", scalar: md5hex, doc: "MD5 in hexadecimal"},
		{sig: "sha224(bytea) bytea", scalar: digest(func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }), doc: "SHA-224"},
		{sig: "sha256(bytea) bytea", scalar: digest(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }), doc: "SHA-256"},
		{sig: "sha384(bytea) bytea", scalar: digest(func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }), doc: "SHA-384"},
		{sig: "sha512(bytea) bytea", scalar: digest(func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }), doc: "SHA-512"},
		{sig: "crc32(bytea) int8", scalar: bytesToInt(func(b []byte) int { return int(crc32.ChecksumIEEE(b)) }), doc: "CRC-32"},
		{sig: "encode(bytea,text) text", scalar: encode, doc: "text form of bytes: hex, base64, escape"},
		{sig: "decode(text,text) bytea", scalar: decode, doc: "bytes from their text form: hex, base64, escape"},
		{sig: "convert_from(bytea,name) text", scalar: convertFrom, doc: "text of bytes in an encoding"},
		{sig: "convert_to(text,name) bytea", scalar: convertTo, doc: "bytes of a text in an encoding"},
		{sig: "to_hex(int4) text", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return str(strconv.FormatUint(uint64(uint32(a[0].I)), 16))
		}, doc: "hexadecimal form"},
		{sig: "to_hex(int8) text", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return str(strconv.FormatUint(uint64(a[0].I), 16))
		}, doc: "hexadecimal form"},
		{sig: "get_byte(bytea,int4) int4", scalar: getByte, doc: "byte at an index from 0"},
		{sig: "set_byte(bytea,int4,int4) bytea", scalar: setByte, doc: "replaces the byte at an index from 0"},
		{sig: "pg_typeof(any) regtype", scalar: func(c *CallContext, _ []datum) (datum, error) { return integer(int64(c.Args[0].OID)) }, nullCall: true, doc: "type of the argument"},
		{sig: "pg_column_size(any) int4", scalar: columnSize, doc: "bytes that the value takes"},
	})
}

func concat(c *CallContext, a []datum) (datum, error) {
	out := []byte{}
	for i, d := range a {
		if !d.Null {
			out = appendConcat(out, c.Args[i], d, c.Env.format())
		}
	}
	return raw(out)
}

// appendConcat adds a value as concat does: by its output function.
func appendConcat(dst []byte, t types.Type, d datum, f *types.Format) []byte {
	return appendValue(dst, t, d, f)
}

func concatWs(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	out, first := []byte{}, true
	for i, d := range a[1:] {
		if d.Null {
			continue
		}
		if !first {
			out = append(out, a[0].B...)
		}
		first = false
		out = appendConcat(out, c.Args[i+1], d, c.Env.format())
	}
	return raw(out)
}

func quoteLiteral(s string) string {
	q := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(q, `\`, `\\`) + "'"
	}
	return "'" + q + "'"
}

func quoteAny(c *CallContext, a []datum) (datum, error) {
	return str(quoteLiteral(string(appendValue(nil, c.Args[0], a[0], c.Env.format()))))
}

func quoteNullable(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return str("NULL")
	}
	return quoteAny(c, a)
}

// formatText is format(): %[position$][-][width]type with type s, I, L or %.
func formatText(c *CallContext, a []datum) (datum, error) {
	if a[0].Null {
		return null()
	}
	f := &formatter{c: c, args: a, spec: string(a[0].B), next: 1}
	for f.pos < len(f.spec) {
		if ch := f.spec[f.pos]; ch != '%' {
			f.out = append(f.out, ch)
			f.pos++
			continue
		}
		f.pos++
		if err := f.directive(); err != nil {
			return fail(err)
		}
	}
	return raw(f.out)
}

type formatter struct {
	c    *CallContext
	args []datum
	spec string
	pos  int
	next int // next argument to take
	out  []byte
}

func badFormat(format string, args ...any) *pgerror.Error {
	return pgerror.New(pgerror.InvalidParameterValue, format, args...)
}

func (f *formatter) number() (int, bool) {
	start, n := f.pos, 0
	for f.pos < len(f.spec) && f.spec[f.pos] >= '0' && f.spec[f.pos] <= '9' {
		n = min(n*10+int(f.spec[f.pos]-'0'), maxText)
		f.pos++
	}
	return n, f.pos > start
}

func (f *formatter) directive() error {
	unterminated := badFormat("unterminated format() type specifier").WithHint("For a single \"%%\" use \"%%%%\".")
	if f.pos >= len(f.spec) {
		return unterminated
	}
	if f.spec[f.pos] == '%' {
		f.out = append(f.out, '%')
		f.pos++
		return nil
	}
	arg, width, minus := 0, 0, false
	if n, ok := f.number(); ok {
		if f.pos < len(f.spec) && f.spec[f.pos] == '$' {
			f.pos++
			if arg = n; n == 0 {
				return badFormat("format specifies argument 0, but arguments are numbered from 1")
			}
		} else {
			width = n
		}
	}
	for f.pos < len(f.spec) && f.spec[f.pos] == '-' {
		minus = true
		f.pos++
	}
	if n, ok := f.number(); ok {
		width = n
	} else if f.pos < len(f.spec) && f.spec[f.pos] == '*' {
		f.pos++
		at := f.next
		if n, ok := f.number(); ok {
			if f.pos >= len(f.spec) || f.spec[f.pos] != '$' {
				return badFormat("width argument position must be ended by \"$\"")
			}
			f.pos++
			if at = n; n == 0 {
				return badFormat("format specifies argument 0, but arguments are numbered from 1")
			}
		}
		if at >= len(f.args) {
			return badFormat("too few arguments for format()")
		}
		if width = int(f.args[at].I); width < 0 {
			width, minus = -width, true
		}
		f.next = at + 1
	}
	if f.pos >= len(f.spec) {
		return unterminated
	}
	kind := f.spec[f.pos]
	f.pos++
	return f.value(kind, arg, width, minus)
}

func (f *formatter) value(kind byte, arg, width int, minus bool) error {
	if kind != 's' && kind != 'I' && kind != 'L' {
		return badFormat("unrecognized format() type specifier \"%c\"", kind).WithHint("For a single \"%%\" use \"%%%%\".")
	}
	if arg == 0 {
		arg = f.next
	}
	if arg >= len(f.args) {
		return badFormat("too few arguments for format()")
	}
	f.next = arg + 1
	d, s := f.args[arg], ""
	if !d.Null {
		s = string(appendValue(nil, f.c.Args[arg], d, f.c.Env.format()))
	}
	switch {
	case kind == 'I' && d.Null:
		return pgerror.New(pgerror.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case kind == 'I':
		s = QuoteIdent(s)
	case kind == 'L' && d.Null:
		s = "NULL"
	case kind == 'L':
		s = quoteLiteral(s)
	}
	pad := width - utf8.RuneCountInString(s)
	if width > maxText/4 {
		return badFormat("number is out of range")
	}
	if pad > 0 && minus {
		s += strings.Repeat(" ", pad)
	} else if pad > 0 {
		s = strings.Repeat(" ", pad) + s
	}
	f.out = append(f.out, s...)
	return nil
}

func encode(_ *CallContext, a []datum) (datum, error) {
	b := a[0].B
	switch strings.ToLower(string(a[1].B)) {
	case "hex":
		return raw(hex.AppendEncode(nil, b))
	case "base64":
		// Lines of 76 characters, as MIME has them.
		s := base64.StdEncoding.EncodeToString(b)
		var out []byte
		for len(s) >= 76 {
			out = append(append(out, s[:76]...), '\n')
			s = s[76:]
		}
		return raw(append(out, s...))
	case "escape":
		var out []byte
		for _, c := range b {
			switch {
			case c == '\\':
				out = append(out, `\\`...)
			case c == 0 || c >= 0x80:
				out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
			default:
				out = append(out, c)
			}
		}
		return raw(out)
	}
	return fail(pgerror.New(pgerror.InvalidParameterValue, "unrecognized encoding: \"%s\"", a[1].B))
}

func decode(_ *CallContext, a []datum) (datum, error) {
	switch strings.ToLower(string(a[1].B)) {
	case "hex":
		out, err := types.DecodeHex(string(a[0].B))
		if err != nil {
			return fail(err)
		}
		return raw(out)
	case "base64":
		clean := strings.Map(dropSpace, string(a[0].B))
		for _, r := range clean {
			if r != '=' && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", r) {
				return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid symbol \"%c\" found while decoding base64 sequence", r))
			}
		}
		out, err := base64.StdEncoding.DecodeString(clean)
		if err != nil {
			return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid base64 end sequence").
				WithHint("Input data is missing padding, is truncated, or is otherwise corrupted."))
		}
		return raw(out)
	case "escape":
		return decodeEscape(a[0].B)
	}
	return fail(pgerror.New(pgerror.InvalidParameterValue, "unrecognized encoding: \"%s\"", a[1].B))
}

func dropSpace(r rune) rune {
	if r == ' ' || r == '\n' || r == '\t' || r == '\r' {
		return -1
	}
	return r
}

func decodeEscape(b []byte) (datum, error) {
	out := []byte{}
	octal := func(c byte, top byte) bool { return c >= '0' && c <= top }
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case i+3 < len(b) && octal(b[i+1], '3') && octal(b[i+2], '7') && octal(b[i+3], '7'):
			out = append(out, (b[i+1]-'0')<<6|(b[i+2]-'0')<<3|b[i+3]-'0')
			i += 3
		case i+1 < len(b) && b[i+1] == '\\':
			out = append(out, '\\')
			i++
		default:
			return fail(pgerror.InvalidText("bytea", string(b)))
		}
	}
	return raw(out)
}

func isUTF8(name []byte) bool {
	n := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(string(name)))
	return n == "utf8" || n == "unicode"
}

func noEncoding(role string, name []byte) error {
	return pgerror.New(pgerror.InvalidParameterValue, "invalid %s encoding name \"%s\"", role, name).
		WithHint("UTF8 is the only encoding.")
}

func convertFrom(_ *CallContext, a []datum) (datum, error) {
	if !isUTF8(a[1].B) {
		return fail(noEncoding("source", a[1].B))
	}
	if err := types.CheckText(a[0].B); err != nil {
		return fail(err)
	}
	return raw(a[0].B)
}

func convertTo(_ *CallContext, a []datum) (datum, error) {
	if !isUTF8(a[1].B) {
		return fail(noEncoding("destination", a[1].B))
	}
	return raw(a[0].B)
}

func byteIndex(b []byte, i int64) error {
	if i < 0 || i >= int64(len(b)) {
		return pgerror.New("2202E", "index %d out of valid range, 0..%d", i, len(b)-1)
	}
	return nil
}

func getByte(_ *CallContext, a []datum) (datum, error) {
	if err := byteIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	return integer(int64(a[0].B[a[1].I]))
}

func setByte(_ *CallContext, a []datum) (datum, error) {
	if err := byteIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	out := append([]byte(nil), a[0].B...)
	out[a[1].I] = byte(a[2].I)
	return raw(out)
}

func columnSize(c *CallContext, a []datum) (datum, error) {
	switch c.Args[0].OID {
	case types.OIDBool, types.OIDChar1:
		return integer(1)
	case types.OIDInt2:
		return integer(2)
	case types.OIDInt4, types.OIDFloat4, types.OIDDate, types.OIDOid:
		return integer(4)
	case types.OIDInt8, types.OIDFloat8, types.OIDTimestamp, types.OIDTimestamptz, types.OIDTime:
		return integer(8)
	case types.OIDUUID, types.OIDInterval:
		return integer(16)
	default:
	}
	return integer(int64(len(appendValue(nil, c.Args[0], a[0], nil))) + 4)
}
