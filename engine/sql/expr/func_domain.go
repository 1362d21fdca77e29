package expr

import (
	"velostream/catalog/types"
)

// domainFamily is the table of what casts to domains are made of.
func domainFamily() []Function {
	return table([]def{
		{
			sig: "domain_value(anyelement,text,bool,variadic any) anyelement", scalar: domainValue, nullCall: true,
			doc: "the value, if all conditions of the domain hold",
		},
	})
}

// domainValue takes the value, the domain's name, whether it refuses NULL, and name and
// outcome of each condition.
func domainValue(_ *CallContext, a []datum) (datum, error) {
	if a[0].Null && a[2].Bool() {
		return fail(types.DomainNull(string(a[1].B)))
	}
	for i := 3; i+1 < len(a); i += 2 {
		if cond := a[i+1]; !cond.Null && !cond.Bool() {
			return fail(types.DomainCheck(string(a[1].B), string(a[i].B)))
		}
	}
	return a[0], nil
}
