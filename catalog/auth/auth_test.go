package auth

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"velostream/pgwire/pgerror"
)

// The example of RFC 7677 §3: user "user", password "pencil".
func TestVerifierOfRFC7677(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	v, err := makeVerifier("pencil", 4096, salt)
	if err != nil {
		t.Fatal(err)
	}
	const want = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if v.String() != want {
		t.Errorf("got %s\nwant %s", v, want)
	}
	back, err := ParseVerifier(want)
	if err != nil || back.String() != want {
		t.Errorf("parsed back: %s, %v", back, err)
	}
	if !back.Matches("pencil") || back.Matches("pencils") || back.Matches("") {
		t.Error("Matches is wrong")
	}
}

func TestMakeVerifierAgreesWithClients(t *testing.T) {
	for _, password := range []string{"secret", "pass word", "Ⅸ", "naïve\u00a0x", "\x01control", strings.Repeat("x", 200)} {
		v, err := MakeVerifier(password, 0)
		if err != nil {
			t.Fatalf("%q: %v", password, err)
		}
		client, err := scram.SHA256.NewClient("", password, "")
		if err != nil { // SASLprep refused it: both sides take the bytes
			if client, err = scram.SHA256.NewClientUnprepped("", password, ""); err != nil {
				t.Fatal(err)
			}
		}
		want, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(v.Salt), Iters: v.Iterations})
		if err != nil {
			t.Fatal(err)
		}
		if string(want.StoredKey) != string(v.StoredKey) || string(want.ServerKey) != string(v.ServerKey) {
			t.Errorf("%q: keys differ from the client's", password)
		}
	}
}

func TestParseVerifierRefuses(t *testing.T) {
	good, err := MakeVerifier("x", 4096)
	if err != nil {
		t.Fatal(err)
	}
	s := good.String()
	for _, bad := range []string{
		"", "x", "SCRAM-SHA-256$", "md5" + strings.Repeat("0", 32),
		strings.Replace(s, "4096", "0", 1), strings.Replace(s, "4096", "99999999", 1), strings.Replace(s, "4096", "4e3", 1),
		s + "=", s[:len(s)-4], strings.Replace(s, "SCRAM-SHA-256", "SCRAM-SHA-1", 1), strings.Replace(s, ":", "", 1),
	} {
		if _, err := ParseVerifier(bad); pgerror.Code(err) != pgerror.InvalidParameterValue {
			t.Errorf("%q: %v", bad, err)
		} else if len(bad) > 20 && strings.Contains(err.Error()+pgerror.From(err).Detail, bad[20:]) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	if v, err := PasswordVerifier(s, 0); err != nil || v.String() != s {
		t.Errorf("a ready verifier was not taken as it is: %v, %v", v, err)
	}
	if v, err := PasswordVerifier("SCRAM-SHA-256$odd", 0); err != nil || !v.Matches("SCRAM-SHA-256$odd") {
		t.Errorf("a password that resembles a verifier: %v", err)
	}
	if _, err := MakeVerifier("", 0); pgerror.Code(err) != pgerror.InvalidParameterValue {
		t.Errorf("empty password: %v", err)
	}
}

func FuzzParseVerifier(f *testing.F) {
	v, err := MakeVerifier("x", 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(v.String())
	f.Add("SCRAM-SHA-256$1:$:")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVerifier(s)
		if err != nil {
			return
		}
		again, err := ParseVerifier(v.String())
		if err != nil || again.String() != v.String() {
			t.Fatalf("%q -> %q: %v", s, v.String(), err)
		}
	})
}
