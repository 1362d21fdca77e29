package expr

import (
	"strings"

	"velostream/catalog/types"
)

// families lists the function tables; each is in a file of its own.
func families() [][]Function {
	return [][]Function{
		compareFamily(), intFamily(), floatFamily(),
		numericFamily(), mathFamily(), castFamily(),
		stringFamily(), textFormFamily(), patternFamily(),
		datetimeFamily(), overlapsFamily(), formatFamily(), arrayFamily(), arraySetFamily(), miscFamily(),
		jsonFamily(), jsonFieldFamily(), jsonPathFamily(), dialectJSONFamily(), unicodeFamily(),
		catalogFamily(), recordFamily(), bitFamily(), uuidFamily(), enumFamily(), domainFamily(), mapFamily(), networkFamily(),
	}
}

// def is a line of a function table: signature, implementation (exactly one of
// scalar and kernel), doc. A name that is no identifier is an operator's.
type def struct {
	sig        string
	scalar     Scalar
	kernel     Kernel
	doc        string
	volatility Volatility
	nullCall   bool
	nullFirst  bool
}

// table makes functions of the lines of a table.
func table(defs []def) []Function {
	out := make([]Function, len(defs))
	for i, d := range defs {
		f := parseSignature(d.sig)
		c := f.Name[0]
		f.Operator = (c < 'a' || c > 'z') && c != '_'
		f.Scalar, f.Kernel, f.Doc = d.scalar, d.kernel, d.doc
		f.Volatility, f.NullCall, f.NullFirst = d.volatility, d.nullCall, d.nullFirst
		out[i] = f
	}
	return out
}

// parseSignature reads "name(type,type) type"; a type may end in [] (array),
// and the last argument may begin with "variadic ". The tables are fixed text:
// a test checks that all of them parse, a type that does not exist is OID 0.
func parseSignature(s string) Function {
	open := strings.IndexByte(s, '(')
	end := strings.LastIndexByte(s, ')')
	f := Function{Name: s[:open], Ret: shortType(strings.TrimSpace(s[end+1:]))}
	args := s[open+1 : end]
	if args == "" {
		return f
	}
	for a := range strings.SplitSeq(args, ",") {
		a = strings.TrimSpace(a)
		if v, ok := strings.CutPrefix(a, "variadic "); ok {
			a, f.Variadic = v, true
		}
		f.Args = append(f.Args, shortType(a))
	}
	return f
}

func shortType(n string) types.OID {
	if e, ok := strings.CutSuffix(n, "[]"); ok {
		a, _ := types.Type{OID: shortNames[e], Mod: -1}.Array()
		return a.OID
	}
	return shortNames[n]
}
