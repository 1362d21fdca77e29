package types

import (
	"encoding/binary"
	"math"
	"math/big"

	"velostream/pgwire/pgerror"
)

// First bytes of keys, in the order of the values.
const (
	keyNegInf   = 0x10
	keyNegative = 0x20
	keyZero     = 0x30
	keyPositive = 0x40
	keyPosInf   = 0x50
	keyNaN      = 0x60
)

// AppendKey adds an encoding of d's value, without its scale: equal values
// have equal keys, keys compare byte by byte as the values do, and no key is
// the beginning of another.
//
// After the first byte: the decimal exponent (one byte near zero, else a mark
// and three), then two digits a byte, each plus one, and a 0. All bytes after
// the first are inverted for negative values.
func (d Decimal) AppendKey(dst []byte) []byte {
	switch d.form {
	case nan:
		return append(dst, keyNaN)
	case posInf:
		return append(dst, keyPosInf)
	case negInf:
		return append(dst, keyNegInf)
	default:
	}
	sgn := d.Sign()
	if sgn == 0 {
		return append(dst, keyZero)
	}
	if sgn > 0 {
		return d.appendMagnitude(append(dst, keyPositive))
	}
	at := len(dst) + 1
	dst = d.appendMagnitude(append(dst, keyNegative))
	for i := at; i < len(dst); i++ {
		dst[i] = ^dst[i]
	}
	return dst
}

// Exponents from -100 to 100 are one byte, 28 to 228.
const (
	keyExpMax  = 100
	keyExpBias = 128
	keyExpLow  = 8
	keyExpHigh = 240
	keyExpWide = 1 << 23
)

func (d Decimal) appendMagnitude(dst []byte) []byte {
	e := d.exponent()
	switch {
	case e > keyExpMax:
		w := e + keyExpWide
		dst = append(dst, keyExpHigh, byte(w>>16), byte(w>>8), byte(w))
	case e < -keyExpMax:
		w := e + keyExpWide
		dst = append(dst, keyExpLow, byte(w>>16), byte(w>>8), byte(w))
	default:
		dst = append(dst, byte(e+keyExpBias))
	}
	if d.big == nil {
		u := absWord(d.coef)
		for n := digits(u); u != 0; {
			if n >= 2 {
				p := pow10at(n - 2)
				dst = append(dst, byte(u/p)+1)
				u, n = u%p, n-2
				continue
			}
			dst = append(dst, byte(u*10)+1)
			break
		}
		return append(dst, 0)
	}
	text := d.big.Append(nil, 10)
	if text[0] == '-' {
		text = text[1:]
	}
	for len(text) > 0 && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	for i := 0; i < len(text); i += 2 {
		v := (text[i] - '0') * 10
		if i+1 < len(text) {
			v += text[i+1] - '0'
		}
		dst = append(dst, v+1)
	}
	return append(dst, 0)
}

func badKey() error { return pgerror.New(pgerror.DataCorrupted, "invalid numeric key") }

// DecodeKey reads a key from the beginning of b and returns the value, in
// normal form, and what follows the key. Any bytes are safe to hand in.
func DecodeKey(b []byte) (Decimal, []byte, error) {
	if len(b) == 0 {
		return Decimal{}, nil, badKey()
	}
	tag, b := b[0], b[1:]
	switch tag {
	case keyNaN:
		return DecimalNaN, b, nil
	case keyPosInf:
		return DecimalInf, b, nil
	case keyNegInf:
		return DecimalNegInf, b, nil
	case keyZero:
		return Decimal{}, b, nil
	case keyPositive, keyNegative:
	default:
		return Decimal{}, nil, badKey()
	}
	flip := byte(0)
	if tag == keyNegative {
		flip = 0xFF
	}
	e, b, ok := decodeKeyExponent(b, flip)
	if !ok {
		return Decimal{}, nil, badKey()
	}
	text := make([]byte, 0, 32)
	for i, c := range b {
		c ^= flip
		if c == 0 {
			d, err := fromKeyDigits(text, e, flip != 0)
			return d, b[i+1:], err
		}
		if c > 100 {
			break
		}
		text = appendDigits2(text, int(c)-1)
	}
	return Decimal{}, nil, badKey()
}

