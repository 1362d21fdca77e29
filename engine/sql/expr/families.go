package expr

import (
	"strings"

	"velostream/catalog/types"
)

// families lists the function tables; each is in a file of its own.
func families() [][]Function {
	return [][]Function{}
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
