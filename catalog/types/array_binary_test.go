package types

import "testing"

// TestVectorBinary: a vector takes no NULL, as in PostgreSQL's int2vectorrecv.
func TestVectorBinary(t *testing.T) {
	vector := Type{OID: OIDInt2Vector, Mod: -1}
	if _, err := DecodeBinary(vector, AppendBinary(nil, vector, Datum{List: []Datum{IntDatum(1), IntDatum(2)}})); err != nil {
		t.Error(err)
	}
	_, err := DecodeBinary(vector, AppendBinary(nil, vector, Datum{List: []Datum{IntDatum(1), NullDatum}}))
	if err == nil {
		t.Fatal("a vector with NULL was taken")
	}
}
