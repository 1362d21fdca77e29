package expr

import (
	"math"
	"math/big"
	"net/netip"
	"strconv"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// networkFamily is the table of network addresses
// (https://www.postgresql.org/docs/15/functions-net.html). cidr converts to inet.
func networkFamily() []Function {
	bits := func(f func(a, b byte) byte) [2]Scalar {
		return [2]Scalar{inetBits(f), macBits(f)}
	}
	and, or := bits(func(a, b byte) byte { return a & b }), bits(func(a, b byte) byte { return a | b })
	not := bits(func(a, _ byte) byte { return ^a })
	return table([]def{
		{sig: "<<(inet,inet) bool", scalar: inetWithin(0, true), doc: "is strictly within a network"},
		{sig: "<<=(inet,inet) bool", scalar: inetWithin(0, false), doc: "is within a network, or equal"},
		{sig: ">>(inet,inet) bool", scalar: inetWithin(1, true), doc: "strictly contains a network"},
		{sig: ">>=(inet,inet) bool", scalar: inetWithin(1, false), doc: "contains a network, or is equal"},
		{sig: "&&(inet,inet) bool", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return boolean(a[0].Network().Overlaps(a[1].Network()))
		}, doc: "one contains the other"},
		{sig: "~(inet) inet", scalar: not[0], doc: "bitwise NOT"},
		{sig: "&(inet,inet) inet", scalar: and[0], doc: "bitwise AND"},
		{sig: "|(inet,inet) inet", scalar: or[0], doc: "bitwise OR"},
		{sig: "+(inet,int8) inet", scalar: inetPlus(0, 1), doc: "adds an offset to an address"},
		{sig: "+(int8,inet) inet", scalar: inetPlus(1, 1), doc: "adds an offset to an address"},
		{sig: "-(inet,int8) inet", scalar: inetPlus(0, -1), doc: "subtracts an offset from an address"},
		{sig: "-(inet,inet) int8", scalar: inetMinus, doc: "difference of addresses"},
		{sig: "abbrev(inet) text", scalar: inetText(func(p netip.Prefix) []byte { return types.AppendNetwork(nil, p, false) }), doc: "short text form"},
		{sig: "abbrev(cidr) text", scalar: inetText(abbrevCidr), doc: "short text form"},
		{sig: "host(inet) text", scalar: inetText(func(p netip.Prefix) []byte { return types.AppendAddress(nil, p.Addr()) }), doc: "address without the mask"},
		{sig: "broadcast(inet) inet", scalar: inetMask(func(a, m byte) byte { return a | ^m }, false), doc: "broadcast address of the network"},
		{sig: "netmask(inet) inet", scalar: inetMask(func(_, m byte) byte { return m }, true), doc: "mask of the network"},
		{sig: "hostmask(inet) inet", scalar: inetMask(func(_, m byte) byte { return ^m }, true), doc: "inverse of the mask"},
		{sig: "network(inet) cidr", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return types.NetworkDatum(a[0].Network().Masked()), nil
		}, doc: "network part"},
		{sig: "family(inet) int4", scalar: func(_ *CallContext, a []datum) (datum, error) {
			if a[0].Network().Addr().Is4() {
				return types.IntDatum(4), nil
			}
			return types.IntDatum(6), nil
		}, doc: "4 or 6"},
		{sig: "masklen(inet) int4", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return types.IntDatum(int64(a[0].Network().Bits())), nil
		}, doc: "bits of the mask"},
		{sig: "set_masklen(inet,int4) inet", scalar: setMasklen, doc: "sets the mask; -1: all bits"},
		{sig: "set_masklen(cidr,int4) cidr", scalar: setMasklen, doc: "sets the mask; -1: all bits"},
		{sig: "inet_same_family(inet,inet) bool", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return boolean(sameFamily(a[0], a[1]))
		}, doc: "addresses are of one family"},
		{sig: "inet_merge(inet,inet) cidr", scalar: inetMerge, doc: "smallest network that contains both"},
		{sig: "trunc(macaddr) macaddr", scalar: func(_ *CallContext, a []datum) (datum, error) {
			return raw(append(append([]byte{}, a[0].B[:3]...), 0, 0, 0))
		}, doc: "sets the last three bytes to zero"},
		{sig: "~(macaddr) macaddr", scalar: not[1], doc: "bitwise NOT"},
		{sig: "&(macaddr,macaddr) macaddr", scalar: and[1], doc: "bitwise AND"},
		{sig: "|(macaddr,macaddr) macaddr", scalar: or[1], doc: "bitwise OR"},
	})
}

func sameFamily(a, b datum) bool {
	return a.Network().Addr().Is4() == b.Network().Addr().Is4()
}

// withAddress is p with the address in b.
func withAddress(p netip.Prefix, b []byte) datum {
	a, _ := netip.AddrFromSlice(b)
	return types.NetworkDatum(netip.PrefixFrom(a, p.Bits()))
}

// inetWithin reports that argument in is within the other one.
func inetWithin(in int, strict bool) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		x, net := a[in].Network(), a[1-in].Network()
		return boolean((x.Bits() > net.Bits() || !strict && x.Bits() == net.Bits()) && net.Contains(x.Addr()))
	}
}

func inetText(f func(netip.Prefix) []byte) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) { return raw(f(a[0].Network())) }
}

