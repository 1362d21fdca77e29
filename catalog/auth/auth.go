// Package auth keeps how users prove who they are: SCRAM-SHA-256 verifiers in
// PostgreSQL's stored form, made from passwords and checked against them.
//
// A verifier does not hold the password, nor anything that lets its holder
// log in elsewhere with it; it is what the catalog stores for a role and what
// the wire server needs to run the exchange.
package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/stringprep"

	"velostream/pgwire/pgerror"
)

const (
	// DefaultIterations is PostgreSQL 15's count for new verifiers.
	DefaultIterations = 4096
	// IterationsMax bounds the work that a verifier given by a user costs.
	IterationsMax = 1_000_000

	saltBytes    = 16
	saltBytesMax = 1024
	scheme       = "SCRAM-SHA-256"
)

// Verifier is what a password is checked against (RFC 5802 §3).
type Verifier struct {
	Iterations int
	Salt       []byte
	StoredKey  []byte // 32 bytes
	ServerKey  []byte // 32 bytes
}

// MakeVerifier makes a verifier of password with a new random salt;
// iterations 0 means DefaultIterations. Errors are 22023.
func MakeVerifier(password string, iterations int) (Verifier, error) {
	if iterations == 0 {
		iterations = DefaultIterations
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return Verifier{}, fmt.Errorf("salt: %w", err)
	}
	return makeVerifier(password, iterations, salt)
}

func makeVerifier(password string, iterations int, salt []byte) (Verifier, error) {
	if password == "" {
		return Verifier{}, pgerror.New(pgerror.InvalidParameterValue, "a password must not be empty")
	}
	if iterations < 1 || iterations > IterationsMax {
		return Verifier{}, pgerror.New(pgerror.InvalidParameterValue, "SCRAM iterations are %d; they must be 1 to %d", iterations, IterationsMax)
	}
	salted, err := pbkdf2.Key(sha256.New, normalize(password), salt, iterations, sha256.Size)
	if err != nil {
		return Verifier{}, fmt.Errorf("deriving the key: %w", err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return Verifier{Iterations: iterations, Salt: salt, StoredKey: stored[:], ServerKey: mac(salted, "Server Key")}, nil
}

// normalize prepares a password as clients do (SASLprep, RFC 4013); one that
// SASLprep refuses is taken as its bytes, as PostgreSQL and its clients agree.
func normalize(password string) string {
	if p, err := stringprep.SASLprep.Prepare(password); err == nil {
		return p
	}
	return password
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Matches reports whether v was made of password.
func (v Verifier) Matches(password string) bool {
	w, err := makeVerifier(password, v.Iterations, v.Salt)
	return err == nil && hmac.Equal(w.StoredKey, v.StoredKey)
}

// String returns v in PostgreSQL's stored form (RFC 5803, pg_authid.rolpassword):
//
//	SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
func (v Verifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return scheme + "$" + strconv.Itoa(v.Iterations) + ":" + b64(v.Salt) + "$" + b64(v.StoredKey) + ":" + b64(v.ServerKey)
}

// IsVerifier reports whether s looks like a stored verifier rather than a
// password: psql's \password sends the former.
func IsVerifier(s string) bool {
	_, err := ParseVerifier(s)
	return err == nil
}

// ParseVerifier reads what String wrote. Errors are 22023.
func ParseVerifier(s string) (Verifier, error) {
	rest, ok := strings.CutPrefix(s, scheme+"$")
	factors, keys, ok2 := strings.Cut(rest, "$")
	iterations, salt, ok3 := strings.Cut(factors, ":")
	stored, server, ok4 := strings.Cut(keys, ":")
	if !ok || !ok2 || !ok3 || !ok4 {
		return Verifier{}, errVerifier("it is not of the form %s$<iterations>:<salt>$<stored key>:<server key>", scheme)
	}
	n, err := strconv.Atoi(iterations)
	if err != nil || n < 1 || n > IterationsMax {
		return Verifier{}, errVerifier("the iteration count must be 1 to %d", IterationsMax)
	}
	v := Verifier{Iterations: n}
	for _, part := range []struct {
		name, text string
		dst        *[]byte
		min, max   int
	}{
		{"salt", salt, &v.Salt, 1, saltBytesMax},
		{"stored key", stored, &v.StoredKey, sha256.Size, sha256.Size},
		{"server key", server, &v.ServerKey, sha256.Size, sha256.Size},
	} {
		b, err := base64.StdEncoding.Strict().DecodeString(part.text)
		if err != nil || len(b) < part.min || len(b) > part.max {
			return Verifier{}, errVerifier("the %s is not valid base64 of its length", part.name)
		}
		*part.dst = b
	}
	return v, nil
}

// errVerifier never repeats the text it is about: that is a secret.
func errVerifier(detail string, args ...any) error {
	return pgerror.New(pgerror.InvalidParameterValue, "invalid SCRAM-SHA-256 verifier").WithDetail(detail, args...)
}

// PasswordVerifier is what CREATE ROLE … PASSWORD 's' stores: s itself if it is
// a verifier already, else a verifier made of it. Errors are 22023.
func PasswordVerifier(s string, iterations int) (Verifier, error) {
	if strings.HasPrefix(s, scheme+"$") {
		if v, err := ParseVerifier(s); err == nil {
			return v, nil
		}
	}
	return MakeVerifier(s, iterations)
}