func decodeKeyExponent(b []byte, flip byte) (int, []byte, bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	switch c := b[0] ^ flip; c {
	case keyExpLow, keyExpHigh:
		if len(b) < 4 {
			return 0, nil, false
		}
		w := int(b[1]^flip)<<16 | int(b[2]^flip)<<8 | int(b[3]^flip)
		return w - keyExpWide, b[4:], true
	default:
		return int(c) - keyExpBias, b[1:], true
	}
}

func fromKeyDigits(text []byte, e int, neg bool) (Decimal, error) {
	if len(text) == 0 || e > maxIntDigits || e < -maxScale {
		return Decimal{}, badKey()
	}
	if text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	scale := len(text) - e
	if scale > maxScale {
		return Decimal{}, badKey()
	}
	var b big.Int
	if _, ok := b.SetString(string(text), 10); !ok {
		return Decimal{}, badKey()
	}
	if neg {
		b.Neg(&b)
	}
	return fromBig(&b, int32(scale)), nil
}

// Kinds of compact encodings, in the low bits of the first number.
const (
	compactWord = iota
	compactBig
	compactBigNeg
	compactNaN
	compactPosInf
	compactNegInf
)

// AppendCompact adds an exact encoding of d, its scale included: for state,
// not for keys. Typical prices take 4 to 7 bytes.
func (d Decimal) AppendCompact(dst []byte) []byte {
	switch d.form {
	case nan:
		return append(dst, compactNaN)
	case posInf:
		return append(dst, compactPosInf)
	case negInf:
		return append(dst, compactNegInf)
	default:
	}
	head := uint64(d.scale) << 3
	if d.big == nil {
		dst = binary.AppendUvarint(dst, head) // compactWord
		return binary.AppendVarint(dst, d.coef)
	}
	if d.big.Sign() < 0 {
		dst = binary.AppendUvarint(dst, head|compactBigNeg)
	} else {
		dst = binary.AppendUvarint(dst, head|compactBig)
	}
	raw := d.big.Bytes()
	return append(binary.AppendUvarint(dst, uint64(len(raw))), raw...)
}

// SkipCompact returns what follows the value that AppendCompact wrote at the
// beginning of b. Any bytes are safe to hand in.
func SkipCompact(b []byte) ([]byte, error) {
	if head, n := binary.Uvarint(b); n > 0 && head>>3 <= maxScale && head&7 == compactWord {
		if _, k := binary.Varint(b[n:]); k > 0 {
			return b[n+k:], nil
		}
	}
	_, rest, err := DecodeCompact(b)
	return rest, err
}

// DecodeCompact reads what AppendCompact wrote at the beginning of b and
// returns it and what follows. Any bytes are safe to hand in.
func DecodeCompact(b []byte) (Decimal, []byte, error) {
	head, n := binary.Uvarint(b)
	if n <= 0 || head>>3 > maxScale {
		return badCompact()
	}
	b = b[n:]
	scale := int32(head >> 3)
	switch kind := head & 7; kind {
	case compactNaN:
		return DecimalNaN, b, nil
	case compactPosInf:
		return DecimalInf, b, nil
	case compactNegInf:
		return DecimalNegInf, b, nil
	case compactWord:
		v, n := binary.Varint(b)
		if n <= 0 || v == math.MinInt64 {
			return badCompact()
		}
		return Decimal{coef: v, scale: scale}, b[n:], nil
	case compactBig, compactBigNeg:
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return badCompact()
		}
		v := new(big.Int).SetBytes(b[n : n+int(size)])
		if kind == compactBigNeg {
			v.Neg(v)
		}
		return fromBig(v, scale), b[n+int(size):], nil
	}
	return badCompact()
}

func badCompact() (Decimal, []byte, error) {
	return Decimal{}, nil, pgerror.New(pgerror.DataCorrupted, "invalid numeric encoding")
}
