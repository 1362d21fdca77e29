package types

import "velostream/pgwire/pgerror"

// IsDomain reports a domain. Values and expressions never have such a type: see
// catalog.UserType.
func (t Type) IsDomain() bool { return in(t.OID, BaseDomain) }

// DomainNull is the error of a NULL that the domain does not allow.
func DomainNull(domain string) error {
	return pgerror.New(pgerror.NotNullViolation, "domain %s does not allow null values", domain)
}

// DomainCheck is the error of a value for which a constraint of the domain does not hold.
func DomainCheck(domain, constraint string) error {
	e := pgerror.New(pgerror.CheckViolation, "value for domain %s violates check constraint \"%s\"", domain, constraint)
	e.Constraint = constraint
	return e
}
