package types

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"velostream/pgwire/pgerror"
)

// Bit strings are kept as their digits, '0' and '1', a byte each: their text form, the
// bytes of which compare as the strings do.

// MaxBitLength is the longest n of bit(n) and varbit(n).
const MaxBitLength = 83886080

// BitLength returns the n of bit(n) and varbit(n), and whether t has one.
func (t Type) BitLength() (int, bool) {
	if t.OID != OIDBit && t.OID != OIDVarbit || t.Mod < 1 {
		return 0, false
	}
	return int(t.Mod), true
}

// ParseBits reads the digits of a bit string: binary, after b also, or after x
// hexadecimal.
func ParseBits(b []byte) ([]byte, error) {
	if len(b) > 0 && (b[0] == 'x' || b[0] == 'X') {
		return ParseHexBits(b[1:])
	}
	if len(b) > 0 && (b[0] == 'b' || b[0] == 'B') {
		b = b[1:]
	}
	for i, c := range b {
		if c != '0' && c != '1' {
			return nil, badDigit(b[i:], "binary")
		}
	}
	return append(make([]byte, 0, len(b)), b...), nil
}

// ParseHexBits is the bit string of hexadecimal digits, four bits each.
func ParseHexBits(b []byte) ([]byte, error) {
	out := make([]byte, 0, 4*len(b))
	for i, c := range b {
		var v int
		switch {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = int(c|0x20-'a') + 10
		default:
			return nil, badDigit(b[i:], "hexadecimal")
		}
		for k := 3; k >= 0; k-- {
			out = append(out, '0'+byte(v>>k&1))
		}
	}
	return out, nil
}

func badDigit(b []byte, what string) error {
	_, size := utf8.DecodeRune(b)
	return pgerror.New(pgerror.InvalidTextRepresentation, "\"%s\" is not a valid %s digit", b[:size], what)
}

// appendBitsBinary adds the number of bits and the bits, the first highest.
func appendBitsBinary(dst, digits []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(digits)))
	for i := 0; i < len(digits); i += 8 {
		v := byte(0)
		for k, c := range digits[i:min(i+8, len(digits))] {
			v |= (c & 1) << (7 - k)
		}
		dst = append(dst, v)
	}
	return dst
}

func decodeBitsBinary(b []byte) (Datum, error) {
	if len(b) < 4 {
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	}
	n := int64(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	switch {
	case n < 0 || n > math.MaxInt32-8:
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid length in external bit string")
	case (n+7)/8 > int64(len(b)):
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	case (n+7)/8 < int64(len(b)):
		return Datum{}, incorrectBinary()
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + b[i/8]>>(7-i%8)&1
	}
	return BytesDatum(out), nil
}

// coerceBits applies the length of t. An explicit cast cuts at the right, and adds
// zeros there for bit(n); an assignment takes only what fits, for bit(n) exactly.
func coerceBits(t Type, digits []byte, explicit bool) ([]byte, error) {
	n, ok := t.BitLength()
	switch {
	case !ok || len(digits) == n || t.OID == OIDVarbit && len(digits) < n:
		return digits, nil
	case !explicit && t.OID == OIDBit:
		return nil, pgerror.New(pgerror.StringDataLengthMismatch, "bit string length %d does not match type bit(%d)", len(digits), n)
	case !explicit:
		return nil, pgerror.New(pgerror.StringDataRightTruncation, "bit string too long for type bit varying(%d)", n)
	case len(digits) > n:
		return digits[:n:n], nil
	}
	out := append(make([]byte, 0, n), digits...)
	for len(out) < n {
		out = append(out, '0')
	}
	return out, nil
}

// bitsOfInt are the lowest bits of v, as many as t has (1 without a length).
func bitsOfInt(t Type, v int64) Datum {
	n, ok := t.BitLength()
	if !ok {
		n = 1
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + byte(v>>min(n-1-i, 63)&1)
	}
	return BytesDatum(out)
}

// castBits is a bit string as an integer of as many bits, or fewer.
func castBits(to Type, digits []byte) (Datum, error) {
	size := 32
	if to.OID == OIDInt8 {
		size = 64
	}
	if len(digits) > size {
		return Datum{}, IntOutOfRange(to)
	}
	v := uint64(0)
	for _, c := range digits {
		v = v<<1 | uint64(c&1)
	}
	if size == 32 {
		return IntDatum(int64(int32(v))), nil
	}
	return IntDatum(int64(v)), nil
}
