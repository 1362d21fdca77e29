package expr

import (
	"crypto/rand"

	"github.com/google/uuid"

	"velostream/pgwire/pgerror"
)

// uuidFamily are PostgreSQL's functions that make UUIDs, those of its extension
// uuid-ossp among them: https://www.postgresql.org/docs/15/uuid-ossp.html
func uuidFamily() []Function {
	fixed := func(u uuid.UUID) Scalar {
		return func(*CallContext, []datum) (datum, error) { return raw(u[:]) }
	}
	return table([]def{
		{sig: "gen_random_uuid() uuid", scalar: newUUID(uuid.NewRandom), volatility: Volatile, doc: "random UUID, version 4"},
		{sig: "uuid_generate_v4() uuid", scalar: newUUID(uuid.NewRandom), volatility: Volatile, doc: "random UUID, version 4"},
		{sig: "uuid_generate_v1() uuid", scalar: newUUID(uuid.NewUUID), volatility: Volatile, doc: "UUID of the time and the machine's address, version 1"},
		{sig: "uuid_generate_v1mc() uuid", scalar: newUUID(timeUUID), volatility: Volatile, doc: "UUID of the time and a random multicast address, version 1"},
		{sig: "uuid_generate_v3(uuid,text) uuid", scalar: namedUUID(uuid.NewMD5), doc: "UUID of a name in a namespace by MD5, version 3"},
		{sig: "uuid_generate_v5(uuid,text) uuid", scalar: namedUUID(uuid.NewSHA1), doc: "UUID of a name in a namespace by SHA-1, version 5"},
		{sig: "uuid_nil() uuid", scalar: fixed(uuid.Nil), doc: "UUID of zeros"},
		{sig: "uuid_ns_dns() uuid", scalar: fixed(uuid.NameSpaceDNS), doc: "namespace of domain names, for uuid_generate_v5"},
		{sig: "uuid_ns_url() uuid", scalar: fixed(uuid.NameSpaceURL), doc: "namespace of URLs, for uuid_generate_v5"},
		{sig: "uuid_ns_oid() uuid", scalar: fixed(uuid.NameSpaceOID), doc: "namespace of ISO object identifiers, for uuid_generate_v5"},
		{sig: "uuid_ns_x500() uuid", scalar: fixed(uuid.NameSpaceX500), doc: "namespace of X.500 names, for uuid_generate_v5"},
	})
}

func newUUID(gen func() (uuid.UUID, error)) Scalar {
	return func(*CallContext, []datum) (datum, error) {
		u, err := gen()
		if err != nil {
			return fail(pgerror.From(err))
		}
		return raw(u[:])
	}
}

// timeUUID is a UUID of the time that tells nothing of the machine (RFC 9562, 6.10).
func timeUUID() (uuid.UUID, error) {
	u, err := uuid.NewUUID()
	if err == nil {
		_, err = rand.Read(u[10:])
	}
	u[10] |= 1
	return u, err
}

func namedUUID(gen func(space uuid.UUID, name []byte) uuid.UUID) Scalar {
	return func(_ *CallContext, a []datum) (datum, error) {
		u := gen(uuid.UUID(a[0].B), a[1].B)
		return raw(u[:])
	}
}