func inetBits(f func(a, b byte) byte) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		p := a[0].Network()
		x, y := p.Addr().AsSlice(), p.Addr().AsSlice()
		if len(a) > 1 {
			if !sameFamily(a[0], a[1]) {
				what := "AND"
				if f(1, 0) == 1 {
					what = "OR"
				}
				return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot %s inet values of different sizes", what))
			}
			q := a[1].Network()
			y = q.Addr().AsSlice()
			p = netip.PrefixFrom(p.Addr(), max(p.Bits(), q.Bits()))
		}
		for i := range x {
			x[i] = f(x[i], y[i])
		}
		return withAddress(p, x), nil
	}
}

func macBits(f func(a, b byte) byte) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		out := make([]byte, len(a[0].B))
		for i := range out {
			out[i] = f(a[0].B[i], a[len(a)-1].B[i])
		}
		return raw(out)
	}
}

// inetMask makes an address of those of a network and its mask, byte by byte.
func inetMask(f func(a, m byte) byte, all bool) Scalar {
	return func(_ *CallContext, args []datum) (datum, error) {
		p := args[0].Network()
		b := p.Addr().AsSlice()
		for i := range b {
			ones := min(max(p.Bits()-8*i, 0), 8)
			b[i] = f(b[i], byte(uint(0xff00)>>ones))
		}
		if all {
			p = netip.PrefixFrom(p.Addr(), p.Addr().BitLen())
		}
		return withAddress(p, b), nil
	}
}

func setMasklen(c *CallContext, a []datum) (datum, error) {
	addr, n := a[0].Network().Addr(), int(a[1].I)
	if n == -1 {
		n = addr.BitLen()
	}
	if n < 0 || n > addr.BitLen() {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "invalid mask length: %d", a[1].I))
	}
	p := netip.PrefixFrom(addr, n)
	if c.Ret.OID == types.OIDCidr {
		p = p.Masked()
	}
	return types.NetworkDatum(p), nil
}

func inetMerge(_ *CallContext, a []datum) (datum, error) {
	if !sameFamily(a[0], a[1]) {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot merge addresses from different families"))
	}
	p, q := a[0].Network(), a[1].Network()
	n := min(p.Bits(), q.Bits())
	for n > 0 && netip.PrefixFrom(p.Addr(), n).Masked() != netip.PrefixFrom(q.Addr(), n).Masked() {
		n--
	}
	return types.NetworkDatum(netip.PrefixFrom(p.Addr(), n).Masked()), nil
}

func inetRange() error { return pgerror.New(pgerror.NumericValueOutOfRange, "result is out of range") }

func inetPlus(arg int, sign int64) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		p := a[arg].Network()
		b := p.Addr().AsSlice()
		by := new(big.Int).Mul(big.NewInt(a[1-arg].I), big.NewInt(sign))
		sum := by.Add(by, new(big.Int).SetBytes(b))
		if sum.Sign() < 0 || sum.BitLen() > 8*len(b) {
			return fail(inetRange())
		}
		return withAddress(p, sum.FillBytes(b)), nil
	}
}

func inetMinus(_ *CallContext, a []datum) (datum, error) {
	if !sameFamily(a[0], a[1]) {
		return fail(pgerror.New(pgerror.InvalidParameterValue, "cannot subtract inet values of different sizes"))
	}
	x := new(big.Int).SetBytes(a[0].Network().Addr().AsSlice())
	x.Sub(x, new(big.Int).SetBytes(a[1].Network().Addr().AsSlice()))
	if !x.IsInt64() {
		return fail(inetRange())
	}
	return types.IntDatum(x.Int64()), nil
}

// abbrevCidr is the text of a network without what the mask cuts off.
func abbrevCidr(p netip.Prefix) []byte {
	n := p.Bits()
	var out []byte
	switch b := p.Addr().AsSlice(); {
	case p.Addr().Is4():
		out = strconv.AppendInt(out, int64(b[0]), 10)
		for i := 1; 8*i < n; i++ {
			out = strconv.AppendInt(append(out, '.'), int64(b[i]), 10)
		}
	case n == 0:
		out = append(out, "::"...)
	default:
		out = abbrevIPv6(b, n)
	}
	return strconv.AppendInt(append(out, '/'), int64(n), 10)
}

// abbrevIPv6 writes the words of b that the first n bits are in, the longest run of zeros
// among them as two colons. An address that embeds an IPv4 address ends in that.
func abbrevIPv6(b []byte, n int) []byte {
	words := max((n+15)/16, 2)
	word := func(i int) int { return int(b[2*i])<<8 | int(b[2*i+1]) }
	at, run := 0, 0
	for i := 0; i < words; i++ {
		j := i
		for j < words && word(j) == 0 {
			j++
		}
		if j-i > run {
			at, run = i, j-i
		}
		i = max(i, j-1)
	}
	ipv4 := run != words && run > 0 && at == 0 && (run == 6 || run == 5 && word(5) == math.MaxUint16 || run == 7 && b[14] != 0 && b[15] != 1)
	var out []byte
	for i := range words {
		switch {
		case run > 0 && i >= at && i < at+run:
			if i == at {
				out = append(out, ':')
			}
			if i == words-1 {
				out = append(out, ':')
			}
		case ipv4 && i > 5:
			sep := byte('.')
			if i == 6 {
				sep = ':'
			}
			out = strconv.AppendInt(append(out, sep), int64(b[2*i]), 10)
			if i != 7 || n > 120 {
				out = strconv.AppendInt(append(out, '.'), int64(b[2*i+1]), 10)
			}
		default:
			if len(out) > 0 {
				out = append(out, ':')
			}
			out = strconv.AppendInt(out, int64(word(i)), 16)
		}
	}
	return out
}
