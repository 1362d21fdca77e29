package types

import (
	"net/netip"
	"strconv"
	"strings"

	"velostream/pgwire/pgerror"
)

// A value of inet or cidr lies in memory so that its bytes order as PostgreSQL's network_cmp
// does: by family, network, length of the mask, and address.
//
//	1 byte          4 or 6
//	4 or 16 bytes   the address without the bits right of the mask
//	1 byte          bits of the mask
//	4 or 16 bytes   the address
//
// A value of macaddr is its 6 bytes.

// IsNetwork reports inet, cidr and macaddr.
func (t Type) IsNetwork() bool {
	return t.OID == OIDInet || t.OID == OIDCidr || t.OID == OIDMacaddr
}

// NetworkDatum is the value of inet or cidr with the address and mask of p, which is valid.
func NetworkDatum(p netip.Prefix) Datum {
	a := p.Addr()
	family := byte(6)
	if a.Is4() {
		family = 4
	}
	b := append(make([]byte, 0, 2+2*16), family)
	b = append(append(b, p.Masked().Addr().AsSlice()...), byte(p.Bits()))
	return BytesDatum(append(b, a.AsSlice()...))
}

// Network is the address and the length of the mask of a value of inet or cidr.
func (d Datum) Network() netip.Prefix {
	n := (len(d.B) - 2) / 2
	if n != 4 && n != 16 {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(d.B[2+n:])
	return netip.PrefixFrom(a, int(d.B[1+n]))
}

// ParseNetwork reads inet or cidr, t says which. Errors are 22P02.
func ParseNetwork(t Type, s string) (Datum, error) {
	var p netip.Prefix
	var ok bool
	switch {
	case strings.Contains(s, ":"):
		p, ok = parseIPv6(s)
	case t.OID == OIDCidr:
		p, ok = parseIPv4(s, classBits)
	default:
		p, ok = parseIPv4(s, fullBits)
	}
	if !ok {
		return Datum{}, pgerror.InvalidText(t.String(), s)
	}
	if t.OID == OIDCidr && p.Masked() != p {
		return Datum{}, pgerror.New(pgerror.InvalidTextRepresentation, "invalid cidr value: \"%s\"", s).
			WithDetail("Value has bits set to right of mask.")
	}
	return NetworkDatum(p), nil
}

// parseIPv4 reads up to four numbers and a mask. Without one, mask finds it from the numbers.
func parseIPv4(s string, mask func(octets []byte) int) (netip.Prefix, bool) {
	addr, suffix, hasMask := strings.Cut(s, "/")
	var octets []byte
	for part := range strings.SplitSeq(addr, ".") {
		n, ok := decimalDigits(part, 255)
		if !ok || len(octets) == 4 {
			return netip.Prefix{}, false
		}
		octets = append(octets, byte(n))
	}
	bits := mask(octets)
	if hasMask {
		var ok bool
		if bits, ok = decimalDigits(suffix, 32); !ok {
			return netip.Prefix{}, false
		}
	}
	if bits < 0 || hasMask && bits/8 > len(octets) && mask(nil) < 0 {
		return netip.Prefix{}, false
	}
	var a [4]byte
	copy(a[:], octets)
	return netip.PrefixFrom(netip.AddrFrom4(a), bits), true
}

// fullBits is the mask of an inet without one: there are all numbers; -1: it has none.
func fullBits(octets []byte) int {
	if len(octets) == 4 {
		return 32
	}
	return -1
}

// classBits is the mask of a cidr without one: that of its class, or of its numbers.
func classBits(octets []byte) int {
	if len(octets) == 0 {
		return 0
	}
	bits := 8
	switch {
	case octets[0] >= 240:
		bits = 32
	case octets[0] >= 224:
	case octets[0] >= 192:
		bits = 24
	case octets[0] >= 128:
		bits = 16
	}
	if bits = max(bits, 8*len(octets)); bits == 8 && octets[0] == 224 {
		bits = 4
	}
	return bits
}

func parseIPv6(s string) (netip.Prefix, bool) {
	addr, suffix, hasMask := strings.Cut(s, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := 128
	if hasMask {
		var ok bool
		if bits, ok = decimalDigits(suffix, 128); !ok || len(suffix) > 1 && suffix[0] == '0' {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(a, bits), true
}

// decimalDigits reads a number of digits alone that is at most most.
func decimalDigits(s string, most int) (int, bool) {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		if n = 10*n + int(s[i]-'0'); n > most {
			return 0, false
		}
	}
	return n, s != ""
}

// AppendAddress adds an address as PostgreSQL writes it: one that embeds an IPv4 address ends in it.
func AppendAddress(dst []byte, a netip.Addr) []byte {
	if !a.Is6() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	zeros := 0
	for zeros < 8 && b[2*zeros] == 0 && b[2*zeros+1] == 0 {
		zeros++
	}
	mapped := zeros == 5 && b[10] == 0xff && b[11] == 0xff
	if mapped || zeros == 6 {
		dst = append(dst, "::"...)
		if mapped {
			dst = append(dst, "ffff:"...)
		}
		return netip.AddrFrom4([4]byte(b[12:])).AppendTo(dst)
	}
	return a.AppendTo(dst)
}

// AppendNetwork adds a value with its mask, or without where that has all bits and always is false.
func AppendNetwork(dst []byte, p netip.Prefix, always bool) []byte {
	dst = AppendAddress(dst, p.Addr())
	if always || p.Bits() != p.Addr().BitLen() {
		dst = strconv.AppendInt(append(dst, '/'), int64(p.Bits()), 10)
	}
	return dst
}

// appendNetworkBinary adds family, mask, whether it is a cidr, and the address.
func appendNetworkBinary(dst []byte, t Type, d Datum) []byte {
	p := d.Network()
	family, cidr := byte(2), byte(0)
	if p.Addr().Is6() {
		family = 3
	}
	if t.OID == OIDCidr {
		cidr = 1
	}
	b := p.Addr().AsSlice()
	return append(append(dst, family, byte(p.Bits()), cidr, byte(len(b))), b...)
}

// decodeNetworkBinary reads what appendNetworkBinary writes. Errors are 22P03.
func decodeNetworkBinary(t Type, b []byte) (Datum, error) {
	bad := func(what string) (Datum, error) {
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid %s in external \"%s\" value", what, t)
	}
	if len(b) < 4 {
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "no data left in message")
	}
	size := map[byte]int{2: 4, 3: 16}[b[0]]
	switch {
	case size == 0:
		return bad("address family")
	case int(b[1]) > 8*size:
		return bad("bits")
	case int(b[3]) != size:
		return bad("length")
	case len(b) < 4+size:
		return Datum{}, pgerror.New(pgerror.ProtocolViolation, "insufficient data left in message")
	case len(b) > 4+size:
		return Datum{}, incorrectBinary()
	}
	a, _ := netip.AddrFromSlice(b[4:])
	p := netip.PrefixFrom(a, int(b[1]))
	if t.OID == OIDCidr && p.Masked() != p {
		return Datum{}, pgerror.New(pgerror.InvalidBinaryRepresentation, "invalid external \"cidr\" value").
			WithDetail("Value has bits set to right of mask.")
	}
	return NetworkDatum(p), nil
}

// parseMacaddr reads six bytes in one of PostgreSQL's spellings. Errors are 22P02, and
// 22003 for a number that is no byte.
func parseMacaddr(s string) (Datum, error) {
	text := strings.Trim(s, " \t\n\r\v\f")
	bad := func() (Datum, error) { return Datum{}, pgerror.InvalidText("macaddr", s) }
	sep, width := "", 2
	switch {
	case strings.Contains(text, ":") && strings.Count(text, ":") == 5:
		sep, width = ":", 0
	case strings.Count(text, "-") == 5:
		sep, width = "-", 0
	case strings.Contains(text, ":"):
		sep, width = ":", 6
	case strings.Contains(text, "."):
		sep, width = ".", 4
	case strings.Count(text, "-") == 2:
		sep, width = "-", 4
	case strings.Contains(text, "-"):
		sep, width = "-", 6
	}
	var groups []string
	if sep == "" {
		groups = []string{text}
		width = 12
	} else {
		groups = strings.Split(text, sep)
	}
	var out []byte
	for k, g := range groups {
		if width == 0 {
			n, err := strconv.ParseUint(g, 16, 32)
			switch {
			case err != nil:
				return bad()
			case n > 255:
				return Datum{}, pgerror.New(pgerror.NumericValueOutOfRange, "invalid octet value in \"macaddr\" value: \"%s\"", s)
			}
			out = append(out, byte(n))
			continue
		}
		if last := k == len(groups)-1; len(g) != width && (!last || len(g) != width-1) {
			return bad()
		}
		for i := 0; i < len(g); i += 2 {
			n, err := strconv.ParseUint(g[i:min(i+2, len(g))], 16, 8)
			if err != nil {
				return bad()
			}
			out = append(out, byte(n))
		}
	}
	if len(out) != 6 {
		return bad()
	}
	return BytesDatum(out), nil
}

func appendMacaddr(dst, b []byte) []byte {
	const hexDigits = "0123456789abcdef"
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// castNetwork casts inet and cidr: to each other, and to text, always with the mask.
func castNetwork(to Type, d Datum) Datum {
	if to.OID == OIDInet {
		return d
	}
	p := d.Network()
	if to.OID == OIDCidr {
		return NetworkDatum(p.Masked())
	}
	return BytesDatum(AppendNetwork(nil, p, true))
}
