package expr

import (
	"bytes"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// bitFamily is the table of bit strings
// (https://www.postgresql.org/docs/15/functions-bitstring.html). A value is its
// digits.
func bitFamily() []Function {
	and := bitsOp("AND", func(a, b byte) byte { return a & b })
	or := bitsOp("OR", func(a, b byte) byte { return a | b })
	xor := bitsOp("XOR", func(a, b byte) byte { return '0' | (a ^ b) })
	count := bytesToInt(func(b []byte) int { return len(b) })
	return table([]def{
		{sig: "&(bit,bit) bit", scalar: and, doc: "AND of bit strings of one length"},
		{sig: "|(bit,bit) bit", scalar: or, doc: "OR of bit strings of one length"},
		{sig: "#(bit,bit) bit", scalar: xor, doc: "exclusive OR of bit strings of one length"},
		{sig: "~(bit) bit", scalar: bitsNot, doc: "inverts bits"},
		{sig: "<<(bit,int4) bit", scalar: bitsShift(1), doc: "shifts left, the length stays"},
		{sig: ">>(bit,int4) bit", scalar: bitsShift(-1), doc: "shifts right, the length stays"},
		{sig: "||(varbit,varbit) varbit", kernel: concatTexts, doc: "concatenation"},
		{sig: "bitand(bit,bit) bit", scalar: and, doc: "AND of bit strings of one length"},
		{sig: "bitor(bit,bit) bit", scalar: or, doc: "OR of bit strings of one length"},
		{sig: "bitxor(bit,bit) bit", scalar: xor, doc: "exclusive OR of bit strings of one length"},
		{sig: "bitnot(bit) bit", scalar: bitsNot, doc: "inverts bits"},
		{sig: "bitshiftleft(bit,int4) bit", scalar: bitsShift(1), doc: "shifts left, the length stays"},
		{sig: "bitshiftright(bit,int4) bit", scalar: bitsShift(-1), doc: "shifts right, the length stays"},
		{sig: "bitcat(varbit,varbit) varbit", kernel: concatTexts, doc: "concatenation"},
		{sig: "length(bit) int4", scalar: count, doc: "number of bits"},
		{sig: "bit_length(bit) int4", scalar: count, doc: "number of bits"},
		{sig: "octet_length(bit) int4", scalar: bytesToInt(func(b []byte) int { return (len(b) + 7) / 8 }), doc: "number of bytes that hold the bits"},
		{sig: "bit_count(bit) int8", scalar: bytesToInt(func(b []byte) int { return bytes.Count(b, []byte{'1'}) }), doc: "number of bits that are set"},
		{sig: "get_bit(bit,int4) int4", scalar: bitsGet, doc: "bit at an offset from the left"},
		{sig: "set_bit(bit,int4,int4) bit", scalar: bitsSet, doc: "sets the bit at an offset from the left"},
		{sig: "substring(bit,int4) bit", scalar: subbytes, doc: "bits from a position"},
		{sig: "substring(bit,int4,int4) bit", scalar: subbytes, doc: "n bits from a position"},
		{sig: "overlay(bit,bit,int4) bit", scalar: overlayBytes, doc: "replaces bits from a position"},
		{sig: "overlay(bit,bit,int4,int4) bit", scalar: overlayBytes, doc: "replaces n bits from a position"},
		{sig: "position(bit,bit) int4", scalar: bitsPosition, doc: "where the second string is in the first, from 1; 0: nowhere"},
		{sig: "int4(bit) int4", scalar: castScalar, doc: "cast to int4"},
		{sig: "int8(bit) int8", scalar: castScalar, doc: "cast to int8"},
	})
}

func bitsOp(name string, op func(a, b byte) byte) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		x, y := a[0].B, a[1].B
		if len(x) != len(y) {
			return fail(pgerror.New(pgerror.StringDataLengthMismatch, "cannot %s bit strings of different sizes", name))
		}
		out := make([]byte, len(x))
		for i := range x {
			out[i] = op(x[i], y[i])
		}
		return raw(out)
	}
}

// bitsPosition is 0 in an empty string, also of an empty one.
func bitsPosition(c *CallContext, a []datum) (datum, error) {
	if len(a[0].B) == 0 {
		return integer(0)
	}
	return bytepos(c, a)
}

func bitsNot(_ *CallContext, a []datum) (datum, error) {
	out := make([]byte, len(a[0].B))
	for i, c := range a[0].B {
		out[i] = c ^ 1
	}
	return raw(out)
}

// bitsShift shifts left for sign 1, right for -1; a negative distance is one in the
// other direction.
func bitsShift(sign int64) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		n := int64(len(a[0].B))
		by := max(-n, min(n, sign*a[1].I))
		out := bytes.Repeat([]byte{'0'}, int(n))
		if by >= 0 {
			copy(out, a[0].B[by:])
		} else {
			copy(out[-by:], a[0].B)
		}
		return raw(out)
	}
}

func bitStringIndex(b []byte, i int64) error {
	if i < 0 || i >= int64(len(b)) {
		return pgerror.New(pgerror.ArraySubscriptError, "bit index %d out of valid range (0..%d)", i, len(b)-1)
	}
	return nil
}

func bitsGet(_ *CallContext, a []datum) (datum, error) {
	if err := bitStringIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	return integer(int64(a[0].B[a[1].I] & 1))
}

func bitsSet(_ *CallContext, a []datum) (datum, error) {
	if err := bitStringIndex(a[0].B, a[1].I); err != nil {
		return fail(err)
	}
	if a[2].I != 0 && a[2].I != 1 {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "new bit must be 0 or 1"))
	}
	out := bytes.Clone(a[0].B)
	out[a[1].I] = '0' + byte(a[2].I)
	return types.BytesDatum(out), nil
}
